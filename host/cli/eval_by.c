#include "cli/eval_by.h"

#include "base/error.h"
#include "base/order.h"

#include <math.h>
#include <stdlib.h>

/* Where interactions are counted. */
struct source {
    const struct csr *lists;               /* (request's users), or NULL: */
    const struct stored_histories *stored; /* the model's */
    const struct collide_model *model;
    const struct id_index *users;
};

static struct source source_of(const struct eval_request *q)
{
    const struct stored_histories *stored = &q->model->model->histories;
    struct source s = {.lists = &q->lists->masked, .model = q->model, .users = &q->lists->users};
    if (q->lists->has_histories) {
        s.lists = &q->lists->histories;
    } else if (stored->offsets) {
        s.lists = NULL;
        s.stored = stored;
    }
    return s;
}

/* counts: (items of the model), zeroed. Returns their sum. */
static uint64_t count_items(const struct source *s, uint64_t *counts)
{
    const uint32_t n_items = s->model->items.n_ids;
    const uint32_t *items = s->lists ? s->lists->values : s->stored->items;
    const uint64_t n =
        s->lists ? s->lists->offsets[s->lists->n_rows] : s->stored->offsets[s->model->users.n_ids];
    uint64_t n_counted = 0;
    for (uint64_t i = 0; i < n; i++)
        if (items[i] < n_items) {
            counts[items[i]]++;
            n_counted++;
        }
    return n_counted;
}

static uint64_t history_length(const struct source *s, uint32_t user)
{
    if (s->lists)
        return s->lists->offsets[user + 1] - s->lists->offsets[user];
    const uint32_t known = id_index_find(&s->model->users, id_index_key(s->users, user));
    return s->stored->offsets[known + 1] - s->stored->offsets[known];
}

static void add_member(struct eval_class *c, uint64_t count)
{
    c->low = c->n_members == 0 || count < c->low ? count : c->low;
    c->high = count > c->high ? count : c->high;
    c->n_members++;
}

/* ---- Items. */

enum { UNSEEN = EVAL_ITEM_CLASSES - 1 };

/* class_of: (n + 1), the last entry for unknown items. */
static void class_items(const uint64_t *counts, const uint32_t *order, uint32_t n, uint64_t n_interactions,
                        struct eval_breakdown *b, uint8_t *class_of)
{
    uint64_t n_before = 0;
    class_of[n] = UNSEEN;
    for (uint32_t k = 0; k < n; k++) {
        const uint64_t count = counts[order[k]];
        class_of[order[k]] = UNSEEN;
        if (count > 0)
            class_of[order[k]] = (uint8_t)((unsigned __int128)n_before * UNSEEN / n_interactions);
        struct eval_class *c = &b->classes[class_of[order[k]]];
        add_member(c, count);
        c->n_interactions += count;
        n_before += count;
    }
}

struct item_judge {
    const struct eval_request *request;
    const struct eval_result *result;
    const struct arg_u64_list *cutoffs;
    const uint8_t *class_of;
    uint32_t *ranks; /* (longest list) of one user and class */
};

/* The ranks of a user's relevant items of one class. */
static size_t ranks_within(const struct item_judge *j, uint32_t user, size_t class)
{
    const struct csr *relevant = &j->request->lists->relevant;
    const uint32_t n_items = j->request->model->items.n_ids;
    size_t n = 0;
    for (uint64_t i = relevant->offsets[user]; i < relevant->offsets[user + 1]; i++) {
        const uint32_t item = relevant->values[i] < n_items ? relevant->values[i] : n_items;
        if (j->class_of[item] == class)
            j->ranks[n++] = j->result->ranks[i];
    }
    return n;
}

static size_t count_hits(const uint32_t *ranks, size_t n, uint64_t cutoff)
{
    size_t n_hits = 0;
    for (size_t i = 0; i < n; i++)
        n_hits += ranks[i] > 0 && ranks[i] <= cutoff;
    return n_hits;
}

