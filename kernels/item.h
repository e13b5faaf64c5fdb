/* The item form, for CPUs: a query is a work-item, which asks for memory well before it needs it. */
#ifndef KERNELS_ITEM_H
#define KERNELS_ITEM_H

#include "id_list.h"
#include "prefetch.h"

/* Lists of a batch lie behind one another, so a query asks ahead for the next ones', as far as their ids are
 * known by then; only the first query has to start by itself. */
#if KEYED
#define LIMIT(l, batch_end) ((l)->end)
#define IS_FIRST(l)         true
#else
#define LIMIT(l, batch_end) (batch_end)
#define IS_FIRST(l)         ((l)->begin == 0 || HAS_NUMBERS(l))
#endif

/* Without weights the unknown id adds nothing, but for zeros that may be the largest values: a branch that is
 * seldom taken is cheaper than a weight that is always computed. */
#if WEIGHTED || defined(POOL_MAX)
#define ADDS_NOTHING(t, id) false
#else
#define ADDS_NOTHING(t, id) ((id) == (t)->params.n_items)
#endif

/* bag += the ids of a list, each with its own weight and with weight_of_j. Asks for ids up to limit. */
#define BAG_ADD_LIST(b, t, ids, weight_of_j, begin, end, limit)                                              \
    do {                                                                                                     \
        for (uint j = (begin); j < (end); j++) {                                                             \
            BEAT(t, j);                                                                                      \
            PREFETCH_AHEAD(t, ids, j, limit, prefetch_bagged);                                               \
            uint id = known_or_unknown(t, (ids)[j]);                                                         \
            if (!ADDS_NOTHING(t, id))                                                                        \
                bag_add(b, t, id, id_weight(t, id) * (weight_of_j));                                         \
        }                                                                                                    \
    } while (0)

/* bag += positions [begin, end) of all stored histories. */
static void bag_add_stored(bag *b, const tables *t, uint begin, uint end)
{
#if USER_HISTORY_BANKS == 1
    PREFETCH_START(t, t->user_history[0], begin, end, prefetch_bagged);
    BAG_ADD_LIST(b, t, t->user_history[0], 1.0f, begin, end, end);
#else
    for (uint j = begin; j < end; j++) {
        BEAT(t, j);
        uint id = known_or_unknown(t, AT(USER_HISTORY, t->user_history, j));
        bag_add(b, t, id, id_weight(t, id));
    }
#endif
}

/* bag += the history given with a query. */
static void bag_add_given(bag *b, const tables *t, const batch *a, const device_query *q)
{
    const id_list l = history_of(a, q);
    uint limit = LIMIT(&l, q->history_limit);
    find_ids(t, &l);
    if (IS_FIRST(&l))
        PREFETCH_START(t, l.ids, l.begin, limit, prefetch_bagged);
    BAG_ADD_LIST(b, t, l.ids, a->history_weights[j], l.begin, l.end, limit);
}

/* Before the bag is summed up: what score_items will need. */
static void items_ready(const tables *t, const batch *a, const device_query *q)
{
    const id_list l = items_of(a, q);
    find_ids(t, &l);
    if (IS_FIRST(&l))
        PREFETCH_START(t, l.ids, l.begin, LIMIT(&l, q->items_limit), prefetch_scored);
}

/* The scores of a query's candidates. */
static void score_items(const bag *b, const tables *t, const batch *a, const device_query *q)
{
    const id_list l = items_of(a, q);
    for (uint j = l.begin; j < l.end; j++) {
        BEAT(t, j);
        PREFETCH_AHEAD(t, l.ids, j, LIMIT(&l, q->items_limit), prefetch_scored);
        uint id = known_or_unknown(t, l.ids[j]);
        a->scores[j] = bag_dot(b, t, id) + score_bias(t, id);
    }
}

#endif
