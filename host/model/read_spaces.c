#include "model/read_parts.h"

#include "base/error.h"
#include "model/fields.h"
#include "model/id_values.h"
#include "model/layout.h"
#include "model/mapping.h"
#include "model/validate.h"

#include <inttypes.h>
#include <stdio.h>

/* A space being read. */
struct reading {
    const struct safetensors *tensors;
    const struct model *model;
    const char *name;
    struct space *space;
};

/* The stored mapping tells how many ids there are; beside any other, the metadata must. */
static enum collide_status read_n_ids(const struct reading *r, const struct tensor *remap,
                                      struct collide_error *err)
{
    char name[TENSOR_NAME_BYTES];
    snprintf(name, sizeof name, META_IDS "%s", r->name);
    uint64_t n = UINT64_MAX;
    enum collide_status status = field_integer(r->tensors, name, 0, UINT32_MAX - 1, &n, err);
    if (status != COLLIDE_OK)
        return status;
    if (n == UINT64_MAX && !remap)
        return field_missing(name, err);
    if (remap && (remap->shape[0] < 1 || remap->shape[0] > UINT32_MAX))
        return error_set(err, COLLIDE_CORRUPT, "tensor %s needs one entry an id and one for the unknown id",
                         remap->name);
    if (remap && n != UINT64_MAX && n + 1 != remap->shape[0])
        return error_set(err, COLLIDE_CORRUPT, "%s is %" PRIu64 ", but tensor %s is of %" PRIu64 " ids", name,
                         n, remap->name, remap->shape[0] - 1);
    r->space->n_ids = (uint32_t)(remap ? remap->shape[0] - 1 : n);
    return COLLIDE_OK;
}

static enum collide_status refuse_tensor_of(const struct reading *r, const char *name_format, const char *why,
                                            struct collide_error *err)
{
    char name[TENSOR_NAME_BYTES];
    snprintf(name, sizeof name, name_format, r->name);
    return field_refuse(r->tensors, name, why, err);
}

/* The tensor that this kind of mapping needs, NULL where that is none, and no other. */
static enum collide_status find_remap(const struct reading *r, const struct tensor **out,
                                      struct collide_error *err)
{
    const struct row_mapping *mapping = &r->model->mapping;
    bool stored = mapping->kind == MAPPING_STORED, packed = mapping->kind == MAPPING_PACKED;
    const char *name = stored ? TENSOR_REMAP : TENSOR_PACKED;
    enum collide_status status = COLLIDE_OK;
    if (!stored)
        status = refuse_tensor_of(r, TENSOR_REMAP, META_MAPPING " says that the mapping is not stored", err);
    if (status == COLLIDE_OK && !packed)
        status = refuse_tensor_of(r, TENSOR_PACKED, META_MAPPING " says that the mapping is not packed", err);
    if (status != COLLIDE_OK || (!stored && !packed))
        return status;
    unsigned n_dims = stored && mapping->n_lookups > 1 ? 2 : 1;
    status = field_tensor_of(r->tensors, name, r->name, DTYPE_U32, n_dims, out, err);
    if (status != COLLIDE_OK || *out)
        return status;
    char missing[TENSOR_NAME_BYTES];
    snprintf(missing, sizeof missing, name, r->name);
    return field_missing(missing, err);
}

/* Whether they are rows of the table is for validate_sizes to say. */
static enum collide_status read_own_rows(const struct reading *r, struct collide_error *err)
{
    char name[TENSOR_NAME_BYTES];
    struct own_rows *rows = &r->space->own_rows;
    snprintf(name, sizeof name, META_OWN_ROWS "%s", r->name);
    enum collide_status status = field_pair(r->tensors, name, &rows->first, &rows->n, err);
    if (status == COLLIDE_OK && safetensors_metadata(r->tensors, name) && rows->n == 0)
        status = error_set(err, COLLIDE_CORRUPT, "%s is of no rows", name);
    return status;
}