static void judge_class(const struct item_judge *j, size_t class, struct eval_class *c)
{
    uint64_t n_users = 0;
    for (uint32_t i = 0; i < j->result->n_users; i++) {
        const size_t n = ranks_within(j, j->result->users[i], class);
        n_users += n > 0;
        c->n_relevant += n;
        for (size_t k = 0; n > 0 && k < j->cutoffs->n; k++) {
            const uint64_t cutoff = j->cutoffs->items[k];
            c->qualities[k].recall += (double)count_hits(j->ranks, n, cutoff);
            c->qualities[k].ndcg += ranking_measure_ranks(j->ranks, n, cutoff).ndcg;
        }
    }
    for (size_t k = 0; k < j->cutoffs->n; k++) {
        c->qualities[k].recall = c->n_relevant ? c->qualities[k].recall / (double)c->n_relevant : NAN;
        c->qualities[k].ndcg = n_users ? c->qualities[k].ndcg / (double)n_users : NAN;
    }
}

enum collide_status eval_by_items(const struct eval_request *request, const struct eval_result *result,
                                  const struct arg_u64_list *cutoffs, struct eval_breakdown *out,
                                  struct collide_error *err)
{
    const struct source source = source_of(request);
    const struct csr *relevant = &request->lists->relevant;
    const uint32_t n_items = request->model->items.n_ids;
    uint64_t *counts = calloc(n_items + 1ull, sizeof *counts);
    uint32_t *order = malloc((n_items + 1ull) * sizeof *order);
    uint8_t *class_of = malloc(n_items + 1ull);
    uint32_t *ranks = malloc((relevant->offsets[relevant->n_rows] + 1) * sizeof *ranks);
    *out = (struct eval_breakdown){.n = EVAL_ITEM_CLASSES};
    enum collide_status status =
        counts && order && class_of && ranks ? COLLIDE_OK : error_no_memory(err, "the items by their counts");
    const uint64_t n_interactions = status == COLLIDE_OK ? count_items(&source, counts) : 0;
    if (status == COLLIDE_OK && n_interactions == 0)
        status = error_set(err, COLLIDE_INVALID,
                           "nothing says how often items occur: give the training log with --history or "
                           "--mask");
    if (status == COLLIDE_OK)
        status = order_by_count(counts, n_items, order, err);
    if (status == COLLIDE_OK) {
        const struct item_judge judge = {request, result, cutoffs, class_of, ranks};
        class_items(counts, order, n_items, n_interactions, out, class_of);
        for (size_t i = 0; i < out->n; i++)
            judge_class(&judge, i, &out->classes[i]);
    }
    free(ranks);
    free(class_of);
    free(order);
    free(counts);
    return status;
}

/* ---- Users. */

static size_t class_of_length(uint64_t length)
{
    static const uint64_t up_to[EVAL_USER_CLASSES - 1] = {5, 10, 20, 50};
    size_t class = 0;
    while (class < EVAL_USER_CLASSES - 1 && length > up_to[class])
        class ++;
    return class;
}

enum collide_status eval_by_users(const struct eval_request *request, const struct eval_result *result,
                                  const struct arg_u64_list *cutoffs, struct eval_breakdown *out,
                                  struct collide_error *err)
{
    const struct source source = source_of(request);
    const struct csr *relevant = &request->lists->relevant;
    uint64_t n_known = 0;
    *out = (struct eval_breakdown){.n = EVAL_USER_CLASSES};
    for (uint32_t i = 0; i < result->n_users; i++) {
        const uint32_t user = result->users[i];
        const uint64_t length = history_length(&source, user), begin = relevant->offsets[user],
                       n = relevant->offsets[user + 1] - begin;
        struct eval_class *c = &out->classes[class_of_length(length)];
        add_member(c, length);
        n_known += length;
        c->n_relevant += n;
        for (size_t k = 0; k < cutoffs->n; k++) {
            const struct ranking_quality q =
                ranking_measure_ranks(result->ranks + begin, n, cutoffs->items[k]);
            c->qualities[k].recall += q.recall;
            c->qualities[k].ndcg += q.ndcg;
        }
    }
    for (size_t i = 0; i < out->n; i++)
        for (size_t k = 0; k < cutoffs->n; k++) {
            struct eval_class *c = &out->classes[i];
            const double n = c->n_members ? (double)c->n_members : NAN;
            c->qualities[k].recall /= n;
            c->qualities[k].ndcg /= n;
        }
    return n_known ? COLLIDE_OK
                   : error_set(err, COLLIDE_INVALID,
                               "nothing says how long users' histories are: give the training log with "
                               "--history or --mask");
}
