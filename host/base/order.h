/* Sorting by how often. */
#ifndef BASE_ORDER_H
#define BASE_ORDER_H

#include "collide/status.h"

#include <stdint.h>

/* order[k] = the index with the k-th largest count, the lower of equals first; counts, order: (n). */
enum collide_status order_by_count(const uint64_t *counts, uint32_t n, uint32_t *order,
                                   struct collide_error *err);

#endif
