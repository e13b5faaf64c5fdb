#include "cli/eval_run.h"

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/progress.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { GROUP_USERS = 32 };

/* One thread's memory. */
struct desk {
    struct collide_lane *lane;
    struct arena arena; /* a group's queries and hits */
    struct collide_error err;
};

struct run {
    const struct eval_request *request;
    struct eval_result result;
    struct desk *desks; /* (n_threads) */
    struct progress progress;
    _Atomic uint64_t n_done;
};

static uint64_t length(const struct csr *lists, uint32_t row)
{
    return lists->offsets[row + 1] - lists->offsets[row];
}

/* The external ids of a list's items that the model knows; NULL when memory is out. */
static const struct collide_id *list_ids(const struct run *r, const struct csr *lists, uint32_t row,
                                         struct arena *arena, size_t *n)
{
    const struct id_index *items = &r->request->model->items;
    struct collide_id *ids = arena_alloc(arena, length(lists, row), sizeof *ids);
    *n = 0;
    for (uint64_t i = lists->offsets[row]; ids && i < lists->offsets[row + 1]; i++)
        if (lists->values[i] < items->n_ids)
            ids[(*n)++] = id_index_key(items, lists->values[i]);
    return ids;
}

static enum collide_status set_query(const struct run *r, uint32_t user, struct arena *arena,
                                     struct collide_topk_query *out, struct collide_error *err)
{
    const struct eval_lists *lists = r->request->lists;
    struct collide_id *id = arena_alloc(arena, 1, sizeof *id);
    *out = (struct collide_topk_query){.k = r->request->depth, .flags = COLLIDE_TOPK_EXCLUDE_SEEN};
    out->exclude = list_ids(r, &lists->masked, user, arena, &out->n_exclude);
    if (lists->has_histories)
        out->query.history = list_ids(r, &lists->histories, user, arena, &out->query.n_history);
    if (!lists->has_histories || r->request->model->model->user_is_embedded)
        out->query.user = id;
    if (!id || !out->exclude || (lists->has_histories && !out->query.history))
        return error_no_memory(err, "the users' lists");
    *id = id_index_key(&lists->users, user);
    return COLLIDE_OK;
}

static void note_ranks(struct run *r, uint32_t user, const struct collide_hit *hits, size_t n_hits)
{
    const struct csr *relevant = &r->request->lists->relevant;
    for (size_t rank = 0; rank < n_hits; rank++) {
        const uint32_t item = id_index_find(&r->request->model->items, hits[rank].item);
        for (uint64_t i = relevant->offsets[user]; i < relevant->offsets[user + 1]; i++)
            if (relevant->values[i] == item)
                r->result.ranks[i] = (uint32_t)rank + 1;
    }
}

/* Users [begin, begin + n) in one call, as launches and rows are then shared. */
static enum collide_status measure_group(struct run *r, struct desk *desk, size_t begin, size_t n)
{
    const size_t depth = r->request->depth;
    struct collide_topk_query queries[GROUP_USERS];
    size_t n_hits[GROUP_USERS];
    arena_reset(&desk->arena);
    struct collide_hit *hits = arena_alloc(&desk->arena, n * depth, sizeof *hits);
    enum collide_status status = hits ? COLLIDE_OK : error_no_memory(&desk->err, "the best items");
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++)
        status = set_query(r, r->result.users[begin + i], &desk->arena, &queries[i], &desk->err);
    if (status == COLLIDE_OK)
        status = collide_topk(desk->lane, queries, n, hits, n_hits, NULL, &desk->err);
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++)
        note_ranks(r, r->result.users[begin + i], hits + i * depth, n_hits[i]);
    return status;
}

static void measure_users(void *context, unsigned thread, size_t begin, size_t end)
{
    struct run *r = context;
    struct desk *desk = &r->desks[thread];
    for (size_t at = begin; at < end; at += GROUP_USERS) {
        size_t n = end - at < GROUP_USERS ? end - at : GROUP_USERS;
        if (measure_group(r, desk, at, n) != COLLIDE_OK)
            return;
        uint64_t n_done = atomic_fetch_add(&r->n_done, n) + n;
        if (thread == 0)
            progress_update(&r->progress, n_done, NULL);
    }
}

/* ---- What can be asked, and found. */

static enum collide_status check_queries(const struct eval_request *q, struct collide_error *err)
{
    const struct model *model = q->model->model;
    const bool stores = model->histories.offsets != NULL;
    if (q->model->users.n_ids == 0 && !q->lists->has_histories)
        return error_set(err, COLLIDE_INVALID, "%s stores no histories; give them with --history FILE",
                         q->model_name);
    if (model->user_is_embedded && stores && q->lists->has_histories)
        return error_set(err, COLLIDE_INVALID,
                         "%s embeds users and stores their histories, which a query's would add to, not "
                         "replace: leave --history out",
                         q->model_name);
    if (!stores && !q->lists->has_histories && q->lists->masked.offsets[q->lists->users.n_ids] == 0)
        log_warning("%s stores no histories and nothing is masked: what users had in training counts as "
                    "recommended to them; give the training log with --mask",
                    q->model_name);
    return COLLIDE_OK;
}

static bool stored_history_holds(const struct eval_request *q, uint32_t row, uint32_t item)
{
    const struct stored_histories *stored = &q->model->model->histories;
    if (!stored->offsets || q->lists->has_histories)
        return false;
    const uint32_t user = id_index_find(&q->model->users, id_index_key(&q->lists->users, row));
    for (uint32_t i = stored->offsets[user]; i < stored->offsets[user + 1]; i++)
        if (stored->items[i] == item)
            return true;
    return false;
}

