#include "model_walk.h"

#include <math.h>
#include <stdbool.h>

static uint64_t sum_bytes(const void *bytes, uint64_t n)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += ((const unsigned char *)bytes)[i];
    return sum;
}

/* [array, array + n_bytes) lies inside one tensor. */
static bool inside(const struct model_file *file, const void *array, uint64_t n_bytes)
{
    const struct safetensors *s = model_file_tensors(file);
    for (size_t i = 0; i < safetensors_n_tensors(s); i++) {
        const struct tensor *t = safetensors_tensor(s, i);
        if (t->data == array && t->n_bytes >= n_bytes)
            return true;
    }
    return false;
}

static bool tensors_fill_the_file(const struct safetensors *s)
{
    const unsigned char *at = NULL;
    uint64_t total = 0;
    for (size_t i = 0; i < safetensors_n_tensors(s); i++) {
        const struct tensor *t = safetensors_tensor(s, i);
        if (at && t->data != at)
            return false;
        at = (const unsigned char *)t->data + t->n_bytes;
        total += t->n_bytes;
        volatile uint64_t sink = sum_bytes(t->data, t->n_bytes);
        (void)sink;
    }
    return total < safetensors_file_bytes(s);
}

static const char *walk_keys(const struct model_file *file, const struct keys *keys, uint32_t n_ids)
{
    if (keys->kind == KEYS_DENSE)
        return NULL;
    if (!inside(file, keys->slots, keys->n_slots * 4ull))
        return "slots outside their tensor";
    if (keys->n_slots == 0 || (keys->n_slots & (keys->n_slots - 1)))
        return "the number of slots is no power of two";
    uint32_t n_free = 0;
    for (uint32_t i = 0; i < keys->n_slots; i++)
        if (keys->slots[i] == UINT32_MAX)
            n_free++;
        else if (keys->slots[i] >= n_ids)
            return "a slot names no id";
    if (n_free == 0)
        return "looking up an unknown key would not end";
    if (keys->kind == KEYS_U64)
        return inside(file, keys->u64, n_ids * 8ull) ? NULL : "keys outside their tensor";
    if (!inside(file, keys->offsets, (n_ids + 1ull) * 8) || !inside(file, keys->bytes, keys->offsets[n_ids]))
        return "key texts outside their tensors";
    for (uint32_t i = 0; i < n_ids; i++)
        if (keys->offsets[i] > keys->offsets[i + 1])
            return "a key of negative length";
    return keys->offsets[0] == 0 ? NULL : "bytes before the first key";
}

static const char *walk_rows(const struct model_file *file, const struct model *m)
{
    static const unsigned scalings[] = {[PRECISION_F32] = 1, [PRECISION_F16] = 1, [PRECISION_I8] = 14,
                                        [PRECISION_I4] = 4,  [PRECISION_I3] = 4,  [PRECISION_I2] = 4};
    const struct row_table *rows = &m->rows;
    if (m->dim < 1 || m->dim > MODEL_MAX_DIM || rows->n < 1)
        return "no rows, or a dim that kernels cannot have";
    if (rows->precision > PRECISION_I2 || !(scalings[rows->precision] >> rows->scaling & 1))
        return "a scaling that these rows cannot have";
    if (rows->width * precision_bits(rows->precision) % 8 != 0)
        return "rows that are no whole bytes";
    if (!inside(file, rows->values, (uint64_t)rows->n * row_bytes(rows)))
        return "rows outside their tensor";
    if (!rows->scales != (rows->scaling == SCALING_NONE) ||
        (rows->scales && !inside(file, rows->scales, row_scale_bytes(m))))
        return "scales missing or outside their tensor";
    const struct row_mapping *mapping = &m->mapping;
    if (mapping->n_lookups < 1 || mapping->n_lookups > MODEL_MAX_LOOKUPS)
        return "a number of lookups that kernels cannot have";
    uint32_t n_parts = mapping->combine != COMBINE_CONCAT ? 1
                       : mapping->n_parts                 ? mapping->n_parts
                                                          : mapping->n_lookups;
    if (rows->width * n_parts != m->dim || mapping->n_lookups % n_parts != 0)
        return "rows do not make up the dim";
    return mapping_is_computed(mapping->kind) && rows->n < 2 ? "no row for known ids" : NULL;
}

/* Bit by bit, and touching the spare word, which kernels may read. */
static uint64_t packed_entry(const uint32_t *words, uint64_t e, uint32_t bits)
{
    uint64_t entry = 0;
    for (uint32_t b = 0; b < bits; b++)
        entry |= (uint64_t)(words[(e * bits + b) / 32] >> (e * bits + b) % 32 & 1) << b;
    volatile uint32_t next = words[e * bits / 32 + 1];
    (void)next;
    return entry;
}

