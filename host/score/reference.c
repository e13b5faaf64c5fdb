#include "score/reference.h"

#include "base/error.h"
#include "model/id_values.h"
#include "model/mapping.h"
#include "score/query_ids.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* Tolerance. Let u = 2^-24, the unit roundoff of single precision, and g(n) = n u / (1 - n u). Operations
 * that are off by a share u each are off by g(n) after n of them, and a sum is off by g(the roundings that a
 * part goes through) times the sum of the parts' sizes, in whatever order it is added up, with or without
 * fused multiply-adds (Higham 2002, lemma 3.1 and section 4.2). OpenCL rounds sums and products correctly,
 * and allows 3 ulp to a square root, 2.5 to a division (3.0, section 7.4); an ulp is 2 u at most.
 *
 * parts:  an embedding's dimension is made of k parts that a kernel may add up in any order, and apart from
 *         one another: the summed lookups, twice that where rows have offsets, as the sum of w s q and that
 *         of w o may only meet at the end. Bounds therefore go by |emb|_d, the parts' sizes added up, not by
 *         emb_d, in which s q and o may cancel out: |s q| + |o| for a row, summed or multiplied over lookups.
 *         A part goes through x roundings more than that of a plain row: 3 a factor (s q, + o, times the
 *         others) where lookups are multiplied, 1 for an offset, 1 for a lookup's weight, 1 for a scale of
 *         dimension d, by which bag and query are multiplied on their own.
 *
 * bag:    s_d is off by E_d = g(n k + 3 + x) A_d, where A_d = sum of |w_i| |emb|_d: two roundings of the
 *         weight, one of the product, n k additions.
 *
 * max:    the largest of several values is off by no more than the one that is off most: E_d = g(k + 3 + x)
 *         A_d, where A_d is the largest |w_i| |emb|_d.
 *
 * length: l^2 is off by D + g(dim) (l^2 + D), where D = sum of 2 |s_d| E_d + E_d^2.
 *
 * weight: the sum of |w| is off by g(n + 2) of itself.
 *
 * pooled: p_d = f s_d, where f = 1 / length or 1 / weight is off by a share q: what the error under it
 *         makes of f, and 12 roundings. So p_d is off by e_d = f E_d (1 + q) + |p_d| q.
 *
 * score:  off by scale * sum of (e_d + g(k dim + 2 + x) (e_d + |p_d|)) |emb|_d, and the bias rounds once
 *         more; twice where rows have offsets, since a kernel may add their part to the bias first.
 *
 * Where the length (weight) may fall on either side of the threshold under which a bag is zero, or
 * cancellation leaves less of the bag than its error, single precision does not determine the pooled vector;
 * e_d then is the most that two of them can differ. Underflow loses FLT_MIN an operation, whether or not the
 * device keeps subnormal numbers, as long as a row is scaled before it is multiplied by another. Nothing is
 * said of overflow: bags must stay below 1e18. */
static double g(double n)
{
    double nu = n * 0x1p-24;
    return nu / (1.0 - nu);
}

/* Below these a kernel takes the squared length, the weight of a bag for nothing. */
static const double NO_LENGTH2 = 1e-30f, NO_WEIGHT = 1e-15f;

static double half_to_double(uint16_t bits)
{
    unsigned exponent = bits >> 10 & 31;
    double fraction = (bits & 1023) * 0x1p-24;
    double size = exponent == 0 ? fraction : (fraction + 0x1p-14) * (double)(1u << (exponent - 1));
    return bits >> 15 ? -size : size;
}

/* Value i of a table of values of few bits: bit by bit. */
static double packed_value(const uint8_t *bytes, size_t i, uint32_t bits)
{
    unsigned value = 0;
    for (uint32_t k = 0; k < bits; k++)
        value |= ((unsigned)bytes[(i * bits + k) / 8] >> (i * bits + k) % 8 & 1u) << k;
    return value;
}

