/* Figures drawn from measurements, and which of them the measurements can bear. A figure that is not known is
 * NAN. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include "load.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether n samples are enough for the quantile q: ten of them, at least, must lie beyond it. (MLPerf
 * Inference asks for more, to bound the error with 99% confidence; fewer than ten say nothing.) */
bool quantile_is_known(uint64_t n, double q);

/* As it was recorded; NAN unless quantile_is_known. */
double figure_quantile(const struct histogram *h, double q);

/* Of the latencies, in microseconds. */
double figure_quantile_us(const struct load_stats *s, double q);
double figure_mean_us(const struct load_stats *s); /* NAN of nothing */
double figure_max_us(const struct load_stats *s);  /* NAN of nothing */

/* Requests answered as expected per second. */
double figure_rate(const struct load_stats *s);

struct spread {
    double min, median, max;
};

/* Sorts values (n). All NAN if one of them is. */
struct spread figure_spread(double *values, size_t n);

#endif
