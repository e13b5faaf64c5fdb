/* The model's tables as kernels see them: each in one bank of memory or in several, see specialisation.h. */
#ifndef KERNELS_TABLES_H
#define KERNELS_TABLES_H

#include "types.h"
#include "vectors.h"
#if RING
#include "ring.h"
#endif

#if defined(ROWS_F32)
#define ROW_TYPE float
#elif defined(ROWS_F16)
#define ROW_TYPE half
#elif defined(ROWS_I8)
#define ROW_TYPE char
#else
#define ROW_TYPE uchar /* two values */
#endif
typedef ROW_TYPE row_value;
#define ROW_VALUES LOADED /* elements of row_value in a row */

#if defined(SCALE_ROW_OFFSET)
typedef half scale_value; /* two a row: its scale, its offset */
#else
typedef float scale_value;
#endif

/* A table as so many arguments, each with a comma before it, and their names as a list. */
#define BANK_ARGUMENTS_0(space, type, name)
#define BANK_ARGUMENTS_1(space, type, name) , space const type *name
#define BANK_ARGUMENTS_2(space, type, name)                                                                  \
    BANK_ARGUMENTS_1(space, type, name##0) BANK_ARGUMENTS_1(space, type, name##1)
#define BANK_ARGUMENTS_4(space, type, name)                                                                  \
    BANK_ARGUMENTS_2(space, type, name##0) BANK_ARGUMENTS_2(space, type, name##1)
#define BANK_ARGUMENTS_8(space, type, name)                                                                  \
    BANK_ARGUMENTS_4(space, type, name##0) BANK_ARGUMENTS_4(space, type, name##1)
#define BANK_ARGUMENTS_16(space, type, name)                                                                 \
    BANK_ARGUMENTS_8(space, type, name##0) BANK_ARGUMENTS_8(space, type, name##1)
#define BANK_NAMES_0(name)            0
#define BANK_NAMES_1(name)            name
#define BANK_NAMES_2(name)            BANK_NAMES_1(name##0), BANK_NAMES_1(name##1)
#define BANK_NAMES_4(name)            BANK_NAMES_2(name##0), BANK_NAMES_2(name##1)
#define BANK_NAMES_8(name)            BANK_NAMES_4(name##0), BANK_NAMES_4(name##1)
#define BANK_NAMES_16(name)           BANK_NAMES_8(name##0), BANK_NAMES_8(name##1)
#define BANK_ARGUMENTS(T, type, name) PASTE(BANK_ARGUMENTS_, T##_BANKS)(T##_SPACE, type, name)
#define BANK_NAMES(T, name)           PASTE(BANK_NAMES_, T##_BANKS)(name)
#define BANKS(T)                      (T##_BANKS + (T##_BANKS == 0)) /* pointers: an absent table has one, to nothing */

/* Where entry i of a table is, an entry being `size` elements. */
#define ENTRY_1(T, table, i, size) ((table)[0] + (ulong)(i) * (size))
#define ENTRY_MANY(T, table, i, size)                                                                        \
    ((table)[(i) >> T##_SHIFT] + ((ulong)(i) & (((ulong)1 << T##_SHIFT) - 1)) * (size))
#define ENTRY_0                  ENTRY_1
#define ENTRY_2                  ENTRY_MANY
#define ENTRY_4                  ENTRY_MANY
#define ENTRY_8                  ENTRY_MANY
#define ENTRY_16                 ENTRY_MANY
#define ENTRY(T, table, i, size) PASTE(ENTRY_, T##_BANKS)(T, table, i, size)
#define AT(T, table, i)          (*ENTRY(T, table, i, 1))

#define TABLE_ARGUMENTS                                                                                      \
    __global const device_params *params                 /* (1) */                                           \
    BANK_ARGUMENTS(REMAP, uint, remap)                   /* (n_entries, LOOKUPS), or words of packed ones */ \
        BANK_ARGUMENTS(ROWS, row_value, rows)            /* (row_end - row_begin, WIDTH) */                  \
        BANK_ARGUMENTS(SCALES, scale_value, scales)      /* (rows) | (rows, 2) | (DIM) */                    \
        BANK_ARGUMENTS(WEIGHTS, float, weights)          /* (n_entries) */                                   \
        BANK_ARGUMENTS(BIAS, float, bias)                /* (n_items + 1) */                                 \
        BANK_ARGUMENTS(USER_OFFSETS, uint, user_offsets) /* (n_users + 2) */                                 \
        BANK_ARGUMENTS(USER_HISTORY, uint, user_history) /* (n_stored) */                                    \
        BANK_ARGUMENTS(KEYS, ulong, keys)                /* (n_items) */                                     \
        BANK_ARGUMENTS(KEY_SLOTS, uint, key_slots)       /* (n_key_slots) */                                 \
        BANK_ARGUMENTS(ROW_OFFSETS, uint, row_offsets)   /* (rows + 1) */                                    \
        BANK_ARGUMENTS(ROW_ITEMS, uint, row_items)       /* (row_offsets[rows]) */                           \
        BANK_ARGUMENTS(ROW_BEST, float, row_best)        /* (rows) */

typedef struct {
    device_params params;
    REMAP_SPACE const uint *remap[BANKS(REMAP)];
    ROWS_SPACE const row_value *rows[BANKS(ROWS)];
    SCALES_SPACE const scale_value *scales[BANKS(SCALES)];
    WEIGHTS_SPACE const float *weights[BANKS(WEIGHTS)];
    BIAS_SPACE const float *bias[BANKS(BIAS)];
    USER_OFFSETS_SPACE const uint *user_offsets[BANKS(USER_OFFSETS)];
    USER_HISTORY_SPACE const uint *user_history[BANKS(USER_HISTORY)];
    KEYS_SPACE const ulong *keys[BANKS(KEYS)];
    KEY_SLOTS_SPACE const uint *key_slots[BANKS(KEY_SLOTS)];
    ROW_OFFSETS_SPACE const uint *row_offsets[BANKS(ROW_OFFSETS)];
    ROW_ITEMS_SPACE const uint *row_items[BANKS(ROW_ITEMS)];
    ROW_BEST_SPACE const float *row_best[BANKS(ROW_BEST)];
#ifdef RING_OFFERED
    __global uchar *ring; /* of the resident kernel, else 0 */
#endif
} tables;

/* In loops that may take long, with the number of the turn: tells the ring's host of progress. */
#ifdef RING_OFFERED
#define BEAT(t, turn)                                                                                        \
    do {                                                                                                     \
        if ((turn) % BEAT_TURNS == 0 && (t)->ring)                                                           \
            ring_beat((t)->ring);                                                                            \
    } while (0)
#else
#define BEAT(t, turn)
#endif

#define TABLES                                                                                               \
    {                                                                                                        \
        *params, {BANK_NAMES(REMAP, remap)}, {BANK_NAMES(ROWS, rows)}, {BANK_NAMES(SCALES, scales)},         \
            {BANK_NAMES(WEIGHTS, weights)}, {BANK_NAMES(BIAS, bias)},                                        \
            {BANK_NAMES(USER_OFFSETS, user_offsets)}, {BANK_NAMES(USER_HISTORY, user_history)},              \
            {BANK_NAMES(KEYS, keys)}, {BANK_NAMES(KEY_SLOTS, key_slots)},                                    \
            {BANK_NAMES(ROW_OFFSETS, row_offsets)}, {BANK_NAMES(ROW_ITEMS, row_items)},                      \
        {                                                                                                    \
            BANK_NAMES(ROW_BEST, row_best)                                                                   \
        }                                                                                                    \
    }

/* A batch: what the host sends, and what it gets. */
#define BATCH_ARGUMENTS                                                                                      \
    __global const device_query *queries,      /* (n_queries) */                                             \
        __global uint *history,                /* ids given with the queries, of any space */                \
        __global const float *history_weights, /* one each */                                                \
        __global uint *items,                  /* the queries' candidates, or what they leave out */         \
        __global const ulong *history_keys, /* KEYED: of each id in history and items that is ID_BY_KEY */   \
        __global const ulong *item_keys,                                                                     \
        __global const float *vectors, /* (n_queries, DIM), of QUERY_VECTOR */                               \
        __global float *row_scores,    /* (n_queries, CHUNKS, rows), between the two steps of top-k */       \
        __global float *scores

typedef struct {
    __global const device_query *queries;
    __global uint *history;
    __global const float *history_weights;
    __global uint *items;
    __global const ulong *history_keys;
    __global const ulong *item_keys;
    __global const float *vectors;
    __global float *row_scores;
    __global float *scores;
} batch;

#define BATCH                                                                                                \
    {                                                                                                        \
        queries, history, history_weights, items, history_keys, item_keys, vectors, row_scores, scores       \
    }

#endif
