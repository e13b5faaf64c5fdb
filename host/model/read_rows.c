#include "model/read_parts.h"

#include "base/error.h"
#include "model/fields.h"
#include "model/layout.h"

#include <inttypes.h>

/* As the shapes tell it where the metadata does not: one scale a row, or a scale and an offset. */
static enum scaling default_scaling(const struct row_table *rows, const struct tensor *scales)
{
    if (rows->precision == PRECISION_F32 || rows->precision == PRECISION_F16)
        return SCALING_NONE;
    return scales && scales->n_dims == 2 ? SCALING_ROW_OFFSET : SCALING_ROW;
}

static enum collide_status read_scaling(const struct safetensors *s, struct model *m,
                                        struct collide_error *err)
{
    const char *const texts[] = {scaling_name(SCALING_NONE), scaling_name(SCALING_ROW),
                                 scaling_name(SCALING_ROW_OFFSET), scaling_name(SCALING_DIM)};
    const struct tensor *scales = safetensors_find(s, TENSOR_SCALES);
    unsigned scaling = default_scaling(&m->rows, scales);
    enum collide_status status = field_choice(s, META_SCALING, texts, SCALING_DIM + 1, &scaling, err);
    if (status != COLLIDE_OK)
        return status;
    m->rows.scaling = scaling;
    if (scaling == SCALING_NONE)
        return field_refuse(s, TENSOR_SCALES, "rows that are not I8 or U8 have no scales", err);
    if (!scales)
        return field_missing(TENSOR_SCALES, err);
    const bool has_offsets = scaling == SCALING_ROW_OFFSET;
    status = field_tensor(s, TENSOR_SCALES, has_offsets ? DTYPE_F16 : DTYPE_F32, has_offsets ? 2 : 1, &scales,
                          err);
    if (status == COLLIDE_OK)
        status = field_length(scales, scaling == SCALING_DIM ? m->dim : m->rows.n, err);
    if (status == COLLIDE_OK && has_offsets && scales->shape[1] != 2)
        status =
            error_set(err, COLLIDE_CORRUPT, "tensor %s must hold a scale and an offset a row", TENSOR_SCALES);
    m->rows.scales = scales->data;
    return status;
}

/* Only U8 rows are of several precisions, which the metadata tells apart. */
static enum collide_status read_precision(const struct safetensors *s, enum dtype dtype, enum precision *out,
                                          struct collide_error *err)
{
    static const struct {
        enum dtype dtype;
        enum precision precision;
    } known[] = {{DTYPE_F32, PRECISION_F32}, {DTYPE_F16, PRECISION_F16}, {DTYPE_I8, PRECISION_I8},
                 {DTYPE_U8, PRECISION_I4},   {DTYPE_U8, PRECISION_I3},   {DTYPE_U8, PRECISION_I2}};
    uint64_t bits = 4;
    enum collide_status status = dtype == DTYPE_U8
                                     ? field_integer(s, META_ROW_BITS, 1, 8, &bits, err)
                                     : field_refuse(s, META_ROW_BITS, TENSOR_ROWS " is not U8", err);
    if (status != COLLIDE_OK)
        return status;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].dtype == dtype && (dtype != DTYPE_U8 || precision_bits(known[i].precision) == bits)) {
            *out = known[i].precision;
            return COLLIDE_OK;
        }
    if (dtype == DTYPE_U8)
        return error_set(err, COLLIDE_UNSUPPORTED, "%s is %" PRIu64 "; this program reads 4, 3 and 2",
                         META_ROW_BITS, bits);
    return error_set(err, COLLIDE_UNSUPPORTED, "tensor %s must be F32, F16, I8 or U8", TENSOR_ROWS);
}

/* Values that so many elements of a row hold: of U8 several share one. */
static uint64_t values_of(enum precision p, uint64_t n_elements)
{
    return precision_bits(p) < 8 ? n_elements * 8 / precision_bits(p) : n_elements;
}

enum collide_status read_rows(const struct safetensors *s, struct model *m, struct collide_error *err)
{
    const struct tensor *t = safetensors_find(s, TENSOR_ROWS);
    if (!t)
        return field_missing(TENSOR_ROWS, err);
    enum precision precision = PRECISION_F32;
    enum collide_status status = read_precision(s, t->dtype, &precision, err);
    if (status != COLLIDE_OK)
        return status;
    uint64_t parts = mapping_n_parts(&m->mapping);
    if (t->n_dims != 2 || t->shape[0] < 1 || t->shape[0] > UINT32_MAX || t->shape[1] < 1 ||
        t->shape[1] > MODEL_MAX_DIM || values_of(precision, t->shape[1]) * parts > MODEL_MAX_DIM)
        return error_set(
            err, COLLIDE_CORRUPT,
            "tensor %s must be (rows, width) with 1 to 2^32 - 1 rows, and embeddings of 1 to %d values",
            TENSOR_ROWS, MODEL_MAX_DIM);
    m->rows.precision = precision;
    m->rows.n = (uint32_t)t->shape[0];
    m->rows.width = (uint32_t)values_of(precision, t->shape[1]);
    if (m->rows.width % precision_width_unit(precision) != 0)
        return error_set(err, COLLIDE_CORRUPT,
                         "tensor %s has rows of %" PRIu64 " bytes, which values of %" PRIu32
                         " bits do not fill",
                         TENSOR_ROWS, t->shape[1], precision_bits(precision));
    m->rows.values = t->data;
    m->dim = (uint32_t)(m->rows.width * parts);
    return read_scaling(s, m, err);
}