/* Says what of the test file cannot be found whatever the model does; nothing left to find is an error. */
static enum collide_status check_findable(const struct eval_request *q, struct collide_error *err)
{
    const struct csr *relevant = &q->lists->relevant;
    uint64_t n = relevant->offsets[relevant->n_rows], n_unknown = 0, n_masked = 0;
    for (uint32_t u = 0; u < relevant->n_rows; u++)
        for (uint64_t i = relevant->offsets[u]; i < relevant->offsets[u + 1]; i++) {
            const uint32_t item = relevant->values[i];
            n_unknown += item >= q->model->items.n_ids;
            n_masked += csr_holds(&q->lists->masked, u, item) || csr_holds(&q->lists->histories, u, item) ||
                        stored_history_holds(q, u, item);
        }
    if (n_unknown + n_masked == n)
        return error_set(err, COLLIDE_INVALID,
                         "%s: nothing can be found: of %" PRIu64 " interactions %" PRIu64
                         " have items that the model does not know, %" PRIu64
                         " are in histories or masked files",
                         q->test_name, n, n_unknown, n_masked);
    if (n_unknown + n_masked > 0)
        log_warning("%s: of %" PRIu64 " interactions %" PRIu64
                    " have items that the model does not know, %" PRIu64
                    " are in histories or masked files: they count as missed",
                    q->test_name, n, n_unknown, n_masked);
    return COLLIDE_OK;
}

/* ---- */

static enum collide_status choose_users(struct run *r, struct collide_error *err)
{
    const struct csr *relevant = &r->request->lists->relevant;
    struct eval_result *result = &r->result;
    result->users = malloc((relevant->n_rows + 1ull) * sizeof *result->users);
    result->ranks = calloc(relevant->offsets[relevant->n_rows] + 1, sizeof *result->ranks);
    if (!result->users || !result->ranks)
        return error_no_memory(err, "the evaluation");
    for (uint32_t u = 0; u < relevant->n_rows; u++)
        if (length(relevant, u) > 0)
            result->users[result->n_users++] = u;
    return COLLIDE_OK;
}

static enum collide_status measure(struct run *r, struct collide_scorer *scorer, struct parallel *team,
                                   struct collide_error *err)
{
    unsigned n_threads = parallel_n_threads(team);
    r->desks = calloc(n_threads, sizeof *r->desks);
    if (!r->desks)
        return error_no_memory(err, "the evaluating threads");
    enum collide_status status = COLLIDE_OK;
    for (unsigned i = 0; i < n_threads && status == COLLIDE_OK; i++)
        status = collide_lane_create(scorer, &r->desks[i].lane, err);
    if (status == COLLIDE_OK) {
        progress_begin(&r->progress, "evaluating users", r->result.n_users);
        parallel_for(team, r->result.n_users, measure_users, r);
        progress_update(&r->progress, r->result.n_users, NULL);
        progress_end(&r->progress);
    }
    for (unsigned i = 0; i < n_threads; i++) {
        struct desk *desk = &r->desks[i];
        if (status == COLLIDE_OK && desk->err.status != COLLIDE_OK)
            status = error_set(err, desk->err.status, "%s", desk->err.text);
        collide_lane_destroy(desk->lane);
        arena_free(&desk->arena);
    }
    free(r->desks);
    return status;
}

static void note_device(struct eval_result *result, const struct collide_scorer *scorer)
{
    struct collide_scorer_info info;
    collide_scorer_info(scorer, &info);
    snprintf(result->device, sizeof result->device, "%s", info.device);
    snprintf(result->engine, sizeof result->engine, "%s", info.engine);
}

enum collide_status eval_run(const struct eval_request *request, struct eval_result *out,
                             struct collide_error *err)
{
    struct collide_scorer *scorer = NULL;
    struct parallel *team = NULL;
    struct run r = {.request = request};
    enum collide_status status = check_queries(request, err);
    if (status == COLLIDE_OK)
        status = collide_scorer_create(request->model, request->scorer, &scorer, err);
    if (status == COLLIDE_OK)
        status = check_findable(request, err);
    if (status == COLLIDE_OK)
        status = choose_users(&r, err);
    if (status == COLLIDE_OK)
        status = parallel_create(request->n_threads, &team, err);
    if (status == COLLIDE_OK)
        status = measure(&r, scorer, team, err);
    if (status == COLLIDE_OK) {
        note_device(&r.result, scorer);
        *out = r.result;
    } else {
        eval_result_free(&r.result);
    }
    parallel_destroy(team);
    collide_scorer_destroy(scorer);
    return status;
}

void eval_result_free(struct eval_result *r)
{
    free(r->users);
    free(r->ranks);
    *r = (struct eval_result){0};
}

struct ranking_quality eval_quality(const struct eval_result *r, const struct eval_lists *lists,
                                    size_t cutoff)
{
    const struct csr *relevant = &lists->relevant;
    struct ranking_quality mean = {0};
    for (uint32_t i = 0; i < r->n_users; i++) {
        const uint32_t user = r->users[i];
        const struct ranking_quality q =
            ranking_measure_ranks(r->ranks + relevant->offsets[user], length(relevant, user), cutoff);
        mean.recall += q.recall / r->n_users;
        mean.ndcg += q.ndcg / r->n_users;
    }
    return mean;
}
