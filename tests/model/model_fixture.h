/* Small models in memory, of every kind that the format knows, and folders to write them to. */
#ifndef TESTS_MODEL_FIXTURE_H
#define TESTS_MODEL_FIXTURE_H

#include "model/model.h"
#include "model/read.h"

enum {
    FIXTURE_ITEMS = 7,
    FIXTURE_ROWS = 5,
    FIXTURE_DIM = 6,
    FIXTURE_PACKED_WIDTH = 8, /* of i3 and i2 rows; the others make up FIXTURE_DIM */
    FIXTURE_USERS = 3,
    FIXTURE_SLOTS = 16,
    FIXTURE_BITS = 3,
    FIXTURE_CLASS_BITS = 3,
    FIXTURE_N_CLASSES = 8,
    FIXTURE_MAX_LOOKUPS = 4,
    FIXTURE_FEATURES_N = 2, /* "country" and "os", of as many ids as users */
};

enum fixture_parts {
    FIXTURE_WEIGHTS = 1,
    FIXTURE_BIAS = 2,
    FIXTURE_HISTORIES = 4,
    FIXTURE_ALL = 7, /* of a model of items and histories */
    FIXTURE_EMBEDDED_USERS = 8,
    FIXTURE_FEATURES = 16,
    FIXTURE_CLASSES = 64,  /* in place of weights and biases, which are then not to be asked for */
    FIXTURE_OWN_ROWS = 32, /* each space keeps to as many of the first rows as its lookups share evenly */
    FIXTURE_LOOKUP_WEIGHTS = 128, /* of all embedded spaces */
};

/* Left zero, everything from `scaling` on gives one stored row an item, scaled as its precision mostly is. */
struct fixture_kind {
    enum precision precision;
    enum key_kind keys; /* of all spaces */
    unsigned parts;
    enum scaling scaling; /* SCALING_NONE: that which goes with the precision */
    enum mapping_kind mapping;
    enum combine combine;
    uint32_t n_lookups; /* 0: 1 */
    uint32_t n_parts;   /* of concat; 0: n_lookups */
    uint32_t n_few;     /* lookups of users and features; 0: n_lookups. Else the last row is zeros */
    enum pooling pooling;
};

/* Every combination of precision, keys and parts of models with items and histories; then, of models with
 * several lookups, embedded users and features, of scaling, mapping and combine; then those of computed
 * mappings and spaces that have rows of their own, half of them with classes. */
enum {
    FIXTURE_N_PLAIN_KINDS = 3 * 3 * 8,
    FIXTURE_N_MAPPED_KINDS = 6 * 3 * 3,
    FIXTURE_N_KINDS = FIXTURE_N_PLAIN_KINDS + FIXTURE_N_MAPPED_KINDS + 2 * 3,
};
struct fixture_kind fixture_kind(unsigned i);

struct fixture_keys {
    uint64_t u64[FIXTURE_ITEMS];
    char bytes[128];
    uint64_t offsets[FIXTURE_ITEMS + 1];
    uint32_t slots[FIXTURE_SLOTS];
};

struct fixture_space {
    uint32_t remap[(FIXTURE_ITEMS + 1) * FIXTURE_MAX_LOOKUPS];
    uint32_t words[8]; /* remap, packed */
    float weights[FIXTURE_ITEMS + 1];
    uint32_t class_words[2];
    float class_weights[FIXTURE_N_CLASSES], class_bias[FIXTURE_N_CLASSES];
    float lookup_weights[(FIXTURE_ITEMS + 1) * FIXTURE_MAX_LOOKUPS];
    struct fixture_keys keys;
};

/* The model points into the fixture, which must stay where it is. */
struct fixture {
    struct model model;
    union {
        float f32[FIXTURE_ROWS * FIXTURE_DIM];
        uint16_t f16[FIXTURE_ROWS * FIXTURE_DIM];
        int8_t i8[FIXTURE_ROWS * FIXTURE_DIM];
        uint8_t packed[FIXTURE_ROWS * FIXTURE_DIM];
    } rows;
    union {
        float f32[FIXTURE_DIM];
        uint16_t f16[2 * FIXTURE_ROWS];
    } scales;
    struct fixture_space item, user, of_features[FIXTURE_FEATURES_N];
    float bias[FIXTURE_ITEMS + 1];
    uint32_t offsets[FIXTURE_USERS + 2];
    uint32_t history[6];
    struct feature features[FIXTURE_FEATURES_N];
    struct provenance_entry provenance[2];
};

void fixture_model(struct fixture_kind kind, struct fixture *out);

/* A folder of its own for each test, by cmocka's setup and teardown; holds the files named here. */
struct folder {
    char path[64];
    char file[80];
};

int folder_make(void **state);
int folder_remove(void **state); /* with all that is in it */
unsigned folder_n_files(const struct folder *f);

/* As the library's functions, but fails the test with the library's message. */
void write_model(const struct model *m, const char *path);
struct model_file *open_model(const char *path);

/* The whole file, to be freed by the caller. */
unsigned char *read_bytes(const char *path, size_t *n_bytes);
void write_bytes(const char *path, const void *bytes, size_t n_bytes);

/* Opening fails at this level with this status, and the message names the path and holds this text. */
void assert_refused(const char *path, enum model_check check, enum collide_status status, const char *text);

#endif
