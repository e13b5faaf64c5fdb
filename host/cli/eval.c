/* `collide eval`: recall and NDCG over all items, by the protocol of GraphHash and BACO, scored on the
 * device. */
#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/ranking.h"
#include "cli/command.h"
#include "cli/device_args.h"
#include "cli/eval_lists.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_CUTOFFS = 16, MAX_CUTOFF = 10000, GROUP_USERS = 32 };

struct flags {
    struct device_flags device;
    struct eval_files files;
    struct arg_text_list masks;
    struct arg_u64_list cutoffs;
    uint64_t threads;
    bool json;
    const char *model_path;
};

/* One thread's memory. */
struct desk {
    struct collide_lane *lane;
    bool *is_hit;       /* (largest cutoff) */
    struct arena arena; /* a group's queries and hits */
    struct collide_error err;
};

struct evaluation {
    const struct flags *flags;
    const struct collide_model *model;
    struct eval_lists lists;
    size_t largest_cutoff;
    uint32_t *users; /* (n_users) those with something to be found */
    uint32_t n_users;
    struct ranking_quality *qualities; /* (n_users, n_cutoffs) */
    struct desk *desks;                /* (n_threads) */
    struct progress progress;
    _Atomic uint64_t n_done;
};

static uint64_t length(const struct csr *lists, uint32_t row)
{
    return lists->offsets[row + 1] - lists->offsets[row];
}

static bool holds(const struct csr *lists, uint32_t row, uint32_t value)
{
    for (uint64_t i = lists->offsets[row]; i < lists->offsets[row + 1]; i++)
        if (lists->values[i] == value)
            return true;
    return false;
}

/* The external ids of a list's items that the model knows; NULL when memory is out. */
static const struct collide_id *list_ids(const struct evaluation *e, const struct csr *lists, uint32_t row,
                                         struct arena *arena, size_t *n)
{
    struct collide_id *ids = arena_alloc(arena, length(lists, row), sizeof *ids);
    *n = 0;
    for (uint64_t i = lists->offsets[row]; ids && i < lists->offsets[row + 1]; i++)
        if (lists->values[i] < e->model->items.n_ids)
            ids[(*n)++] = id_index_key(&e->model->items, lists->values[i]);
    return ids;
}

static enum collide_status set_query(const struct evaluation *e, uint32_t user, struct arena *arena,
                                     struct collide_topk_query *out, struct collide_error *err)
{
    struct collide_id *id = arena_alloc(arena, 1, sizeof *id);
    *out = (struct collide_topk_query){.k = e->largest_cutoff, .flags = COLLIDE_TOPK_EXCLUDE_SEEN};
    out->exclude = list_ids(e, &e->lists.masked, user, arena, &out->n_exclude);
    if (e->flags->files.history)
        out->query.history = list_ids(e, &e->lists.histories, user, arena, &out->query.n_history);
    else
        out->query.user = id;
    if (!id || !out->exclude || (e->flags->files.history && !out->query.history))
        return error_no_memory(err, "the users' lists");
    *id = id_index_key(&e->lists.users, user);
    return COLLIDE_OK;
}

static void judge(struct evaluation *e, struct desk *desk, size_t index, const struct collide_hit *hits,
                  size_t n_hits)
{
    const struct csr *relevant = &e->lists.relevant;
    uint32_t user = e->users[index];
    for (size_t i = 0; i < n_hits; i++)
        desk->is_hit[i] = holds(relevant, user, id_index_find(&e->model->items, hits[i].item));
    for (size_t c = 0; c < e->flags->cutoffs.n; c++)
        e->qualities[index * e->flags->cutoffs.n + c] =
            ranking_measure(desk->is_hit, n_hits, length(relevant, user), e->flags->cutoffs.items[c]);
}

/* Users [begin, begin + n) in one call, as launches and rows are then shared. */
static enum collide_status measure_group(struct evaluation *e, struct desk *desk, size_t begin, size_t n)
{
    struct collide_topk_query queries[GROUP_USERS];
    size_t n_hits[GROUP_USERS];
    arena_reset(&desk->arena);
    struct collide_hit *hits = arena_alloc(&desk->arena, n * e->largest_cutoff, sizeof *hits);
    enum collide_status status = hits ? COLLIDE_OK : error_no_memory(&desk->err, "the best items");
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++)
        status = set_query(e, e->users[begin + i], &desk->arena, &queries[i], &desk->err);
    if (status == COLLIDE_OK)
        status = collide_topk(desk->lane, queries, n, hits, n_hits, NULL, &desk->err);
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++)
        judge(e, desk, begin + i, hits + i * e->largest_cutoff, n_hits[i]);
    return status;
}

static void measure_users(void *context, unsigned thread, size_t begin, size_t end)
{
    struct evaluation *e = context;
    struct desk *desk = &e->desks[thread];
    for (size_t at = begin; at < end; at += GROUP_USERS) {
        size_t n = end - at < GROUP_USERS ? end - at : GROUP_USERS;
        if (measure_group(e, desk, at, n) != COLLIDE_OK)
            return;
        uint64_t n_done = atomic_fetch_add(&e->n_done, n) + n;
        if (thread == 0)
            progress_update(&e->progress, n_done, NULL);
    }
}

