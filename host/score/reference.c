#include "score/reference.h"

#include "base/error.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Tolerance. With u = 2^-24, the unit roundoff of single precision, a sum of n products computed in any order
 * is off by at most g(n) = n u / (1 - n u) times the sum of the products' sizes (Higham 2002, section 3.1).
 * So, componentwise,
 *
 *     bag      |error_d| <= g(n + 4) A_d,  A_d = sum of |w_i row_id|    (a product of up to three factors,
 * added n times) pooled   a common factor 1/length or 1/weight, itself off by a share p: p <= sum_d |bag_d|
 * error_d / length^2 + g(dim + 8)       (OpenCL allows 3 ulp to sqrt and 2.5 to a division) score    |error|
 * <= scale * (sum_d error_d |row_d| + (p + g(dim + 4)) sum_d |pooled_d row_d|) + 2 u |score|
 */
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

static double row_value(const struct model *m, uint32_t row, uint32_t d)
{
    size_t i = (size_t)row * m->dim + d;
    switch (m->item.precision) {
    case PRECISION_F32:
        return ((const float *)m->item.rows)[i];
    case PRECISION_F16:
        return half_to_double(((const uint16_t *)m->item.rows)[i]);
    case PRECISION_I8:
        return (double)((const int8_t *)m->item.rows)[i] * m->item.scales[row];
    }
    return NAN;
}

/* A bag being summed. */
struct sum {
    double *values; /* (dim) */
    double *sizes;  /* (dim): A_d */
    double weight;
    double n;
};

static void add_item(const struct model *m, uint32_t id, double request_weight, struct sum *s)
{
    uint32_t unknown = m->item.n_ids;
    double weight = m->item.weights ? m->item.weights[id] : id < unknown;
    weight *= request_weight;
    for (uint32_t d = 0; d < m->dim; d++) {
        double term = weight * row_value(m, m->item.remap[id], d);
        s->values[d] += term;
        s->sizes[d] += fabs(term);
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

/* Pools the sum in place and turns sizes into componentwise error bounds. Returns p. */
static double pool(const struct model *m, struct sum *s)
{
    double length2 = 0.0, length_error = 0.0;
    for (uint32_t d = 0; d < m->dim; d++) {
        s->sizes[d] *= g(s->n + 4);
        length2 += s->values[d] * s->values[d];
        length_error += fabs(s->values[d]) * s->sizes[d];
    }
    double factor = 1.0, p = 0.0;
    if (m->pooling == POOLING_MEAN) {
        factor = s->weight > 1e-15 ? 1.0 / s->weight : 0.0;
        p = g(s->n + 8);
    } else if (m->pooling == POOLING_NORMALISED) {
        factor = length2 > 1e-30 ? 1.0 / sqrt(length2) : 0.0;
        p = factor > 0.0 ? length_error / length2 + g(m->dim + 8) : 0.0;
    }
    for (uint32_t d = 0; d < m->dim; d++) {
        s->values[d] *= factor;
        s->sizes[d] *= factor;
    }
    return p;
}

static void score_item(const struct model *m, uint32_t id, const struct sum *s, double p,
                       struct reference_score *out)
{
    double dot = 0.0, bag_error = 0.0, size = 0.0;
    for (uint32_t d = 0; d < m->dim; d++) {
        double row = row_value(m, m->item.remap[id], d);
        dot += s->values[d] * row;
        size += fabs(s->values[d] * row);
        bag_error += s->sizes[d] * fabs(row);
    }
    double scale = fabs((double)m->logit_scale);
    double bias = m->item.bias ? m->item.bias[id] : 0.0;
    out->value = m->logit_scale * dot + bias;
    out->tolerance = scale * (bag_error + (p + g(m->dim + 4)) * size) +
                     0x1p-23 * (fabs(out->value) + fabs(bias)) + FLT_MIN;
}

/* Both arrays of a sum in one block, owned by values. */
static enum collide_status sum_create(const struct model *m, struct sum *s, struct collide_error *err)
{
    *s = (struct sum){.values = calloc(2 * (size_t)m->dim, sizeof(double))};
    if (!s->values)
        return error_no_memory(err, "a reference bag");
    s->sizes = s->values + m->dim;
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
    double p = pool(m, &s);
    for (size_t j = 0; j < query->n_items; j++)
        score_item(m, id_index_find(&model->items, query->items[j]), &s, p, &out[j]);
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
    double p = pool(m, &s);
    for (uint32_t d = 0; d < m->dim; d++) {
        values[d] = s.values[d];
        tolerances[d] = s.sizes[d] + (p + 0x1p-23) * fabs(s.values[d]) + FLT_MIN;
    }
    free(s.values);
    return COLLIDE_OK;
}
