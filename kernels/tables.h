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
#define ROW_TYPE uchar /* several values */
#endif
typedef ROW_TYPE row_value;
typedef ROWS_SPACE const row_value *row_pointer;

/* Elements of row_value in a row. */
#if defined(ROW_BITS)
#define ROW_VALUES (WIDTH * ROW_BITS / 8)
#else
#define ROW_VALUES WIDTH
#endif
#define ROW_BYTES (ROW_VALUES * sizeof(row_value))

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

/* Entry e of n_bits bits of a table of such, packed from the low bits of its words on. */
#define PACKED_AT(T, table, e, n_bits)                                                                       \
    packed_entry(AT(T, table, PACKED_WORD(e, n_bits)), AT(T, table, PACKED_WORD(e, n_bits) + 1),             \
                 (ulong)(e) * (n_bits), n_bits)
#define PACKED_WORD(e, n_bits) (((ulong)(e) * (n_bits)) >> 5)

/* The n_bits bits from number `bit` on of two words, of which the first has that one. */
static uint packed_entry(uint low, uint high, ulong bit, uint n_bits)
{
    return (uint)(((ulong)high << 32 | low) >> (bit & 31)) & (uint)(((ulong)1 << n_bits) - 1);
}

/* The tables in the order of the arguments, behind the params: X(T, type, name). */
#define FOR_EACH_TABLE(X)                                                                                    \
    X(REMAP, uint, remap)                    /* (n_entries, LOOKUPS), or words of packed ones */             \
    X(ROWS, row_value, rows)                 /* (row_end - row_begin, WIDTH) */                              \
    X(SCALES, scale_value, scales)           /* (rows) | (rows, 2) | (DIM) */                                \
    X(WEIGHTS, float, weights)               /* (n_entries) */                                               \
    X(LOOKUP_WEIGHTS, float, lookup_weights) /* (n_entries, LOOKUPS) */                                      \
    X(BIAS, float, bias)                     /* (n_items + 1) */                                             \
    X(CLASSES, uint, classes)                /* words of packed codes, of n_entries ids */                   \
    X(CLASS_WEIGHTS, float, class_weights)   /* (2^CLASS_BITS) */                                            \
    X(CLASS_BIAS, float, class_bias)         /* (2^CLASS_BITS) */                                            \
    X(USER_OFFSETS, uint, user_offsets)      /* (n_users + 2) */                                             \
    X(USER_HISTORY, uint, user_history)      /* (n_stored) */                                                \
    X(KEYS, ulong, keys)                     /* (n_items) */                                                 \
    X(KEY_SLOTS, uint, key_slots)            /* (n_key_slots) */                                             \
    X(ROW_OFFSETS, uint, row_offsets)        /* (rows + 1) */                                                \
    X(ROW_ITEMS, uint, row_items)            /* (row_offsets[rows]) */                                       \
    X(ROW_BEST, float, row_best)             /* (rows) */

#define BANK_POINTERS(T, type, name) T##_SPACE const type *name[BANKS(T)];
typedef struct {
    device_params params;
    FOR_EACH_TABLE(BANK_POINTERS)
#ifdef RING_OFFERED
    __global uchar *ring; /* of the resident kernel, else 0 */
#endif
} tables;

/* Tables as a kernel's arguments, and made of them: each bank one, or one list of all their addresses, which
 * those of the regions follow. */
#if GATHERED
#define TABLE_ARGUMENTS __global const ulong *addresses
#define TABLES          tables_at(addresses)
#define TAKE_BANKS(T, type, name)                                                                            \
    for (uint bank = 0; bank < T##_BANKS; bank++)                                                            \
        t.name[bank] = (T##_SPACE const type *)*next++;
static tables tables_at(__global const ulong *next)
{
    tables t = {*(__global const device_params *)*next++};
    FOR_EACH_TABLE(TAKE_BANKS)
    return t;
}
#else
#define BANK_LIST(T, type, name)                                                                             \
    ,                                                                                                        \
    {                                                                                                        \
        BANK_NAMES(T, name)                                                                                  \
    }
#define TABLE_ARGUMENTS __global const device_params *params FOR_EACH_TABLE(BANK_ARGUMENTS)
#define TABLES                                                                                               \
    {                                                                                                        \
        *params FOR_EACH_TABLE(BANK_LIST)                                                                    \
    }
#endif

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

/* A batch: what the host sends, and what it gets. */
typedef struct {
    __global const device_query *queries;  /* (n_queries) */
    __global uint *history;                /* ids given with the queries, of any space */
    __global const float *history_weights; /* one each */
    __global uint *items;                  /* the queries' candidates, or what they leave out */
    __global const ulong *history_keys;    /* KEYED: of each id in history and items that is ID_BY_KEY */
    __global const ulong *item_keys;
    __global const float *vectors; /* (n_queries, DIM), of QUERY_VECTOR */
    __global float *row_scores;    /* (n_queries, CHUNKS, rows), between the two steps of top-k */
    __global float *scores;
#if NUMBERS
    __global const volatile uint *numbers; /* anyone may write to them, at any time */
#endif
} batch;

#if NUMBERS
#define NUMBERS_ARGUMENT , __global const volatile uint *numbers
#define NUMBERS_NAME     , numbers
#else
#define NUMBERS_ARGUMENT
#define NUMBERS_NAME
#endif

/* A batch of regions whose addresses are at(0), at(1) and so on. */
#define BATCH_AT(at)                                                                                         \
    (__global const device_query *)at(0), (__global uint *)at(1), (__global const float *)at(2),             \
        (__global uint *)at(3), (__global const ulong *)at(4), (__global const ulong *)at(5),                \
        (__global const float *)at(6), (__global float *)at(7), (__global float *)at(8)

/* As a kernel's arguments behind the tables, and made of them: each region one, or in the tables' list. */
#if GATHERED
#define COUNT_BANKS(T, type, name) +T##_BANKS
#define REGION_ADDRESS(i)          addresses[1 FOR_EACH_TABLE(COUNT_BANKS) + (i)]
#define BATCH_ARGUMENTS            NUMBERS_ARGUMENT
#define BATCH                                                                                                \
    {                                                                                                        \
        BATCH_AT(REGION_ADDRESS) NUMBERS_NAME                                                                \
    }
#else
#define BATCH_ARGUMENTS                                                                                      \
    , __global const device_query *queries, __global uint *history, __global const float *history_weights,   \
        __global uint *items, __global const ulong *history_keys, __global const ulong *item_keys,           \
        __global const float *vectors, __global float *row_scores, __global float *scores NUMBERS_ARGUMENT
#define BATCH                                                                                                \
    {                                                                                                        \
        queries, history, history_weights, items, history_keys, item_keys, vectors, row_scores,              \
            scores NUMBERS_NAME                                                                              \
    }
#endif

#endif
