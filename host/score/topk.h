/* The k best of a stream of scored ids. */
#ifndef SCORE_TOPK_H
#define SCORE_TOPK_H

#include <stddef.h>
#include <stdint.h>

struct scored_id {
    float score;
    uint32_t id;
};

/* A heap with the worst kept entry on top. */
struct topk {
    struct scored_id *entries; /* (capacity), the caller's */
    size_t capacity;
    size_t n;
};

/* Of equal scores the smaller id is the better one. */
static inline int topk_is_better(struct scored_id a, struct scored_id b)
{
    return a.score > b.score || (a.score == b.score && a.id < b.id);
}

/* Replaces the worst entry of a full heap, or adds one. */
void topk_keep(struct topk *t, struct scored_id entry);

static inline void topk_offer(struct topk *t, struct scored_id entry)
{
    if (t->n < t->capacity || (t->n > 0 && topk_is_better(entry, t->entries[0])))
        topk_keep(t, entry);
}

/* Puts the entries in order, best first; the heap is used up. */
void topk_sort(struct topk *t);

#endif
