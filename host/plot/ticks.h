/* Where an axis has its marks, at round numbers, and what they say. */
#ifndef PLOT_TICKS_H
#define PLOT_TICKS_H

#include <stddef.h>

enum scale {
    SCALE_LINEAR,
    SCALE_LOG,
    SCALE_TAIL, /* of a quantile q: log of 1 / (1 - q), so that 90%, 99%, 99.9% are evenly spaced */
};

enum unit { UNIT_US, UNIT_PER_S, UNIT_PERCENTILE, UNIT_BYTES, UNIT_PERCENT };

enum { TICKS_MAX = 32 };

struct axis {
    const char *title;
    enum scale scale;
    enum unit unit;
    double low, high; /* of SCALE_TAIL: of 1 / (1 - q) */
};

/* Widens low and high to round numbers; both must be above 0 on SCALE_LOG. */
void axis_round(struct axis *a);

/* The part of the axis, 0 to 1, at which a value lies; of SCALE_TAIL, a value is 1 / (1 - q). */
double axis_place(const struct axis *a, double value);

/* Up to about n_wanted marks; at most TICKS_MAX. */
size_t axis_ticks(const struct axis *a, unsigned n_wanted, double ticks[TICKS_MAX]);

/* Such as "20 \xc2\xb5s", "1.5 ms", "200k", "99.9%", "2.5 MB" and "14%". */
void tick_text(enum unit unit, double value, char *out, size_t capacity);

#endif
