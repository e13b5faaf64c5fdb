#include "model/cost.h"

#include "model/id_values.h"
#include "model/mapping.h"

enum { LINE_BYTES = 64 };

static struct lookup_cost sum(struct lookup_cost a, struct lookup_cost b)
{
    return (struct lookup_cost){a.lines + b.lines, a.bytes + b.bytes};
}

/* Entries of n_bytes begin at multiples of the largest power of two in n_bytes, at each of a line's equally
 * often, so this is exact. */
static struct lookup_cost cost_of_entry(uint64_t n_bytes)
{
    uint64_t alignment = n_bytes & -n_bytes;
    if (alignment > LINE_BYTES)
        alignment = LINE_BYTES;
    return (struct lookup_cost){(double)(n_bytes + LINE_BYTES - alignment) / LINE_BYTES, (double)n_bytes};
}

/* Kernels read the word that an entry begins in, and the next one. */
static struct lookup_cost cost_of_packed_id(uint32_t n_lookups, uint32_t bits)
{
    enum { PERIOD = 8 * LINE_BYTES };
    uint64_t n_lines = 0;
    for (uint64_t id = 0; id < PERIOD; id++) {
        uint64_t first_word = id * n_lookups * bits / 32;
        uint64_t last_word = ((id + 1) * n_lookups - 1) * bits / 32 + 1;
        n_lines += last_word * 4 / LINE_BYTES - first_word * 4 / LINE_BYTES + 1;
    }
    return (struct lookup_cost){(double)n_lines / PERIOD, n_lookups * bits / 8.0};
}

/* Of an id with so many lookups. */
static struct lookup_cost cost_of_mapped_id(const struct row_mapping *mapping, uint32_t n_lookups)
{
    if (mapping_is_computed(mapping->kind))
        return (struct lookup_cost){0};
    return mapping->kind == MAPPING_PACKED ? cost_of_packed_id(n_lookups, mapping->bits)
                                           : cost_of_entry(n_lookups * sizeof(uint32_t));
}

static struct lookup_cost times(double factor, struct lookup_cost a)
{
    return (struct lookup_cost){factor * a.lines, factor * a.bytes};
}

/* How many entries a space has; 0 where it has no embedding. */
static double n_entries_of(const struct model *m, size_t s)
{
    return model_space_is_embedded(m, s) ? (double)model_space(m, s)->n_ids + 1 : 0.0;
}

static double n_entries(const struct model *m)
{
    return (double)model_entry_base(m, model_n_spaces(m));
}

struct lookup_cost cost_of_mapping(const struct model *m)
{
    struct lookup_cost all = {0};
    for (size_t s = 0; s < model_n_spaces(m); s++) {
        uint32_t n_lookups = space_n_lookups(m, model_space(m, s));
        all = sum(all, times(n_entries_of(m, s), cost_of_mapped_id(&m->mapping, n_lookups)));
    }
    return (struct lookup_cost){all.lines / n_entries(m), all.bytes / n_entries(m)};
}

static struct lookup_cost of_each_lookup(const struct model *m, uint64_t n_bytes)
{
    double n_lookups = 0.0;
    for (size_t s = 0; s < model_n_spaces(m); s++)
        n_lookups += n_entries_of(m, s) * space_n_lookups(m, model_space(m, s));
    return times(n_lookups / n_entries(m), cost_of_entry(n_bytes));
}

struct lookup_cost cost_of_rows(const struct model *m)
{
    return of_each_lookup(m, row_bytes(&m->rows));
}

struct lookup_cost cost_of_scales(const struct model *m)
{
    bool is_by_row = m->rows.scaling == SCALING_ROW || m->rows.scaling == SCALING_ROW_OFFSET;
    return is_by_row ? of_each_lookup(m, SCALE_BYTES) : (struct lookup_cost){0};
}

/* Several spaces have one table of weights, and of biases, whether or not each has its own or classes. */
static bool has_one_space(const struct model *m)
{
    return !m->user_is_embedded && m->n_features == 0;
}

struct lookup_cost cost_of_weight(const struct model *m)
{
    if (has_one_space(m) && m->item.classes.words)
        return cost_of_packed_id(1, m->item.classes.bits);
    bool has_table = m->item.weights || !has_one_space(m);
    return has_table ? cost_of_entry(sizeof(float)) : (struct lookup_cost){0};
}

/* Likewise. */
struct lookup_cost cost_of_lookup_weights(const struct model *m)
{
    return model_has_lookup_weights(m) ? cost_of_entry(m->mapping.n_lookups * sizeof(float))
                                       : (struct lookup_cost){0};
}

struct lookup_cost cost_of_bias(const struct model *m)
{
    if (has_one_space(m) && m->item.classes.words)
        return cost_of_packed_id(1, m->item.classes.bits);
    return model_is_biased(m) ? cost_of_entry(sizeof(float)) : (struct lookup_cost){0};
}

struct lookup_cost cost_of_embedding(const struct model *m)
{
    return sum(sum(cost_of_mapping(m), cost_of_lookup_weights(m)), sum(cost_of_rows(m), cost_of_scales(m)));
}

uint64_t bytes_of_rows(const struct model *m)
{
    return (uint64_t)m->rows.n * row_bytes(&m->rows) + row_scale_bytes(m);
}

uint64_t bytes_of_mapping(const struct model *m)
{
    uint64_t n_words = 0;
    for (size_t s = 0; s < model_n_spaces(m); s++) {
        uint64_t n = (model_space(m, s)->n_ids + 1ull) * space_n_lookups(m, model_space(m, s));
        if (model_space_is_embedded(m, s) && !mapping_is_computed(m->mapping.kind))
            n_words += m->mapping.kind == MAPPING_PACKED ? mapping_n_words(n, m->mapping.bits) : n;
    }
    return n_words * sizeof(uint32_t);
}

uint64_t bytes_of_full_table(const struct model *m)
{
    return model_entry_base(m, model_n_spaces(m)) * m->dim * sizeof(float);
}

static uint64_t bytes_of_keys(const struct space *space)
{
    const struct keys *k = &space->keys;
    const uint64_t slots = k->n_slots * sizeof *k->slots, n = space->n_ids;
    switch (k->kind) {
    case KEYS_DENSE:
        break;
    case KEYS_U64:
        return slots + n * sizeof *k->u64;
    case KEYS_STRING:
        return slots + (n + 1) * sizeof *k->offsets + k->offsets[n];
    }
    return 0;
}

static uint64_t bytes_of_classes(const struct space *space)
{
    const struct id_classes *c = &space->classes;
    const uint64_t n_values = model_n_classes(c->bits) * (c->bias ? 2 : 1);
    return c->words ? model_n_class_words(space) * sizeof *c->words + n_values * sizeof *c->weights : 0;
}

uint64_t bytes_of_model(const struct model *m, uint64_t n_stored)
{
    uint64_t n = bytes_of_rows(m) + bytes_of_mapping(m);
    for (size_t s = 0; s < model_n_spaces(m); s++) {
        const struct space *space = model_space(m, s);
        n += bytes_of_keys(space);
        n += space->weights ? (space->n_ids + 1ull) * sizeof *space->weights : 0;
        n += space->lookup_weights
                 ? (space->n_ids + 1ull) * space_n_lookups(m, space) * sizeof *space->lookup_weights
                 : 0;
        n += bytes_of_classes(space);
    }
    n += m->bias ? (m->item.n_ids + 1ull) * sizeof *m->bias : 0;
    n += n_stored ? (m->user.n_ids + 2ull + n_stored) * sizeof *m->histories.items : 0;
    return n;
}
