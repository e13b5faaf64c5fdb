/* Items whose learned vectors are alike share a row; frequent items weigh more in where the rows lie. */
#include "base/error.h"
#include "learn/item_mapping.h"
#include "learn/kmeans.h"

#include <math.h>
#include <stdlib.h>

enum { N_PASSES = 5 };

enum collide_status map_lhf(const struct mapping_problem *problem, struct mapping *mapping,
                            struct collide_error *err)
{
    const struct corpus *corpus = problem->corpus;
    double inertia[N_PASSES];
    float *weights = malloc(corpus->n_items * sizeof *weights);
    if (!weights)
        return error_no_memory(err, "the weights of k-means");
    for (uint32_t i = 0; i < corpus->n_items; i++)
        weights[i] = sqrtf((float)corpus->counts[i] + 1.0f);
    struct kmeans_problem clustering = {.points = problem->teacher,
                                        .weights = weights,
                                        .n_points = corpus->n_items,
                                        .n_clusters = problem->n_rows,
                                        .dim = problem->dim,
                                        .n_passes = N_PASSES,
                                        .seed = problem->seed};
    enum collide_status status =
        kmeans_fit(&clustering, problem->team, mapping->row_of_item, mapping->rows, inertia, err);
    free(weights);
    return status;
}