static const char *walk_classes(const struct model_file *file, const struct model *m,
                                const struct space *space)
{
    const struct id_classes *classes = &space->classes;
    const bool is_item = space == &m->item;
    if (!classes->words)
        return classes->weights || classes->bias ? "what classes have, without classes" : NULL;
    if (classes->bits < 1 || classes->bits > 8 || space->weights || (is_item && m->bias))
        return "classes of too many bits, or beside what they replace";
    if (!inside(file, classes->words, ((space->n_ids + 1ull) * classes->bits / 32 + 1) * 4))
        return "classes outside their tensor";
    if (!inside(file, classes->weights, 4ull << classes->bits) ||
        (is_item ? !inside(file, classes->bias, 4ull << classes->bits) : classes->bias != NULL))
        return "values of classes outside their tensors, or missing";
    for (uint64_t id = 0; id <= space->n_ids; id++)
        packed_entry(classes->words, id, classes->bits);
    return NULL;
}

static const char *walk_embedded(const struct model_file *file, const struct model *m,
                                 const struct space *space)
{
    const struct row_mapping *mapping = &m->mapping;
    uint32_t n_lookups = space->n_lookups ? space->n_lookups : mapping->n_lookups;
    uint64_t n_ids = space->n_ids + 1ull, n_entries = n_ids * n_lookups;
    uint64_t n_bytes =
        mapping->kind == MAPPING_PACKED ? (n_entries * mapping->bits / 32 + 1) * 4 : n_entries * 4;
    if (space->lookup_weights && !inside(file, space->lookup_weights, n_entries * 4))
        return "lookup weights outside their tensor";
    if (space->lookup_weights && mapping->combine != COMBINE_SUM)
        return "lookup weights of rows that are not summed";
    if (n_lookups > mapping->n_lookups ||
        (n_lookups < mapping->n_lookups && (mapping->combine != COMBINE_SUM || !space->remap)))
        return "a number of lookups that its space cannot have";
    if ((space->remap != NULL) != !mapping_is_computed(mapping->kind))
        return "a mapping where there should be none, or none";
    if (space->remap && !inside(file, space->remap, n_bytes))
        return "a mapping outside its tensor";
    if (space->weights && !inside(file, space->weights, n_ids * 4))
        return "weights outside their tensor";
    uint64_t n_own = space->own_rows.n, n_choices = n_own ? n_own / n_lookups : m->rows.n;
    if (n_own && (mapping->kind == MAPPING_STORED || space->own_rows.first + n_own >= m->rows.n))
        return "a space has rows of its own that it cannot have";
    for (uint64_t i = 0; mapping->kind == MAPPING_QUOTIENT && i < space->n_ids; i++)
        if (mapping->divisor == 0 ||
            mapping->divisor + i / mapping->divisor >= (n_own ? n_own : m->rows.n - 1))
            return "a quotient leads to no row of known ids";
    for (uint64_t e = 0; space->remap && e < n_entries; e++)
        if ((mapping->kind == MAPPING_PACKED ? packed_entry(space->remap, e, mapping->bits)
                                             : space->remap[e]) >= n_choices &&
            !(n_own && e / n_lookups == space->n_ids))
            return "an id maps to no row";
    const char *wrong = walk_classes(file, m, space);
    return wrong ? wrong : walk_keys(file, &space->keys, space->n_ids);
}

static const char *walk_histories(const struct model_file *file, const struct model *m)
{
    const struct stored_histories *histories = &m->histories;
    uint32_t n = m->user.n_ids;
    if (!histories->offsets)
        return n > 0 && !m->user_is_embedded ? "users of whom nothing is known" : NULL;
    if (!inside(file, histories->offsets, (n + 2ull) * 4) ||
        !inside(file, histories->items, histories->offsets[n + 1ull] * 4ull))
        return "histories outside their tensors";
    for (uint64_t u = 0; u <= n; u++)
        if (histories->offsets[u] > histories->offsets[u + 1])
            return "a history of negative length";
    if (histories->offsets[0] != 0 || histories->offsets[n] != histories->offsets[n + 1ull])
        return "the unknown user has a history";
    for (uint32_t i = 0; i < histories->offsets[n]; i++)
        if (histories->items[i] >= m->item.n_ids)
            return "a history holds no item";
    return m->user_is_embedded ? NULL : walk_keys(file, &m->user.keys, n);
}

static const char *walk_spaces(const struct model_file *file, const struct model *m)
{
    const char *wrong = walk_embedded(file, m, &m->item);
    if (!wrong && m->bias && !inside(file, m->bias, (m->item.n_ids + 1ull) * 4))
        wrong = "biases outside their tensor";
    if (!wrong && m->user_is_embedded)
        wrong = walk_embedded(file, m, &m->user);
    if (!wrong)
        wrong = walk_histories(file, m);
    for (size_t i = 0; i < m->n_features && !wrong; i++)
        wrong =
            m->features[i].name[0] ? walk_embedded(file, m, &m->features[i].space) : "a feature without name";
    return wrong;
}

const char *model_walk(const struct model_file *file)
{
    const struct model *m = model_file_model(file);
    if (!tensors_fill_the_file(model_file_tensors(file)))
        return "tensors do not follow one another";
    if (!isfinite(m->logit_scale) || m->pooling > POOLING_MAX)
        return "a wrong scale or pooling";
    for (size_t i = 0; i < m->n_provenance; i++)
        if (!m->provenance[i].name || !m->provenance[i].value)
            return "provenance without text";
    const char *wrong = walk_rows(file, m);
    return wrong ? wrong : walk_spaces(file, m);
}
