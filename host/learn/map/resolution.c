#include "learn/map/resolution.h"

#include <math.h>
#include <stdbool.h>

enum { MAX_WIDENINGS = 8, MAX_NARROWINGS = 10 };
#define WIDENING 4.0

/* A resolution by its logarithm, and the logarithm of labels over those wanted. */
struct point {
    double resolution;
    double excess;
};

static enum collide_status measure(const struct resolution_search *search, double log_resolution,
                                   struct point *out, struct collide_error *err)
{
    uint32_t n_labels = 1;
    enum collide_status status = search->cluster(search->context, exp(log_resolution), &n_labels, err);
    *out = (struct point){log_resolution, log((double)n_labels / (double)search->n_wanted)};
    return status;
}

static bool is_low(struct point p)
{
    return p.excess <= 0.0;
}

static bool is_near(const struct resolution_search *search, struct point p)
{
    return is_low(p) && p.excess >= log(1.0 - search->slack);
}

/* Steps away from the start until what is wanted lies between two points, or it has gone far enough. */
static enum collide_status widen(const struct resolution_search *search, struct point *low,
                                 struct point *high, struct collide_error *err)
{
    struct point now;
    enum collide_status status = measure(search, log(search->start), &now, err);
    const double step = is_low(now) ? log(WIDENING) : -log(WIDENING);
    *low = *high = now;
    for (int k = 0; status == COLLIDE_OK && k < MAX_WIDENINGS; k++) {
        if (is_near(search, now) || is_low(*low) != is_low(*high))
            break;
        struct point before = now;
        status = measure(search, now.resolution + step, &now, err);
        *low = is_low(before) && !is_low(now) ? before : now;
        *high = is_low(before) ? now : before;
    }
    return status;
}

/* Where the line between the two meets the middle of what is near enough, kept away from both. */
static double between(const struct resolution_search *search, struct point low, struct point high)
{
    double target = 0.5 * log(1.0 - search->slack);
    double share = (target - low.excess) / (high.excess - low.excess);
    return low.resolution + fmin(fmax(share, 0.1), 0.9) * (high.resolution - low.resolution);
}

enum collide_status resolution_find(const struct resolution_search *search, double *resolution,
                                    struct collide_error *err)
{
    struct point low, high;
    enum collide_status status = widen(search, &low, &high, err);
    if (status != COLLIDE_OK)
        return status;
    struct point now = low; /* the last one measured, unless it was too high and low is not near yet */
    for (int k = 0; k < MAX_NARROWINGS && is_low(low) && !is_low(high) && !is_near(search, low); k++) {
        status = measure(search, between(search, low, high), &now, err);
        if (status != COLLIDE_OK)
            return status;
        *(is_low(now) ? &low : &high) = now;
    }
    *resolution = exp(low.resolution);
    return now.resolution == low.resolution ? COLLIDE_OK : measure(search, low.resolution, &now, err);
}
