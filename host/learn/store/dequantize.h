/* Rows and embeddings of a model as floats. */
#ifndef LEARN_DEQUANTIZE_H
#define LEARN_DEQUANTIZE_H

#include "model/model.h"

/* Row r; out: (width). first_dim: where in an embedding it stands, 0 unless parts are concatenated. */
void dequantize_row(const struct row_table *rows, uint32_t r, uint32_t first_dim, float *out);

/* out = out * row with COMBINE_MULTIPLY, else out + row, element by element. */
void combine_row(enum combine combine, const float *row, uint32_t n, float *out);

/* emb(id) of an embedded space, id up to and with the unknown one; out: (dim). */
void dequantize_embedding(const struct model *model, const struct space *space, uint32_t id, float *out);

#endif
