/* n_lookups hashed rows of one table: hash, with one of them (Dietzfelbinger et al. 1997; here by the hash
 * that the kernels compute), double hashing with two (Zhang et al. 2020), Bloom embeddings with several
 * (Serra and Karatzoglou 2017). */
#include "learn/map/hashing.h"
#include "learn/map/id_mapping.h"

enum collide_status map_hash(const struct mapping_problem *problem, struct id_mapping *mapping,
                             struct collide_error *err)
{
    (void)err;
    const struct hash_family family = {problem->seed, mapping->n_lookups, mapping->n_rows};
    uint32_t *row = mapping->rows_of;
    for (uint32_t i = 0; i < problem->n_ids; i++)
        for (uint32_t l = 0; l < mapping->n_lookups; l++)
            *row++ = hash_row(&family, problem->dense_ids[i], l);
    mapping->seed = problem->seed;
    return COLLIDE_OK;
}
