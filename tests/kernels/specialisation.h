/* One specialisation of the kernels, compiled as C. */
#ifndef TESTS_SPECIALISATION_H
#define TESTS_SPECIALISATION_H

#include "model/model.h"
#include "types.h"

enum { AS_C_SCORE, AS_C_ROWS, AS_C_BAG, N_AS_C_KERNELS };

/* The kernels' arguments; see kernels/collide.cl. */
struct kernel_arguments {
    const device_params *params;
    const uint32_t *remap;
    const void *rows;
    const float *scales, *weights, *bias;
    const uint32_t *user_offsets, *user_history;
    const device_query *queries;
    const uint32_t *history;
    const float *history_weights;
    const uint32_t *items;
    float *scores;
};

struct specialisation {
    uint32_t dim;
    enum precision precision;
    enum pooling pooling;
    int weighted, biased, prefetch;
    void (*run)(int kernel, const struct kernel_arguments *arguments, size_t n_work_items);
};

/* All that CMake compiled. */
extern const struct specialisation *const specialisations[];
extern const size_t n_specialisations;

#endif
