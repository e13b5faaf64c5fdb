#include "model/validate.h"

#include "base/error.h"
#include "model/layout.h"
#include "model/mapping.h"

#include <inttypes.h>
#include <string.h>

static bool is_name(const char *name)
{
    static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    size_t n = strlen(name);
    return n >= 1 && n <= FEATURE_NAME_MAX_CHARS && strspn(name, chars) == n &&
           strcmp(name, SPACE_NAME_ITEM) != 0 && strcmp(name, SPACE_NAME_USER) != 0;
}

enum collide_status validate_features(const struct model *m, struct collide_error *err)
{
    if (m->n_features > MODEL_MAX_FEATURES)
        return error_set(err, COLLIDE_CORRUPT, "%s names more than %d features", META_FEATURES,
                         MODEL_MAX_FEATURES);
    for (size_t i = 0; i < m->n_features; i++) {
        const char *name = m->features[i].name;
        bool taken = false;
        for (size_t k = 0; k < i; k++)
            taken |= strcmp(m->features[k].name, name) == 0;
        if (taken || !is_name(name))
            return error_set(
                err, COLLIDE_CORRUPT,
                "%s names \"%.40s\"; features need names of their own, of 1 to %d letters, digits "
                "and underscores, and \"" SPACE_NAME_USER "\" goes first",
                META_FEATURES, name, FEATURE_NAME_MAX_CHARS);
    }
    return COLLIDE_OK;
}

static enum collide_status check_rows(const struct model *m, struct collide_error *err)
{
    static const unsigned scalings[] = {[PRECISION_F32] = 1 << SCALING_NONE,
                                        [PRECISION_F16] = 1 << SCALING_NONE,
                                        [PRECISION_I8] =
                                            1 << SCALING_ROW | 1 << SCALING_ROW_OFFSET | 1 << SCALING_DIM,
                                        [PRECISION_I4] = 1 << SCALING_ROW_OFFSET,
                                        [PRECISION_I3] = 1 << SCALING_ROW_OFFSET,
                                        [PRECISION_I2] = 1 << SCALING_ROW_OFFSET};
    const struct row_table *rows = &m->rows;
    if (m->dim < 1 || m->dim > MODEL_MAX_DIM || rows->n < 1)
        return error_set(err, COLLIDE_CORRUPT,
                         "there are %" PRIu32 " rows for dim %" PRIu32
                         "; there must be some, and a dim of 1 to %d",
                         rows->n, m->dim, MODEL_MAX_DIM);
    if (!(scalings[rows->precision] >> rows->scaling & 1))
        return error_set(err, COLLIDE_CORRUPT, "%s rows cannot have the %s %s",
                         precision_name(rows->precision), META_SCALING, scaling_name(rows->scaling));
    if (rows->width % precision_width_unit(rows->precision) != 0)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s rows have %" PRIu32 " values, no multiple of %" PRIu32
                         ": they are no whole bytes",
                         precision_name(rows->precision), rows->width, precision_width_unit(rows->precision));
    if (!rows->scales != (rows->scaling == SCALING_NONE))
        return error_set(err, COLLIDE_CORRUPT, "%s does not go with %s %s", TENSOR_SCALES, META_SCALING,
                         scaling_name(rows->scaling));
    return COLLIDE_OK;
}

/* Quotients begin behind the remainders, and end before the unknown ids' row. */
static enum collide_status check_divisor(const struct model *m, struct collide_error *err)
{
    const uint32_t divisor = m->mapping.divisor;
    if (divisor < 1)
        return error_set(err, COLLIDE_CORRUPT, "%s is 0; it must be at least 1", META_DIVISOR);
    for (size_t s = 0; s < model_n_spaces(m); s++) {
        const struct own_rows *own = &model_space(m, s)->own_rows;
        uint64_t n_ids = model_space(m, s)->n_ids, n = divisor + (n_ids + divisor - 1) / divisor + 1;
        uint64_t n_rows = own->n ? own->n + 1ull : m->rows.n;
        if (model_space_is_embedded(m, s) && n > n_rows)
            return error_set(err, COLLIDE_CORRUPT,
                             "%s is %" PRIu32 ": %" PRIu64 " %s ids then need %" PRIu64
                             " rows, the last being that of unknown ids, and there are %" PRIu64,
                             META_DIVISOR, divisor, n_ids, model_space_name(m, s), n, n_rows);
    }
    return COLLIDE_OK;
}

