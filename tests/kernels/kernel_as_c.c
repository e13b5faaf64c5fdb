/* The kernels as C. CMake compiles this file once for each specialisation, SPECIALISATION its name. */
#include "opencl_shim.h"
#include "specialisation.h"

/* What C's own headers declare is behind us; the kernels' names differ between specialisations. */
#define SHIM_PASTE2(a, b) a##b
#define SHIM_PASTE(a, b)  SHIM_PASTE2(a, b)
#define collide_score_v1  SHIM_PASTE(score_, SPECIALISATION)
#define collide_rows_v1   SHIM_PASTE(rows_, SPECIALISATION)
#define collide_bag_v1    SHIM_PASTE(bag_, SPECIALISATION)

#include "collide.cl"

static void run(int kernel, const struct kernel_arguments *a, size_t n_work_items)
{
    for (shim_global_id = 0; shim_global_id < n_work_items; shim_global_id++)
        (kernel == AS_C_SCORE  ? collide_score_v1
         : kernel == AS_C_ROWS ? collide_rows_v1
                               : collide_bag_v1)(a->params, a->remap, a->rows, a->scales, a->weights, a->bias,
                                                 a->user_offsets, a->user_history, a->queries, a->history,
                                                 a->history_weights, a->items, a->scores);
}

extern const struct specialisation SPECIALISATION;
const struct specialisation SPECIALISATION = {
    .dim = DIM,
#if defined(ROWS_F32)
    .precision = PRECISION_F32,
#elif defined(ROWS_F16)
    .precision = PRECISION_F16,
#else
    .precision = PRECISION_I8,
#endif
#if defined(POOL_SUM)
    .pooling = POOLING_SUM,
#elif defined(POOL_MEAN)
    .pooling = POOLING_MEAN,
#else
    .pooling = POOLING_NORMALISED,
#endif
    .weighted = WEIGHTED,
    .biased = BIASED,
    .prefetch = PREFETCH,
    .run = run,
};
