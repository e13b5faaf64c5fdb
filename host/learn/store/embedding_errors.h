/* How far embeddings are from what they should be: sums of Euclidean lengths, squared. */
#ifndef LEARN_EMBEDDING_ERRORS_H
#define LEARN_EMBEDDING_ERRORS_H

#include <math.h>
#include <stdint.h>

struct embedding_errors {
    uint64_t n;
    double squared_errors;
    double squared_lengths; /* of what they should be */
    double largest_squared_error;
};

static inline void embedding_errors_add(struct embedding_errors *e, const float *wanted, const float *got,
                                        uint32_t dim)
{
    double error = 0.0;
    for (uint32_t d = 0; d < dim; d++) {
        error += ((double)got[d] - (double)wanted[d]) * ((double)got[d] - (double)wanted[d]);
        e->squared_lengths += (double)wanted[d] * (double)wanted[d];
    }
    e->squared_errors += error;
    e->largest_squared_error = fmax(e->largest_squared_error, error);
    e->n++;
}

/* Of at least one embedding. */
static inline double embedding_errors_rms(const struct embedding_errors *e)
{
    return sqrt(e->squared_errors / (double)e->n);
}

static inline double embedding_errors_rms_length(const struct embedding_errors *e)
{
    return sqrt(e->squared_lengths / (double)e->n);
}

static inline double embedding_errors_largest(const struct embedding_errors *e)
{
    return sqrt(e->largest_squared_error);
}

#endif
