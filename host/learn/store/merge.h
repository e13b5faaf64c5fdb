/* Half as many lookups: MicroRec's Cartesian product of tables (Jiang et al. 2021, "MicroRec: Efficient
 * Recommendation Inference by Hardware and Data Structure Solutions", section 3.3). Lookups 2 p and 2 p + 1
 * become lookup p into rows that hold what the two combine to: their sum, their product, or, where each is a
 * part of its own, one beside the other. Of all the products only those are kept that some id has, unknown
 * ones included, so there are never more rows than entries. */
#ifndef LEARN_MERGE_H
#define LEARN_MERGE_H

#include "learn/store/quantize.h"

struct merge {
    const struct model *model; /* borrowed */
    uint32_t n_lookups;        /* half the model's */
    uint32_t width;            /* of a merged row */
    uint32_t n_rows;
    uint64_t
        *pairs; /* (n_rows) owned: the first lookup's row << 32 | the second one's, ascending for a lookup */
    uint32_t
        first_rows[MODEL_MAX_LOOKUPS / 2 + 1]; /* lookup p has the rows [first_rows[p], first_rows[p + 1]) */
};

/* Whether the model's lookups can be merged. COLLIDE_INVALID: their number is odd. COLLIDE_UNSUPPORTED: they
 * have weights, or a pair of them is the end of one part and the beginning of the next. */
enum collide_status merge_check(const struct model *model, struct collide_error *err);

/* As merge_check, and COLLIDE_UNSUPPORTED: more rows than can be numbered. Returns owned. */
enum collide_status merge_create(const struct model *model, struct merge *out, struct collide_error *err);
void merge_free(struct merge *merge);

/* The model's mapping with the merged lookups; bits are for the caller to set. */
struct row_mapping merge_mapping(const struct merge *merge);

/* As model_row_of: space is one of the model's own. */
uint32_t merge_row_of(const struct merge *merge, const struct space *space, uint32_t id, uint32_t lookup);

/* Merged row r; out: (width). context: the struct merge. For struct row_source. */
void merge_read_row(const void *context, uint32_t r, float *out);

#endif
