/* The structures that host and kernels share; all fields are 4 bytes, so both sides lay them out alike. */
#ifndef KERNELS_TYPES_H
#define KERNELS_TYPES_H

#ifdef __OPENCL_VERSION__
typedef uint device_uint;
#else
#include <stdint.h>
typedef uint32_t device_uint;
#endif

/* The sizes of a model. */
typedef struct {
    device_uint n_items;
    device_uint n_users;
    device_uint n_rows;
    float logit_scale;
} device_params;

/* One query: the bag of a user's stored history and of a history given with it, and its candidates. Ranges
 * [begin, end) index the batch's arrays; scores stand where their items do. An id of n_items (n_users) or
 * above is unknown. */
typedef struct {
    device_uint user;
    device_uint history_begin, history_end;
    device_uint items_begin, items_end;
} device_query;

#endif
