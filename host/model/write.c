#include "model/write.h"

#include "base/error.h"
#include "base/number.h"
#include "model/id_values.h"
#include "model/layout.h"
#include "model/mapping.h"
#include "model/safetensors.h"
#include "model/validate.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows, scales, biases, histories; and of each space mapping, weights (or classes and theirs), lookup weights
 * and keys. */
enum { MAX_TENSORS = 5 + 7 * (SPACE_FEATURES + MODEL_MAX_FEATURES) };

/* Of the metadata that are the format's own: each number, and everything. */
enum { MAX_NUMBERS = 8 + 3 * (SPACE_FEATURES + MODEL_MAX_FEATURES), MAX_FIELDS = MAX_NUMBERS + 6 };

/* The tensors of one file being put together; those of a space have names made here. */
struct tensor_list {
    struct tensor tensors[MAX_TENSORS];
    char names[MAX_TENSORS][TENSOR_NAME_BYTES];
    size_t n;
};

static void add(struct tensor_list *list, const char *name, enum dtype dtype, const void *data, uint64_t n)
{
    list->tensors[list->n++] = (struct tensor){.name = name,
                                               .dtype = dtype,
                                               .n_dims = 1,
                                               .shape = {n},
                                               .data = data,
                                               .n_bytes = n * dtype_bytes(dtype)};
}

/* The last tensor becomes one of two dimensions, n_rows being the first. */
static void make_matrix(struct tensor_list *list, uint64_t n_rows)
{
    struct tensor *t = &list->tensors[list->n - 1];
    t->n_dims = 2;
    t->shape[1] = t->shape[0] / n_rows;
    t->shape[0] = n_rows;
}

static void add_of(struct tensor_list *list, const char *name_format, const char *space, enum dtype dtype,
                   const void *data, uint64_t n)
{
    char *name = list->names[list->n];
    snprintf(name, TENSOR_NAME_BYTES, name_format, space);
    add(list, name, dtype, data, n);
}

static void add_keys(struct tensor_list *list, const char *space, const struct keys *keys, uint32_t n_ids)
{
    if (keys->kind == KEYS_DENSE)
        return;
    if (keys->kind == KEYS_U64) {
        add_of(list, TENSOR_KEYS, space, DTYPE_U64, keys->u64, n_ids);
    } else {
        add_of(list, TENSOR_KEY_OFFSETS, space, DTYPE_U64, keys->offsets, (uint64_t)n_ids + 1);
        add_of(list, TENSOR_KEY_BYTES, space, DTYPE_U8, keys->bytes, keys->offsets[n_ids]);
    }
    add_of(list, TENSOR_KEY_SLOTS, space, DTYPE_U32, keys->slots, keys->n_slots);
}

static void add_rows(struct tensor_list *list, const struct model *m)
{
    static const enum dtype dtypes[] = {
        [PRECISION_F32] = DTYPE_F32, [PRECISION_F16] = DTYPE_F16, [PRECISION_I8] = DTYPE_I8,
        [PRECISION_I4] = DTYPE_U8,   [PRECISION_I3] = DTYPE_U8,   [PRECISION_I2] = DTYPE_U8};
    const struct row_table *rows = &m->rows;
    enum dtype dtype = dtypes[rows->precision];
    add(list, TENSOR_ROWS, dtype, rows->values, rows->n * row_bytes(rows) / dtype_bytes(dtype));
    make_matrix(list, rows->n);
    if (rows->scaling == SCALING_NONE)
        return;
    dtype = dtypes[row_scale_precision(rows)];
    add(list, TENSOR_SCALES, dtype, rows->scales, row_scale_bytes(m) / dtype_bytes(dtype));
    if (rows->scaling == SCALING_ROW_OFFSET)
        make_matrix(list, rows->n);
}

static void add_classes(struct tensor_list *list, const char *name, const struct space *space)
{
    const struct id_classes *classes = &space->classes;
    if (!classes->words)
        return;
    const uint64_t n_classes = model_n_classes(classes->bits);
    add_of(list, TENSOR_CLASSES, name, DTYPE_U32, classes->words, model_n_class_words(space));
    add_of(list, TENSOR_CLASS_WEIGHTS, name, DTYPE_F32, classes->weights, n_classes);
    if (classes->bias)
        add(list, TENSOR_CLASS_BIAS, DTYPE_F32, classes->bias, n_classes);
}