/* Value v of a row as it is stored. */
static double stored_value(const struct row_table *rows, uint32_t row, uint32_t v)
{
    size_t i = (size_t)row * rows->width + v;
    switch (rows->precision) {
    case PRECISION_F32:
        return ((const float *)rows->values)[i];
    case PRECISION_F16:
        return half_to_double(((const uint16_t *)rows->values)[i]);
    case PRECISION_I8:
        return ((const int8_t *)rows->values)[i];
    case PRECISION_I4:
    case PRECISION_I3:
    case PRECISION_I2:
        return packed_value(rows->values, i, precision_bits(rows->precision));
    }
    return NAN;
}

/* One dimension of an embedding. */
struct component {
    double value;
    double size; /* |emb|_d: that of its parts, added up */
    double lost; /* what underflow can take from it and from its products, in units of FLT_MIN */
};

/* A row of an id. */
struct lookup {
    uint32_t row;
    double scale, offset; /* of its values; those by dimension are not here */
    double weight;
};

struct lookups {
    struct lookup of[MODEL_MAX_LOOKUPS];
    uint32_t n;
    bool weighted;
};

static struct lookup lookup_of(const struct row_table *table, uint32_t row, double weight)
{
    const float *scales = table->scales;
    const uint16_t *pairs = table->scales;
    struct lookup l = {.row = row, .scale = 1.0, .weight = weight};
    if (table->scaling == SCALING_ROW)
        l.scale = scales[row];
    if (table->scaling == SCALING_ROW_OFFSET) {
        l.scale = half_to_double(pairs[2 * (size_t)row]);
        l.offset = half_to_double(pairs[2 * (size_t)row + 1]);
    }
    return l;
}

/* Of a lookup's row value v, which becomes dimension d. */
static struct component lookup_component(const struct row_table *table, const struct lookup *l, bool weighted,
                                         uint32_t v, uint32_t d)
{
    double stored = stored_value(table, l->row, v), offset = l->offset, weight = l->weight;
    double scale = table->scaling == SCALING_DIM ? ((const float *)table->scales)[d] : l->scale;
    struct component r = {.value = scale * stored + offset,
                          .size = fabs(scale * stored) + fabs(offset),
                          .lost = fabs(stored) + fabs(scale) + 2.0};
    if (!weighted)
        return r;
    return (struct component){weight * r.value, fabs(weight) * r.size,
                              (r.lost + r.size) * (1.0 + fabs(weight))};
}

/* Of the embedding that these rows make up. */
static struct component embedding_component(const struct model *m, const struct lookups *lookups, uint32_t d)
{
    const struct row_table *table = &m->rows;
    const uint32_t n = lookups->n / (m->dim / table->width); /* of each part of the embedding */
    const uint32_t first = d / table->width * n, v = d % table->width;
    struct component e = lookup_component(table, &lookups->of[first], lookups->weighted, v, d);
    for (uint32_t l = first + 1; l < first + n; l++) {
        struct component r = lookup_component(table, &lookups->of[l], lookups->weighted, v, d);
        if (m->mapping.combine == COMBINE_MULTIPLY)
            e = (struct component){e.value * r.value, e.size * r.size,
                                   e.lost * (1.0 + r.size) + r.lost * (1.0 + e.size)};
        else
            e = (struct component){e.value + r.value, e.size + r.size, e.lost + r.lost};
    }
    return e;
}

static struct lookups find_rows(const struct model *m, const struct space *space, uint32_t id)
{
    struct lookups lookups = {.n = space_n_lookups(m, space), .weighted = space->lookup_weights};
    for (uint32_t l = 0; l < lookups.n; l++)
        lookups.of[l] =
            lookup_of(&m->rows, model_row_of(m, space, id, l),
                      lookups.weighted ? (double)space->lookup_weights[(size_t)id * lookups.n + l] : 1.0);
    return lookups;
}

/* The parts of a dimension, k above. */
static double n_parts(const struct model *m)
{
    double n = m->mapping.combine == COMBINE_MULTIPLY ? 1.0 : mapping_part_lookups(&m->mapping);
    return m->rows.scaling == SCALING_ROW_OFFSET ? 2.0 * n : n;
}

