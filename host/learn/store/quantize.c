#include "learn/store/quantize.h"

#include "base/error.h"
#include "base/half.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double length_of(const float *row, uint32_t width)
{
    double squares = 0.0;
    for (uint32_t d = 0; d < width; d++)
        squares += (double)row[d] * (double)row[d];
    return sqrt(squares);
}

static double largest_size(const float *row, uint32_t width)
{
    double largest = 0.0;
    for (uint32_t d = 0; d < width; d++)
        largest = fmax(largest, fabs((double)row[d]));
    return largest;
}

static enum collide_status encode_f16(const float *row, uint32_t width, uint16_t *out,
                                      struct collide_error *err)
{
    for (uint32_t d = 0; d < width; d++) {
        out[d] = half_from_float(row[d]);
        if (!isfinite(half_to_float(out[d])))
            return error_set(err, COLLIDE_INVALID,
                             "f16 cannot hold the value %g of a row; choose another precision",
                             (double)row[d]);
    }
    return COLLIDE_OK;
}

static void encode_i8(const float *row, uint32_t width, int8_t *out, float *scale)
{
    double largest = largest_size(row, width), squares = 0.0;
    double inverse = largest > 0.0 ? 127.0 / largest : 0.0;
    for (uint32_t d = 0; d < width; d++) {
        out[d] = (int8_t)lrint((double)row[d] * inverse);
        squares += out[d] * out[d];
    }
    *scale = squares > 0.0 ? (float)(length_of(row, width) / sqrt(squares)) : 0.0f;
}

/* ---- i4, i3, i2: a row's values are the nearest of 16, 8 or 4 levels. */

struct levels {
    double scale;
    double offset;
    double n_steps; /* of scale each, from the lowest to the highest */
};

/* q = the nearest level of each value. */
static void assign_levels(const float *row, uint32_t width, struct levels l, uint8_t *q)
{
    const double inverse = l.scale > 0.0 ? 1.0 / l.scale : 0.0;
    for (uint32_t d = 0; d < width; d++) {
        double at = ((double)row[d] - l.offset) * inverse;
        at = at > 0.0 ? at : 0.0;
        q[d] = (uint8_t)((at < l.n_steps ? at : l.n_steps) + 0.5);
    }
}

/* As many levels, those closest to the row in the sense of least squares, for its q as they are. */
static struct levels fit_levels(const float *row, uint32_t width, const uint8_t *q, double n_steps)
{
    double n = width, sum_x = 0.0, sum_q = 0.0, sum_xq = 0.0, sum_qq = 0.0;
    for (uint32_t d = 0; d < width; d++) {
        sum_x += (double)row[d];
        sum_q += q[d];
        sum_xq += (double)row[d] * q[d];
        sum_qq += q[d] * q[d];
    }
    double spread = n * sum_qq - sum_q * sum_q; /* n^2 times the variance of integers: exact */
    double scale = spread > 0.0 ? (n * sum_xq - sum_x * sum_q) / spread : 0.0;
    return (struct levels){.scale = scale, .offset = (sum_x - scale * sum_q) / n, .n_steps = n_steps};
}

static double squared_error(const float *row, uint32_t width, const uint8_t *q, struct levels l)
{
    double sum = 0.0;
    for (uint32_t d = 0; d < width; d++) {
        double error = l.offset + l.scale * q[d] - (double)row[d];
        sum += error * error;
    }
    return sum;
}

static struct levels levels_of_range(const float *row, uint32_t width, double share, double n_steps)
{
    double low = (double)row[0], high = (double)row[0];
    for (uint32_t d = 1; d < width; d++) {
        low = fmin(low, (double)row[d]);
        high = fmax(high, (double)row[d]);
    }
    double scale = share * (high - low) / n_steps;
    return (struct levels){
        .scale = scale, .offset = 0.5 * (low + high - n_steps * scale), .n_steps = n_steps};
}

static struct levels restore_length(const float *row, uint32_t width, const uint8_t *q, struct levels l)
{
    double squares = 0.0;
    for (uint32_t d = 0; d < width; d++)
        squares += (l.offset + l.scale * q[d]) * (l.offset + l.scale * q[d]);
    double stretch = squares > 0.0 ? length_of(row, width) / sqrt(squares) : 0.0;
    return (struct levels){.scale = l.scale * stretch, .offset = l.offset * stretch, .n_steps = l.n_steps};
}

