#include "data/id_index.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/number.h"
#include "data/id_hash.h"

#include <stdlib.h>

/* Ids count as integers until the first that is not one; up to there each has one spelling, its decimal, so
 * nothing is lost by keeping only their values. `index` is the view of the arrays as they are now. */
struct id_builder {
    struct id_index index; /* ID_U64 or ID_STRING while building */
    uint64_t largest;      /* of the integers */
    struct buffer keys;    /* of uint64_t */
    struct buffer key_bytes;
    struct buffer key_offsets; /* of uint64_t */
    uint32_t *slots;
    uint32_t *renumber; /* provisional to dense id */
};

enum { FIRST_N_SLOTS = 1 << 10, DENSE_SLACK = 1024, N_LIKELY_SLOTS = 3 };
#define MAX_N_SLOTS (UINT32_C(1) << 31) /* the largest power of two that n_slots can say */

enum collide_status id_builder_create(struct id_builder **out, struct collide_error *err)
{
    struct id_builder *b = calloc(1, sizeof *b);
    if (!b)
        return error_no_memory(err, "an index of ids");
    b->index.kind = ID_U64;
    *out = b;
    return COLLIDE_OK;
}

void id_builder_destroy(struct id_builder *b)
{
    if (!b)
        return;
    buffer_free(&b->keys);
    buffer_free(&b->key_bytes);
    buffer_free(&b->key_offsets);
    free(b->slots);
    free(b->renumber);
    free(b);
}

static void view_arrays(struct id_builder *b)
{
    b->index.keys = (const uint64_t *)(const void *)b->keys.bytes;
    b->index.key_bytes = b->key_bytes.bytes;
    b->index.key_offsets = (const uint64_t *)(const void *)b->key_offsets.bytes;
    b->index.slots = b->slots;
}

static uint32_t slot_of_key(const struct id_index *index, uint32_t d)
{
    if (index->kind == ID_U64)
        return id_slot_u64(index, index->keys[d]);
    uint64_t begin = index->key_offsets[d];
    return id_slot_text(index, index->key_bytes + begin, index->key_offsets[d + 1] - begin);
}

static enum collide_status slots_rebuild(struct id_builder *b, uint32_t n_slots, struct collide_error *err)
{
    uint32_t *slots = malloc(n_slots * sizeof *slots);
    if (!slots)
        return error_no_memory(err, "an index of ids");
    memset(slots, 0xff, n_slots * sizeof *slots); /* all ID_NONE */
    free(b->slots);
    b->slots = slots;
    b->index.slots = slots;
    b->index.n_slots = n_slots;
    for (uint32_t d = 0; d < b->index.n_ids; d++)
        slots[slot_of_key(&b->index, d)] = d;
    return COLLIDE_OK;
}

/* Room for one more id within three quarters of the slots. */
static enum collide_status slots_reserve(struct id_builder *b, struct collide_error *err)
{
    uint32_t n_slots = b->index.n_slots;
    if (b->index.n_ids < n_slots / 4 * 3)
        return COLLIDE_OK;
    if (n_slots == MAX_N_SLOTS)
        return error_set(err, COLLIDE_INVALID,
                         "more than %u different ids in one space; an index holds no more, so split the log",
                         b->index.n_ids);
    return slots_rebuild(b, n_slots ? 2 * n_slots : FIRST_N_SLOTS, err);
}

static enum collide_status append_u64(struct id_builder *b, uint64_t key, struct collide_error *err)
{
    buffer_append(&b->keys, &key, sizeof key);
    view_arrays(b);
    return b->keys.failed ? error_no_memory(err, "the ids' keys") : COLLIDE_OK;
}

static enum collide_status append_text(struct id_builder *b, const char *text, size_t n_bytes,
                                       struct collide_error *err)
{
    buffer_append(&b->key_bytes, text, n_bytes);
    uint64_t end = b->key_bytes.n_bytes;
    buffer_append(&b->key_offsets, &end, sizeof end);
    view_arrays(b);
    return b->key_bytes.failed || b->key_offsets.failed ? error_no_memory(err, "the ids' texts") : COLLIDE_OK;
}

