/* What a build of the kernels may specialise, and what it takes unless told: -DDIM=64 and so on. */
/* clang-format off */
/* The model:
 *   DIM                                                      values of an embedding
 *   ROWS_F32 | ROWS_F16 | ROWS_I8 | ROWS_I4 | ROWS_I3 | ROWS_I2
 *                                                            how a row's values q are stored; I4, I3, I2: of a width
 *                                                            that is a multiple of 2, 8, 4
 *   SCALE_NONE | SCALE_ROW | SCALE_ROW_OFFSET | SCALE_DIM    row = q | s_r q | s_r q + o_r | s_d q_d
 *   LOOKUPS                                                  rows of an id
 *   COMBINE_SUM | COMBINE_MULTIPLY                           what makes them its embedding
 *   PARTS                                                    an embedding is so many sums of LOOKUPS / PARTS rows
 *   MAP_STORED | MAP_PACKED |                                where an id's rows stand,
 *   MAP_HASHED | MAP_MODULO | MAP_QUOTIENT                   or how they are computed
 *   MAP_BITS                                                 of a packed entry
 *   CODEBOOKS                                                1: packed entries count from their lookup's codebook
 *   BLANK_BY_VALUES                                          1: weight and bias alone say what nothing was learned of
 *   POOL_SUM | POOL_MEAN | POOL_NORMALISED | POOL_MAX
 *   WEIGHTED, BIASED                                         1: there is a weight, a bias per id
 *   CLASS_BITS                                               of a code by which an id has both, from tables; 0: each has its own
 *   LOOKUP_WEIGHTED                                          1: of sums, there is a weight per id and lookup
 *   KEYED                                                    1: ids may come as 64-bit keys; key_slots is not empty
 *   SELECT_BY_ROWS                                           1: row_offsets, row_items and row_best are there, for top-k
 *
 * The device:
 *   FORM_ITEM | FORM_GROUP | FORM_PIPELINE    a query is a work-item | a work-group | one turn of a single work-item
 *   GROUP                                     work-items of a work-group, a multiple of 16
 *   PREFETCH                                  1: ask for memory ahead of its use (CPUs; GPUs hide latency themselves)
 *   ROW_AHEAD, REMAP_AHEAD                    by how many ids: a row, and the mapping entry that names it
 *   SHARDED                                   1: only rows row_begin .. row_end are here, the others count as zero
 *   RING                                      1: for a host with a ring: the resident kernel, which needs OpenCL 2.0's atomics
 *   CALL                                      1: for a host that calls a function, and launches nothing; GATHERED, FORM_ITEM
 *   GATHERED                                  1: the argument is a list of addresses, where host and device share them
 *   NUMBERS                                   1: ids may lie as numbers in memory that is an argument of its own
 *   T_BANKS, T_SHIFT, T_SPACE                 of each table T: how many arguments it takes: 0 (the model has none such),
 *                                             1, 2, 4, 8 or 16; entry i is entry i % 2^T_SHIFT of bank
 *                                             i >> T_SHIFT; __global or __constant */
/* clang-format on */
#ifndef KERNELS_SPECIALISATION_H
#define KERNELS_SPECIALISATION_H

#ifndef DIM
#define DIM 64
#endif
#if !defined(ROWS_F32) && !defined(ROWS_F16) && !defined(ROWS_I8) && !defined(ROWS_I4) &&                    \
    !defined(ROWS_I3) && !defined(ROWS_I2)
#define ROWS_F32
#endif
#if !defined(SCALE_NONE) && !defined(SCALE_ROW) && !defined(SCALE_ROW_OFFSET) && !defined(SCALE_DIM)
#define SCALE_NONE
#endif
#ifndef LOOKUPS
#define LOOKUPS 1
#endif
#if !defined(COMBINE_SUM) && !defined(COMBINE_MULTIPLY)
#define COMBINE_SUM
#endif
#ifndef PARTS
#define PARTS 1
#endif
#if defined(MAP_HASHED) || defined(MAP_MODULO) || defined(MAP_QUOTIENT)
#define MAP_COMPUTED
#elif !defined(MAP_STORED) && !defined(MAP_PACKED)
#define MAP_STORED
#endif
#ifndef MAP_BITS
#define MAP_BITS 32
#endif
#ifndef CODEBOOKS
#define CODEBOOKS 0
#endif
#if !defined(BLANK_BY_VALUES) && defined(MAP_COMPUTED)
#define BLANK_BY_VALUES 1
#elif !defined(BLANK_BY_VALUES)
#define BLANK_BY_VALUES CODEBOOKS
#endif
#if !defined(POOL_SUM) && !defined(POOL_MEAN) && !defined(POOL_NORMALISED) && !defined(POOL_MAX)
#define POOL_SUM
#endif
#ifndef WEIGHTED
#define WEIGHTED 1
#endif
#ifndef BIASED
#define BIASED 1
#endif
#ifndef CLASS_BITS
#define CLASS_BITS 0
#endif
#ifndef LOOKUP_WEIGHTED
#define LOOKUP_WEIGHTED 0
#endif
#ifndef KEYED
#define KEYED 0
#endif
#ifndef SELECT_BY_ROWS
#define SELECT_BY_ROWS 0
#endif