static enum collide_status check_computed(const struct model *m, struct collide_error *err)
{
    const struct row_mapping *mapping = &m->mapping;
    const uint32_t wanted = mapping->kind == MAPPING_MODULO     ? 1
                            : mapping->kind == MAPPING_QUOTIENT ? 2
                                                                : mapping->n_lookups;
    if (m->rows.n < 2)
        return error_set(err, COLLIDE_CORRUPT,
                         "a %s mapping needs 2 rows at least, the last being that of unknown ids",
                         mapping_kind_name(mapping->kind));
    if (mapping->n_lookups != wanted)
        return error_set(err, COLLIDE_CORRUPT, "%s is %" PRIu32 "; a %s mapping has %" PRIu32, META_LOOKUPS,
                         mapping->n_lookups, mapping_kind_name(mapping->kind), wanted);
    return mapping->kind == MAPPING_QUOTIENT ? check_divisor(m, err) : COLLIDE_OK;
}

static enum collide_status check_mapping(const struct model *m, struct collide_error *err)
{
    const struct row_mapping *mapping = &m->mapping;
    if (mapping->n_lookups < 1 || mapping->n_lookups > MODEL_MAX_LOOKUPS)
        return error_set(err, COLLIDE_CORRUPT, "%s is %" PRIu32 "; it must be from 1 to %d", META_LOOKUPS,
                         mapping->n_lookups, MODEL_MAX_LOOKUPS);
    if (mapping->combine != COMBINE_CONCAT && mapping->n_parts > 1)
        return error_set(err, COLLIDE_CORRUPT, "%s is %" PRIu32 ", but there are parts with %s concat only",
                         META_PARTS, mapping->n_parts, META_COMBINE);
    uint32_t parts = mapping_n_parts(mapping);
    if (mapping->n_lookups % parts != 0)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s is %" PRIu32 ", which does not divide the %" PRIu32 " of %s", META_PARTS, parts,
                         mapping->n_lookups, META_LOOKUPS);
    if ((uint64_t)m->rows.width * parts != m->dim)
        return error_set(err, COLLIDE_CORRUPT,
                         "%" PRIu32 " rows of %" PRIu32 " values do not make up dim %" PRIu32, parts,
                         m->rows.width, m->dim);
    if (mapping->kind == MAPPING_PACKED && (mapping->bits < 1 || mapping->bits > 32))
        return error_set(err, COLLIDE_CORRUPT, "%s is %" PRIu32 "; it must be from 1 to 32",
                         META_MAPPING_BITS, mapping->bits);
    return mapping_is_computed(mapping->kind) ? check_computed(m, err) : COLLIDE_OK;
}

/* Some space has all of the lookups; others may have fewer, where what is missing adds nothing. */
static enum collide_status check_lookups(const struct model *m, struct collide_error *err)
{
    const struct row_mapping *mapping = &m->mapping;
    bool may_miss = mapping->combine == COMBINE_SUM && !mapping_is_computed(mapping->kind);
    uint32_t most = 0;
    for (size_t s = 0; s < model_n_spaces(m); s++) {
        uint32_t n = space_n_lookups(m, model_space(m, s));
        if (!model_space_is_embedded(m, s))
            continue;
        most = n > most ? n : most;
        if (model_space(m, s)->lookup_weights && mapping->combine != COMBINE_SUM)
            return error_set(err, COLLIDE_CORRUPT, "%s.lookup_weights goes with %s sum only",
                             model_space_name(m, s), META_COMBINE);
        if (n > mapping->n_lookups || (n < mapping->n_lookups && !may_miss))
            return error_set(err, COLLIDE_CORRUPT,
                             "%s ids have %" PRIu32 " rows where %s says %" PRIu32
                             "; they may be fewer in stored and packed mappings whose rows are summed",
                             model_space_name(m, s), n, META_LOOKUPS, mapping->n_lookups);
    }
    if (most < mapping->n_lookups)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s is %" PRIu32 ", but no space has more than %" PRIu32 " rows an id", META_LOOKUPS,
                         mapping->n_lookups, most);
    return COLLIDE_OK;
}