/* The roundings of a part that a plain row's does not have, x above. */
static double extra_roundings(const struct model *m)
{
    double n =
        m->mapping.combine == COMBINE_MULTIPLY && m->mapping.n_lookups > 1 ? 3.0 * m->mapping.n_lookups : 0.0;
    return n + (m->rows.scaling == SCALING_ROW_OFFSET) + (m->rows.scaling == SCALING_DIM) +
           model_has_lookup_weights(m);
}

/* A bag being pooled: the sum, or the largest values so far; as pool leaves it, the pooled bag. */
struct bag {
    double *values; /* (dim) */
    double *errors; /* (dim): the sizes A_d of all terms, then how far single precision may be from values */
    double weight;
    double n;
};

static void add_id(const struct model *m, const struct space *space, uint32_t id, double request_weight,
                   struct bag *b)
{
    /* A share u of this much is FLT_MIN, so it turns what underflow loses into a part of A_d. */
    static const double underflow = FLT_MIN * 0x1p24;
    const struct lookups lookups = find_rows(m, space, id);
    double weight = model_weight_of(space, id) * request_weight;
    for (uint32_t d = 0; d < m->dim; d++) {
        struct component e = embedding_component(m, &lookups, d);
        double term = weight * e.value, size = fabs(weight) * e.size;
        size += underflow * (e.size + e.lost * (1.0 + fabs(weight)));
        if (m->pooling != POOLING_MAX) {
            b->values[d] += term;
            b->errors[d] += size;
        } else {
            b->values[d] = b->n > 0 ? fmax(b->values[d], term) : term;
            b->errors[d] = fmax(b->errors[d], size);
        }
    }
    b->weight += fabs(weight);
    b->n++;
}

static void add_user(const struct collide_model *model, struct collide_id user, struct bag *b)
{
    const struct model *m = model->model;
    uint32_t id = id_index_find(&model->users, user);
    if (m->user_is_embedded)
        add_id(m, &m->user, id, 1.0, b);
    if (m->histories.offsets)
        for (uint32_t j = m->histories.offsets[id]; j < m->histories.offsets[id + 1]; j++)
            add_id(m, &m->item, m->histories.items[j], 1.0, b);
}

