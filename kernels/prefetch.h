/* Asking for memory ahead of its use, in two steps: what stands at an id, then the rows that this names. */
#ifndef KERNELS_PREFETCH_H
#define KERNELS_PREFETCH_H

#include "bag.h"

static void prefetch_mapping(const tables *t, uint id)
{
#if PREFETCH && LOOKUP_WEIGHTED
    PREFETCH_LINE(ENTRY(LOOKUP_WEIGHTS, t->lookup_weights, (ulong)id * LOOKUPS, 1));
#endif
#if PREFETCH && !defined(MAP_COMPUTED)
    PREFETCH_LINE(ENTRY(REMAP, t->remap, REMAP_WORD(id, 0), 1));
#endif
}

#if CLASS_BITS
static void prefetch_class(const tables *t, uint id)
{
    PREFETCH_LINE(ENTRY(CLASSES, t->classes, PACKED_WORD(id, CLASS_BITS), 1));
}
#endif

/* Of an id that is to be bagged. */
static void prefetch_bagged(const tables *t, uint any_id)
{
    uint id = known_or_unknown(t, any_id);
    prefetch_mapping(t, id);
#if CLASS_BITS
    prefetch_class(t, id);
#elif WEIGHTED
    PREFETCH_LINE(ENTRY(WEIGHTS, t->weights, id, 1));
#endif
}

/* Of an item that is to be scored. */
static void prefetch_scored(const tables *t, uint any_id)
{
    uint id = known_or_unknown(t, any_id);
    prefetch_mapping(t, id);
#if CLASS_BITS
    prefetch_class(t, id);
#elif BIASED
    PREFETCH_LINE(ENTRY(BIAS, t->bias, min(id, t->params.n_items), 1));
#endif
}

static void prefetch_rows(const tables *t, uint any_id)
{
#if PREFETCH
    uint id = known_or_unknown(t, any_id);
    UNROLL
    for (uint l = 0; l < LOOKUPS; l++) {
        uint row = row_of(t, id, l);
        if (!row_is_here(t, &row))
            continue;
        row_pointer values = row_values(t, row);
        for (uint byte = 0; byte < ROW_BYTES; byte += LINE_BYTES)
            PREFETCH_LINE((ROWS_SPACE const char *)values + byte);
        if (LINE_BYTES % ROW_BYTES != 0)
            if (ROW_BYTES % LINE_BYTES != 0) /* it may end in one line more */
                PREFETCH_LINE((ROWS_SPACE const char *)values + ROW_BYTES - 1);
#if defined(SCALE_ROW)
        PREFETCH_LINE(ENTRY(SCALES, t->scales, row, 1));
#elif defined(SCALE_ROW_OFFSET)
        PREFETCH_LINE(ENTRY(SCALES, t->scales, row, 2));
#endif
    }
#endif
}

/* Asks for what positions j + ROW_AHEAD and j + REMAP_AHEAD of a list of ids will need; prefetch_entry:
 * prefetch_bagged or prefetch_scored. */
#define PREFETCH_AHEAD(t, ids, j, end, prefetch_entry)                                                       \
    do {                                                                                                     \
        if (PREFETCH && (j) + REMAP_AHEAD < (end))                                                           \
            prefetch_entry(t, (ids)[(j) + REMAP_AHEAD]);                                                     \
        if (PREFETCH && (j) + ROW_AHEAD < (end))                                                             \
            prefetch_rows(t, (ids)[(j) + ROW_AHEAD]);                                                        \
    } while (0)

/* The first ids of a list have nothing ahead of them to be asked for by. */
#define PREFETCH_START(t, ids, begin, end, prefetch_entry)                                                   \
    do {                                                                                                     \
        for (uint ahead = (begin); PREFETCH && ahead < min((end), (begin) + REMAP_AHEAD); ahead++)           \
            prefetch_entry(t, (ids)[ahead]);                                                                 \
        for (uint ahead = (begin); PREFETCH && ahead < min((end), (begin) + ROW_AHEAD); ahead++)             \
            prefetch_rows(t, (ids)[ahead]);                                                                  \
    } while (0)

#endif
