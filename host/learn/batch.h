/* Drawing what one training step looks at: users, a split of each history into input and targets, and
 * negatives. */
#ifndef LEARN_BATCH_H
#define LEARN_BATCH_H

#include "base/rng.h"
#include "learn/corpus.h"

/* Rows and items that a step touches are numbered by slots, so that its gradients are small dense arrays. The
 * distinct negatives come first among the item slots, their rows first among the row slots. */
struct batch {
    uint32_t n_users;
    uint32_t n_negatives; /* item slots below this are the negatives */
    uint32_t n_item_slots;
    uint32_t n_negative_rows; /* row slots below this are rows of negatives */
    uint32_t n_row_slots;
    uint32_t *items;          /* (n_item_slots) corpus items */
    uint32_t *item_rows;      /* (n_item_slots) the item's row slot */
    uint32_t *rows;           /* (n_row_slots) rows of the table */
    uint32_t *input_offsets;  /* (n_users + 1) */
    uint32_t *input_rows;     /* (input_offsets[n_users]) row slots */
    float *input_weights;     /* likewise: each item's weight in the bag */
    uint32_t *target_offsets; /* (n_users + 1) */
    uint32_t *target_items;   /* (target_offsets[n_users]) item slots */
};

struct batch_shape {
    uint32_t n_rows; /* of the table */
    uint32_t n_users;
    uint32_t n_negatives;
    float input_share;
};

/* The most that any batch of a sampler can hold. */
struct batch_limits {
    uint32_t n_users;
    uint32_t n_negatives;
    uint32_t n_item_slots;
    uint32_t n_row_slots;
};

struct sampler;

/* Borrows corpus and row_of_item (n_items, each below shape->n_rows) while it lives. Returns owned. */
enum collide_status sampler_create(const struct corpus *corpus, const uint32_t *row_of_item,
                                   const struct batch_shape *shape, struct sampler **out,
                                   struct collide_error *err);
void sampler_destroy(struct sampler *s);
struct batch_limits sampler_limits(const struct sampler *s);

/* A batch of these users of the corpus, at most shape->n_users. Every user gets one input and one target at
 * least; negatives are distinct and uniform over the items. Valid until the next draw. */
const struct batch *sampler_draw(struct sampler *s, const uint32_t *users, uint32_t n_users, struct rng *rng);

#endif
