/* Models whose kernels, between them, cover the specialisations. */
#ifndef TESTS_MODEL_CHOICE_H
#define TESTS_MODEL_CHOICE_H

#include "support/random_model.h"

/* What models of the choice differ in. */
enum model_option {
    OPTION_ROWS, /* precision and scaling */
    OPTION_POOLING,
    OPTION_LOOKUPS, /* one, or several, and what combines them */
    OPTION_MAPPING,
    OPTION_SPACES, /* rows of their own, embedded users, features */
    OPTION_ARRAYS, /* weights, biases, classes */
    OPTION_KEYS,
    OPTION_VALUES,
    N_MODEL_OPTIONS
};

enum { MODEL_CHOICE_N = 54 };

/* Random, but for this: every two values of any two options come together in one of the models. */
struct random_model model_choice(unsigned i);

/* The same kernels, other contents: variant 0 is the model itself. */
struct random_model model_variant(const struct random_model *spec, unsigned variant);

/* How many pairs of values are in none of the models. */
unsigned model_choice_n_missing(void);

/* "i8 dim mean, dim 64, ...", for messages. out: (n_bytes). */
const char *model_describe(const struct random_model *spec, char *out, size_t n_bytes);

#endif
