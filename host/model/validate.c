#include "model/validate.h"

#include "base/error.h"
#include "model/id_values.h"
#include "model/layout.h"
#include "model/mapping.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The index of the first value that is at or above limit, or n. The loop over a whole block has no exit, so
 * that it becomes vector code; the block with the offender is then searched. */
static uint64_t first_at_or_above(const uint32_t *values, uint64_t n, uint32_t limit)
{
    enum { BLOCK = 4096 };
    for (uint64_t begin = 0; begin < n; begin += BLOCK) {
        uint64_t end = n - begin < BLOCK ? n : begin + BLOCK;
        uint32_t largest = 0;
        for (uint64_t i = begin; i < end; i++)
            largest = values[i] > largest ? values[i] : largest;
        for (uint64_t i = begin; largest >= limit && i < end; i++)
            if (values[i] >= limit)
                return i;
    }
    return n;
}

/* The first entry of a packed mapping that is at or above the number of rows to choose from, or n. The
 * unknown id's are not read where the space has rows of its own. */
static uint64_t first_beyond_rows(const struct model *m, const struct space *space, uint64_t n)
{
    uint32_t n_choices = mapping_n_choices(m, space);
    uint64_t n_read = space->own_rows.n ? n - space_n_lookups(m, space) : n;
    for (uint64_t e = 0; e < n_read; e++)
        if (mapping_unpack(space->remap, e, m->mapping.bits) >= n_choices)
            return e;
    return n;
}

static enum collide_status check_entries(const struct model *m, size_t s, struct collide_error *err)
{
    const struct space *space = model_space(m, s);
    uint32_t n_lookups = space_n_lookups(m, space);
    uint64_t n = (space->n_ids + 1ull) * n_lookups;
    if (!space->remap)
        return error_set(err, COLLIDE_CORRUPT, "the %s ids have no mapping", model_space_name(m, s));
    const bool is_stored = m->mapping.kind == MAPPING_STORED;
    uint64_t bad = is_stored ? first_at_or_above(space->remap, n, m->rows.n) : first_beyond_rows(m, space, n);
    if (bad == n)
        return COLLIDE_OK;
    char name[TENSOR_NAME_BYTES];
    snprintf(name, sizeof name, is_stored ? TENSOR_REMAP : TENSOR_PACKED, model_space_name(m, s));
    return error_set(err, COLLIDE_CORRUPT, "%s maps id %" PRIu32 " to row %" PRIu32 " of %" PRIu32 "%s", name,
                     (uint32_t)(bad / n_lookups),
                     is_stored ? space->remap[bad] : mapping_unpack(space->remap, bad, m->mapping.bits),
                     mapping_n_choices(m, space), space->own_rows.n ? " of a codebook" : "");
}

enum collide_status validate_mapping(const struct model *m, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    for (size_t s = 0; s < model_n_spaces(m) && !mapping_is_computed(m->mapping.kind) && status == COLLIDE_OK;
         s++)
        if (model_space_is_embedded(m, s))
            status = check_entries(m, s, err);
    return status;
}

enum collide_status validate_histories(const struct model *m, uint64_t n_history, struct collide_error *err)
{
    const struct space *user = &m->user;
    uint64_t last = (uint64_t)user->n_ids + 1;
    for (uint64_t u = 0; u < last; u++)
        if (m->histories.offsets[u] > m->histories.offsets[u + 1])
            return error_set(err, COLLIDE_CORRUPT, "%s falls at user %" PRIu64, TENSOR_HISTORY_OFFSETS, u);
    if (m->histories.offsets[0] != 0 || m->histories.offsets[last] != n_history ||
        m->histories.offsets[last - 1] != n_history)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s must start at 0 and end twice at %" PRIu64
                         ", the length of %s (the last list, that of "
                         "the unknown user, is empty)",
                         TENSOR_HISTORY_OFFSETS, n_history, TENSOR_HISTORY);
    uint64_t bad = first_at_or_above(m->histories.items, n_history, m->item.n_ids);
    if (bad < n_history)
        return error_set(err, COLLIDE_CORRUPT, "%s holds item %" PRIu32 " of %" PRIu32, TENSOR_HISTORY,
                         m->histories.items[bad], m->item.n_ids);
    return COLLIDE_OK;
}

