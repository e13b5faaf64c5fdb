#include "model/read_parts.h"

#include "base/error.h"
#include "model/fields.h"
#include "model/layout.h"

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

static bool precision_of(enum dtype dtype, enum precision *out)
{
    static const struct {
        enum dtype dtype;
        enum precision precision;
    } known[] = {{DTYPE_F32, PRECISION_F32},
                 {DTYPE_F16, PRECISION_F16},
                 {DTYPE_I8, PRECISION_I8},
                 {DTYPE_U8, PRECISION_I4}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].dtype == dtype) {
            *out = known[i].precision;
            return true;
        }
    return false;
}

enum collide_status read_rows(const struct safetensors *s, struct model *m, struct collide_error *err)
{
    const struct tensor *t = safetensors_find(s, TENSOR_ROWS);
    if (!t)
        return field_missing(TENSOR_ROWS, err);
    if (!precision_of(t->dtype, &m->rows.precision))
        return error_set(err, COLLIDE_UNSUPPORTED, "tensor %s must be F32, F16, I8 or U8", TENSOR_ROWS);
    uint64_t a_byte =
        m->rows.precision == PRECISION_I4 ? 2 : 1; /* values that an element of the shape holds */
    uint64_t parts = m->mapping.combine == COMBINE_CONCAT ? m->mapping.n_lookups : 1;
    if (t->n_dims != 2 || t->shape[0] < 1 || t->shape[0] > UINT32_MAX || t->shape[1] < 1 ||
        t->shape[1] > MODEL_MAX_DIM || t->shape[1] * a_byte * parts > MODEL_MAX_DIM)
        return error_set(
            err, COLLIDE_CORRUPT,
            "tensor %s must be (rows, width) with 1 to 2^32 - 1 rows, and embeddings of 1 to %d values",
            TENSOR_ROWS, MODEL_MAX_DIM);
    m->rows.n = (uint32_t)t->shape[0];
    m->rows.width = (uint32_t)(t->shape[1] * a_byte);
    m->rows.values = t->data;
    m->dim = (uint32_t)(m->rows.width * parts);
    return read_scaling(s, m, err);
}