#if !defined(FORM_ITEM) && !defined(FORM_GROUP) && !defined(FORM_PIPELINE)
#define FORM_ITEM
#endif
#ifndef GROUP
#define GROUP 64
#endif
#ifndef PREFETCH
#define PREFETCH 0
#endif
#ifndef ROW_AHEAD
#define ROW_AHEAD 16
#endif
#ifndef REMAP_AHEAD
#define REMAP_AHEAD 48
#endif
#ifndef SHARDED
#define SHARDED 0
#endif
#ifndef RING
#define RING 0
#endif

#ifndef CALL
#define CALL 0
#endif
#ifndef GATHERED
#define GATHERED 0
#endif
#ifndef NUMBERS
#define NUMBERS 0
#endif

#ifndef REMAP_BANKS
#define REMAP_BANKS 1
#endif
#ifndef REMAP_SPACE
#define REMAP_SPACE __global
#endif

#ifndef ROWS_BANKS
#define ROWS_BANKS 1
#endif
#ifndef ROWS_SPACE
#define ROWS_SPACE __global
#endif

#ifndef SCALES_BANKS
#define SCALES_BANKS 1
#endif
#ifndef SCALES_SPACE
#define SCALES_SPACE __global
#endif

#ifndef WEIGHTS_BANKS
#define WEIGHTS_BANKS 1
#endif
#ifndef WEIGHTS_SPACE
#define WEIGHTS_SPACE __global
#endif

#ifndef LOOKUP_WEIGHTS_BANKS
#define LOOKUP_WEIGHTS_BANKS 1
#endif
#ifndef LOOKUP_WEIGHTS_SPACE
#define LOOKUP_WEIGHTS_SPACE __global
#endif

#ifndef BIAS_BANKS
#define BIAS_BANKS 1
#endif
#ifndef BIAS_SPACE
#define BIAS_SPACE __global
#endif

#ifndef CLASSES_BANKS
#define CLASSES_BANKS 1
#endif
#ifndef CLASSES_SPACE
#define CLASSES_SPACE __global
#endif

#ifndef CLASS_WEIGHTS_BANKS
#define CLASS_WEIGHTS_BANKS 1
#endif
#ifndef CLASS_WEIGHTS_SPACE
#define CLASS_WEIGHTS_SPACE __global
#endif

#ifndef CLASS_BIAS_BANKS
#define CLASS_BIAS_BANKS 1
#endif
#ifndef CLASS_BIAS_SPACE
#define CLASS_BIAS_SPACE __global
#endif

#ifndef USER_OFFSETS_BANKS
#define USER_OFFSETS_BANKS 1
#endif
#ifndef USER_OFFSETS_SPACE
#define USER_OFFSETS_SPACE __global
#endif

#ifndef USER_HISTORY_BANKS
#define USER_HISTORY_BANKS 1
#endif
#ifndef USER_HISTORY_SPACE
#define USER_HISTORY_SPACE __global
#endif

#ifndef KEYS_BANKS
#define KEYS_BANKS 1
#endif
#ifndef KEYS_SPACE
#define KEYS_SPACE __global
#endif

#ifndef KEY_SLOTS_BANKS
#define KEY_SLOTS_BANKS 1
#endif
#ifndef KEY_SLOTS_SPACE
#define KEY_SLOTS_SPACE __global
#endif

#ifndef ROW_OFFSETS_BANKS
#define ROW_OFFSETS_BANKS 1
#endif
#ifndef ROW_OFFSETS_SPACE
#define ROW_OFFSETS_SPACE __global
#endif

#ifndef ROW_ITEMS_BANKS
#define ROW_ITEMS_BANKS 1
#endif
#ifndef ROW_ITEMS_SPACE
#define ROW_ITEMS_SPACE __global
#endif

#ifndef ROW_BEST_BANKS
#define ROW_BEST_BANKS 1
#endif
#ifndef ROW_BEST_SPACE
#define ROW_BEST_SPACE __global
#endif

/* Bits of a value, where bytes hold several. */
#if defined(ROWS_I4)
#define ROW_BITS 4
#elif defined(ROWS_I3)
#define ROW_BITS 3
#elif defined(ROWS_I2)
#define ROW_BITS 2
#endif

#define WIDTH        (DIM / PARTS)     /* values of a row */
#define PART_LOOKUPS (LOOKUPS / PARTS) /* lookup l is of part l / PART_LOOKUPS */

#endif