enum collide_status validate_keys(const struct keys *keys, uint32_t n_ids, uint64_t n_key_bytes,
                                  const char *space, struct collide_error *err)
{
    if (keys->kind == KEYS_DENSE)
        return COLLIDE_OK;
    if (keys->n_slots <= n_ids || (keys->n_slots & (keys->n_slots - 1)) != 0)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s.key_slots must have a power of two of entries, more than ids", space);
    uint64_t n_used = 0;
    for (uint32_t i = 0; i < keys->n_slots; i++) {
        if (keys->slots[i] == UINT32_MAX)
            continue;
        if (keys->slots[i] >= n_ids)
            return error_set(err, COLLIDE_CORRUPT, "%s.key_slots names id %" PRIu32 " of %" PRIu32, space,
                             keys->slots[i], n_ids);
        n_used++;
    }
    /* More used slots than ids could fill the table, and looking up an unknown key would never end. */
    if (n_used != n_ids)
        return error_set(err, COLLIDE_CORRUPT, "%s.key_slots holds %" PRIu64 " ids where there are %" PRIu32,
                         space, n_used, n_ids);
    if (keys->kind != KEYS_STRING)
        return COLLIDE_OK;
    for (uint32_t i = 0; i < n_ids; i++)
        if (keys->offsets[i] > keys->offsets[i + 1])
            return error_set(err, COLLIDE_CORRUPT, "%s.key_offsets falls at id %" PRIu32, space, i);
    if (keys->offsets[0] != 0 || keys->offsets[n_ids] != n_key_bytes)
        return error_set(err, COLLIDE_CORRUPT, "%s.key_offsets must run from 0 to %" PRIu64, space,
                         n_key_bytes);
    return COLLIDE_OK;
}

/* Infinity and NaN are the values whose exponent bits are all set. */
static uint64_t first_not_finite_f32(const float *values, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        if ((bits & 0x7f800000u) == 0x7f800000u)
            return i;
    }
    return n;
}

static uint64_t first_not_finite_f16(const uint16_t *values, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if ((values[i] & 0x7c00u) == 0x7c00u)
            return i;
    return n;
}

static enum collide_status check_finite(const char *name, const void *values, enum precision precision,
                                        uint64_t n, struct collide_error *err)
{
    uint64_t bad = n;
    if (values && precision == PRECISION_F32)
        bad = first_not_finite_f32(values, n);
    else if (values && precision == PRECISION_F16)
        bad = first_not_finite_f16(values, n);
    if (bad < n)
        return error_set(err, COLLIDE_CORRUPT, "%s: value %" PRIu64 " is not finite", name, bad);
    return COLLIDE_OK;
}

static enum collide_status check_scales_finite(const struct model *m, struct collide_error *err)
{
    enum precision precision = row_scale_precision(&m->rows);
    uint64_t bytes_each = precision == PRECISION_F16 ? 2 : 4;
    return check_finite(TENSOR_SCALES, m->rows.scales, precision, row_scale_bytes(m) / bytes_each, err);
}

static enum collide_status check_weights_finite(const struct model *m, size_t s, struct collide_error *err)
{
    const struct space *space = model_space(m, s);
    const struct id_classes *classes = &space->classes;
    const uint64_t n_classes = classes->words ? model_n_classes(classes->bits) : 0;
    char name[TENSOR_NAME_BYTES];
    snprintf(name, sizeof name, TENSOR_WEIGHTS, model_space_name(m, s));
    enum collide_status status = check_finite(name, space->weights, PRECISION_F32, space->n_ids + 1ull, err);
    snprintf(name, sizeof name, TENSOR_CLASS_WEIGHTS, model_space_name(m, s));
    if (status == COLLIDE_OK)
        status = check_finite(name, classes->weights, PRECISION_F32, n_classes, err);
    return status == COLLIDE_OK
               ? check_finite(TENSOR_CLASS_BIAS, classes->bias, PRECISION_F32, n_classes, err)
               : status;
}

