/* Rows for a mapping that came without any, fitted to vectors that ids should have. */
#ifndef LEARN_ROW_FIT_H
#define LEARN_ROW_FIT_H

#include "learn/map/id_mapping.h"

/* Minimises
 *
 *     sum over ids i of weights[i] * | vectors[i] - emb(i) |^2
 *
 * over the rows, from zeros, by coordinate descent: a row becomes the best one while all others stay as they
 * are, each in turn (Gauss-Seidel). Where no part of an embedding is a sum of several rows, one turn is all:
 * rows are the weighted means of what shares them. Otherwise there are 12.
 * vectors: (n_ids, dim), weights: (n_ids) positive; rows: (n_rows, width), the caller's. For mappings that
 * sum rows without lookup weights. */
enum collide_status fit_rows(const struct id_mapping *mapping, const float *vectors, const float *weights,
                             float *rows, struct collide_error *err);

#endif
