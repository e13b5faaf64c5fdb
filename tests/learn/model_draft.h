/* Models of several lookups and spaces with random contents, and their embeddings in double precision. */
#ifndef TESTS_MODEL_DRAFT_H
#define TESTS_MODEL_DRAFT_H

#include "model/model.h"

enum {
    DRAFT_ITEMS = 60,
    DRAFT_USERS = 20,
    DRAFT_COUNTRIES = 5,
    DRAFT_LOOKUP_ROWS = 7, /* of each lookup; lookup l has the rows from l * DRAFT_LOOKUP_ROWS on */
    DRAFT_DIVISOR = 8,     /* of quotient mappings, whose 60 items have 8 remainders and 8 quotients */
    DRAFT_QUOTIENT_ROWS = 17,
    DRAFT_WIDTH = 12, /* unless the shape says otherwise */
    DRAFT_MAX_WIDTH = 16,
    DRAFT_MAX_LOOKUPS = 6,
    DRAFT_MAX_DIM = DRAFT_MAX_WIDTH * DRAFT_MAX_LOOKUPS
};

struct draft_shape {
    uint32_t n_lookups;
    enum combine combine;
    enum precision precision;
    enum scaling scaling; /* by dimension: each part has scales of its own */
    enum mapping_kind mapping;
    uint32_t width;          /* of a row, up to DRAFT_MAX_WIDTH; 0: DRAFT_WIDTH */
    uint32_t n_parts;        /* of concat; 0: n_lookups */
    bool has_lookup_weights; /* of items */
    uint32_t n_few;    /* of sums: lookups of items and countries; 0: n_lookups. Else the last row is zeros */
    bool has_own_rows; /* spaces keep to all rows but one more; packed: a lookup's rows are its codebook */
};

struct draft {
    struct model
        model; /* items, embedded users, a feature "country"; with weights, biases, histories, a note */
    char values[(DRAFT_MAX_LOOKUPS * DRAFT_LOOKUP_ROWS + 1) * DRAFT_MAX_WIDTH * sizeof(float)];
    union {
        float f32[DRAFT_MAX_DIM];
        uint16_t f16[2 * (DRAFT_MAX_LOOKUPS * DRAFT_LOOKUP_ROWS + 1)];
    } scales;
    uint32_t item_remap[(DRAFT_ITEMS + 1) * DRAFT_MAX_LOOKUPS];
    uint32_t user_remap[(DRAFT_USERS + 1) * DRAFT_MAX_LOOKUPS];
    uint32_t country_remap[(DRAFT_COUNTRIES + 1) * DRAFT_MAX_LOOKUPS];
    float weights[DRAFT_ITEMS + 1], bias[DRAFT_ITEMS + 1];
    float lookup_weights[(DRAFT_ITEMS + 1) * DRAFT_MAX_LOOKUPS];
    uint32_t offsets[DRAFT_USERS + 2], history[3 * DRAFT_USERS];
    struct feature country;
    struct provenance_entry note;
};

/* d must not move afterwards: the model points into it. */
void draft_fill(struct draft *d, const struct draft_shape *shape, uint64_t seed);

/* Row number `lookup` of an id, as it stands in an embedding, weighted, or zeros where it has none; out:
 * (rows.width). Also of models that are no drafts. */
void draft_row(const struct model *m, const struct space *space, uint32_t id, uint32_t lookup, double *out);

/* emb(id); out: (dim) */
void draft_embedding(const struct model *m, const struct space *space, uint32_t id, double *out);

#endif
