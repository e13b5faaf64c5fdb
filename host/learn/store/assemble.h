/* Putting trained parameters into the form in which models are stored and served. */
#ifndef LEARN_ASSEMBLE_H
#define LEARN_ASSEMBLE_H

#include "learn/learn.h"
#include "learn/map/id_mapping.h"
#include "learn/store/classes.h"
#include "learn/train/objective.h"

/* The ids of a space as they were trained; all borrowed. */
struct trained_space {
    const struct id_mapping *mapping; /* NULL: the space has no embeddings */
    const float *rows;                /* (mapping->n_rows, mapping->width) as trained */
    const float *lookup_weights;      /* (mapping->n_ids, mapping->n_lookups), or NULL */
    const uint32_t *dense_ids;        /* (mapping->n_ids): each one's in the log */
    const uint32_t *counts;           /* (mapping->n_ids) of interactions */
};

/* All borrowed. */
struct trained {
    struct trained_space items;
    struct trained_space users;
    const float *weights; /* (items.mapping->n_ids) of items in a bag; NULL: 1, and the model says none.
                             Not with ITEM_LENGTHS_ONE, nor where weight and bias are shared */
    const float *bias;    /* (items.mapping->n_ids), or NULL: 0, likewise */
    uint32_t dim;
    enum item_lengths item_lengths; /* ITEM_LENGTHS_ONE: of one lookup an item only */
    enum pooling pooling;
    float temperature;
};

/* What the items of a model have beside rows. */
enum item_scalars { ITEM_WEIGHTS_AND_BIAS, ITEM_BIAS, ITEM_NO_SCALARS };

/* A model with everything but provenance.
 * Rows in the form asked for: the items', the users', then one of zeros. Within a space, and there within a
 * codebook, those with the most interactions come first (of equals in their old order);
 * where the mapping is computed, rows stand in its own order.
 * With ITEM_LENGTHS_ONE items' rows have length 1, and weights[id] = the item's weight times the trained
 * row's length over the stored one's, so that terms of bags have the length that they were trained with; what
 * is left of a form's error is a row's direction, and, where the form does not restore lengths (i8-line),
 * that candidates' products are scaled by the stored row's length. With ITEM_LENGTHS_NEAR_ONE rows are stored
 * as they are. logit_scale = 1 / temperature. The unknown id, and ids that no user has: the zero row (of a
 * computed mapping the latter have any), weight 0, the lowest bias. options->mapping is settled, see
 * learn/space_plan.h. Returns owned; borrows log as learn_model says. */
enum collide_status learned_create(const struct interactions *log, const struct trained *trained,
                                   const struct learn_options *options, struct learned **out,
                                   struct collide_error *err);

/* How items share weights and biases. Without bags weights do not matter. */
struct class_sharing item_sharing(const struct learn_options *options);

/* What a model learned by these options will be like, for model/cost.h: all sizes, and arrays only where
 * there will be some, pointing to nothing. users may be NULL. Only the mappings' shapes are looked at;
 * scalars: unless they are shared. */
void learned_shape(const struct interactions *log, const struct id_mapping *items,
                   const struct id_mapping *users, enum item_scalars scalars,
                   const struct learn_options *options, struct model *out);

/* Adds a line of provenance, 32 at most; name is static, the value formatted and copied, up to 63 bytes of
 * it. */
void learned_note(struct learned *l, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
