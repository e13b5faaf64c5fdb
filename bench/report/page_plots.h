/* The page's plots. Each prints its section, or nothing where the results have nothing for it. */
#ifndef BENCH_PAGE_PLOTS_H
#define BENCH_PAGE_PLOTS_H

#include "result.h"

#include <stdio.h>

enum collide_status page_print_load_plot(FILE *out, const struct results *r, struct collide_error *err);
enum collide_status page_print_distribution_plot(FILE *out, const struct results *r,
                                                 struct collide_error *err);
/* Of the median latency, and of the throughput. */
enum collide_status page_print_bars(FILE *out, const struct results *r, struct collide_error *err);

#endif
