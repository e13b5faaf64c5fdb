/* A fixed team of threads that runs one loop at a time, each thread on its own contiguous share, so that the
 * same input and team size always give the same floating-point results. */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

#include "collide/status.h"

#include <stddef.h>

struct parallel;

/* n_threads >= 1, the caller counted as one of them. Returns owned. */
enum collide_status parallel_create(unsigned n_threads, struct parallel **out, struct collide_error *err);
void parallel_destroy(struct parallel *p);
unsigned parallel_n_threads(const struct parallel *p);

/* The CPUs this process may run on, at least 1. */
unsigned parallel_n_cpus(void);

/* Runs body(context, thread, begin, end) once per thread over thread-th share of [0, n), shares in order and
 * differing by at most one; empty shares run too. Returns when all are done. Call from one thread at a time.
 */
typedef void (*parallel_body)(void *context, unsigned thread, size_t begin, size_t end);
void parallel_for(struct parallel *p, size_t n, parallel_body body, void *context);

#endif