static struct levels levels_of_halves(const uint16_t *pair, double n_steps)
{
    return (struct levels){.scale = (double)half_to_float(pair[0]),
                           .offset = (double)half_to_float(pair[1]),
                           .n_steps = n_steps};
}

static void store_levels(struct levels l, uint16_t *pair)
{
    pair[0] = half_from_float((float)l.scale);
    pair[1] = half_from_float((float)l.offset);
}

/* Levels, and the q nearest to them, in turn: neither step can make the error larger. At last the q nearest
 * to the levels that can be stored. */
static struct levels refine_levels(const float *row, uint32_t width, struct levels l, uint8_t *q)
{
    enum { N_ROUNDS = 3 };
    for (int round = 0; round < N_ROUNDS; round++) {
        assign_levels(row, width, l, q);
        l = fit_levels(row, width, q, l.n_steps);
    }
    uint16_t pair[2];
    store_levels(l, pair);
    l = levels_of_halves(pair, l.n_steps);
    assign_levels(row, width, l, q);
    return l;
}

/* The best levels of several clippings of the row's range, and the q nearest to them; the fewer levels there
 * are, the more it pays to clip. Returns the squared error; INFINITY: halves cannot hold any of them. */
static double search_levels(const float *row, uint32_t width, uint32_t bits, struct levels *best,
                            uint8_t *best_q)
{
    static const double shares[] = {1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4};
    const size_t n_shares = bits < 4 ? sizeof shares / sizeof shares[0] : 4;
    const double n_steps = (1 << bits) - 1;
    uint8_t q[MODEL_MAX_DIM];
    double least = INFINITY;
    for (size_t s = 0; s < n_shares; s++) {
        struct levels l = refine_levels(row, width, levels_of_range(row, width, shares[s], n_steps), q);
        double error = squared_error(row, width, q, l);
        if (!(error < least)) /* levels that halves cannot hold have no error that is a number */
            continue;
        least = error;
        *best = l;
        memcpy(best_q, q, width);
    }
    return least;
}

/* Low bits first. */
static void pack_levels(const uint8_t *q, uint32_t width, uint32_t bits, uint8_t *out)
{
    uint32_t held = 0, n_held = 0;
    for (uint32_t d = 0; d < width; d++) {
        held |= (uint32_t)q[d] << n_held;
        for (n_held += bits; n_held >= 8; n_held -= 8, held >>= 8)
            *out++ = (uint8_t)held;
    }
}

static enum collide_status encode_levels(const float *row, const struct row_table *table, uint8_t *out,
                                         uint16_t *pair, struct collide_error *err)
{
    const uint32_t width = table->width, bits = precision_bits(table->precision);
    uint8_t q[MODEL_MAX_DIM] = {0};
    struct levels l = {0};
    double error = search_levels(row, width, bits, &l, q);
    store_levels(restore_length(row, width, q, l), pair);
    if (!isfinite(error) || !isfinite(half_to_float(pair[0])) || !isfinite(half_to_float(pair[1])))
        return error_set(err, COLLIDE_INVALID,
                         "%s cannot hold a row of values as large as %g; choose another precision",
                         precision_name(table->precision), largest_size(row, width));
    pack_levels(q, width, bits, out);
    return COLLIDE_OK;
}

/* ---- Line rows: one scale a dimension. */

/* x in steps, clipped; inverse: 1 / step, or 0. */
static double nearest_step(double x, double inverse)
{
    double at = x * inverse;
    at = at < 127.0 ? at : 127.0;
    return rint(at > -127.0 ? at : -127.0);
}

static double inverse_of(double step)
{
    return step > 0.0 ? 1.0 / step : 0.0;
}

static const double line_shares[] = {1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5};
enum { N_LINE_SHARES = sizeof line_shares / sizeof line_shares[0] };

/* Squared errors of the rows so far, (N_LINE_SHARES, width), and the steps that they are of. */
struct line_errors {
    double *sums;
    double *steps;
    double *inverses;
};

static void add_line_errors(const float *row, uint32_t width, const struct line_errors *e)
{
    for (size_t s = 0; s < N_LINE_SHARES; s++)
        for (uint32_t d = 0; d < width; d++) {
            size_t i = s * width + d;
            double error = nearest_step((double)row[d], e->inverses[i]) * e->steps[i] - (double)row[d];
            e->sums[i] += error * error;
        }
}

static void find_largest(const struct row_source *source, double *largest)
{
    float row[MODEL_MAX_DIM];
    for (uint32_t r = 0; r < source->n; r++) {
        source->read(source->context, r, row);
        for (uint32_t d = 0; d < source->width; d++)
            largest[d] = fmax(largest[d], fabs((double)row[d]));
    }
}