static enum collide_status check_lookup_weights_finite(const struct model *m, size_t s,
                                                       struct collide_error *err)
{
    const struct space *space = model_space(m, s);
    char name[TENSOR_NAME_BYTES];
    snprintf(name, sizeof name, TENSOR_LOOKUP_WEIGHTS, model_space_name(m, s));
    return check_finite(name, space->lookup_weights, PRECISION_F32,
                        (space->n_ids + 1ull) * space_n_lookups(m, space), err);
}

enum collide_status validate_finite(const struct model *m, struct collide_error *err)
{
    uint64_t n_values = (uint64_t)m->rows.n * m->rows.width;
    enum collide_status status = check_finite(TENSOR_ROWS, m->rows.values, m->rows.precision, n_values, err);
    if (status == COLLIDE_OK)
        status = check_scales_finite(m, err);
    if (status == COLLIDE_OK)
        status = check_finite(TENSOR_BIAS, m->bias, PRECISION_F32, m->item.n_ids + 1ull, err);
    for (size_t s = 0; s < model_n_spaces(m) && status == COLLIDE_OK; s++) {
        status = check_weights_finite(m, s, err);
        if (status == COLLIDE_OK)
            status = check_lookup_weights_finite(m, s, err);
    }
    return status;
}

/* Zeros of either sign, or anything times a scale of 0. */
static bool row_is_zeros(const struct row_table *rows, uint32_t row)
{
    static const unsigned char sign_bytes[] = {[PRECISION_F32] = 4, [PRECISION_F16] = 2};
    size_t n_bytes = row_bytes(rows), sign = rows->scaling == SCALING_NONE ? sign_bytes[rows->precision] : 0;
    const unsigned char *values = (const unsigned char *)rows->values + row * n_bytes;
    const uint16_t *halves = rows->scales;
    if (rows->scaling == SCALING_ROW && ((const float *)rows->scales)[row] == 0.0f)
        return true;
    if (rows->scaling == SCALING_ROW_OFFSET && (halves[2 * (size_t)row + 1] & 0x7fff))
        return false;
    if (rows->scaling == SCALING_ROW_OFFSET && !(halves[2 * (size_t)row] & 0x7fff))
        return true;
    for (size_t i = 0; i < n_bytes; i++)
        if (values[i] & (sign && i % sign == sign - 1 ? 0x7f : 0xff))
            return false;
    return true;
}

enum collide_status validate_missing_lookups(const struct model *m, struct collide_error *err)
{
    for (size_t s = 0; s < model_n_spaces(m); s++)
        if (model_space_is_embedded(m, s) && space_n_lookups(m, model_space(m, s)) < m->mapping.n_lookups &&
            !row_is_zeros(&m->rows, m->rows.n - 1))
            return error_set(err, COLLIDE_CORRUPT,
                             "%s ids have fewer rows than %s says, so the last row of %s must be zeros",
                             model_space_name(m, s), META_LOOKUPS, TENSOR_ROWS);
    return COLLIDE_OK;
}

enum collide_status validate_checksums(const struct safetensors *s, struct collide_error *err)
{
    for (size_t i = 0; i < safetensors_n_metadata(s); i++) {
        struct metadata_entry e = safetensors_metadata_entry(s, i);
        if (strncmp(e.name, META_CHECKSUM, strlen(META_CHECKSUM)) != 0)
            continue;
        const struct tensor *t = safetensors_find(s, e.name + strlen(META_CHECKSUM));
        if (!t)
            return error_set(err, COLLIDE_CORRUPT, "the metadata has %.64s, but there is no such tensor",
                             e.name);
        char sum[17];
        snprintf(sum, sizeof sum, "%016" PRIx64, tensor_checksum(t));
        if (strcmp(sum, e.value) != 0)
            return error_set(
                err, COLLIDE_CORRUPT,
                "tensor %.64s is damaged: its XXH3-64 is %s, the header says %.16s; copy the file again",
                t->name, sum, e.value);
    }
    return COLLIDE_OK;
}
