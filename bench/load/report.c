#include "report.h"

#include <math.h>
#include <stdlib.h>

struct spread report_spread_us(const struct report *r, enum side side, double q)
{
    struct spread unknown = {NAN, NAN, NAN};
    double *values = calloc(r->n_repeats, sizeof *values);
    if (!values)
        return unknown;
    for (size_t i = 0; i < r->n_repeats; i++)
        values[i] = figure_quantile_us(&r->repeats[i].sides[side], q);
    struct spread spread = figure_spread(values, r->n_repeats);
    free(values);
    return spread;
}

double report_ratio(const struct report *r)
{
    return figure_quantile_us(&r->merged->sides[SIDE_MAIN], 0.5) /
           figure_quantile_us(&r->merged->sides[SIDE_BASELINE], 0.5);
}
