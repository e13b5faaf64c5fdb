/* Drawing what one training step looks at: users, a split of each history into input and targets, and
 * negatives. */
#ifndef LEARN_BATCH_H
#define LEARN_BATCH_H

#include "base/rng.h"
#include "learn/train/corpus.h"
#include "learn/train/embedder.h"

/* Items that a step touches are numbered by slots; their embeddings have the slots of an embedder. The
 * distinct negatives come first among the item slots, their embeddings first among the embedding slots. */
struct batch {
    uint32_t n_users;
    uint32_t n_negatives; /* item slots below this are the negatives */
    uint32_t n_item_slots;
    uint32_t n_negative_embeddings; /* embedding slots below this are those of negatives */
    uint32_t n_embeddings;
    uint32_t *items;            /* (n_item_slots) corpus items */
    uint32_t *item_embeddings;  /* (n_item_slots) embedding slots */
    uint32_t *input_offsets;    /* (n_users + 1) */
    uint32_t *input_embeddings; /* (input_offsets[n_users]) embedding slots */
    float *input_weights;       /* likewise: each item's weight in the bag */
    uint32_t *target_offsets;   /* (n_users + 1) */
    uint32_t *target_items;     /* (target_offsets[n_users]) item slots */
};

struct batch_shape {
    uint32_t n_users;
    uint32_t n_negatives;
    float input_share; /* 0: all of a history are targets */
};

/* The most that any batch of a sampler can hold. */
struct batch_limits {
    uint32_t n_users;
    uint32_t n_negatives;
    uint32_t n_item_slots; /* and embedding slots */
    uint64_t n_history_items;
};

/* Fails only for want of memory. */
enum collide_status batch_limits_find(const struct corpus *corpus, const struct batch_shape *shape,
                                      struct batch_limits *out, struct collide_error *err);

struct sampler;

/* Borrows the corpus and the items' embedder, which has room for n_item_slots, while it lives. Returns owned.
 */
enum collide_status sampler_create(const struct corpus *corpus, struct embedder *items,
                                   const struct batch_shape *shape, struct sampler **out,
                                   struct collide_error *err);
void sampler_destroy(struct sampler *s);

/* What items weigh in bags from now on, instead of the corpus' weights: (n_items) borrowed. */
void sampler_weigh(struct sampler *s, const float *weights);

/* A batch of these users of the corpus, at most shape->n_users. Unless all are targets, every user must have
 * two items and gets one input and one target at least; negatives are distinct and uniform over the items.
 * Valid until the next draw, as are the embedder's slots. */
const struct batch *sampler_draw(struct sampler *s, const uint32_t *users, uint32_t n_users, struct rng *rng);

#endif
