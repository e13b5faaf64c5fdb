/* Rows of floats, stored in the forms of model/row_form.h. What those but f32 and f16 lose:
 *
 * i8       q = round(127 x / max |x|), times a scale a row that restores the row's length. An element is off
 *          by 0.5 max |x| / 127 at most, and then by the correction of the length.
 * i8-line  q = round(x[d] / s[d]) within -127 .. 127. s[d] has the smallest squared error of a few clippings
 *          of dimension d's largest |x|, no clipping among them: in all it is at most
 *          n (0.5 max |x[d]| / 127)^2. A row's length is not restored.
 * i4, ...  q in 0 .. n, where n = 15, of i3 7, of i2 3, times a scale a row plus an offset a row, both halves:
 *          fitted by least squares to the best of a few clippings of the row's range, rounded, and then q
 *          the nearest level. The row's length is restored, but for the rounding of the halves. Without that
 *          and without restoring it, the squared error of a row is at most
 *          width ((max x - min x) / (2 n))^2. */
#ifndef LEARN_QUANTIZE_H
#define LEARN_QUANTIZE_H

#include "model/row_form.h"

/* Rows to be stored, all finite and not near the limits of floats, read one at a time and maybe several
 * times. */
struct row_source {
    uint32_t n;
    uint32_t width;                                            /* 1 .. MODEL_MAX_DIM */
    void (*read)(const void *context, uint32_t r, float *out); /* out: (width) */
    const void *context;
};

struct stored_rows {
    struct row_table table; /* borrows the arrays below */
    void *values;           /* owned */
    void *scales;           /* owned, or NULL */
};

/* dim: a multiple of the width; where it is larger (concatenated lookups), scales by dimension are the same
 * for each part. COLLIDE_INVALID: row_form_check, or a value, a scale or an offset that f16 cannot hold.
 * Returns owned. */
enum collide_status quantize_rows(const struct row_source *source, uint32_t dim, enum row_form form,
                                  struct stored_rows *out, struct collide_error *err);
void stored_rows_free(struct stored_rows *rows);

#endif