static void add_space(struct tensor_list *list, const struct model *m, size_t s)
{
    const struct space *space = model_space(m, s);
    const char *name = model_space_name(m, s);
    uint64_t n_ids = space->n_ids + 1ull, n_entries = n_ids * space_n_lookups(m, space);
    if (m->mapping.kind == MAPPING_STORED) {
        add_of(list, TENSOR_REMAP, name, DTYPE_U32, space->remap, n_entries);
        if (m->mapping.n_lookups > 1)
            make_matrix(list, n_ids);
    }
    if (m->mapping.kind == MAPPING_PACKED)
        add_of(list, TENSOR_PACKED, name, DTYPE_U32, space->remap,
               mapping_n_words(n_entries, m->mapping.bits));
    if (space->weights)
        add_of(list, TENSOR_WEIGHTS, name, DTYPE_F32, space->weights, n_ids);
    if (space->lookup_weights) {
        add_of(list, TENSOR_LOOKUP_WEIGHTS, name, DTYPE_F32, space->lookup_weights, n_entries);
        make_matrix(list, n_ids);
    }
    add_classes(list, name, space);
}

/* The metadata of one file being put together. */
struct header {
    char texts[MAX_NUMBERS][NUMBER_MAX_CHARS + 1];
    size_t n_texts;
    char names[MAX_NUMBERS][TENSOR_NAME_BYTES];
    char features[(FEATURE_NAME_MAX_CHARS + 1) * (MODEL_MAX_FEATURES + 1)];
    size_t n;
    struct metadata_entry entries[];
};

static void set(struct header *h, const char *name, const char *value)
{
    h->entries[h->n++] = (struct metadata_entry){name, value};
}

static void set_integer(struct header *h, const char *name, uint64_t value)
{
    char *text = h->texts[h->n_texts++];
    text[number_print_u64(text, value)] = '\0';
    set(h, name, text);
}

/* U8 rows are i4 unless it is said. */
static void set_row_bits(struct header *h, const struct row_table *rows)
{
    if (precision_bits(rows->precision) < precision_bits(PRECISION_I4))
        set_integer(h, META_ROW_BITS, precision_bits(rows->precision));
}

static void set_own_rows(struct header *h, const char *space, const struct own_rows *rows)
{
    char *name = h->names[h->n_texts], *text = h->texts[h->n_texts++];
    snprintf(name, TENSOR_NAME_BYTES, META_OWN_ROWS "%s", space);
    snprintf(text, NUMBER_MAX_CHARS + 1, "%" PRIu32 ",%" PRIu32, rows->first, rows->n);
    set(h, name, text);
}

static void set_integer_of(struct header *h, const char *prefix, const char *space, uint64_t value)
{
    char *name = h->names[h->n_texts];
    snprintf(name, TENSOR_NAME_BYTES, "%s%s", prefix, space);
    set_integer(h, name, value);
}

/* A stored mapping tells how many ids there are, and how many lookups; the others do not. */
static void set_mapping(struct header *h, const struct model *m)
{
    const struct row_mapping *mapping = &m->mapping;
    set_integer(h, META_LOOKUPS, mapping->n_lookups);
    set(h, META_COMBINE, combine_name(mapping->combine));
    if (mapping_part_lookups(mapping) > 1 && mapping->combine == COMBINE_CONCAT)
        set_integer(h, META_PARTS, mapping->n_parts);
    set(h, META_MAPPING, mapping_kind_name(mapping->kind));
    if (mapping->kind == MAPPING_PACKED)
        set_integer(h, META_MAPPING_BITS, mapping->bits);
    if (mapping->kind == MAPPING_HASHED)
        set_integer(h, META_SEED, mapping->seed);
    if (mapping->kind == MAPPING_QUOTIENT)
        set_integer(h, META_DIVISOR, mapping->divisor);
    for (size_t s = 0; s < model_n_spaces(m) && mapping->kind != MAPPING_STORED; s++) {
        if (!model_space_is_embedded(m, s))
            continue;
        const struct space *space = model_space(m, s);
        set_integer_of(h, META_IDS, model_space_name(m, s), space->n_ids);
        if (space_n_lookups(m, space) < mapping->n_lookups)
            set_integer_of(h, META_LOOKUPS_OF, model_space_name(m, s), space->n_lookups);
        if (space->own_rows.n)
            set_own_rows(h, model_space_name(m, s), &space->own_rows);
    }
}

static void set_class_bits(struct header *h, const struct model *m)
{
    uint32_t bits = 0;
    for (size_t s = 0; s < model_n_spaces(m); s++)
        if (model_space(m, s)->classes.words)
            bits = model_space(m, s)->classes.bits;
    if (bits)
        set_integer(h, META_CLASS_BITS, bits);
}

static void set_features(struct header *h, const struct model *m)
{
    char *at = h->features;
    for (size_t s = SPACE_USER; s < model_n_spaces(m); s++)
        if (model_space_is_embedded(m, s)) {
            if (at > h->features)
                *at++ = ',';
            at = stpcpy(at, model_space_name(m, s));
        }
    if (at > h->features)
        set(h, META_FEATURES, h->features);
}

