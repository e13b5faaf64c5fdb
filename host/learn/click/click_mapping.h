/* One mapping for the ids of all spaces of a click log: each space has a range of the rows, and is mapped by
 * the method within it. Spaces of at most CLICK_SMALL_SPACE ids have a row an id; the others share the rest
 * in proportion to their ids. */
#ifndef LEARN_CLICK_MAPPING_H
#define LEARN_CLICK_MAPPING_H

#include "learn/click/click_data.h"
#include "learn/map/id_mapping.h"

enum { CLICK_SMALL_SPACE = 32 };

struct click_mapping_problem {
    const struct click_data *data;
    enum learn_method method;
    struct method_settings settings;
    uint32_t n_rows; /* rows for all spaces together; LEARN_FULL ignores it */
    uint32_t dim;
    const float *vectors; /* (n_entries, vector_dim) learned; NULL for methods without a teacher */
    uint32_t vector_dim;  /* at most dim */
    uint64_t seed;
    struct parallel *team;
};

/* A row for every id of small spaces, and for every eighth of the others. */
uint32_t click_rows_default(const struct click_data *data);

/* Rows of each space. COLLIDE_INVALID: n_rows is too few for the small spaces and a row for each other one.
 * shares: (n_spaces), each at most the space's ids. */
enum collide_status click_rows_share(const struct click_data *data, uint32_t n_rows, uint32_t *shares,
                                     struct collide_error *err);

/* A mapping of the entries, with rows to start from: those that the method made of the vectors, else small
 * and random; dimension 0 of the items' starts at 1, so that the features' is what they add whatever the
 * item. COLLIDE_UNSUPPORTED: a method that does more than sum rows. Returns owned. */
enum collide_status click_mapping_create(const struct click_mapping_problem *problem, struct id_mapping *out,
                                         struct collide_error *err);

#endif
