/* What an id weighs in a bag, and what an item's score has added: of its own, or by its class. */
#ifndef MODEL_ID_VALUES_H
#define MODEL_ID_VALUES_H

#include "model/model.h"

/* Whether ids have weights that say more than which one is unknown. */
static inline bool space_is_weighted(const struct space *space)
{
    return space->weights || space->classes.words;
}

static inline bool model_is_biased(const struct model *m)
{
    return m->bias || m->item.classes.words;
}

/* id: up to and with the unknown one, space->n_ids; the space has classes. Below 2^bits. */
uint32_t model_class_of(const struct space *space, uint32_t id);

/* id: up to and with the unknown one. */
float model_weight_of(const struct space *space, uint32_t id);
float model_bias_of(const struct model *m, uint32_t id);

/* Whether weights and bias alone say of which items nothing was learned: codebooks have no row for such
 * items, and computed mappings give them any. */
bool model_is_blank_by_values(const struct model *m);

/* The unknown item, and any with its weights and bias and, unless those decide alone, its rows: nothing was
 * learned of it. */
bool model_item_is_blank(const struct model *m, uint32_t id);

/* The words of a space's class codes, packed as mapping entries are, the spare one included. */
uint64_t model_n_class_words(const struct space *space);

/* How many classes that many bits tell apart. */
static inline uint64_t model_n_classes(uint32_t bits)
{
    return UINT64_C(1) << bits;
}

#endif
