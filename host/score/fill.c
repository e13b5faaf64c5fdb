#include "score/fill.h"

#include "base/error.h"
#include "base/least.h"
#include "model/mapping.h"
#include "score/query_ids.h"

#include <math.h>
#include <string.h>

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
    if ((query->history_numbers || query->item_numbers) && query->number_bytes != 4 &&
        query->number_bytes != 8)
        return error_set(err, COLLIDE_INVALID, "query %zu: numbers have 4 or 8 bytes each, not %u", number,
                         query->number_bytes);
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

/* Unknown items are then counted when the device has found the others. */
static bool leaves_items(const struct fill *f)
{
    return f->item_keys || f->shared;
}

static uint64_t count_unknown(const struct fill *f, const uint32_t *ids, size_t n)
{
    uint64_t n_unknown = 0;
    for (size_t j = 0; j < n; j++)
        n_unknown += ids[j] == f->model->items.n_ids;
    return n_unknown;
}

static void count_items(struct fill *f, const uint32_t *ids, size_t n)
{
    f->counts.n_lookups += n;
    if (!leaves_items(f))
        f->counts.n_unknown += count_unknown(f, ids, n);
}

/* Items of a query as it brings them, and where they go: a slot's ids, and keys unless the host looks up. */
struct item_list {
    const struct collide_id *given;
    const char *numbers; /* NULL: they are given */
    unsigned number_bytes;
    size_t n;
    uint32_t *ids;
    uint64_t *keys;
};

/* Numbers that the device is to read where they are; *at is where. */
static bool lies_in_shared(const struct fill *f, const struct item_list *l, uint32_t *at)
{
    size_t offset = (uintptr_t)l->numbers - (uintptr_t)f->shared;
    if (!l->numbers || !f->shared || offset > f->n_shared_bytes || offset % 4 != 0 ||
        offset / 4 > UINT32_MAX || l->n > (f->n_shared_bytes - offset) / l->number_bytes)
        return false;
    *at = (uint32_t)(offset / 4);
    return true;
}

static inline __attribute__((always_inline)) void copy_dense(const struct item_list *l, uint32_t n_ids,
                                                             unsigned number_bytes)
{
    for (size_t i = 0; i < l->n; i++) {
        uint64_t number = query_number(l->numbers, number_bytes, i);
        l->ids[i] = number < n_ids ? (uint32_t)number : n_ids;
    }
}

static void copy_numbers(const struct fill *f, const struct item_list *l)
{
    const struct id_index *items = &f->model->items;
    if (items->kind == ID_DENSE && l->number_bytes == 4)
        copy_dense(l, items->n_ids, 4);
    else if (items->kind == ID_DENSE)
        copy_dense(l, items->n_ids, 8);
    else
        for (size_t i = 0; i < l->n; i++) {
            uint64_t number = query_number(l->numbers, l->number_bytes, i);
            if (l->keys)
                l->keys[i] = number;
            l->ids[i] = l->keys ? ID_BY_KEY : id_index_find(items, collide_id_number(number));
        }
}

static void copy_given(const struct fill *f, const struct item_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        bool by_key = l->keys && !l->given[i].text;
        if (by_key)
            l->keys[i] = l->given[i].number;
        l->ids[i] = by_key ? ID_BY_KEY : id_index_find(&f->model->items, l->given[i]);
    }
}

