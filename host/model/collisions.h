/* How many ids share each row. */
#ifndef MODEL_COLLISIONS_H
#define MODEL_COLLISIONS_H

#include "model/model.h"

enum { COLLISIONS_N_SIZES = 65 };

/* An id of several lookups counts with each; unknown ids do not count. */
struct collisions {
    uint32_t n_used;    /* rows that an id maps to */
    uint32_t n_private; /* by one id alone */
    uint64_t most;
    double mean;                          /* ids of a used row */
    uint32_t by_size[COLLISIONS_N_SIZES]; /* rows by how many ids they have: 0, 1, 2 to 3, 4 to 7 ... */
};

/* Of one embedded space, or of all spaces together (NULL). */
enum collide_status collisions_count(const struct model *m, const struct space *space, struct collisions *out,
                                     struct collide_error *err);

/* (model_n_spaces) of each space by itself, all 0 where it is not embedded; for free(). NULL: out of memory.
 */
struct collisions *collisions_of_spaces(const struct model *m);

#endif
