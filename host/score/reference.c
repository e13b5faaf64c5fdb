#include "score/reference.h"

#include "base/error.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Tolerance. Let u = 2^-24, the unit roundoff of single precision, and g(n) = n u / (1 - n u). Operations
 * that are off by a share u each are off by g(n) after n of them, and a sum is off by g(the roundings that a
 * term goes through) times the sum of the terms' sizes, in whatever order it is added up, with or without
 * fused multiply-adds (Higham 2002, lemma 3.1 and section 4.2). OpenCL rounds sums and products correctly,
 * and allows 3 ulp to a square root, 2.5 to a division (3.0, section 7.4); an ulp is 2 u at most.
 *
 * bag:    s_d is off by E_d = g(n + 3) A_d, where A_d = sum of |w_i row_id|: two roundings of the weight,
 *         one of the product, n additions.
 *
 * length: l^2 is off by D + g(dim) (l^2 + D), where D = sum of 2 |s_d| E_d + E_d^2.
 *
 * weight: the sum of |w| is off by g(n + 2) of itself.
 *
 * pooled: p_d = f s_d, where f = 1 / length or 1 / weight is off by a share q: what the error under it
 *         makes of f, and 12 roundings. So p_d is off by e_d = f E_d (1 + q) + |p_d| q.
 *
 * score:  off by scale * sum of (e_d + g(dim + 2) (e_d + |p_d|)) |row_d|, and the bias rounds once more.
 *
 * Where the length (weight) may fall on either side of the threshold under which a bag is zero, or
 * cancellation leaves less of the bag than its error, single precision does not determine the pooled vector;
 * e_d then is the most that two of them can differ. Underflow loses FLT_MIN an operation, whether or not the
 * device keeps subnormal numbers. Nothing is said of overflow: bags must stay below 1e18. */
static double g(double n)
{
    double nu = n * 0x1p-24;
    return nu / (1.0 - nu);
}

/* Below these a kernel takes the squared length, the weight of a bag for nothing. */
static const double NO_LENGTH2 = 1e-30f, NO_WEIGHT = 1e-15f;

static double half_to_double(uint16_t bits)
{
    int exponent = bits >> 10 & 31;
    double fraction = bits & 1023;
    double size = exponent == 0 ? ldexp(fraction, -24) : ldexp(fraction + 1024, exponent - 25);
    return bits >> 15 ? -size : size;
}

/* What is stored, and what it is multiplied by. */
static double stored_value(const struct model *m, uint32_t row, uint32_t d)
{
    size_t i = (size_t)row * m->dim + d;
    switch (m->item.precision) {
    case PRECISION_F32:
        return ((const float *)m->item.rows)[i];
    case PRECISION_F16:
        return half_to_double(((const uint16_t *)m->item.rows)[i]);
    case PRECISION_I8:
        return ((const int8_t *)m->item.rows)[i];
    }
    return NAN;
}

static double row_scale(const struct model *m, uint32_t row)
{
    return m->item.precision == PRECISION_I8 ? m->item.scales[row] : 1.0;
}

/* A bag being summed; as pool leaves it, the pooled bag. */
struct sum {
    double *values; /* (dim) */
    double *errors; /* (dim): the sizes A_d of all terms, then how far single precision may be from values */
    double weight;
    double n;
};

static void add_item(const struct model *m, uint32_t id, double request_weight, struct sum *s)
{
    /* A share u of this much is FLT_MIN, so it turns what underflow loses into a part of A_d. */
    static const double underflow = FLT_MIN * 0x1p24;
    uint32_t unknown = m->item.n_ids, row = m->item.remap[id];
    double weight = m->item.weights ? m->item.weights[id] : id < unknown;
    double scale = row_scale(m, row);
    weight *= request_weight;
    for (uint32_t d = 0; d < m->dim; d++) {
        double stored = stored_value(m, row, d), term = weight * scale * stored;
        s->values[d] += term;
        s->errors[d] += fabs(term) + underflow * (fabs(scale * stored) + fabs(stored) + 2.0);
    }
    s->weight += fabs(weight);
    s->n++;
}

static void add_query(const struct collide_model *model, const struct collide_query *query, struct sum *s)
{
    const struct model *m = model->model;
    uint32_t user = query->user ? id_index_find(&model->users, *query->user) : m->user.n_ids;
    if (user < m->user.n_ids)
        for (uint32_t j = m->user.offsets[user]; j < m->user.offsets[user + 1]; j++)
            add_item(m, m->user.history[j], 1.0, s);
    for (size_t j = 0; j < query->n_history; j++)
        add_item(m, id_index_find(&model->items, query->history[j]), query->weights ? query->weights[j] : 1.0,
                 s);
}

/* What the sum is multiplied by, and the share of itself that a kernel's may be off by. */
struct factor {
    double value;
    double share;
};

