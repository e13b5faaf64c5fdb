#include "model/row_form.h"

#include "base/error.h"

#include <inttypes.h>

const char *const row_form_names[N_ROW_FORMS + 1] = {
    [ROWS_F32] = "f32", [ROWS_F16] = "f16", [ROWS_I8] = "i8", [ROWS_I8_LINE] = "i8-line",
    [ROWS_I4] = "i4",   [ROWS_I3] = "i3",   [ROWS_I2] = "i2"};

static const struct {
    enum precision precision;
    enum scaling scaling;
} forms[N_ROW_FORMS] = {
    [ROWS_F32] = {PRECISION_F32, SCALING_NONE},     [ROWS_F16] = {PRECISION_F16, SCALING_NONE},
    [ROWS_I8] = {PRECISION_I8, SCALING_ROW},        [ROWS_I8_LINE] = {PRECISION_I8, SCALING_DIM},
    [ROWS_I4] = {PRECISION_I4, SCALING_ROW_OFFSET}, [ROWS_I3] = {PRECISION_I3, SCALING_ROW_OFFSET},
    [ROWS_I2] = {PRECISION_I2, SCALING_ROW_OFFSET},
};

const char *row_form_name(enum row_form form)
{
    return row_form_names[form];
}

enum precision row_form_precision(enum row_form form)
{
    return forms[form].precision;
}

enum scaling row_form_scaling(enum row_form form)
{
    return forms[form].scaling;
}

enum row_form row_form_of(const struct row_table *table)
{
    for (int f = 0; f < N_ROW_FORMS; f++)
        if (forms[f].precision == table->precision && forms[f].scaling == table->scaling)
            return (enum row_form)f;
    return ROWS_I8;
}

enum collide_status row_form_check(enum row_form form, uint32_t width, struct collide_error *err)
{
    const uint32_t unit = precision_width_unit(forms[form].precision);
    if (width % unit != 0)
        return error_set(err, COLLIDE_INVALID,
                         "%s rows are whole bytes, and so of a multiple of %" PRIu32
                         " values, not of %" PRIu32 "; choose another precision or dim",
                         row_form_names[form], unit, width);
    return COLLIDE_OK;
}
