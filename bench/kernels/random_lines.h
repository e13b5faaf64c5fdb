/* The machine's limit for a lookup: 64-byte lines at random places of a big table, asked for ahead of their
 * use, nothing computed. */
#ifndef BENCH_RANDOM_LINES_H
#define BENCH_RANDOM_LINES_H

#include "base/rng.h"
#include "collide/status.h"

#include <stddef.h>

struct random_lines;

/* n_bytes of lines in huge pages where the system gives them. Returns owned. */
enum collide_status random_lines_create(uint64_t n_bytes, struct random_lines **out,
                                        struct collide_error *err);
void random_lines_destroy(struct random_lines *r);

/* ns a line, of n lines drawn anew. */
double random_lines_measure(struct random_lines *r, size_t n);

#endif
