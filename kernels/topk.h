/* Top-k: rows are scored once, which are far fewer than ids; then each part of the work selects its k best
 * items.
 *
 * Where an id has one row, and there are far more ids than rows, row_items lists the items of each row, those
 * with the highest bias first, and row_best that highest bias (-infinity of a row without items): a row whose
 * score plus row_best misses the k-th best so far has no item worth a look. Otherwise every item is looked
 * at. Items that equal the unknown one in rows, weights and bias are no candidates: nothing was learned of
 * them. Of equal scores the smaller id is the better one. */
#ifndef KERNELS_TOPK_H
#define KERNELS_TOPK_H

#include "query.h"

/* Work-groups that share a query. */
static uint parts_of(const batch *a)
{
    return a->queries[0].n_parts;
}

/* Part p of n things. */
static uint part_begin(uint n, uint part, uint n_parts)
{
    return (uint)((ulong)n * part / n_parts);
}

static uint n_rows_here(const tables *t)
{
    return t->params.row_end - t->params.row_begin;
}

/* The scores of query i's rows: (CHUNKS, rows). */
static __global float *scores_of_rows(const tables *t, const batch *a, size_t i)
{
    return a->row_scores + i * CHUNKS * n_rows_here(t);
}

/* Group g scores part g % n_parts of the rows for query g / n_parts. */
static void score_rows(const tables *t, const batch *a, size_t g)
{
#if SCORED_BY_ROWS
    uint n_parts = parts_of(a), part = (uint)(g % n_parts), n_rows = n_rows_here(t);
    size_t i = g / n_parts;
    device_query q = a->queries[i];
    __global float *out = scores_of_rows(t, a, i);
    if (q.k == 0)
        return;
    bag b;
    query_bag(t, a, i, &q, &b);
    for (uint chunk = 0; chunk < CHUNKS; chunk++)
        for (uint row = part_begin(n_rows, part, n_parts); row < part_begin(n_rows, part + 1, n_parts);
             row++) {
            BEAT(t, row);
            out[(size_t)chunk * n_rows + row] = bag_dot_row(&b, t, row, chunk);
        }
#endif
}

/* A heap with the worst hit that is kept on top. */
typedef struct {
    __global device_hit *hits;
    uint n, k;
} best_hits;

static bool is_better(device_hit x, device_hit y)
{
    return x.score > y.score || (x.score == y.score && x.id < y.id);
}

static void hits_keep(best_hits *best, device_hit hit)
{
    uint i = 0;
    if (best->n < best->k) {
        for (i = best->n++; i > 0 && is_better(best->hits[(i - 1) / 2], hit); i = (i - 1) / 2)
            best->hits[i] = best->hits[(i - 1) / 2];
    } else {
        for (uint child; (child = 2 * i + 1) < best->n; i = child) {
            if (child + 1 < best->n && is_better(best->hits[child], best->hits[child + 1]))
                child++;
            if (!is_better(hit, best->hits[child]))
                break;
            best->hits[i] = best->hits[child];
        }
    }
    best->hits[i] = hit;
}

/* Below this a score is not worth a look. */
static float hits_threshold(const best_hits *best)
{
    return best->n < best->k ? -INFINITY : best->hits[0].score;
}

/* Position j of a list is this item, be it sent by key. */
static bool is_item(const tables *t, __global const uint *ids, __global const ulong *keys, uint j, uint id)
{
#if KEYED
    if (ids[j] == ID_BY_KEY)
        return keys[j] == AT(KEYS, t->keys, id);
#endif
    return ids[j] == id;
}

static bool is_left_out(const tables *t, const batch *a, const device_query *q, uint id)
{
    for (uint j = q->items_begin; j < q->items_end; j++)
        if (is_item(t, a->items, a->item_keys, j, id))
            return true;
    if (!(q->flags & QUERY_EXCLUDE_SEEN))
        return false;
    for (uint j = q->history_begin; j < q->history_end; j++)
        if (is_item(t, a->history, a->history_keys, j, id))
            return true;
    uint begin, end;
    stored_history(t, q, &begin, &end);
    for (uint j = begin; j < end; j++)
        if (AT(USER_HISTORY, t->user_history, j) == id)
            return true;
    return false;
}

