/* Finding the resolution at which a clustering has about as many labels as there are rows. */
#ifndef LEARN_RESOLUTION_H
#define LEARN_RESOLUTION_H

#include "collide/status.h"

#include <stdint.h>

struct resolution_search {
    /* Clusters. How many labels a resolution gives, at least 1: on the whole more, the higher it is. */
    enum collide_status (*cluster)(void *context, double resolution, uint32_t *n_labels,
                                   struct collide_error *err);
    void *context;
    double start;      /* > 0 */
    uint32_t n_wanted; /* labels, >= 1 */
    double slack;      /* below 1: n_wanted * (1 - slack) is near enough */
};

/* The resolution, of a few tried, that gave most of up to n_wanted labels; where even the lowest gave more,
 * that one. The last call of cluster has been with it. */
enum collide_status resolution_find(const struct resolution_search *search, double *resolution,
                                    struct collide_error *err);

#endif
