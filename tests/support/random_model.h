/* Models of any shape with random contents. */
#ifndef TESTS_RANDOM_MODEL_H
#define TESTS_RANDOM_MODEL_H

#include "model/model.h"
#include "score/model_handle.h"

enum random_values {
    VALUES_ORDINARY, /* much as learned: rows about 1 long, weights near 1, the unknown item without weight */
    VALUES_EXTREME,  /* rows of zeros, one-hot, tiny and of thousands; weights of 0, tiny, large and negative
                      */
};

enum random_model_flags {
    RANDOM_WEIGHTS = 1, /* the model has weights; a fifth of its items then are blank */
    RANDOM_BIAS = 2,
};

struct random_model {
    uint64_t seed;
    uint32_t n_items, n_users, n_rows, dim;
    uint32_t max_history; /* of a user; some are empty, and items occur twice */
    enum precision precision;
    enum pooling pooling;
    enum key_kind keys; /* KEYS_DENSE or KEYS_U64 */
    enum random_values values;
    unsigned flags;
};

/* The external id of dense id d, of items as of users. */
struct collide_id random_model_key(const struct random_model *spec, uint64_t d);

/* Both fail the test when they cannot. */
void random_model_write(const struct random_model *spec, const char *path);

/* Writes the model and opens it; the file is gone already. Close with collide_model_close. */
struct collide_model *random_model_open(const struct random_model *spec);

#endif
