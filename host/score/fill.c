#include "score/fill.h"

#include "base/error.h"
#include "model/mapping.h"

#include <math.h>

/* Positions in a slot are 32-bit. */
enum { MAX_HISTORY = 1 << 30 };

/* Of a query that was cut: its histories were counted before. For the host alone. */
#define QUERY_GOES_ON 0x80000000u

static enum collide_status check_weights(const float *weights, size_t n, size_t number,
                                         struct collide_error *err)
{
    for (size_t i = 0; weights && i < n; i++)
        if (!(fabsf(weights[i]) <= COLLIDE_MAX_WEIGHT))
            return error_set(err, COLLIDE_INVALID, "query %zu: weight %zu is not a number from -1e6 to 1e6",
                             number, i);
    return COLLIDE_OK;
}

static enum collide_status check_feature(const struct collide_model *model,
                                         const struct collide_feature *feature, size_t number,
                                         struct collide_error *err)
{
    if (model_feature_find(model, feature->name, feature->n_bytes) == model->model->n_features)
        return error_set(err, COLLIDE_INVALID, "query %zu: this model has no feature \"%.*s\"", number,
                         (int)(feature->n_bytes < 32 ? feature->n_bytes : 32), feature->name);
    return check_weights(feature->weights, feature->n_ids, number, err);
}

enum collide_status fill_check(const struct collide_model *model, const struct collide_query *query,
                               size_t number, struct collide_error *err)
{
    if (query->user && model->users.n_ids == 0 && query->n_history == 0 && query->n_features == 0)
        return error_set(
            err, COLLIDE_INVALID,
            "this model stores no histories, so a user alone cannot be scored; send the user's history "
            "(query %zu)",
            number);
    size_t n = fill_n_history(model, query);
    if (n > MAX_HISTORY)
        return error_set(err, COLLIDE_INVALID, "query %zu: a history of %zu items is longer than %d", number,
                         n, MAX_HISTORY);
    enum collide_status status = check_weights(query->weights, query->n_history, number, err);
    for (size_t i = 0; i < query->n_features && status == COLLIDE_OK; i++)
        status = check_feature(model, &query->features[i], number, err);
    return status;
}

size_t fill_n_history(const struct collide_model *model, const struct collide_query *query)
{
    size_t n = query->n_history + (query->user && model->model->user_is_embedded);
    for (size_t i = 0; i < query->n_features; i++)
        n += query->features[i].n_ids;
    return n;
}

static uint32_t find(struct fill *f, const struct id_index *index, struct collide_id id)
{
    uint32_t dense = id_index_find(index, id);
    f->counts.n_lookups++;
    f->counts.n_unknown += dense == index->n_ids;
    return dense;
}

/* An item's id, or its key for the device to look up; *key then is where it goes. What is found by key is
 * counted at the end. */
static uint32_t find_item(struct fill *f, struct collide_id id, uint64_t *key)
{
    if (!key)
        return find(f, &f->model->items, id);
    f->counts.n_lookups++;
    if (id.text)
        return id_index_find(&f->model->items, id);
    *key = id.number;
    return ID_BY_KEY;
}

static void add_history(struct fill *f, uint32_t id, float weight)
{
    f->history[f->used.n_history] = id;
    f->history_weights[f->used.n_history++] = weight;
}

static void add_feature(struct fill *f, const struct collide_feature *feature)
{
    const struct model *m = f->model->model;
    size_t place = model_feature_find(f->model, feature->name, feature->n_bytes);
    uint64_t base = model_entry_base(m, SPACE_FEATURES + place);
    for (size_t i = 0; i < feature->n_ids; i++)
        add_history(f, (uint32_t)(base + find(f, &f->model->features[place], feature->ids[i])),
                    feature->weights ? feature->weights[i] : 1.0f);
}

static uint64_t *key_at(uint64_t *keys, size_t i)
{
    return keys ? keys + i : NULL;
}

