/* How far results are from the truth, as a share of what their tolerance allows. */
#ifndef TESTS_ERROR_RATIOS_H
#define TESTS_ERROR_RATIOS_H

#include "base/buffer.h"

struct error_ratios {
    struct buffer values; /* double */
    double largest;
    size_t n_exact;
};

/* Fails the test, saying where, if the result is further from the truth than its tolerance. */
void error_ratios_add(struct error_ratios *r, double result, double truth, double tolerance,
                      const char *where);

/* Of all results that are not exact; 0 of none. */
double error_ratios_median(struct error_ratios *r);

void error_ratios_free(struct error_ratios *r);

#endif
