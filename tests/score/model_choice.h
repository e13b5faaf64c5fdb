/* Models whose kernels, between them, cover the specialisations. */
#ifndef TESTS_MODEL_CHOICE_H
#define TESTS_MODEL_CHOICE_H

#include "support/random_model.h"

/* The choice: each dim, and every two of precision, pooling, presence of weights and bias, values and vector
 * width together. */
enum { MODEL_CHOICE_N = 20 };

struct random_model model_choice(unsigned i);

/* All combinations of the choice's dims, and of precision, pooling, weights and bias. */
enum { MODEL_EVERY_N = (MODEL_CHOICE_N - 1) * 3 * 3 * 4 };

struct random_model model_every(unsigned i);

/* "i8 mean, dim 64, ...", for messages. out: (n_bytes). */
const char *model_describe(const struct random_model *spec, char *out, size_t n_bytes);

#endif
