#include "truth.h"

#include <math.h>
#include <stdlib.h>

/* Tolerance. Let u = 2^-24 and g(n) = n u / (1 - n u). A sum of n terms, each off by r roundings, is off by
 * g(n + r) times the sum of the terms' sizes, in whatever order it is added up (Higham 2002, lemma 3.1 and
 * section 4.2); the size of s q + o is |s q| + |o|, of a product the product of its factors' sizes. A largest
 * one is off by no more than the largest size's error.
 *
 * A pooled value is f s: the error of s, and s times that of f, which is 1 / weight, off by g(n + 6), or 1 /
 * length, whose square is off by D = sum of 2 |s_d| E_d + E_d^2, and g(dim + 6). */
static double g(double n)
{
    double nu = n * 0x1p-24;
    return nu / (1.0 - nu);
}

static double half_to_double(uint16_t bits)
{
    int exponent = bits >> 10 & 31;
    double fraction = bits & 1023;
    double size = exponent == 0 ? ldexp(fraction, -24) : ldexp(fraction + 1024, exponent - 25);
    return bits >> 15 ? -size : size;
}

static uint32_t row_width(const struct setting *s)
{
    return s->spec->kernels->dim / s->spec->kernels->n_parts;
}

/* Bit by bit. */
static double packed_value(const uint8_t *bytes, size_t i, uint32_t bits)
{
    double value = 0.0;
    for (uint32_t k = 0; k < bits; k++)
        value += bytes[(i * bits + k) / 8] >> (i * bits + k) % 8 & 1 ? 1 << k : 0;
    return value;
}

/* Value i of a row as stored; row: among those that are here. */
static double stored_value(const struct setting *s, uint32_t row, uint32_t i)
{
    const void *values = s->tables[AS_C_ROW_VALUES].entries;
    size_t at = (size_t)row * row_width(s) + i;
    switch (s->spec->precision) {
    case PRECISION_F32:
        return ((const float *)values)[at];
    case PRECISION_F16:
        return half_to_double(((const uint16_t *)values)[at]);
    case PRECISION_I8:
        return ((const int8_t *)values)[at];
    case PRECISION_I4:
        return ((const uint8_t *)values)[at / 2] >> at % 2 * 4 & 15;
    case PRECISION_I3:
        return packed_value(values, at, 3);
    case PRECISION_I2:
        break;
    }
    return packed_value(values, at, 2);
}

/* A value, and its size. */
struct sized {
    double value, size;
};

/* Value i of a row of the model; first: the dimension of its value 0. Zero where the row is on another shard.
 */
static struct sized row_value(const struct setting *s, uint32_t row, uint32_t i, uint32_t first)
{
    if (row < s->params.row_begin || row >= s->params.row_end)
        return (struct sized){0, 0};
    uint32_t here = row - s->params.row_begin;
    const float *scales = s->tables[AS_C_SCALES].entries;
    const uint16_t *pair = (const uint16_t *)s->tables[AS_C_SCALES].entries + 2 * (size_t)here;
    double q = stored_value(s, here, i);
    switch (s->spec->scaling) {
    case SCALING_NONE:
        return (struct sized){q, fabs(q)};
    case SCALING_ROW:
        return (struct sized){scales[here] * q, fabs(scales[here] * q)};
    case SCALING_ROW_OFFSET:
        return (struct sized){half_to_double(pair[0]) * q + half_to_double(pair[1]),
                              fabs(half_to_double(pair[0]) * q) + fabs(half_to_double(pair[1]))};
    case SCALING_DIM:
        break;
    }
    return (struct sized){scales[first + i] * q, fabs(scales[first + i] * q)};
}

/* Value i of the row of an entry's lookup, which stands from dimension `first` on. */
static struct sized lookup_value(const struct setting *s, uint32_t entry, uint32_t lookup, uint32_t i,
                                 uint32_t first)
{
    struct sized v = row_value(s, setting_row(s, entry, lookup), i, first);
    double weight = (double)setting_lookup_weight(s, entry, lookup);
    return (struct sized){weight * v.value, fabs(weight) * v.size};
}

/* Dimension d of an entry's embedding. */
static struct sized embedding_value(const struct setting *s, uint32_t entry, uint32_t d)
{
    uint32_t width = row_width(s), i = d % width;
    uint32_t n = s->spec->kernels->n_lookups / s->spec->kernels->n_parts, first = d / width * n;
    struct sized e = lookup_value(s, entry, first, i, d - i);
    for (uint32_t l = first + 1; l < first + n; l++) {
        struct sized v = lookup_value(s, entry, l, i, d - i);
        if (s->spec->combine == COMBINE_MULTIPLY)
            e = (struct sized){e.value * v.value, e.size * v.size};
        else
            e = (struct sized){e.value + v.value, e.size + v.size};
    }
    return e;
}

/* A bag that is summed up: tolerances are sizes still. */
struct sum {
    struct truth_bag bag;
    uint32_t n;
};

static void add(const struct setting *s, struct sum *sum, uint32_t entry, double weight)
{
    weight *= (double)setting_weight(s, entry);
    sum->bag.weight.value += fabs(weight);
    for (uint32_t d = 0; d < s->spec->kernels->dim; d++) {
        struct sized e = embedding_value(s, entry, d);
        double value = weight * e.value, size = fabs(weight) * e.size;
        double *to = &sum->bag.values[d], *to_size = &sum->bag.tolerances[d];
        if (s->spec->pooling != POOLING_MAX) {
            *to += value;
            *to_size += size;
        } else {
            *to = sum->n == 0 ? value : fmax(*to, value);
            *to_size = fmax(*to_size, size);
        }
    }
    sum->n++;
}