/* NULL when out of memory; to be freed. */
static struct header *header_create(const struct model *m)
{
    struct header *h = calloc(1, sizeof *h + (MAX_FIELDS + m->n_provenance) * sizeof *h->entries);
    if (!h)
        return NULL;
    char *logit_scale = h->texts[h->n_texts++];
    logit_scale[number_print_f32(logit_scale, m->logit_scale)] = '\0';
    set(h, META_FORMAT, MODEL_FORMAT_VERSION);
    set(h, META_POOLING, pooling_name(m->pooling));
    set(h, META_LOGIT_SCALE, logit_scale);
    set(h, META_SCALING, scaling_name(m->rows.scaling));
    set_row_bits(h, &m->rows);
    set_mapping(h, m);
    set_class_bits(h, m);
    set_features(h, m);
    for (size_t i = 0; i < m->n_provenance; i++)
        set(h, m->provenance[i].name, m->provenance[i].value);
    return h;
}

static enum collide_status check_header(const struct model *m, struct collide_error *err)
{
    if (!isfinite(m->logit_scale))
        return error_set(err, COLLIDE_INVALID, "its %s is not finite", META_LOGIT_SCALE);
    for (size_t i = 0; i < m->n_provenance; i++) {
        const char *name = m->provenance[i].name;
        bool taken = metadata_is_reserved(name);
        for (size_t j = 0; j < i; j++)
            taken |= strcmp(m->provenance[j].name, name) == 0;
        if (taken)
            return error_set(err, COLLIDE_INVALID, "the provenance \"%.64s\" is reserved or there twice",
                             name);
    }
    return COLLIDE_OK;
}

static enum collide_status check_key_space(const struct keys *keys, uint32_t n_ids, const char *space,
                                           struct collide_error *err)
{
    return validate_keys(keys, n_ids, keys->kind == KEYS_STRING ? keys->offsets[n_ids] : 0, space, err);
}

static enum collide_status check_arrays(const struct model *m, struct collide_error *err)
{
    const struct stored_histories *histories = &m->histories;
    enum collide_status status = validate_mapping(m, err);
    if (status == COLLIDE_OK && histories->offsets)
        status = validate_histories(m, histories->offsets[m->user.n_ids + 1ull], err);
    for (size_t s = 0; s < model_n_spaces(m) && status == COLLIDE_OK; s++)
        status =
            check_key_space(&model_space(m, s)->keys, model_space(m, s)->n_ids, model_space_name(m, s), err);
    if (status == COLLIDE_OK)
        status = validate_finite(m, err);
    return status == COLLIDE_OK ? validate_missing_lookups(m, err) : status;
}

/* What the reader would refuse is not written in the first place. */
static enum collide_status check_model(const struct model *m, struct collide_error *err)
{
    struct collide_error detail = {0};
    enum collide_status status = check_header(m, &detail);
    if (status == COLLIDE_OK)
        status = validate_features(m, &detail);
    if (status == COLLIDE_OK)
        status = validate_sizes(m, &detail);
    if (status == COLLIDE_OK)
        status = check_arrays(m, &detail);
    if (status != COLLIDE_OK)
        return error_set(err, COLLIDE_INVALID, "this model cannot be written: %s", detail.text);
    return COLLIDE_OK;
}

static void list_tensors(const struct model *m, struct tensor_list *list)
{
    add_rows(list, m);
    for (size_t s = 0; s < model_n_spaces(m); s++) {
        if (model_space_is_embedded(m, s))
            add_space(list, m, s);
        if (s == SPACE_ITEM && m->bias)
            add(list, TENSOR_BIAS, DTYPE_F32, m->bias, m->item.n_ids + 1ull);
        if (s == SPACE_USER && m->histories.offsets) {
            add(list, TENSOR_HISTORY_OFFSETS, DTYPE_U32, m->histories.offsets, m->user.n_ids + 2ull);
            add(list, TENSOR_HISTORY, DTYPE_U32, m->histories.items,
                m->histories.offsets[m->user.n_ids + 1ull]);
        }
        add_keys(list, model_space_name(m, s), &model_space(m, s)->keys, model_space(m, s)->n_ids);
    }
}

enum collide_status model_write(const struct model *m, const char *path, struct collide_error *err)
{
    enum collide_status status = check_model(m, err);
    if (status != COLLIDE_OK)
        return status;
    struct header *header = header_create(m);
    if (!header)
        return error_no_memory(err, "the model's metadata");
    struct tensor_list list = {.n = 0};
    list_tensors(m, &list);
    status = safetensors_write(path, list.tensors, list.n, header->entries, header->n, err);
    free(header);
    return status;
}
