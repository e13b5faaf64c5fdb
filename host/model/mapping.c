#include "model/mapping.h"

#include "model/layout.h"

#include <string.h>

const char *model_space_name(const struct model *m, size_t space)
{
    return space == SPACE_ITEM   ? SPACE_NAME_ITEM
           : space == SPACE_USER ? SPACE_NAME_USER
                                 : m->features[space - SPACE_FEATURES].name;
}

uint64_t model_entry_base(const struct model *m, size_t space)
{
    uint64_t base = 0;
    for (size_t s = 0; s < space; s++)
        base += model_space_is_embedded(m, s) ? (uint64_t)model_space(m, s)->n_ids + 1 : 0;
    return base;
}

static uint32_t packed_row(const struct model *m, const struct space *space, uint64_t entry, unsigned lookup)
{
    uint32_t first = space->own_rows.first + lookup * (space->own_rows.n / space_n_lookups(m, space));
    return first + mapping_unpack(space->remap, entry, m->mapping.bits);
}

/* The rows that a computed mapping leads known ids to. */
static struct own_rows computed_rows(const struct model *m, const struct space *space)
{
    return space->own_rows.n ? space->own_rows : (struct own_rows){0, m->rows.n - 1};
}

static uint32_t hashed_row(const struct model *m, const struct space *space, uint32_t id, unsigned lookup)
{
    const struct own_rows rows = computed_rows(m, space);
    size_t s = 0;
    while (model_space(m, s) != space)
        s++;
    uint64_t x = (model_entry_base(m, s) + id) * m->mapping.n_lookups + lookup + 1;
    x += m->mapping.seed * 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    x ^= x >> 31;
    return rows.first + (uint32_t)((x >> 32) * rows.n >> 32);
}

uint32_t model_row_of(const struct model *m, const struct space *space, uint32_t id, unsigned lookup)
{
    uint32_t n_lookups = space_n_lookups(m, space);
    uint64_t entry = (uint64_t)id * n_lookups + lookup;
    bool knows_unknown = mapping_is_computed(m->mapping.kind) || space->own_rows.n;
    if (lookup >= n_lookups || (knows_unknown && id == space->n_ids))
        return m->rows.n - 1;
    switch (m->mapping.kind) {
    case MAPPING_STORED:
        break;
    case MAPPING_PACKED:
        return packed_row(m, space, entry, lookup);
    case MAPPING_HASHED:
        return hashed_row(m, space, id, lookup);
    case MAPPING_MODULO:
        return space->own_rows.first + id % computed_rows(m, space).n;
    case MAPPING_QUOTIENT:
        return space->own_rows.first +
               (lookup == 0 ? id % m->mapping.divisor : m->mapping.divisor + id / m->mapping.divisor);
    }
    return space->remap[entry];
}

uint32_t mapping_n_choices(const struct model *m, const struct space *space)
{
    return space->own_rows.n ? space->own_rows.n / space_n_lookups(m, space) : m->rows.n;
}

float model_lookup_weight(const struct model *m, const struct space *space, uint32_t id, unsigned lookup)
{
    const uint32_t n_lookups = space_n_lookups(m, space);
    if (lookup >= n_lookups)
        return 0.0f;
    return space->lookup_weights ? space->lookup_weights[(size_t)id * n_lookups + lookup] : 1.0f;
}

bool model_has_lookup_weights(const struct model *m)
{
    bool has = false;
    for (size_t s = 0; s < model_n_spaces(m); s++)
        has |= model_space_is_embedded(m, s) && model_space(m, s)->lookup_weights;
    return has;
}

uint32_t mapping_bits(uint32_t n_rows)
{
    return n_rows > 2 ? 32 - (uint32_t)__builtin_clz(n_rows - 1) : 1;
}

uint64_t mapping_n_words(uint64_t n_entries, uint32_t bits)
{
    return (n_entries * bits + 31) / 32 + 1;
}

void mapping_pack(const uint32_t *entries, uint64_t n_entries, uint32_t bits, uint32_t *words)
{
    memset(words, 0, mapping_n_words(n_entries, bits) * sizeof *words);
    for (uint64_t e = 0; e < n_entries; e++) {
        uint64_t first = e * bits, shifted = (uint64_t)entries[e] << first % 32;
        words[first / 32] |= (uint32_t)shifted;
        words[first / 32 + 1] |= (uint32_t)(shifted >> 32);
    }
}

uint32_t mapping_unpack(const uint32_t *words, uint64_t entry, uint32_t bits)
{
    uint64_t first = entry * bits, word = first / 32;
    uint64_t both = words[word] | (uint64_t)words[word + 1] << 32;
    return (uint32_t)(both >> first % 32 & (UINT64_MAX >> (64 - bits)));
}
