/* The embeddings of a space's ids in training: a table of rows read through a mapping, what a batch touches
 * of it, and Adam on that, as on the lookups' weights where the mapping has them: see map/id_mapping.h.
 *
 * The embeddings that a batch needs are numbered by slots, so that they and their gradients are small dense
 * arrays. With one lookup an id and no weights, ids that share a row share a slot. */
#ifndef LEARN_EMBEDDER_H
#define LEARN_EMBEDDER_H

#include "base/parallel.h"
#include "base/rng.h"
#include "learn/map/id_mapping.h"
#include "learn/train/training_state.h"

struct embedder;

struct embedder_options {
    const struct id_mapping *mapping; /* borrowed */
    uint32_t dim;
    uint32_t max_slots; /* embeddings that a batch may need */
    /* Rows are read as if stored with so many bits a value, and gradients pass through as if they were not
     * (straight-through, Bengio et al. 2013); 0: as they are. */
    uint32_t row_bits;
};

/* Rows start at the mapping's own, or as random directions by rng, of a length that makes one row of each
 * part 1 together. Borrows the team too. Returns owned. */
enum collide_status embedder_create(const struct embedder_options *options, struct rng *rng,
                                    struct parallel *team, struct embedder **out, struct collide_error *err);
void embedder_destroy(struct embedder *e);

/* (mapping->n_rows, mapping->width) in training; borrowed, may be written between batches. */
float *embedder_rows(struct embedder *e);

/* Likewise: (mapping->n_ids, mapping->n_lookups), NULL if the mapping has no lookup weights. */
float *embedder_lookup_weights(struct embedder *e);

/* Its part of a state between batches: rows and lookup weights of this owner. */
void embedder_state(struct embedder *e, enum state_extent extent, const char *owner,
                    struct training_state *out);

/* A new batch begins, without slots. */
void embedder_clear(struct embedder *e);

/* The slot of an id, a new one if the batch has none for it yet. By one thread. */
uint32_t embedder_take(struct embedder *e, uint32_t id);
uint32_t embedder_n_slots(const struct embedder *e);

/* The batch's embeddings: (n_slots, dim), valid until the next gather. */
const float *embedder_gather(struct embedder *e);

/* One step of Adam on the rows and weights behind the gathered embeddings, for the loss by each: (n_slots,
 * dim). */
void embedder_step(struct embedder *e, const float *gradients, float rate);

#endif
