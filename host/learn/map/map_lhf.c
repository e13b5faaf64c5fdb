/* Items whose learned vectors are alike share a row; frequent items weigh more in where the rows lie. */
#include "base/error.h"
#include "learn/map/id_mapping.h"
#include "learn/map/id_weights.h"
#include "learn/map/kmeans.h"

#include <stdlib.h>

enum { N_PASSES = 5 };

enum collide_status map_lhf(const struct mapping_problem *problem, struct id_mapping *mapping,
                            struct collide_error *err)
{
    double inertia[N_PASSES];
    float *weights = malloc(problem->n_ids * sizeof *weights);
    if (!weights)
        return error_no_memory(err, "the weights of k-means");
    id_weights(problem, weights);
    struct kmeans_problem clustering = {.points = problem->vectors,
                                        .weights = weights,
                                        .n_points = problem->n_ids,
                                        .n_clusters = problem->n_rows,
                                        .dim = problem->dim,
                                        .n_passes = N_PASSES,
                                        .seed = problem->seed};
    enum collide_status status =
        kmeans_fit(&clustering, problem->team, mapping->rows_of, mapping->rows, inertia, err);
    free(weights);
    return status;
}
