/* The kernels of one specialisation, compiled as C. */
#ifndef TESTS_KERNEL_AS_C_H
#define TESTS_KERNEL_AS_C_H

#include "types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum as_c_kernel { AS_C_SCORE, AS_C_BAG, AS_C_ROWS, AS_C_TOPK };

/* In the order of the kernels' arguments. */
enum as_c_table {
    AS_C_REMAP,
    AS_C_ROW_VALUES,
    AS_C_SCALES,
    AS_C_WEIGHTS,
    AS_C_LOOKUP_WEIGHTS,
    AS_C_BIAS,
    AS_C_CLASSES,
    AS_C_CLASS_WEIGHTS,
    AS_C_CLASS_BIAS,
    AS_C_USER_OFFSETS,
    AS_C_USER_HISTORY,
    AS_C_KEYS,
    AS_C_KEY_SLOTS,
    AS_C_ROW_OFFSETS,
    AS_C_ROW_ITEMS,
    AS_C_ROW_BEST,
    N_AS_C_TABLES
};

enum { AS_C_MAX_BANKS = 16 };

/* See kernels/tables.h. */
struct kernel_arguments {
    const device_params *params;
    const void *banks[N_AS_C_TABLES][AS_C_MAX_BANKS];
    const device_query *queries;
    uint32_t *history;
    const float *history_weights;
    uint32_t *items;
    const uint64_t *history_keys, *item_keys;
    const float *vectors;
    float *row_scores;
    float *scores;
    const uint32_t *numbers;
};

struct kernel_as_c {
    uint32_t dim, n_lookups, n_parts, map_bits, class_bits;
    bool lookup_weighted;
    struct {
        unsigned n, shift;
    } banks[N_AS_C_TABLES];
    void (*run)(enum as_c_kernel kernel, const struct kernel_arguments *arguments, size_t n_groups);
    uint32_t (*find_item)(const struct kernel_arguments *arguments, uint64_t key); /* NULL unless keyed */
};

#endif