static void hits_offer(best_hits *best, device_hit hit, const tables *t, const batch *a,
                       const device_query *q)
{
    if ((best->n < best->k || is_better(hit, best->hits[0])) && !is_left_out(t, a, q, hit.id))
        hits_keep(best, hit);
}

#if SELECT_BY_ROWS
static void select_items(const tables *t, const batch *a, size_t i, const device_query *q, uint part,
                         best_hits *best)
{
    uint n_rows = n_rows_here(t), n_parts = q->n_parts;
    __global const float *scores = scores_of_rows(t, a, i);
    for (uint row = part_begin(n_rows, part, n_parts); row < part_begin(n_rows, part + 1, n_parts); row++) {
        BEAT(t, row);
        if (!(scores[row] + AT(ROW_BEST, t->row_best, row) >= hits_threshold(best)))
            continue;
        uint end = AT(ROW_OFFSETS, t->row_offsets, row + 1);
        for (uint j = AT(ROW_OFFSETS, t->row_offsets, row); j < end; j++) {
            BEAT(t, j);
            uint id = AT(ROW_ITEMS, t->row_items, j);
            device_hit hit = {scores[row] + id_bias(t, id), id};
            if (hit.score < hits_threshold(best))
                break;
            hits_offer(best, hit, t, a, q);
        }
    }
}
#else
static bool is_blank(const tables *t, uint id)
{
#if WEIGHTED
    uint unknown = t->params.n_items;
    bool same = id_weight(t, id) == id_weight(t, unknown) && id_bias(t, id) == id_bias(t, unknown);
#if !BLANK_BY_VALUES
    for (uint l = 0; l < LOOKUPS; l++)
        same = same && row_of(t, id, l) == row_of(t, unknown, l);
#endif
    for (uint l = 0; l < LOOKUPS; l++)
        same = same && lookup_weight(t, id, l) == lookup_weight(t, unknown, l);
    return same;
#else
    return false;
#endif
}

static void select_items(const tables *t, const batch *a, size_t i, const device_query *q, uint part,
                         best_hits *best)
{
    uint n_items = t->params.n_items, n_parts = q->n_parts;
#if SCORED_BY_ROWS
    __global const float *scores = scores_of_rows(t, a, i);
#else
    bag b;
    query_bag(t, a, i, q, &b);
#endif
    for (uint id = part_begin(n_items, part, n_parts); id < part_begin(n_items, part + 1, n_parts); id++) {
        BEAT(t, id);
#if SCORED_BY_ROWS
        float score = 0.0f;
        bool is_here = true;
        for (uint l = 0; l < LOOKUPS; l++) {
            uint row = row_of(t, id, l);
            is_here = is_here && row_is_here(t, &row);
            if (is_here)
                score += lookup_weight(t, id, l) * scores[(size_t)CHUNK(l) * n_rows_here(t) + row];
        }
        if (!is_here)
            continue;
#else
        float score = bag_dot(&b, t, id);
#endif
        device_hit hit = {score + id_bias(t, id), id};
        if (hit.score >= hits_threshold(best) && !is_blank(t, id))
            hits_offer(best, hit, t, a, q);
    }
}
#endif

/* Group g selects k items of part g % n_parts for query g / n_parts, in no order; those that are not there
 * have no id. */
static void select_query(const tables *t, const batch *a, size_t g)
{
    uint n_parts = parts_of(a), part = (uint)(g % n_parts);
    device_query q = a->queries[g / n_parts];
    best_hits best = {(__global device_hit *)(a->scores + q.scores_begin) + (size_t)part * q.k, 0, q.k};
    if (q.k > 0)
        select_items(t, a, g / n_parts, &q, part, &best);
    for (uint n = best.n; n < q.k; n++)
        best.hits[n].id = ID_BY_KEY;
}

#endif