/* The stored mapping tells how many rows an id there are; of a packed one, the metadata if they are fewer. */
static enum collide_status read_n_lookups(const struct reading *r, const struct tensor *stored,
                                          struct collide_error *err)
{
    const struct row_mapping *mapping = &r->model->mapping;
    char name[TENSOR_NAME_BYTES];
    uint64_t n = mapping->n_lookups;
    snprintf(name, sizeof name, META_LOOKUPS_OF "%s", r->name);
    if (mapping->kind != MAPPING_PACKED) {
        enum collide_status status = field_refuse(r->tensors, name, "it goes with packed mappings only", err);
        if (status != COLLIDE_OK)
            return status;
    }
    if (stored && stored->n_dims == 2)
        n = stored->shape[1];
    if (n < 1 || n > mapping->n_lookups || (n < mapping->n_lookups && mapping->combine != COMBINE_SUM))
        return error_set(err, COLLIDE_CORRUPT,
                         "tensor %s has %" PRIu64 " rows an id where %s says %" PRIu32
                         "; they may be fewer if they are summed",
                         stored->name, n, META_LOOKUPS, mapping->n_lookups);
    enum collide_status status = field_integer(r->tensors, name, 1, mapping->n_lookups, &n, err);
    r->space->n_lookups = (uint32_t)n;
    return status;
}

static enum collide_status read_mapping(const struct reading *r, struct collide_error *err)
{
    const struct row_mapping *mapping = &r->model->mapping;
    const struct tensor *remap = NULL;
    enum collide_status status = read_own_rows(r, err);
    if (status == COLLIDE_OK)
        status = find_remap(r, &remap, err);
    const struct tensor *stored = mapping->kind == MAPPING_STORED ? remap : NULL;
    if (status == COLLIDE_OK)
        status = read_n_ids(r, stored, err);
    if (status == COLLIDE_OK)
        status = read_n_lookups(r, stored, err);
    if (status != COLLIDE_OK || !remap)
        return status;
    r->space->remap = remap->data;
    if (mapping->kind == MAPPING_PACKED)
        return field_length(
            remap, mapping_n_words((r->space->n_ids + 1ull) * r->space->n_lookups, mapping->bits), err);
    return COLLIDE_OK;
}

/* A per-id array, which the file may leave out. */
static enum collide_status read_per_id(const struct tensor *t, uint32_t n_ids, const float **out,
                                       struct collide_error *err)
{
    if (!t)
        return COLLIDE_OK;
    *out = t->data;
    return field_length(t, n_ids + 1ull, err);
}

/* One of a space's tables of classes; name_format: such as TENSOR_CLASS_WEIGHTS. */
static enum collide_status read_class_table(const struct reading *r, const char *name_format,
                                            const float **out, struct collide_error *err)
{
    char name[TENSOR_NAME_BYTES];
    const struct tensor *t = NULL;
    snprintf(name, sizeof name, name_format, r->name);
    enum collide_status status = field_tensor(r->tensors, name, DTYPE_F32, 1, &t, err);
    if (status != COLLIDE_OK)
        return status;
    if (!t)
        return field_missing(name, err);
    *out = t->data;
    return field_length(t, model_n_classes(r->space->classes.bits), err);
}

static enum collide_status read_class_codes(const struct reading *r, const struct tensor *codes,
                                            struct collide_error *err)
{
    struct id_classes *classes = &r->space->classes;
    uint64_t bits = 0;
    enum collide_status status =
        field_integer(r->tensors, META_CLASS_BITS, 1, MODEL_MAX_CLASS_BITS, &bits, err);
    if (status == COLLIDE_OK && bits == 0)
        status = field_missing(META_CLASS_BITS, err);
    if (status != COLLIDE_OK)
        return status;
    classes->bits = (uint32_t)bits;
    classes->words = codes->data;
    return field_length(codes, model_n_class_words(r->space), err);
}

/* Values by class, in place of those by id. */
static enum collide_status read_classes(const struct reading *r, const struct tensor *codes,
                                        struct collide_error *err)
{
    struct id_classes *classes = &r->space->classes;
    const bool is_item = r->space == &r->model->item;
    enum collide_status status = read_class_codes(r, codes, err);
    if (status == COLLIDE_OK)
        status = read_class_table(r, TENSOR_CLASS_WEIGHTS, &classes->weights, err);
    if (status == COLLIDE_OK && is_item)
        status = read_class_table(r, TENSOR_CLASS_BIAS, &classes->bias, err);
    if (status == COLLIDE_OK)
        status = refuse_tensor_of(r, TENSOR_WEIGHTS, "the ids have weights by class", err);
    if (status == COLLIDE_OK && is_item)
        status = field_refuse(r->tensors, TENSOR_BIAS, "the items have biases by class", err);
    return status;
}