static enum collide_status become_strings(struct id_builder *b, struct collide_error *err)
{
    uint64_t zero = 0;
    buffer_append(&b->key_offsets, &zero, sizeof zero);
    for (uint32_t d = 0; d < b->index.n_ids; d++) {
        char digits[NUMBER_MAX_CHARS];
        enum collide_status status = append_text(b, digits, number_print_u64(digits, b->index.keys[d]), err);
        if (status != COLLIDE_OK)
            return status;
    }
    buffer_free(&b->keys);
    view_arrays(b);
    b->index.kind = ID_STRING;
    return slots_rebuild(b, b->index.n_slots, err);
}

enum collide_status id_builder_add(struct id_builder *b, const char *text, size_t n_bytes, uint32_t *out,
                                   struct collide_error *err)
{
    enum collide_status status = slots_reserve(b, err);
    if (status != COLLIDE_OK)
        return status;
    uint64_t number = 0;
    if (b->index.kind == ID_U64 && !id_parse_u64(text, n_bytes, &number) &&
        (status = become_strings(b, err)) != COLLIDE_OK)
        return status;
    bool is_number = b->index.kind == ID_U64;
    uint32_t slot = is_number ? id_slot_u64(&b->index, number) : id_slot_text(&b->index, text, n_bytes);
    if (b->slots[slot] == ID_NONE) {
        status = is_number ? append_u64(b, number, err) : append_text(b, text, n_bytes, err);
        if (status != COLLIDE_OK)
            return status;
        b->largest = number > b->largest ? number : b->largest;
        b->slots[slot] = b->index.n_ids++;
    }
    *out = b->slots[slot];
    return COLLIDE_OK;
}

/* Where looking for a text begins. */
static bool first_slot(const struct id_builder *b, struct collide_id text, uint32_t *slot)
{
    uint64_t number;
    if (b->index.kind == ID_STRING)
        *slot = (uint32_t)id_hash_text(text.text, text.n_bytes);
    else if (id_parse_u64(text.text, text.n_bytes, &number))
        *slot = (uint32_t)id_hash_u64(number);
    else
        return false;
    *slot &= b->index.n_slots - 1;
    return b->index.n_slots > 0;
}

static const void *key_at(const struct id_index *index, uint32_t d)
{
    return index->kind == ID_STRING ? (const void *)&index->key_offsets[d] : (const void *)&index->keys[d];
}

static const void *text_at(const struct id_index *index, uint32_t d)
{
    return index->key_bytes + index->key_offsets[d];
}

/* For the ids in this slot and the next ones, as far as looking goes with most keys. */
static void ask_for(const struct id_index *index, uint32_t slot,
                    const void *(*at)(const struct id_index *index, uint32_t d))
{
    for (uint32_t k = 0; k < N_LIKELY_SLOTS; k++) {
        const uint32_t d = index->slots[(slot + k) & (index->n_slots - 1)];
        if (d == ID_NONE)
            return;
        __builtin_prefetch(at(index, d));
    }
}

/* Asks for what adding will look at, one step for all texts after the other, so that the waits for memory
 * overlap: slots, keys, texts' bytes. */
static void look_ahead(const struct id_builder *b, const struct collide_id *texts, size_t n)
{
    uint32_t slots[ID_BATCH];
    size_t n_slots = 0;
    for (size_t i = 0; i < n; i++)
        if (first_slot(b, texts[i], &slots[n_slots]))
            __builtin_prefetch(&b->slots[slots[n_slots++]]);
    for (size_t i = 0; i < n_slots; i++)
        ask_for(&b->index, slots[i], key_at);
    for (size_t i = 0; i < n_slots && b->index.kind == ID_STRING; i++)
        ask_for(&b->index, slots[i], text_at);
}

