/* The same work as the bag kernel, written as anyone would write it first. */
#ifndef BENCH_KERNEL_SCALAR_H
#define BENCH_KERNEL_SCALAR_H

#include "kernel_case.h"

/* out[b, d] = sum over j of row(remap[ids[b, j]])[d]; ids: (n_queries, bag), out: (n_queries, dim). The
 * mapping is a stored one. */
void kernel_scalar_bags(const struct kernel_case *c, const uint32_t *ids, float *out);

#endif
