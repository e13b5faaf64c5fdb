#include "model/id_values.h"

#include "model/mapping.h"

uint32_t model_class_of(const struct space *space, uint32_t id)
{
    return mapping_unpack(space->classes.words, id, space->classes.bits);
}

float model_weight_of(const struct space *space, uint32_t id)
{
    if (space->classes.words)
        return space->classes.weights[model_class_of(space, id)];
    if (space->weights)
        return space->weights[id];
    return id < space->n_ids ? 1.0f : 0.0f;
}

float model_bias_of(const struct model *m, uint32_t id)
{
    if (m->item.classes.words)
        return m->item.classes.bias[model_class_of(&m->item, id)];
    return m->bias ? m->bias[id] : 0.0f;
}

uint64_t model_n_class_words(const struct space *space)
{
    return mapping_n_words(space->n_ids + 1ull, space->classes.bits);
}

bool model_is_blank_by_values(const struct model *m)
{
    return mapping_is_computed(m->mapping.kind) || (m->mapping.kind == MAPPING_PACKED && m->item.own_rows.n);
}

bool model_item_is_blank(const struct model *m, uint32_t id)
{
    const struct space *item = &m->item;
    const uint32_t unknown = item->n_ids;
    if (!space_is_weighted(item) || model_weight_of(item, id) != model_weight_of(item, unknown) ||
        model_bias_of(m, id) != model_bias_of(m, unknown))
        return false;
    for (unsigned l = 0; l < m->mapping.n_lookups; l++)
        if ((!model_is_blank_by_values(m) &&
             model_row_of(m, item, id, l) != model_row_of(m, item, unknown, l)) ||
            model_lookup_weight(m, item, id, l) != model_lookup_weight(m, item, unknown, l))
            return false;
    return true;
}
