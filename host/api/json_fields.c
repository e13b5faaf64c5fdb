#include "api/json_fields.h"

#include "base/error.h"
#include "collide/scorer.h"

#include <math.h>

enum { FIRST_CAPACITY = 64 };

static bool is_number_next(struct json_reader *r)
{
    char c = json_peek(r);
    return c == '-' || (c >= '0' && c <= '9');
}

/* From here on doubles skip integers. */
static const uint64_t ID_NUMBER_END = (uint64_t)1 << 53;

static enum collide_status read_number_id(struct json_reader *r, const char *name, struct collide_id *out,
                                          struct collide_error *err)
{
    double number;
    if (!json_number(r, &number))
        return COLLIDE_INVALID;
    if (number >= (double)ID_NUMBER_END)
        return error_set(err, COLLIDE_INVALID,
                         "\"%s\": integers from 2^53 on lose digits in JSON; send the id as a string", name);
    if (signbit(number) || (double)(uint64_t)number != number)
        return error_set(err, COLLIDE_INVALID,
                         "\"%s\": %.17g is no id; numeric ids are integers from 0 on, others are strings",
                         name, number);
    *out = collide_id_number((uint64_t)number);
    return COLLIDE_OK;
}

enum collide_status json_read_id(struct json_reader *r, const char *name, struct collide_id *out,
                                 struct collide_error *err)
{
    if (is_number_next(r))
        return read_number_id(r, name, out, err);
    struct json_text text;
    if (json_peek(r) != '"')
        return error_set(err, COLLIDE_INVALID, "\"%s\": an id is an integer or a string", name);
    if (!json_string(r, &text))
        return COLLIDE_INVALID;
    *out = collide_id_text(text.bytes, text.n_bytes);
    return COLLIDE_OK;
}

/* Checks that a list is next, and enters it. */
static enum collide_status open_list(struct json_reader *r, const char *name, struct collide_error *err)
{
    if (json_peek(r) != '[')
        return error_set(err, COLLIDE_INVALID, "\"%s\" must be a list", name);
    json_open(r, '[');
    return COLLIDE_OK;
}

/* The list with room for one more value behind its n; NULL: err says why not. */
static void *with_room(struct json_reader *r, struct json_field field, void *items, size_t n,
                       size_t item_bytes, struct collide_error *err)
{
    if (n == field.max) {
        error_set(err, COLLIDE_INVALID, "\"%s\" is longer than the limit of %zu", field.name, field.max);
        return NULL;
    }
    bool is_full = n == 0 || (n >= FIRST_CAPACITY && (n & (n - 1)) == 0);
    void *grown = is_full ? arena_grow(r->arena, items, n, n ? 2 * n : FIRST_CAPACITY, item_bytes) : items;
    if (!grown)
        error_no_memory(err, field.name);
    return grown;
}

/* Ids that are small integers, as many as are next and there is room for: most lists are made of them. */
static size_t read_small_ids(struct json_reader *r, struct collide_id *ids, size_t max)
{
    uint64_t numbers[FIRST_CAPACITY];
    size_t n = json_small_integers(r, numbers, max < FIRST_CAPACITY ? max : FIRST_CAPACITY);
    for (size_t i = 0; i < n; i++)
        ids[i] = collide_id_number(numbers[i]);
    return n;
}

enum collide_status json_read_ids(struct json_reader *r, struct json_field field, struct id_list *out,
                                  struct collide_error *err)
{
    struct id_list list = {0};
    enum collide_status status = open_list(r, field.name, err);
    while (status == COLLIDE_OK && json_next(r, ']')) {
        list.ids = with_room(r, field, list.ids, list.n, sizeof *list.ids, err);
        if (!list.ids)
            return err->status;
        size_t capacity =
            list.n < FIRST_CAPACITY ? FIRST_CAPACITY : (size_t)2 << (63 - __builtin_clzll(list.n));
        size_t room = (capacity < field.max ? capacity : field.max) - list.n;
        size_t n = read_small_ids(r, list.ids + list.n, room);
        if (n == 0) {
            status = json_read_id(r, field.name, &list.ids[list.n], err);
            n = 1;
        }
        list.n += n;
    }
    if (r->failed)
        return COLLIDE_INVALID;
    if (status == COLLIDE_OK)
        *out = list;
    return status;
}

static enum collide_status read_weight(struct json_reader *r, struct json_field field, size_t number,
                                       float *out, struct collide_error *err)
{
    double weight = NAN;
    if (is_number_next(r) && !json_number(r, &weight))
        return COLLIDE_INVALID;
    if (!(fabs(weight) <= COLLIDE_MAX_WEIGHT))
        return error_set(err, COLLIDE_INVALID, "\"%s\": entry %zu is not a number from -1e6 to 1e6",
                         field.name, number);
    *out = (float)weight;
    return COLLIDE_OK;
}

enum collide_status json_read_weights(struct json_reader *r, struct json_field field, struct weight_list *out,
                                      struct collide_error *err)
{
    struct weight_list list = {0};
    enum collide_status status = open_list(r, field.name, err);
    while (status == COLLIDE_OK && json_next(r, ']')) {
        list.weights = with_room(r, field, list.weights, list.n, sizeof *list.weights, err);
        status = list.weights ? read_weight(r, field, list.n, &list.weights[list.n], err) : err->status;
        list.n++;
    }
    if (r->failed)
        return COLLIDE_INVALID;
    if (status == COLLIDE_OK)
        *out = list;
    return status;
}

enum collide_status json_read_count(struct json_reader *r, struct json_field field, size_t *out,
                                    struct collide_error *err)
{
    double number = NAN;
    if (is_number_next(r) && !json_number(r, &number))
        return COLLIDE_INVALID;
    if (!(number >= 1 && number <= (double)field.max) || floor(number) != number)
        return error_set(err, COLLIDE_INVALID, "\"%s\" must be an integer from 1 to %zu", field.name,
                         field.max);
    *out = (size_t)number;
    return COLLIDE_OK;
}

enum collide_status json_read_bool(struct json_reader *r, const char *name, bool *out,
                                   struct collide_error *err)
{
    char c = json_peek(r);
    if (c != 't' && c != 'f')
        return error_set(err, COLLIDE_INVALID, "\"%s\" must be true or false", name);
    return json_bool(r, out) ? COLLIDE_OK : COLLIDE_INVALID;
}