/* scales: (width) */
static enum collide_status choose_line_scales(const struct row_source *source, float *scales,
                                              struct collide_error *err)
{
    const size_t width = source->width, n = width * N_LINE_SHARES;
    double largest[MODEL_MAX_DIM] = {0};
    float row[MODEL_MAX_DIM];
    struct line_errors e = {.sums = calloc(3 * n, sizeof *e.sums)};
    if (!e.sums)
        return error_no_memory(err, "the choice of scales");
    e.steps = e.sums + n;
    e.inverses = e.steps + n;
    find_largest(source, largest);
    for (size_t i = 0; i < n; i++) {
        e.steps[i] = line_shares[i / width] * largest[i % width] / 127.0;
        e.inverses[i] = inverse_of(e.steps[i]);
    }
    for (uint32_t r = 0; r < source->n; r++) {
        source->read(source->context, r, row);
        add_line_errors(row, source->width, &e);
    }
    for (size_t d = 0; d < width; d++) {
        size_t best = 0;
        for (size_t s = 1; s < N_LINE_SHARES; s++)
            if (e.sums[s * width + d] < e.sums[best * width + d])
                best = s;
        scales[d] = (float)e.steps[best * width + d];
    }
    free(e.sums);
    return COLLIDE_OK;
}

static void encode_line(const float *row, uint32_t width, const float *scales, int8_t *out)
{
    for (uint32_t d = 0; d < width; d++)
        out[d] = (int8_t)nearest_step((double)row[d], inverse_of((double)scales[d]));
}

/* ---- */

static size_t scale_bytes(const struct row_table *table, uint32_t dim)
{
    const struct model shape = {.dim = dim, .rows = *table};
    return row_scale_bytes(&shape);
}

static enum collide_status encode_row(const float *row, enum row_form form, uint32_t r,
                                      struct stored_rows *rows, struct collide_error *err)
{
    const uint32_t width = rows->table.width;
    void *out = (char *)rows->values + r * row_bytes(&rows->table);
    switch (form) {
    case ROWS_F16:
        return encode_f16(row, width, out, err);
    case ROWS_I8:
        encode_i8(row, width, out, (float *)rows->scales + r);
        break;
    case ROWS_I8_LINE:
        encode_line(row, width, rows->scales, out);
        break;
    case ROWS_I4:
    case ROWS_I3:
    case ROWS_I2:
        return encode_levels(row, &rows->table, out, (uint16_t *)rows->scales + 2 * (size_t)r, err);
    default:
        memcpy(out, row, width * sizeof *row);
    }
    return COLLIDE_OK;
}

enum collide_status quantize_rows(const struct row_source *source, uint32_t dim, enum row_form form,
                                  struct stored_rows *out, struct collide_error *err)
{
    const uint32_t width = source->width;
    struct stored_rows rows = {.table = {.n = source->n,
                                         .width = width,
                                         .precision = row_form_precision(form),
                                         .scaling = row_form_scaling(form)}};
    enum collide_status status = row_form_check(form, width, err);
    if (status != COLLIDE_OK)
        return status;
    const size_t n_scale_bytes = scale_bytes(&rows.table, dim);
    rows.table.values = rows.values = calloc(source->n, row_bytes(&rows.table));
    rows.table.scales = rows.scales = n_scale_bytes ? calloc(1, n_scale_bytes) : NULL;
    if (!rows.values || (n_scale_bytes && !rows.scales))
        status = error_no_memory(err, "the rows");
    if (status == COLLIDE_OK && form == ROWS_I8_LINE)
        status = choose_line_scales(source, rows.scales, err);
    for (uint32_t r = 0; status == COLLIDE_OK && r < source->n; r++) {
        float row[MODEL_MAX_DIM];
        source->read(source->context, r, row);
        status = encode_row(row, form, r, &rows, err);
    }
    float *scales = rows.scales;
    for (size_t part = 1; status == COLLIDE_OK && form == ROWS_I8_LINE && part < dim / width; part++)
        memcpy(scales + part * width, scales, width * sizeof *scales);
    if (status == COLLIDE_OK)
        *out = rows;
    else
        stored_rows_free(&rows);
    return status;
}

void stored_rows_free(struct stored_rows *rows)
{
    free(rows->values);
    free(rows->scales);
    *rows = (struct stored_rows){0};
}
