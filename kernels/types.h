/* The structures that host and kernels share; all fields are 4 bytes (but for the ring's, which say so), so
 * both sides lay them out alike. */
#ifndef KERNELS_TYPES_H
#define KERNELS_TYPES_H

#ifdef __OPENCL_VERSION__
typedef uint device_uint;
#else
#include <stdint.h>
typedef uint32_t device_uint;
#endif

/* The sizes of a model. Ids of all spaces are numbered through: items first, 0 .. n_items, the last of them
 * the unknown item; then each further space's ids and its unknown one. */
typedef struct {
    device_uint n_items;
    device_uint n_entries; /* ids of all spaces, unknown ones included */
    device_uint n_users;   /* with a stored history */
    device_uint n_stored;  /* items in all stored histories */
    device_uint n_rows;
    device_uint n_key_slots;         /* a power of two, or 0: items have no 64-bit keys */
    device_uint seed_low, seed_high; /* of a hashed mapping */
    device_uint divisor;             /* of a quotient mapping */
    device_uint own_first, n_own;    /* the rows that are computed, or that codebooks share */
    device_uint row_begin, row_end;  /* the rows that this device has, of n_rows */
    float logit_scale;
} device_params;

/* One query: the bag of a user's stored history and of the ids given with it, and its candidates. Ranges
 * [begin, end) index the batch's arrays. An id of n_entries or above stands for the unknown item, a user of
 * n_users or above has no history.
 *
 * score: scores stand where their items do.
 * bag:   dim values, then the bag's weight, stand at scores_begin.
 * rows:  row scores stand where the query does; see kernels/topk.h.
 * topk:  items are those to leave out; hits stand at scores_begin, k of each part; see kernels/topk.h.
 *
 * The first n_history_numbers ids of the history, and n_item_numbers of the items, may lie elsewhere (see
 * NUMBERS in kernels/specialisation.h); none of topk. The kernel puts what they stand for into the lists. */
typedef struct {
    device_uint user;
    device_uint history_begin, history_end;
    device_uint items_begin, items_end;
    device_uint history_limit,
        items_limit; /* ends of the batch's: so far a query may ask ahead for those behind it */
    device_uint history_numbers, item_numbers; /* where they lie, in units of 4 bytes */
    device_uint n_history_numbers, n_item_numbers;
    device_uint scores_begin;
    device_uint k;
    device_uint n_parts; /* topk: work-groups that share a query; the same for all of a batch */
    device_uint flags;
} device_query;

#define QUERY_EXCLUDE_SEEN 1u /* topk: leave out what the query's histories hold */
#define QUERY_VECTOR       2u /* its pooled bag is given: dim values in the batch's vectors, where the query is */
#define QUERY_LAST         4u  /* of its batch; the pipeline form, which is one work-item, stops behind it */
#define QUERY_LONG_NUMBERS 8u  /* its numbers have 8 bytes each, not 4 */
#define QUERY_SUM          16u /* its bag's sum is given, to be pooled, or written by bag; of no mean */

/* An id that the device is to look up: its key stands beside it. */
#define ID_BY_KEY 0xffffffffu

/* A hit of a top-k query. */
typedef struct {
    float score;
    device_uint id; /* ID_BY_KEY: none */
} device_hit;

/* ---- The ring: what a resident kernel and its producers share. */

#define RING_UNIT_BYTES  64
#define RING_MAX_STEPS   2
#define RING_MAX_REGIONS 10

/* One piece of work, one cache line. A producer that has taken ticket t waits for turn == t, fills the rest
 * and stores turn = t + 1; the kernel then runs it, stores 1 to the completion word and turn = t +
 * n_descriptors, each with release order. */
typedef struct {
    device_uint turn; /* atomic */
    device_uint done; /* where the completion word is, in the ring's memory, in units of RING_UNIT_BYTES */
    device_uint kernels[RING_MAX_STEPS];
    device_uint n_groups[RING_MAX_STEPS];  /* 0: no such step */
    device_uint regions[RING_MAX_REGIONS]; /* where they are, likewise */
} ring_descriptor;

/* At the start of the ring's memory; each field that one side writes has a cache line. The descriptors
 * follow. */
typedef struct {
    device_uint n_descriptors; /* a power of two */
    device_uint max_idle;      /* empty polls after which the kernel returns, to be launched anew */
    device_uint unused1[14];
    device_uint stop; /* atomic; the host writes it */
    device_uint unused2[15];
    device_uint head;  /* atomic; tickets done, the kernel writes it */
    device_uint beats; /* atomic; polls done: a kernel whose beats stand still is stuck */
    device_uint unused3[14];
} ring_control;

#endif