/* measure^-exponent, or zero where the measure is no larger than the threshold. An undecided one has an
 * infinite share. */
static struct factor factor_of(double measure, double measure_error, double threshold, double exponent)
{
    double value = measure > threshold ? pow(measure, -exponent) : 0.0;
    if (measure + measure_error <= threshold)
        return (struct factor){0.0, 0.0};
    if (measure - measure_error <= threshold)
        return (struct factor){value, INFINITY};
    return (struct factor){value, pow(measure / (measure - measure_error), exponent) * (1.0 + g(12)) - 1.0};
}

static struct factor pooling_factor(const struct model *m, const struct sum *s)
{
    if (m->pooling == POOLING_SUM)
        return (struct factor){1.0, g(1)};
    if (m->pooling == POOLING_MEAN)
        return factor_of(s->weight, g(s->n + 2) * s->weight, NO_WEIGHT, 1.0);
    double length2 = 0.0, change = 0.0;
    for (uint32_t d = 0; d < m->dim; d++) {
        length2 += s->values[d] * s->values[d];
        change += (2.0 * fabs(s->values[d]) + s->errors[d]) * s->errors[d];
    }
    double error = change + g(m->dim) * (length2 + change) + m->dim * (double)FLT_MIN;
    return factor_of(length2, error, NO_LENGTH2, 0.5);
}

/* The largest size that a kernel's pooled value can have, however wrong it is. */
static double largest_pooled(const struct model *m, const struct sum *s, uint32_t d)
{
    if (m->pooling == POOLING_NORMALISED)
        return 1.0 + g(m->dim + 12);
    if (m->pooling == POOLING_MEAN)
        return (fabs(s->values[d]) + s->errors[d]) / NO_WEIGHT * (1.0 + g(12));
    return INFINITY;
}

/* Pools the sum in place, and turns the sizes of its terms into error bounds. */
static void pool(const struct model *m, struct sum *s)
{
    for (uint32_t d = 0; d < m->dim; d++)
        s->errors[d] *= g(s->n + 3);
    struct factor f = pooling_factor(m, s);
    for (uint32_t d = 0; d < m->dim; d++) {
        double pooled = s->values[d] * f.value, error = INFINITY;
        if (isfinite(f.share))
            error = f.value * s->errors[d] * (1.0 + f.share) + fabs(pooled) * f.share;
        s->errors[d] = fmin(error, fabs(pooled) + largest_pooled(m, s, d));
        s->values[d] = pooled;
    }
}

static void score_item(const struct model *m, uint32_t id, const struct sum *s, struct reference_score *out)
{
    uint32_t row = m->item.remap[id];
    double scale = row_scale(m, row), factor = fabs((double)m->logit_scale);
    double dot = 0.0, error = 0.0, lost = 0.0;
    for (uint32_t d = 0; d < m->dim; d++) {
        double value = scale * stored_value(m, row, d);
        dot += s->values[d] * value;
        error += (s->errors[d] + g(m->dim + 2) * (s->errors[d] + fabs(s->values[d]))) * fabs(value);
        lost += fabs(value) + fabs(scale) + 2.0;
    }
    out->value = m->logit_scale * dot + (m->item.bias ? m->item.bias[id] : 0.0);
    error = factor * error + lost * FLT_MIN;
    out->tolerance = error + g(1) * (fabs(out->value) + error);
}

/* Both arrays of a sum in one block, owned by values. */
static enum collide_status sum_create(const struct model *m, struct sum *s, struct collide_error *err)
{
    *s = (struct sum){.values = calloc(2 * (size_t)m->dim, sizeof(double))};
    if (!s->values)
        return error_no_memory(err, "a reference bag");
    s->errors = s->values + m->dim;
    return COLLIDE_OK;
}

enum collide_status reference_score(const struct collide_model *model, const struct collide_query *query,
                                    struct reference_score *out, struct collide_error *err)
{
    const struct model *m = model->model;
    struct sum s;
    enum collide_status status = sum_create(m, &s, err);
    if (status != COLLIDE_OK)
        return status;
    add_query(model, query, &s);
    pool(m, &s);
    for (size_t j = 0; j < query->n_items; j++)
        score_item(m, id_index_find(&model->items, query->items[j]), &s, &out[j]);
    free(s.values);
    return COLLIDE_OK;
}

enum collide_status reference_bag(const struct collide_model *model, const struct collide_query *query,
                                  double *values, double *tolerances, struct collide_error *err)
{
    const struct model *m = model->model;
    struct sum s;
    enum collide_status status = sum_create(m, &s, err);
    if (status != COLLIDE_OK)
        return status;
    add_query(model, query, &s);
    pool(m, &s);
    for (uint32_t d = 0; d < m->dim; d++) {
        values[d] = s.values[d];
        tolerances[d] = s.errors[d] + FLT_MIN;
    }
    free(s.values);
    return COLLIDE_OK;
}