static enum collide_status add_query(const struct collide_model *model, const struct collide_query *query,
                                     struct bag *b, struct collide_error *err)
{
    const struct model *m = model->model;
    if (query->user)
        add_user(model, *query->user, b);
    for (size_t j = 0; j < query->n_history; j++)
        add_id(m, &m->item, id_index_find(&model->items, query_history(query, j)),
               query->weights ? query->weights[j] : 1.0, b);
    for (size_t i = 0; i < query->n_features; i++) {
        const struct collide_feature *given = &query->features[i];
        size_t f = model_feature_find(model, given->name, given->n_bytes);
        if (f == m->n_features)
            return error_set(err, COLLIDE_INVALID, "the model has no feature \"%.*s\"",
                             (int)(given->n_bytes < 64 ? given->n_bytes : 64), given->name);
        for (size_t j = 0; j < given->n_ids; j++)
            add_id(m, &m->features[f].space, id_index_find(&model->features[f], given->ids[j]),
                   given->weights ? given->weights[j] : 1.0, b);
    }
    return COLLIDE_OK;
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

static struct factor pooling_factor(const struct model *m, const struct bag *b)
{
    if (m->pooling == POOLING_SUM || m->pooling == POOLING_MAX)
        return (struct factor){1.0, g(1)};
    if (m->pooling == POOLING_MEAN)
        return factor_of(b->weight, g(b->n + 2) * b->weight, NO_WEIGHT, 1.0);
    double length2 = 0.0, change = 0.0;
    for (uint32_t d = 0; d < m->dim; d++) {
        length2 += b->values[d] * b->values[d];
        change += (2.0 * fabs(b->values[d]) + b->errors[d]) * b->errors[d];
    }
    double error = change + g(m->dim) * (length2 + change) + m->dim * (double)FLT_MIN;
    return factor_of(length2, error, NO_LENGTH2, 0.5);
}

/* The largest size that a kernel's pooled value can have, however wrong it is. */
static double largest_pooled(const struct model *m, const struct bag *b, uint32_t d)
{
    if (m->pooling == POOLING_NORMALISED)
        return 1.0 + g(m->dim + 12);
    if (m->pooling == POOLING_MEAN)
        return (fabs(b->values[d]) + b->errors[d]) / NO_WEIGHT * (1.0 + g(12));
    return INFINITY;
}

/* Pools in place what was added up, and turns the sizes of its terms into error bounds. */
static void pool(const struct model *m, struct bag *b)
{
    double n_added = m->pooling == POOLING_MAX ? n_parts(m) : b->n * n_parts(m);
    for (uint32_t d = 0; d < m->dim; d++)
        b->errors[d] *= g(n_added + 3 + extra_roundings(m));
    struct factor f = pooling_factor(m, b);
    for (uint32_t d = 0; d < m->dim; d++) {
        double pooled = b->values[d] * f.value, error = INFINITY;
        if (isfinite(f.share))
            error = f.value * b->errors[d] * (1.0 + f.share) + fabs(pooled) * f.share;
        b->errors[d] = fmin(error, fabs(pooled) + largest_pooled(m, b, d));
        b->values[d] = pooled;
    }
}

static void score_item(const struct model *m, uint32_t id, const struct bag *b, struct reference_score *out)
{
    const struct lookups lookups = find_rows(m, &m->item, id);
    double factor = fabs((double)m->logit_scale), roundings = g(m->dim * n_parts(m) + 2 + extra_roundings(m));
    double dot = 0.0, error = 0.0, lost = 0.0;
    for (uint32_t d = 0; d < m->dim; d++) {
        struct component e = embedding_component(m, &lookups, d);
        double pooled = fabs(b->values[d]);
        dot += b->values[d] * e.value;
        error += (b->errors[d] + roundings * (b->errors[d] + pooled)) * e.size;
        lost += e.size + e.lost * (1.0 + pooled);
    }
    out->value = m->logit_scale * dot + model_bias_of(m, id);
    error = factor * error + (1.0 + factor) * lost * FLT_MIN;
    out->tolerance = error + g(m->rows.scaling == SCALING_ROW_OFFSET ? 2 : 1) * (fabs(out->value) + error);
}

/* The pooled bag of a query; both arrays in one block, owned by values, NULL after a failure. */
static enum collide_status bag_create(const struct collide_model *model, const struct collide_query *query,
                                      struct bag *b, struct collide_error *err)
{
    const struct model *m = model->model;
    *b = (struct bag){.values = calloc(2 * (size_t)m->dim, sizeof(double))};
    if (!b->values)
        return error_no_memory(err, "a reference bag");
    b->errors = b->values + m->dim;
    enum collide_status status = add_query(model, query, b, err);
    if (status == COLLIDE_OK) {
        pool(m, b);
        return COLLIDE_OK;
    }
    free(b->values);
    b->values = NULL;
    return status;
}

enum collide_status reference_score(const struct collide_model *model, const struct collide_query *query,
                                    struct reference_score *out, struct collide_error *err)
{
    struct bag b;
    enum collide_status status = bag_create(model, query, &b, err);
    if (status != COLLIDE_OK)
        return status;
    for (size_t j = 0; j < query->n_items; j++)
        score_item(model->model, id_index_find(&model->items, query_item(query, j)), &b, &out[j]);
    free(b.values);
    return COLLIDE_OK;
}

enum collide_status reference_bag(const struct collide_model *model, const struct collide_query *query,
                                  double *values, double *tolerances, struct collide_error *err)
{
    struct bag b;
    enum collide_status status = bag_create(model, query, &b, err);
    if (status != COLLIDE_OK)
        return status;
    for (uint32_t d = 0; d < model->model->dim; d++) {
        values[d] = b.values[d];
        tolerances[d] = b.errors[d] + FLT_MIN;
    }
    free(b.values);
    return COLLIDE_OK;
}