static enum collide_status read_weights(const struct reading *r, struct collide_error *err)
{
    const struct tensor *t = NULL, *codes = NULL;
    enum collide_status status =
        field_tensor_of(r->tensors, TENSOR_CLASSES, r->name, DTYPE_U32, 1, &codes, err);
    if (status == COLLIDE_OK && codes)
        return read_classes(r, codes, err);
    if (status == COLLIDE_OK)
        status = refuse_tensor_of(r, TENSOR_CLASS_WEIGHTS, "the ids have no classes", err);
    if (status == COLLIDE_OK)
        status = field_tensor_of(r->tensors, TENSOR_WEIGHTS, r->name, DTYPE_F32, 1, &t, err);
    return status == COLLIDE_OK ? read_per_id(t, r->space->n_ids, &r->space->weights, err) : status;
}

static enum collide_status read_lookup_weights(const struct reading *r, struct collide_error *err)
{
    const struct tensor *t = NULL;
    enum collide_status status =
        field_tensor_of(r->tensors, TENSOR_LOOKUP_WEIGHTS, r->name, DTYPE_F32, 2, &t, err);
    if (status != COLLIDE_OK || !t)
        return status;
    if (t->shape[1] != r->space->n_lookups)
        return error_set(err, COLLIDE_CORRUPT,
                         "tensor %s has %" PRIu64 " weights an id, which has %" PRIu32 " rows", t->name,
                         t->shape[1], r->space->n_lookups);
    return read_per_id(t, r->space->n_ids, &r->space->lookup_weights, err);
}

static enum collide_status read_bias(const struct reading *items, struct model *m, struct collide_error *err)
{
    const struct tensor *bias = NULL;
    if (m->item.classes.words)
        return COLLIDE_OK;
    enum collide_status status =
        field_refuse(items->tensors, TENSOR_CLASS_BIAS, "the items have no classes", err);
    if (status == COLLIDE_OK)
        status = field_tensor(items->tensors, TENSOR_BIAS, DTYPE_F32, 1, &bias, err);
    return status == COLLIDE_OK ? read_per_id(bias, m->item.n_ids, &m->bias, err) : status;
}

/* Bits of codes that nobody has were meant for something. */
static enum collide_status check_class_bits(const struct reading *items, struct collide_error *err)
{
    const struct model *m = items->model;
    for (size_t s = 0; s < model_n_spaces(m); s++)
        if (model_space(m, s)->classes.words)
            return COLLIDE_OK;
    return field_refuse(items->tensors, META_CLASS_BITS, "no ids have classes", err);
}

static enum collide_status read_keys(const struct reading *r, struct collide_error *err)
{
    struct keys *keys = &r->space->keys;
    uint32_t n_ids = r->space->n_ids;
    const struct tensor *u64 = NULL, *bytes = NULL, *offsets = NULL, *slots = NULL;
    enum collide_status status = field_tensor_of(r->tensors, TENSOR_KEYS, r->name, DTYPE_U64, 1, &u64, err);
    if (status == COLLIDE_OK)
        status = field_tensor_of(r->tensors, TENSOR_KEY_BYTES, r->name, DTYPE_U8, 1, &bytes, err);
    if (status == COLLIDE_OK)
        status = field_tensor_of(r->tensors, TENSOR_KEY_OFFSETS, r->name, DTYPE_U64, 1, &offsets, err);
    if (status == COLLIDE_OK)
        status = field_tensor_of(r->tensors, TENSOR_KEY_SLOTS, r->name, DTYPE_U32, 1, &slots, err);
    if (status != COLLIDE_OK)
        return status;
    if (!u64 && !bytes && !offsets && !slots)
        return COLLIDE_OK;
    if (!slots || !bytes != !offsets || !u64 == !bytes)
        return error_set(
            err, COLLIDE_CORRUPT,
            "%s ids need the tensors key_slots and either keys or both key_bytes and key_offsets", r->name);
    keys->kind = u64 ? KEYS_U64 : KEYS_STRING;
    keys->slots = slots->data;
    keys->n_slots = slots->shape[0] <= UINT32_MAX ? (uint32_t)slots->shape[0] : 0;
    if (u64) {
        keys->u64 = u64->data;
        status = field_length(u64, n_ids, err);
    } else {
        keys->bytes = bytes->data;
        keys->offsets = offsets->data;
        status = field_length(offsets, n_ids + 1ull, err);
    }
    return status == COLLIDE_OK ? validate_keys(keys, n_ids, bytes ? bytes->n_bytes : 0, r->name, err)
                                : status;
}

