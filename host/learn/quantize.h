/* Storing rows of floats in fewer bits, and reading them back. */
#ifndef LEARN_QUANTIZE_H
#define LEARN_QUANTIZE_H

#include "model/model.h"

/* IEEE 754 binary16, rounded to nearest, ties to even. */
uint16_t half_from_float(float x);
float half_to_float(uint16_t half);

/* rows: (n_rows, dim), each of length 1 or 0 and all finite; out: (n_rows, dim) of the precision; scales:
 * (n_rows), written for i8 and left alone otherwise.
 *
 * i8: q = round(127 x / max |x|), and the scale is 1 / |q|, so that scale * q is again of length 1; of a zero
 * row both are 0. An element of it is off by at most 0.5 max |x| / 127, and then by the correction of the
 * length. */
void quantize_rows(const float *rows, uint32_t n_rows, uint32_t dim, enum precision precision, void *out,
                   float *scales);

/* Row r of a model as floats, scale included; out: (dim). */
void dequantize_row(const struct model *model, uint32_t r, float *out);

#endif