enum collide_status id_builder_add_batch(struct id_builder *b, const struct collide_id *texts, size_t n,
                                         uint32_t *out, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    look_ahead(b, texts, n);
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++)
        status = id_builder_add(b, texts[i].text, texts[i].n_bytes, &out[i], err);
    return status;
}

uint32_t id_builder_n_ids(const struct id_builder *b)
{
    return b->index.n_ids;
}

/* Whether the integers fill their range well enough to be their own dense ids. */
static bool is_dense(const struct id_builder *b)
{
    return b->index.kind == ID_U64 && b->largest < 2 * (uint64_t)b->index.n_ids + DENSE_SLACK;
}

/* The keys, in this order. */
static enum collide_status permute_keys(struct id_builder *b, const uint32_t *order,
                                        struct collide_error *err)
{
    struct buffer keys = b->keys, key_bytes = b->key_bytes, key_offsets = b->key_offsets;
    const struct id_index old = b->index;
    const uint64_t zero = 0;
    enum collide_status status = COLLIDE_OK;
    b->keys = b->key_bytes = b->key_offsets = (struct buffer){0};
    if (old.kind == ID_STRING)
        buffer_append(&b->key_offsets, &zero, sizeof zero);
    for (uint32_t k = 0; k < old.n_ids && status == COLLIDE_OK; k++) {
        if (old.kind == ID_U64) {
            status = append_u64(b, old.keys[order[k]], err);
        } else {
            uint64_t begin = old.key_offsets[order[k]], end = old.key_offsets[order[k] + 1];
            status = append_text(b, old.key_bytes + begin, end - begin, err);
        }
    }
    view_arrays(b);
    buffer_free(&keys);
    buffer_free(&key_bytes);
    buffer_free(&key_offsets);
    return status;
}

enum collide_status id_builder_reorder(struct id_builder *b, const uint32_t *order, struct collide_error *err)
{
    const uint32_t n_ids = b->index.n_ids;
    b->renumber = malloc(((size_t)n_ids + 1) * sizeof *b->renumber);
    if (!b->renumber)
        return error_no_memory(err, "the ids' new numbers");
    for (uint32_t k = 0; k < n_ids; k++)
        b->renumber[order[k]] = k;
    for (uint32_t s = 0; s < b->index.n_slots; s++)
        if (b->slots[s] != ID_NONE)
            b->slots[s] = b->renumber[b->slots[s]];
    return permute_keys(b, order, err);
}

static enum collide_status number_in_order(struct id_builder *b, struct collide_error *err)
{
    b->renumber = malloc(((size_t)b->index.n_ids + 1) * sizeof *b->renumber);
    if (!b->renumber)
        return error_no_memory(err, "the ids' new numbers");
    for (uint32_t d = 0; d < b->index.n_ids; d++)
        b->renumber[d] = d;
    return COLLIDE_OK;
}

enum collide_status id_builder_finish(struct id_builder *b, struct id_index *out, const uint32_t **renumber,
                                      struct collide_error *err)
{
    uint32_t n_ids = b->index.n_ids;
    enum collide_status status = b->renumber ? COLLIDE_OK : number_in_order(b, err);
    if (status != COLLIDE_OK)
        return status;
    if (is_dense(b)) {
        for (uint32_t d = 0; d < n_ids; d++)
            b->renumber[d] = (uint32_t)b->index.keys[b->renumber[d]];
        b->index = (struct id_index){.kind = ID_DENSE, .n_ids = n_ids ? (uint32_t)b->largest + 1 : 0};
        buffer_free(&b->keys);
        free(b->slots);
        b->slots = NULL;
    }
    *out = b->index;
    *renumber = b->renumber;
    return COLLIDE_OK;
}

void id_builder_forget_order(struct id_builder *b)
{
    free(b->renumber);
    b->renumber = NULL;
}