static enum collide_status set_desk(struct evaluation *e, struct collide_scorer *scorer, struct desk *desk,
                                    struct collide_error *err)
{
    desk->is_hit = malloc(e->largest_cutoff * sizeof *desk->is_hit);
    if (!desk->is_hit)
        return error_no_memory(err, "an evaluating thread");
    return collide_lane_create(scorer, &desk->lane, err);
}

static void clear_desk(struct desk *desk)
{
    collide_lane_destroy(desk->lane);
    free(desk->is_hit);
    arena_free(&desk->arena);
}

/* Says what of the test file cannot be found whatever the model does; nothing left to find is an error. */
static enum collide_status check_findable(const struct evaluation *e, struct collide_error *err)
{
    const struct csr *relevant = &e->lists.relevant;
    uint64_t n = relevant->offsets[relevant->n_rows], n_unknown = 0, n_masked = 0;
    for (uint32_t u = 0; u < relevant->n_rows; u++) {
        uint32_t user = id_index_find(&e->model->users, id_index_key(&e->lists.users, u));
        const struct stored_histories *stored = &e->model->model->histories;
        for (uint64_t i = relevant->offsets[u]; i < relevant->offsets[u + 1]; i++) {
            uint32_t item = relevant->values[i];
            bool is_masked = holds(&e->lists.masked, u, item) || holds(&e->lists.histories, u, item);
            if (stored->offsets && !e->flags->files.history && user < e->model->users.n_ids)
                for (uint32_t j = stored->offsets[user]; j < stored->offsets[user + 1] && !is_masked; j++)
                    is_masked = stored->items[j] == item;
            n_unknown += item >= e->model->items.n_ids;
            n_masked += is_masked;
        }
    }
    if (n_unknown + n_masked == n)
        return error_set(err, COLLIDE_INVALID,
                         "%s: nothing can be found: of %" PRIu64 " interactions %" PRIu64
                         " have items that the model does not know, %" PRIu64
                         " are in histories or masked files",
                         e->flags->files.test, n, n_unknown, n_masked);
    if (n_unknown + n_masked > 0)
        log_warning("%s: of %" PRIu64 " interactions %" PRIu64
                    " have items that the model does not know, %" PRIu64
                    " are in histories or masked files: they count as missed",
                    e->flags->files.test, n, n_unknown, n_masked);
    return COLLIDE_OK;
}

static enum collide_status choose_users(struct evaluation *e, struct collide_error *err)
{
    const struct csr *relevant = &e->lists.relevant;
    for (size_t i = 0; i < e->flags->cutoffs.n; i++)
        if (e->flags->cutoffs.items[i] > e->largest_cutoff)
            e->largest_cutoff = e->flags->cutoffs.items[i];
    e->users = malloc((relevant->n_rows + 1ull) * sizeof *e->users);
    e->qualities = malloc((relevant->n_rows + 1ull) * e->flags->cutoffs.n * sizeof *e->qualities);
    if (!e->users || !e->qualities)
        return error_no_memory(err, "the evaluation");
    for (uint32_t u = 0; u < relevant->n_rows; u++)
        if (length(relevant, u) > 0)
            e->users[e->n_users++] = u;
    return COLLIDE_OK;
}

/* Sums in the users' order, whatever thread measured them: the same figures on any number of threads. */
static struct ranking_quality mean_quality(const struct evaluation *e, size_t cutoff)
{
    struct ranking_quality mean = {0};
    for (uint32_t i = 0; i < e->n_users; i++) {
        const struct ranking_quality *q = &e->qualities[i * e->flags->cutoffs.n + cutoff];
        mean.recall += q->recall / e->n_users;
        mean.ndcg += q->ndcg / e->n_users;
    }
    return mean;
}

static void print_text(const struct evaluation *e, const struct collide_scorer *scorer)
{
    struct collide_scorer_info info;
    collide_scorer_info(scorer, &info);
    printf("%" PRIu32 " users on %s, %s engine\n\n%6s %10s %10s\n", e->n_users, info.device, info.engine, "K",
           "Recall %", "NDCG %");
    for (size_t c = 0; c < e->flags->cutoffs.n; c++) {
        struct ranking_quality q = mean_quality(e, c);
        printf("%6" PRIu64 " %10.3f %10.3f\n", e->flags->cutoffs.items[c], 100 * q.recall, 100 * q.ndcg);
    }
}

static void print_json(const struct evaluation *e)
{
    printf("{\"users\":%" PRIu32 ",\"metrics\":[", e->n_users);
    for (size_t c = 0; c < e->flags->cutoffs.n; c++) {
        struct ranking_quality q = mean_quality(e, c);
        printf("%s{\"k\":%" PRIu64 ",\"recall\":%.6f,\"ndcg\":%.6f}", c ? "," : "",
               e->flags->cutoffs.items[c], q.recall, q.ndcg);
    }
    printf("]}\n");
}

