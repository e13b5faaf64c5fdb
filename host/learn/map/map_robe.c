/* Random offset blocks (Desai et al. 2022): all values are one flat array, and each chunk of an embedding is
 * a run of it that begins where a hash says and goes on at the front after the end. Here the array is cut
 * into rows of STEP values or a multiple, and runs begin with a row. */
#include "base/error.h"
#include "learn/map/hashing.h"
#include "learn/map/id_mapping.h"

#include <inttypes.h>

enum { STEP = 4 };

static uint32_t n_chunks(const struct mapping_problem *problem)
{
    const uint32_t asked = problem->settings.n_lookups;
    return asked ? asked : mapping_method(LEARN_ROBE)->n_lookups;
}

/* Rows as narrow as MODEL_MAX_LOOKUPS of them allow, and as chunks end with a row. */
enum collide_status shape_robe(const struct mapping_problem *problem, struct id_mapping *mapping,
                               struct collide_error *err)
{
    const uint32_t chunk = problem->dim / n_chunks(problem);
    uint32_t width = STEP;
    while (width <= chunk && (chunk % width || problem->dim / width > MODEL_MAX_LOOKUPS))
        width += STEP;
    if (problem->dim % n_chunks(problem) || width > chunk)
        return error_set(err, COLLIDE_INVALID,
                         "robe cuts a vector into %" PRIu32
                         " chunks of a multiple of %d values, which dim %" PRIu32
                         " does not allow: give a dim that is a multiple of %" PRIu32 ", or other lookups",
                         n_chunks(problem), STEP, problem->dim, n_chunks(problem) * STEP);
    mapping->n_lookups = mapping->n_parts = problem->dim / width;
    return COLLIDE_OK;
}

enum collide_status map_robe(const struct mapping_problem *problem, struct id_mapping *mapping,
                             struct collide_error *err)
{
    (void)err;
    const struct hash_family family = {problem->seed, n_chunks(problem), mapping->n_rows};
    const uint32_t chunk_rows = mapping->n_lookups / family.n_lookups;
    uint32_t *row = mapping->rows_of;
    for (uint32_t i = 0; i < problem->n_ids; i++)
        for (uint32_t chunk = 0; chunk < family.n_lookups; chunk++) {
            uint32_t first = hash_row(&family, problem->dense_ids[i], chunk);
            for (uint32_t k = 0; k < chunk_rows; k++)
                *row++ = (uint32_t)(((uint64_t)first + k) % mapping->n_rows);
        }
    return COLLIDE_OK;
}
