#include "model/read_parts.h"

#include "base/error.h"
#include "model/fields.h"
#include "model/layout.h"

#include <stdlib.h>
#include <string.h>

static enum collide_status read_format(const struct safetensors *s, struct collide_error *err)
{
    const char *format = safetensors_metadata(s, META_FORMAT);
    if (!format)
        return error_set(err, COLLIDE_CORRUPT, "not a collide model: the metadata has no %s", META_FORMAT);
    if (strcmp(format, MODEL_FORMAT_VERSION) != 0)
        return error_set(err, COLLIDE_UNSUPPORTED, "%s is \"%.16s\"; this program reads \"%s\"", META_FORMAT,
                         format, MODEL_FORMAT_VERSION);
    return COLLIDE_OK;
}

static enum collide_status read_pooling(const struct safetensors *s, struct model *m,
                                        struct collide_error *err)
{
    const char *const texts[] = {pooling_name(POOLING_SUM), pooling_name(POOLING_MEAN),
                                 pooling_name(POOLING_NORMALISED), pooling_name(POOLING_MAX)};
    unsigned pooling = POOLING_SUM;
    enum collide_status status = field_choice(s, META_POOLING, texts, POOLING_MAX + 1, &pooling, err);
    m->pooling = pooling;
    m->logit_scale = 1.0f;
    return status == COLLIDE_OK ? field_number(s, META_LOGIT_SCALE, &m->logit_scale, err) : status;
}

static enum collide_status read_lookups(const struct safetensors *s, struct row_mapping *mapping,
                                        struct collide_error *err)
{
    const char *const texts[] = {combine_name(COMBINE_SUM), combine_name(COMBINE_MULTIPLY),
                                 combine_name(COMBINE_CONCAT)};
    unsigned combine = COMBINE_SUM;
    uint64_t n_lookups = 1, n_parts = 0;
    enum collide_status status = field_choice(s, META_COMBINE, texts, COMBINE_CONCAT + 1, &combine, err);
    if (status == COLLIDE_OK)
        status = field_integer(s, META_LOOKUPS, 1, MODEL_MAX_LOOKUPS, &n_lookups, err);
    if (status == COLLIDE_OK)
        status = field_integer(s, META_PARTS, 1, MODEL_MAX_LOOKUPS, &n_parts, err);
    mapping->combine = combine;
    mapping->n_lookups = (uint32_t)n_lookups;
    mapping->n_parts = (uint32_t)n_parts;
    return status;
}

static enum collide_status read_mapping_kind(const struct safetensors *s, struct row_mapping *mapping,
                                             struct collide_error *err)
{
    const char *const texts[] = {mapping_kind_name(MAPPING_STORED), mapping_kind_name(MAPPING_PACKED),
                                 mapping_kind_name(MAPPING_HASHED), mapping_kind_name(MAPPING_MODULO),
                                 mapping_kind_name(MAPPING_QUOTIENT)};
    unsigned kind = MAPPING_STORED;
    uint64_t bits = 0, divisor = 0;
    enum collide_status status = field_choice(s, META_MAPPING, texts, MAPPING_QUOTIENT + 1, &kind, err);
    if (status == COLLIDE_OK && kind != MAPPING_HASHED)
        status = field_refuse(s, META_SEED, "it goes with hashed mappings only", err);
    if (status == COLLIDE_OK && kind != MAPPING_PACKED)
        status = field_refuse(s, META_MAPPING_BITS, "it goes with packed mappings only", err);
    if (status == COLLIDE_OK && kind != MAPPING_QUOTIENT)
        status = field_refuse(s, META_DIVISOR, "it goes with quotient mappings only", err);
    if (status == COLLIDE_OK)
        status = field_integer(s, META_SEED, 0, UINT64_MAX, &mapping->seed, err);
    if (status == COLLIDE_OK)
        status = field_integer(s, META_MAPPING_BITS, 1, 32, &bits, err);
    if (status == COLLIDE_OK && kind == MAPPING_PACKED && bits == 0)
        status = field_missing(META_MAPPING_BITS, err);
    if (status == COLLIDE_OK)
        status = field_integer(s, META_DIVISOR, 1, UINT32_MAX, &divisor, err);
    if (status == COLLIDE_OK && kind == MAPPING_QUOTIENT && divisor == 0)
        status = field_missing(META_DIVISOR, err);
    mapping->divisor = (uint32_t)divisor;
    mapping->kind = kind;
    mapping->bits = (uint32_t)bits;
    return status;
}

/* "user", if users are embedded, then the features, by commas. What is wrong with a name, and an absent one,
 * is for validate_sizes to say. */
static enum collide_status read_features(struct model_file *f, struct collide_error *err)
{
    const char *list = safetensors_metadata(f->tensors, META_FEATURES);
    if (!list)
        return COLLIDE_OK;
    struct model *m = &f->model;
    f->feature_names = strdup(list);
    f->features = calloc(MODEL_MAX_FEATURES, sizeof *f->features);
    if (!f->feature_names || !f->features)
        return error_no_memory(err, "the model's features");
    m->features = f->features;
    char *rest = f->feature_names, *name = strsep(&rest, ",");
    m->user_is_embedded = strcmp(name, SPACE_NAME_USER) == 0;
    if (m->user_is_embedded)
        name = strsep(&rest, ",");
    for (; name; name = strsep(&rest, ",")) {
        if (m->n_features == MODEL_MAX_FEATURES)
            return error_set(err, COLLIDE_CORRUPT, "%s names more than %d features", META_FEATURES,
                             MODEL_MAX_FEATURES);
        f->features[m->n_features++].name = name;
    }
    return COLLIDE_OK;
}

/* What is said of a space that is not there is said under a wrong name. */
static enum collide_status check_spaces_named(const struct model_file *f, const char *prefix,
                                              struct collide_error *err)
{
    const struct model *m = &f->model;
    for (size_t i = 0; i < safetensors_n_metadata(f->tensors); i++) {
        const char *name = safetensors_metadata_entry(f->tensors, i).name;
        if (strncmp(name, prefix, strlen(prefix)) != 0)
            continue;
        const char *space = name + strlen(prefix);
        bool known = strcmp(space, SPACE_NAME_ITEM) == 0 ||
                     (m->user_is_embedded && strcmp(space, SPACE_NAME_USER) == 0);
        for (size_t k = 0; k < m->n_features; k++)
            known |= strcmp(space, m->features[k].name) == 0;
        if (!known)
            return error_set(err, COLLIDE_CORRUPT, "%.64s is there, but %s does not name that space", name,
                             META_FEATURES);
    }
    return COLLIDE_OK;
}

enum collide_status read_header(struct model_file *f, struct collide_error *err)
{
    struct model *m = &f->model;
    enum collide_status status = read_format(f->tensors, err);
    if (status == COLLIDE_OK)
        status = read_pooling(f->tensors, m, err);
    if (status == COLLIDE_OK)
        status = read_lookups(f->tensors, &m->mapping, err);
    if (status == COLLIDE_OK)
        status = read_mapping_kind(f->tensors, &m->mapping, err);
    if (status == COLLIDE_OK)
        status = read_features(f, err);
    if (status == COLLIDE_OK)
        status = check_spaces_named(f, META_IDS, err);
    if (status == COLLIDE_OK)
        status = check_spaces_named(f, META_LOOKUPS_OF, err);
    return status == COLLIDE_OK ? check_spaces_named(f, META_OWN_ROWS, err) : status;
}