static enum collide_status read_embedded(const struct reading *r, struct collide_error *err)
{
    enum collide_status status = read_mapping(r, err);
    if (status == COLLIDE_OK)
        status = read_weights(r, err);
    if (status == COLLIDE_OK)
        status = read_lookup_weights(r, err);
    return status == COLLIDE_OK ? read_keys(r, err) : status;
}

static enum collide_status read_histories(const struct safetensors *s, struct model *m,
                                          struct collide_error *err)
{
    const struct tensor *offsets = NULL, *history = NULL;
    enum collide_status status = field_tensor(s, TENSOR_HISTORY_OFFSETS, DTYPE_U32, 1, &offsets, err);
    if (status == COLLIDE_OK)
        status = field_tensor(s, TENSOR_HISTORY, DTYPE_U32, 1, &history, err);
    if (status != COLLIDE_OK || (!offsets && !history))
        return status;
    if (!offsets || !history)
        return field_missing(offsets ? TENSOR_HISTORY : TENSOR_HISTORY_OFFSETS, err);
    if (offsets->shape[0] < 2 || offsets->shape[0] > UINT32_MAX)
        return error_set(err, COLLIDE_CORRUPT, "tensor %s needs two entries more than there are users",
                         TENSOR_HISTORY_OFFSETS);
    if (!m->user_is_embedded)
        m->user.n_ids = (uint32_t)(offsets->shape[0] - 2);
    status = field_length(offsets, m->user.n_ids + 2ull, err);
    if (status != COLLIDE_OK)
        return status;
    m->histories.offsets = offsets->data;
    m->histories.items = history->data;
    return validate_histories(m, history->shape[0], err);
}

/* Users who have histories only have keys only. */
static enum collide_status read_users(const struct reading *r, struct model *m, struct collide_error *err)
{
    static const char *const parts[] = {TENSOR_REMAP,          TENSOR_PACKED,  TENSOR_WEIGHTS,
                                        TENSOR_LOOKUP_WEIGHTS, TENSOR_CLASSES, TENSOR_CLASS_WEIGHTS};
    enum collide_status status = COLLIDE_OK;
    if (m->user_is_embedded)
        status = read_embedded(r, err);
    for (size_t i = 0; !m->user_is_embedded && i < sizeof parts / sizeof parts[0] && status == COLLIDE_OK;
         i++)
        status = refuse_tensor_of(r, parts[i], META_FEATURES " does not begin with " SPACE_NAME_USER, err);
    if (status == COLLIDE_OK)
        status = read_histories(r->tensors, m, err);
    if (status == COLLIDE_OK && !m->user_is_embedded && m->histories.offsets)
        status = read_keys(r, err);
    return status;
}

enum collide_status read_spaces(struct model_file *f, struct collide_error *err)
{
    struct model *m = &f->model;
    const struct reading items = {f->tensors, m, SPACE_NAME_ITEM, &m->item},
                         users = {f->tensors, m, SPACE_NAME_USER, &m->user};
    enum collide_status status = read_embedded(&items, err);
    if (status == COLLIDE_OK)
        status = read_bias(&items, m, err);
    if (status == COLLIDE_OK)
        status = read_users(&users, m, err);
    for (size_t i = 0; i < m->n_features && status == COLLIDE_OK; i++) {
        struct feature *feature = &f->features[i];
        status = read_embedded(&(struct reading){f->tensors, m, feature->name, &feature->space}, err);
    }
    if (status == COLLIDE_OK)
        status = check_class_bits(&items, err);
    return status == COLLIDE_OK ? validate_mapping(m, err) : status;
}