/* Looks items up, unless the device is to; returns how many it is to read as numbers, from *at on. */
static uint32_t place_items(struct fill *f, const struct item_list *l, uint32_t *at)
{
    if (lies_in_shared(f, l, at)) {
        f->counts.n_lookups += l->n;
        return (uint32_t)l->n;
    }
    if (l->numbers)
        copy_numbers(f, l);
    else
        copy_given(f, l);
    count_items(f, l->ids, l->n);
    return 0;
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

static void add_items(struct fill *f, const struct collide_query *query, device_query *q)
{
    size_t from = f->used.n_history;
    const struct item_list list = {.given = query->history,
                                   .numbers = query->history_numbers,
                                   .number_bytes = query->number_bytes,
                                   .n = query->n_history,
                                   .ids = f->history + from,
                                   .keys = f->history_keys ? f->history_keys + from : NULL};
    q->n_history_numbers = place_items(f, &list, &q->history_numbers);
    if (query->weights)
        memcpy(f->history_weights + from, query->weights, list.n * sizeof *query->weights);
    for (size_t i = 0; !query->weights && i < list.n; i++)
        f->history_weights[from + i] = 1.0f;
    f->used.n_history += list.n;
}

/* Whether all that a query's bag holds is what its user always has. */
static bool is_user_alone(const struct fill *f, const struct collide_query *query, const device_query *q)
{
    return f->user_vectors && q->user < f->model->users.n_ids && query->n_history == 0 &&
           query->n_features == 0;
}

static void give_vector(struct fill *f, device_query *q)
{
    const size_t dim = f->model->model->dim;
    memcpy(f->vectors + (f->used.n_queries - 1) * dim, f->user_vectors + q->user * dim, dim * sizeof(float));
    f->used.n_vectors = f->used.n_queries * dim;
    q->flags |= QUERY_VECTOR | QUERY_SUM;
}

void fill_histories(struct fill *f, const struct collide_query *query)
{
    const struct model *m = f->model->model;
    device_query *q = &f->queries[f->used.n_queries++];
    *q = (device_query){.user = m->user.n_ids, .history_begin = (uint32_t)f->used.n_history, .n_parts = 1};
    if (query->number_bytes == 8)
        q->flags = QUERY_LONG_NUMBERS;
    if (query->user)
        q->user = find(f, &f->model->users, *query->user);
    if (is_user_alone(f, query, q)) {
        give_vector(f, q);
    } else {
        add_items(f, query, q);
        if (query->user && m->user_is_embedded)
            add_history(f, (uint32_t)model_entry_base(m, SPACE_USER) + q->user, 1.0f);
        for (size_t i = 0; i < query->n_features; i++)
            add_feature(f, &query->features[i]);
    }
    q->history_end = (uint32_t)f->used.n_history;
    q->items_begin = q->items_end = (uint32_t)f->used.n_items;
}

/* Candidates [from, from + n). */
static void fill_items(struct fill *f, const struct collide_query *query, size_t from, size_t n)
{
    device_query *q = &f->queries[f->used.n_queries - 1];
    const char *numbers = query->item_numbers;
    const struct item_list list = {.given = numbers ? NULL : query->items + from,
                                   .numbers = numbers ? numbers + from * query->number_bytes : NULL,
                                   .number_bytes = query->number_bytes,
                                   .n = n,
                                   .ids = f->items + f->used.n_items,
                                   .keys = f->item_keys ? f->item_keys + f->used.n_items : NULL};
    q->n_item_numbers = place_items(f, &list, &q->item_numbers);
    f->used.n_items += n;
    f->used.n_scores = f->used.n_items;
    q->items_end = (uint32_t)f->used.n_items;
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
    fill_items(f, query, from, n);
}

void fill_queries(struct fill *f, const struct collide_query *queries, size_t n_queries,
                  const struct fill_capacity *capacity, size_t max_items, struct fill_position *at)
{
    for (; at->query < n_queries; *at = (struct fill_position){.query = at->query + 1}) {
        const struct collide_query *query = &queries[at->query];
        while (at->item < query->n_items) {
            size_t n =
                least(query->n_items - at->item, least(max_items, capacity->n_items - f->used.n_items));
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
    /* Several work-groups share a top-k query, so none may write what it has found. */
    struct fill here = *f;
    here.history_keys = here.item_keys = NULL;
    here.shared = NULL;
    fill_histories(&here, &query->query);
    f->used = here.used;
    f->counts = here.counts;
    device_query *q = &f->queries[f->used.n_queries - 1];
    for (size_t i = 0; i < query->n_exclude; i++)
        f->items[f->used.n_items++] = id_index_find(&f->model->items, query->exclude[i]);
    q->items_end = (uint32_t)f->used.n_items;
    q->k = (uint32_t)least(query->k, f->model->items.n_ids);
    if (query->flags & COLLIDE_TOPK_EXCLUDE_SEEN)
        q->flags |= QUERY_EXCLUDE_SEEN;
    q->n_parts = n_parts;
    q->scores_begin = (uint32_t)f->used.n_scores;
    f->used.n_scores += (size_t)n_parts * q->k * (sizeof(device_hit) / sizeof(float));
}

uint64_t fill_count_unknown(const struct fill *f, size_t begin, size_t end)
{
    uint64_t n = 0;
    for (size_t i = begin; leaves_items(f) && i < end; i++) {
        const device_query *q = &f->queries[i];
        n += count_unknown(f, f->items + q->items_begin, q->items_end - q->items_begin);
        if (!(q->flags & QUERY_GOES_ON))
            n += count_unknown(f, f->history + q->history_begin, q->history_end - q->history_begin);
    }
    return n;
}
