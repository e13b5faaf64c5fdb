/* The forms that rows are stored in, by name: each is a precision and a scaling of model.h. */
#ifndef MODEL_ROW_FORM_H
#define MODEL_ROW_FORM_H

#include "model/model.h"

enum row_form {
    ROWS_F32,
    ROWS_F16,
    ROWS_I8,
    ROWS_I8_LINE,
    ROWS_I4,
    ROWS_I3,
    ROWS_I2,
    N_ROW_FORMS,
    ROWS_UNCHANGED = N_ROW_FORMS, /* as they are; for conversions only */
};

/* Such as "i8-line"; (N_ROW_FORMS) and a NULL at the end. */
extern const char *const row_form_names[];
const char *row_form_name(enum row_form form);

enum precision row_form_precision(enum row_form form);
enum scaling row_form_scaling(enum row_form form);

/* The form that a table has, or that comes closest to it: i8 for 8 bits with an offset. */
enum row_form row_form_of(const struct row_table *table);

/* COLLIDE_INVALID where rows of this many values cannot have the form: they must be whole bytes. */
enum collide_status row_form_check(enum row_form form, uint32_t width, struct collide_error *err);

#endif