/* The pooled bag off its sum. */
static void pool(const struct setting *s, struct sum *sum)
{
    struct truth_bag *b = &sum->bag;
    uint32_t dim = s->spec->kernels->dim;
    double factor = 1.0, share = 0.0;
    if (s->spec->pooling == POOLING_MEAN) {
        factor = b->weight.value > 1e-15 ? 1.0 / b->weight.value : 0.0;
        share = g(sum->n + 6);
    } else if (s->spec->pooling == POOLING_NORMALISED) {
        double length2 = 0.0, change = 0.0;
        for (uint32_t d = 0; d < dim; d++) {
            length2 += b->values[d] * b->values[d];
            change += (2.0 * fabs(b->values[d]) + b->tolerances[d]) * b->tolerances[d];
        }
        double off = length2 > 0.0 ? change / length2 : 0.0;
        factor = length2 > 1e-30 ? 1.0 / sqrt(length2) : 0.0;
        /* Where little is left of the sum but its error, any unit vector may come out. */
        share = off < 0.5 ? off / (1.0 - off) + g(dim + 6) : INFINITY;
    }
    for (uint32_t d = 0; d < dim; d++) {
        b->values[d] *= factor;
        b->tolerances[d] =
            isinf(share) ? 2.0 : factor * b->tolerances[d] * (1.0 + share) + fabs(b->values[d]) * share;
    }
}

struct truth_bag truth_bag_create(const struct setting *s, const device_query *q, enum truth_pooling pooling)
{
    uint32_t dim = s->spec->kernels->dim, begin, end;
    struct sum sum = {.bag = {block(dim, sizeof(double)), block(dim, sizeof(double)), {0, 0}}};
    for (uint32_t d = 0; d < dim; d++)
        sum.bag.values[d] = sum.bag.tolerances[d] = 0.0;
    setting_history(s, q->user, &begin, &end);
    for (uint32_t j = begin; j < end; j++)
        add(s, &sum, setting_stored(s, j), 1.0);
    for (uint32_t j = q->history_begin; j < q->history_end; j++)
        add(s, &sum, s->history.meant[j], (double)s->history_weights[j]);
    double share = g((sum.n + 4.0) * s->spec->kernels->n_lookups + 8.0);
    for (uint32_t d = 0; d < dim; d++)
        sum.bag.tolerances[d] *= share;
    sum.bag.weight.tolerance = g(sum.n + 2.0) * sum.bag.weight.value;
    if (pooling == TRUTH_POOLED)
        pool(s, &sum);
    return sum.bag;
}

void truth_bag_destroy(struct truth_bag *b)
{
    free(b->values);
    free(b->tolerances);
}

struct truth_bag truth_query_create(const struct setting *s, const device_query *q)
{
    if (!(q->flags & QUERY_VECTOR))
        return truth_bag_create(s, q, TRUTH_POOLED);
    uint32_t dim = s->spec->kernels->dim;
    struct truth_bag b = {block(dim, sizeof(double)), block(dim, sizeof(double)), {0, 0}};
    for (uint32_t d = 0; d < dim; d++) {
        b.values[d] = (double)s->vectors[(size_t)(q - s->queries) * dim + d];
        b.tolerances[d] = 0.0;
    }
    if (q->flags & QUERY_SUM)
        pool(s, &(struct sum){.bag = b});
    return b;
}

/* scale * one product, and what it may be off by after n roundings. */
static void add_product(const struct setting *s, struct near *sum, const struct truth_bag *b, uint32_t d,
                        struct sized e)
{
    double scale = fabs((double)s->params.logit_scale), e_d = b->tolerances[d];
    double share = g(s->spec->kernels->dim + 4.0 * s->spec->kernels->n_lookups + 12.0);
    sum->value += (double)s->params.logit_scale * b->values[d] * e.value;
    sum->tolerance += scale * e.size * (e_d + share * (fabs(b->values[d]) + e_d));
}

static struct near biased_score(const struct setting *s, const struct truth_bag *b, uint32_t entry,
                                double bias)
{
    struct near score = {bias, 0};
    for (uint32_t d = 0; d < s->spec->kernels->dim; d++)
        add_product(s, &score, b, d, embedding_value(s, entry, d));
    score.tolerance += g(4) * (fabs(score.value) + fabs(bias));
    return score;
}

struct near truth_score(const struct setting *s, const struct truth_bag *b, uint32_t entry)
{
    return biased_score(s, b, entry, s->params.row_begin == 0 ? (double)setting_bias(s, entry) : 0.0);
}

struct near truth_hit(const struct setting *s, const struct truth_bag *b, uint32_t item)
{
    return biased_score(s, b, item, (double)setting_bias(s, item));
}

struct near truth_row_score(const struct setting *s, const struct truth_bag *b, uint32_t row, uint32_t chunk)
{
    struct near score = {0, 0};
    uint32_t width = row_width(s), first = chunk * width;
    for (uint32_t i = 0; i < width; i++)
        add_product(s, &score, b, first + i, row_value(s, row, i, first));
    return score;
}
