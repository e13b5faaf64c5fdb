#include "model/validate.h"

#include "base/error.h"
#include "model/layout.h"

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

enum collide_status validate_remap(const struct model *m, struct collide_error *err)
{
    uint64_t n = (uint64_t)m->item.n_ids + 1;
    uint64_t bad = first_at_or_above(m->item.remap, n, m->item.n_rows);
    if (bad < n)
        return error_set(err, COLLIDE_CORRUPT, "%s maps id %" PRIu64 " to row %" PRIu32 " of %" PRIu32,
                         TENSOR_REMAP, bad, m->item.remap[bad], m->item.n_rows);
    return COLLIDE_OK;
}

enum collide_status validate_histories(const struct model *m, uint64_t n_history, struct collide_error *err)
{
    const struct user_space *user = &m->user;
    uint64_t last = (uint64_t)user->n_ids + 1;
    for (uint64_t u = 0; u < last; u++)
        if (user->offsets[u] > user->offsets[u + 1])
            return error_set(err, COLLIDE_CORRUPT, "%s falls at user %" PRIu64, TENSOR_HISTORY_OFFSETS, u);
    if (user->offsets[0] != 0 || user->offsets[last] != n_history || user->offsets[last - 1] != n_history)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s must start at 0 and end twice at %" PRIu64
                         ", the length of %s (the last list, that of "
                         "the unknown user, is empty)",
                         TENSOR_HISTORY_OFFSETS, n_history, TENSOR_HISTORY);
    uint64_t bad = first_at_or_above(user->history, n_history, m->item.n_ids);
    if (bad < n_history)
        return error_set(err, COLLIDE_CORRUPT, "%s holds item %" PRIu32 " of %" PRIu32, TENSOR_HISTORY,
                         user->history[bad], m->item.n_ids);
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

enum collide_status validate_finite(const struct model *m, struct collide_error *err)
{
    const struct item_space *item = &m->item;
    uint64_t n_entries = (uint64_t)item->n_ids + 1;
    uint64_t n_values = (uint64_t)item->n_rows * m->dim;
    const struct {
        const char *name;
        const void *values;
        uint64_t n;
        enum precision precision;
    } arrays[] = {
        {TENSOR_ROWS, item->rows, n_values, item->precision},
        {TENSOR_SCALES, item->scales, item->scales ? item->n_rows : 0, PRECISION_F32},
        {TENSOR_WEIGHTS, item->weights, item->weights ? n_entries : 0, PRECISION_F32},
        {TENSOR_BIAS, item->bias, item->bias ? n_entries : 0, PRECISION_F32},
    };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        uint64_t bad = arrays[i].n;
        if (arrays[i].precision == PRECISION_F32)
            bad = first_not_finite_f32(arrays[i].values, arrays[i].n);
        else if (arrays[i].precision == PRECISION_F16)
            bad = first_not_finite_f16(arrays[i].values, arrays[i].n);
        if (bad < arrays[i].n)
            return error_set(err, COLLIDE_CORRUPT, "%s: value %" PRIu64 " is not finite", arrays[i].name,
                             bad);
    }
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