static enum collide_status check_own_rows(const struct model *m, size_t s, struct collide_error *err)
{
    const struct own_rows *rows = &model_space(m, s)->own_rows;
    const uint32_t n_lookups = space_n_lookups(m, model_space(m, s));
    const char *name = model_space_name(m, s);
    if (rows->n == 0)
        return COLLIDE_OK;
    if (m->mapping.kind == MAPPING_STORED || !model_space_is_embedded(m, s))
        return error_set(
            err, COLLIDE_CORRUPT,
            META_OWN_ROWS "%s is there, but only packed and computed mappings have rows of a space", name);
    if ((uint64_t)rows->first + rows->n >= m->rows.n)
        return error_set(err, COLLIDE_CORRUPT,
                         META_OWN_ROWS "%s names %" PRIu32 " rows from %" PRIu32 " on of %" PRIu32
                                       ", the last of which is that of unknown ids",
                         name, rows->n, rows->first, m->rows.n);
    if (m->mapping.kind == MAPPING_PACKED && rows->n % n_lookups != 0)
        return error_set(err, COLLIDE_CORRUPT,
                         META_OWN_ROWS "%s names %" PRIu32 " rows, which do not make %" PRIu32
                                       " codebooks of one size",
                         name, rows->n, n_lookups);
    return COLLIDE_OK;
}

/* Classes are there with all that belongs to them, and instead of what they replace. */
static enum collide_status check_classes(const struct model *m, size_t s, uint32_t *bits,
                                         struct collide_error *err)
{
    const struct space *space = model_space(m, s);
    const struct id_classes *classes = &space->classes;
    const char *name = model_space_name(m, s);
    const bool has = classes->words != NULL, has_bias = has && s == SPACE_ITEM;
    if (has &&
        (classes->bits < 1 || classes->bits > MODEL_MAX_CLASS_BITS || (*bits && *bits != classes->bits)))
        return error_set(err, COLLIDE_CORRUPT,
                         "%s is %" PRIu32 " of %s ids; it must be from 1 to %d, and the same for all spaces",
                         META_CLASS_BITS, classes->bits, name, MODEL_MAX_CLASS_BITS);
    if (has && (space->weights || (has_bias && m->bias) || !model_space_is_embedded(m, s)))
        return error_set(err, COLLIDE_CORRUPT,
                         "%s ids have classes beside weights or biases of their own, or no embeddings", name);
    if ((classes->weights != NULL) != has || (classes->bias != NULL) != has_bias)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s.classes, %s.class_weights and, of items, %s go together or not at all", name,
                         name, TENSOR_CLASS_BIAS);
    if (has)
        *bits = classes->bits;
    return COLLIDE_OK;
}

static enum collide_status check_spaces(const struct model *m, struct collide_error *err)
{
    if (model_entry_base(m, model_n_spaces(m)) > UINT32_MAX)
        return error_set(err, COLLIDE_CORRUPT,
                         "items, users and features are more than 2^32 - 1 ids together");
    if (m->user_is_embedded && m->user.n_ids == 0)
        return error_set(err, COLLIDE_CORRUPT, "users are embedded, but there are none");
    if (m->user.n_ids > 0 && !m->user_is_embedded && !m->histories.offsets)
        return error_set(err, COLLIDE_CORRUPT, "there are users who have neither histories nor embeddings");
    enum collide_status status = COLLIDE_OK;
    uint32_t class_bits = 0;
    for (size_t s = 0; s < model_n_spaces(m) && status == COLLIDE_OK; s++) {
        status = check_own_rows(m, s, err);
        if (status == COLLIDE_OK)
            status = check_classes(m, s, &class_bits, err);
    }
    return status;
}

enum collide_status validate_sizes(const struct model *m, struct collide_error *err)
{
    enum collide_status status = check_rows(m, err);
    if (status == COLLIDE_OK)
        status = check_mapping(m, err);
    if (status == COLLIDE_OK)
        status = check_lookups(m, err);
    return status == COLLIDE_OK ? check_spaces(m, err) : status;
}
