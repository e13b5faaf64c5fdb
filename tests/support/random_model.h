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
    RANDOM_WEIGHTS = 1, /* the model has weights (or classes); a fifth of its items then are blank */
    RANDOM_BIAS = 2,
    RANDOM_USER_EMBEDDED = 4,      /* if there are users */
    RANDOM_FEW_ITEM_LOOKUPS = 8,   /* of stored and packed sums of several: items have one row, */
    RANDOM_FEW_OTHER_LOOKUPS = 16, /* or all other spaces have; and the last row is zeros */
    RANDOM_LOOKUP_WEIGHTS = 32,    /* of sums: of all embedded spaces but users */
    RANDOM_OWN_ROWS = 64, /* each space has rows of its own, if the mapping lets it and there are enough */
};

/* RANDOM_SCALES_DEFAULT: one scale a row for i8, a scale and an offset for i4, i3 and i2, none for the
 * others. */
enum random_scales { RANDOM_SCALES_DEFAULT, RANDOM_SCALES_OFFSET, RANDOM_SCALES_DIM };

enum { RANDOM_MAX_FEATURES = 2 };

/* Left zero, everything from `scales` on gives one stored row an id, of items only. */
struct random_model {
    uint64_t seed;
    uint32_t n_items, n_users, n_rows, dim;
    uint32_t max_history; /* of a user; some are empty, and items occur twice */
    enum precision precision;
    enum pooling pooling;
    enum key_kind keys; /* KEYS_DENSE or KEYS_U64 */
    enum random_values values;
    unsigned flags;
    enum random_scales scales; /* those other than the default: i8 only */
    enum mapping_kind mapping; /* computed, or with rows of its own: n_rows is 2 at least; modulo: one lookup;
                                  quotient: two, and rows enough for some divisor */
    enum combine combine;
    uint32_t n_lookups;     /* 0: 1 */
    uint32_t n_parts;       /* of concat; 0: n_lookups. It divides dim, into widths of whole bytes */
    uint32_t n_features;    /* 0 .. RANDOM_MAX_FEATURES, named as by random_model_feature */
    uint32_t n_feature_ids; /* of each, beside the unknown one */
    uint32_t class_bits;    /* above 0: weights and biases are by class, whatever the flags say of them */
};

/* "country", "device". */
const char *random_model_feature(size_t i);

/* The external id of dense id d, of items as of users and features. */
struct collide_id random_model_key(const struct random_model *spec, uint64_t d);

/* Both fail the test when they cannot. */
void random_model_write(const struct random_model *spec, const char *path);

/* Writes the model and opens it; the file is gone already. Close with collide_model_close. */
struct collide_model *random_model_open(const struct random_model *spec);

#endif
