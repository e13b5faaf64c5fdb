#include "score/fill.h"

#include "base/error.h"

#include <math.h>

/* Positions in a slot are 32-bit. */
enum { MAX_HISTORY = 1 << 30 };

enum collide_status fill_check(const struct collide_model *model, const struct collide_query *query,
                               size_t number, struct collide_error *err)
{
    if (query->user && model->users.n_ids == 0 && query->n_history == 0)
        return error_set(
            err, COLLIDE_INVALID,
            "this model stores no histories, so a user alone cannot be scored; send the user's history "
            "(query %zu)",
            number);
    if (query->n_history > MAX_HISTORY)
        return error_set(err, COLLIDE_INVALID, "query %zu: a history of %zu items is longer than %d", number,
                         query->n_history, MAX_HISTORY);
    for (size_t i = 0; query->weights && i < query->n_history; i++)
        if (!(fabsf(query->weights[i]) <= COLLIDE_MAX_WEIGHT))
            return error_set(err, COLLIDE_INVALID, "query %zu: weight %zu is not a number from -1e6 to 1e6",
                             number, i);
    return COLLIDE_OK;
}

static uint32_t find(const struct id_index *index, struct collide_id id, struct collide_counts *counts)
{
    uint32_t dense = id_index_find(index, id);
    counts->n_lookups++;
    counts->n_unknown += dense == index->n_ids;
    return dense;
}

void fill_histories(const struct collide_model *model, const struct collide_query *query, struct fill *out)
{
    device_query *q = &out->queries[out->used.n_queries++];
    q->user = query->user ? find(&model->users, *query->user, &out->counts) : model->users.n_ids;
    q->history_begin = (uint32_t)out->used.n_history;
    for (size_t i = 0; i < query->n_history; i++) {
        out->history[out->used.n_history] = find(&model->items, query->history[i], &out->counts);
        out->history_weights[out->used.n_history++] = query->weights ? query->weights[i] : 1.0f;
    }
    q->history_end = (uint32_t)out->used.n_history;
    q->items_begin = q->items_end = (uint32_t)out->used.n_items;
}

static void fill_items(const struct collide_model *model, const struct collide_id *items, size_t n,
                       struct fill *out)
{
    for (size_t i = 0; i < n; i++)
        out->items[out->used.n_items++] = find(&model->items, items[i], &out->counts);
    out->used.n_scores = out->used.n_items;
    out->queries[out->used.n_queries - 1].items_end = (uint32_t)out->used.n_items;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

void fill_queries(const struct collide_model *model, const struct collide_query *queries, size_t n_queries,
                  const struct fill_capacity *capacity, size_t max_items, struct fill_position *at,
                  struct fill *out)
{
    while (at->query < n_queries) {
        const struct collide_query *query = &queries[at->query];
        size_t left = query->n_items - at->item;
        size_t room = min_size(max_items, capacity->n_items - out->used.n_items);
        if (left > 0 && (room == 0 || out->used.n_queries == capacity->n_queries ||
                         query->n_history > capacity->n_history - out->used.n_history))
            return;
        size_t n = min_size(left, room);
        if (n > 0) {
            struct collide_counts counted = out->counts;
            fill_histories(model, query, out);
            if (at->item > 0) /* the history of a query that was cut is looked up again, but counted once */
                out->counts = counted;
            fill_items(model, query->items + at->item, n, out);
            at->item += n;
        }
        if (at->item == query->n_items)
            *at = (struct fill_position){.query = at->query + 1};
    }
}
