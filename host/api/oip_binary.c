#include "api/oip_binary.h"

#include "base/error.h"
#include "base/least.h"

#include <string.h>

/* n values behind those before. All at once they may be used where they lie, at a multiple of 4. */
static const void *place_values(struct oip_binary *b, const struct oip_tensor *t, const uint8_t *bytes,
                                size_t n, bool stays, struct arena *arena)
{
    size_t value_bytes = oip_value_bytes(t->datatype);
    if (stays && bytes && n == t->n && (uintptr_t)bytes % 4 == 0) {
        b->values.n = n;
        return bytes;
    }
    if (!oip_values_reserve(&b->values, n, t->n, value_bytes, arena))
        return NULL;
    uint8_t *place = b->values.bytes + b->values.n * value_bytes;
    if (n)
        memcpy(place, bytes, n * value_bytes);
    b->values.n += n;
    return place;
}

static enum collide_status take_values(struct oip_binary *b, struct oip_tensor *t, struct cursor *bytes,
                                       bool stays, struct arena *arena, struct collide_error *err)
{
    size_t value_bytes = oip_value_bytes(t->datatype), first = b->values.n;
    size_t n = least(t->n - first, cursor_left(bytes) / value_bytes);
    if (n == 0 && t->n > 0)
        return COLLIDE_OK;
    const void *values = place_values(b, t, cursor_take(bytes, n * value_bytes), n, stays, arena);
    if (!values)
        return error_no_memory(err, "an input");
    b->n_taken += n * value_bytes;
    b->is_whole = b->values.n == t->n;
    if (b->is_whole)
        oip_tensor_keep(t, b->values.any ? b->values.any : values, (unsigned)value_bytes);
    return oip_check_values(t, values, first, n, err);
}

/* A text in the bytes, or a copy of it; NULL: out of memory. */
static const char *place_text(const uint8_t *bytes, size_t n, bool stays, struct arena *arena)
{
    if (stays)
        return (const char *)bytes;
    char *copy = arena_alloc(arena, n, 1);
    return copy ? memcpy(copy, bytes, n) : NULL;
}

/* The next text, its length before it. */
static enum collide_status take_text(struct oip_binary *b, const struct oip_tensor *t, struct cursor *bytes,
                                     bool stays, struct arena *arena, struct collide_error *err)
{
    struct cursor ahead = *bytes;
    size_t left = t->n_binary_bytes - b->n_taken, n = cursor_u32(&ahead);
    if (left < sizeof(uint32_t) || (!ahead.failed && n > left - sizeof(uint32_t)))
        return oip_wrong_count(t, err);
    if (n > JSON_MAX_STRING_BYTES)
        return error_set(err, COLLIDE_INVALID, "\"%s\": value %zu has %zu bytes; the limit is %d", t->label,
                         b->values.n, n, JSON_MAX_STRING_BYTES);
    const uint8_t *text = cursor_take(&ahead, n);
    if (!text)
        return COLLIDE_OK; /* it has not come whole */
    size_t room = b->values.n < b->values.capacity ? 1 : 1 + cursor_left(&ahead) / sizeof(uint32_t);
    if (!oip_values_reserve(&b->values, room, t->n, sizeof *b->values.texts, arena))
        return error_no_memory(err, "an input");
    const char *placed = place_text(text, n, stays, arena);
    if (!placed)
        return error_no_memory(err, "a text");
    b->values.texts[b->values.n++] = collide_id_text(placed, n);
    b->n_taken += sizeof(uint32_t) + n;
    *bytes = ahead;
    return COLLIDE_OK;
}

static enum collide_status take_texts(struct oip_binary *b, struct oip_tensor *t, struct cursor *bytes,
                                      bool stays, struct arena *arena, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    for (size_t before = SIZE_MAX; status == COLLIDE_OK && b->values.n < t->n && b->values.n != before;) {
        before = b->values.n;
        status = take_text(b, t, bytes, stays, arena, err);
    }
    if (status != COLLIDE_OK || b->values.n < t->n)
        return status;
    if (b->n_taken != t->n_binary_bytes)
        return oip_wrong_count(t, err);
    if (!oip_values_reserve(&b->values, 0, t->n, sizeof *b->values.texts, arena))
        return error_no_memory(err, "an input");
    oip_tensor_keep(t, b->values.any, 0);
    b->is_whole = true;
    return COLLIDE_OK;
}

enum collide_status oip_take_binary(struct oip_binary *b, struct oip_tensor *t, struct cursor *bytes,
                                    bool stays, struct arena *arena, struct collide_error *err)
{
    return t->datatype == OIP_BYTES ? take_texts(b, t, bytes, stays, arena, err)
                                    : take_values(b, t, bytes, stays, arena, err);
}