void fill_histories(struct fill *f, const struct collide_query *query)
{
    const struct model *m = f->model->model;
    device_query *q = &f->queries[f->used.n_queries++];
    *q = (device_query){.user = m->user.n_ids, .history_begin = (uint32_t)f->used.n_history, .n_parts = 1};
    if (query->user)
        q->user = find(f, &f->model->users, *query->user);
    for (size_t i = 0; i < query->n_history; i++) {
        uint32_t id = find_item(f, query->history[i], key_at(f->history_keys, f->used.n_history));
        add_history(f, id, query->weights ? query->weights[i] : 1.0f);
    }
    if (query->user && m->user_is_embedded)
        add_history(f, (uint32_t)model_entry_base(m, SPACE_USER) + q->user, 1.0f);
    for (size_t i = 0; i < query->n_features; i++)
        add_feature(f, &query->features[i]);
    q->history_end = (uint32_t)f->used.n_history;
    q->items_begin = q->items_end = (uint32_t)f->used.n_items;
}

static void fill_items(struct fill *f, const struct collide_id *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t id = find_item(f, items[i], key_at(f->item_keys, f->used.n_items));
        f->items[f->used.n_items++] = id;
    }
    f->used.n_scores = f->used.n_items;
    f->queries[f->used.n_queries - 1].items_end = (uint32_t)f->used.n_items;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Items [from, from + n) of a query. */
static void fill_part(struct fill *f, const struct collide_query *query, size_t from, size_t n)
{
    struct collide_counts counted = f->counts;
    fill_histories(f, query);
    if (from > 0) { /* its histories are looked up again, but counted once */
        f->counts = counted;
        f->queries[f->used.n_queries - 1].flags |= QUERY_GOES_ON;
    }
    fill_items(f, query->items + from, n);
}

void fill_queries(struct fill *f, const struct collide_query *queries, size_t n_queries,
                  const struct fill_capacity *capacity, size_t max_items, struct fill_position *at)
{
    for (; at->query < n_queries; *at = (struct fill_position){.query = at->query + 1}) {
        const struct collide_query *query = &queries[at->query];
        while (at->item < query->n_items) {
            size_t n =
                min_size(query->n_items - at->item, min_size(max_items, capacity->n_items - f->used.n_items));
            if (n == 0 || f->used.n_queries == capacity->n_queries ||
                fill_n_history(f->model, query) > capacity->n_history - f->used.n_history)
                return;
            fill_part(f, query, at->item, n);
            at->item += n;
        }
    }
}

void fill_topk(struct fill *f, const struct collide_topk_query *query, uint32_t n_parts)
{
    uint64_t *history_keys = f->history_keys;
    f->history_keys = NULL; /* several work-groups share a top-k query, so none may write what it has found */
    fill_histories(f, &query->query);
    f->history_keys = history_keys;
    device_query *q = &f->queries[f->used.n_queries - 1];
    for (size_t i = 0; i < query->n_exclude; i++)
        f->items[f->used.n_items++] = id_index_find(&f->model->items, query->exclude[i]);
    q->items_end = (uint32_t)f->used.n_items;
    q->k = (uint32_t)min_size(query->k, f->model->items.n_ids);
    q->flags = query->flags & COLLIDE_TOPK_EXCLUDE_SEEN ? QUERY_EXCLUDE_SEEN : 0;
    q->n_parts = n_parts;
    q->scores_begin = (uint32_t)f->used.n_scores;
    f->used.n_scores += (size_t)n_parts * q->k * (sizeof(device_hit) / sizeof(float));
}

static uint64_t count_unknown(const struct fill *f, const uint32_t *ids, uint32_t begin, uint32_t end)
{
    uint64_t n = 0;
    for (uint32_t j = begin; j < end; j++)
        n += ids[j] == f->model->items.n_ids;
    return n;
}

uint64_t fill_count_unknown(const struct fill *f, size_t begin, size_t end)
{
    uint64_t n = 0;
    for (size_t i = begin; f->item_keys && i < end; i++) {
        const device_query *q = &f->queries[i];
        n += count_unknown(f, f->items, q->items_begin, q->items_end);
        if (!(q->flags & QUERY_GOES_ON))
            n += count_unknown(f, f->history, q->history_begin, q->history_end);
    }
    return n;
}