static enum collide_status measure(struct evaluation *e, struct collide_scorer *scorer, struct parallel *team,
                                   struct collide_error *err)
{
    unsigned n_threads = parallel_n_threads(team);
    e->desks = calloc(n_threads, sizeof *e->desks);
    if (!e->desks)
        return error_no_memory(err, "the evaluating threads");
    enum collide_status status = COLLIDE_OK;
    for (unsigned i = 0; i < n_threads && status == COLLIDE_OK; i++)
        status = set_desk(e, scorer, &e->desks[i], err);
    if (status == COLLIDE_OK) {
        progress_begin(&e->progress, "evaluating users", e->n_users);
        parallel_for(team, e->n_users, measure_users, e);
        progress_update(&e->progress, e->n_users, NULL);
        progress_end(&e->progress);
    }
    for (unsigned i = 0; i < n_threads; i++) {
        if (status == COLLIDE_OK && e->desks[i].err.status != COLLIDE_OK)
            status = error_set(err, e->desks[i].err.status, "%s", e->desks[i].err.text);
        clear_desk(&e->desks[i]);
    }
    free(e->desks);
    return status;
}

static enum collide_status run(const struct flags *flags, struct collide_error *err)
{
    struct collide_model *model = NULL;
    struct collide_scorer *scorer = NULL;
    struct parallel *team = NULL;
    struct evaluation e = {.flags = flags};
    const struct collide_scorer_options options = device_flags_options(&flags->device);
    enum collide_status status = collide_model_open(flags->model_path, &model, err);
    if (status == COLLIDE_OK && model->users.n_ids == 0 && !flags->files.history)
        status = error_set(err, COLLIDE_INVALID, "%s stores no histories; give them with --history FILE",
                           flags->model_path);
    e.model = model;
    if (status == COLLIDE_OK)
        status = eval_lists_read(&flags->files, model, &e.lists, err);
    if (status == COLLIDE_OK)
        status = choose_users(&e, err);
    if (status == COLLIDE_OK)
        status = collide_scorer_create(model, &options, &scorer, err);
    if (status == COLLIDE_OK)
        status = check_findable(&e, err);
    if (status == COLLIDE_OK)
        status = parallel_create((unsigned)flags->threads, &team, err);
    if (status == COLLIDE_OK)
        status = measure(&e, scorer, team, err);
    if (status == COLLIDE_OK && flags->json)
        print_json(&e);
    else if (status == COLLIDE_OK)
        print_text(&e, scorer);
    parallel_destroy(team);
    collide_scorer_destroy(scorer);
    free(e.users);
    free(e.qualities);
    eval_lists_free(&e.lists);
    collide_model_close(model);
    return status;
}

int command_eval(int argc, char **argv)
{
    struct flags flags = {.cutoffs = {.items = {10, 20, 50}, .n = 3}, .threads = parallel_n_cpus()};
    const struct arg table[] = {
        {.name = "test",
         .type = ARG_TEXT,
         .target = &flags.files.test,
         .value_name = "FILE",
         .help = "held-out interactions, in any format that learn reads"},
        {.name = "mask",
         .type = ARG_TEXT_LIST,
         .target = &flags.masks,
         .value_name = "FILE",
         .help =
             "interactions that are known and not to be recommended, besides the histories; may be repeated"},
        {.name = "history",
         .type = ARG_TEXT,
         .target = &flags.files.history,
         .value_name = "FILE",
         .help = "the users' histories, instead of those stored in the model"},
        {.name = "k",
         .short_name = 'k',
         .type = ARG_U64_LIST,
         .target = &flags.cutoffs,
         .min = 1,
         .max = MAX_CUTOFF,
         .value_name = "K,K...",
         .help = "lengths of the lists to judge"},
        {.name = "threads",
         .type = ARG_U64,
         .target = &flags.threads,
         .min = 1,
         .max = 1024,
         .default_text = "one a CPU",
         .help = "threads, each with its own way to the device"},
        {.name = "json", .type = ARG_FLAG, .target = &flags.json, .help = "print one JSON document"},
        DEVICE_ARGS(&flags.device),
    };
    struct usage usage = {
        "collide eval MODEL --test FILE [--mask FILE]... [options]",
        "Measures recall and NDCG: every item is a candidate, known ones are masked, ties go to the "
        "smaller id, averages are over the users in the test file.",
        table, sizeof table / sizeof table[0], .positionals = {1, 1, "MODEL"}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    if (!flags.files.test)
        return command_misused(&usage, "--test FILE is missing");
    if (flags.cutoffs.n > MAX_CUTOFFS)
        return command_misused(&usage, "--k takes at most 16 lengths");
    flags.model_path = usage.positionals.values[0];
    flags.files.masks = flags.masks.items;
    flags.files.n_masks = flags.masks.n;
    struct collide_error err = {0};
    return run(&flags, &err) == COLLIDE_OK ? EXIT_DONE : command_fail(&err);
}
