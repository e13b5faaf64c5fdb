/* One self-contained HTML page of results: no script, nothing from the network. */
#ifndef BENCH_PAGE_H
#define BENCH_PAGE_H

#include "result.h"

#include <stdio.h>

/* title: NULL for a plain one. results: at least one. */
enum collide_status page_print(FILE *out, const char *title, const struct results *results,
                               struct collide_error *err);

#endif
