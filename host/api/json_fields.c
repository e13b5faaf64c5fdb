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
        return json_status(r);
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
        return json_status(r);
    *out = collide_id_text(text.bytes, text.n_bytes);
    return COLLIDE_OK;
}

/* Enters the list that is next, unless that was done. */
static enum collide_status enter_list(struct json_reader *r, struct json_field field,
                                      struct collide_error *err)
{
    if (!json_enter(r, '[', field.level))
        return error_set(err, COLLIDE_INVALID, "\"%s\" must be a list", field.name);
    return COLLIDE_OK;
}

/* The list (n of *capacity items) with room for one more; NULL: err says why not. */
static void *with_room(struct json_reader *r, struct json_field field, void *items, size_t n,
                       size_t *capacity, size_t item_bytes, struct collide_error *err)
{
    if (n == field.max) {
        error_set(err, COLLIDE_INVALID, "\"%s\" is longer than the limit of %zu", field.name, field.max);
        return NULL;
    }
    if (n < *capacity)
        return items;
    size_t doubled = n ? 2 * n : FIRST_CAPACITY;
    void *grown = arena_grow(r->arena, items, n, doubled, item_bytes);
    if (!grown)
        error_no_memory(err, field.name);
    else
        *capacity = doubled;
    return grown;
}

/* What were numbers alone go on as ids. */
static enum collide_status turn_into_ids(struct json_reader *r, struct json_field field, struct id_list *list,
                                         struct collide_error *err)
{
    struct collide_id *ids = arena_alloc(r->arena, list->capacity, sizeof *ids);
    if (!ids)
        return error_no_memory(err, field.name);
    for (size_t i = 0; i < list->n; i++)
        ids[i] = collide_id_number(list->numbers[i]);
    list->ids = ids;
    list->numbers = NULL;
    return COLLIDE_OK;
}

/* Room for what is next. */
static enum collide_status make_room(struct json_reader *r, struct json_field field, struct id_list *list,
                                     struct collide_error *err)
{
    bool takes_ids = !field.takes_numbers || list->ids || json_peek(r) == '"';
    if (takes_ids && list->numbers && turn_into_ids(r, field, list, err) != COLLIDE_OK)
        return err->status;
    void *grown =
        takes_ids ? with_room(r, field, list->ids, list->n, &list->capacity, sizeof *list->ids, err)
                  : with_room(r, field, list->numbers, list->n, &list->capacity, sizeof *list->numbers, err);
    if (!grown)
        return err->status;
    if (takes_ids)
        list->ids = grown;
    else
        list->numbers = grown;
    return COLLIDE_OK;
}

/* Small integers, as many as are next and there is room for: most lists are made of them. */
static size_t read_small_integers(struct json_reader *r, struct id_list *list, size_t max)
{
    if (list->numbers)
        return json_small_integers(r, list->numbers + list->n, max);
    uint64_t numbers[FIRST_CAPACITY];
    size_t n = json_small_integers(r, numbers, max < FIRST_CAPACITY ? max : FIRST_CAPACITY);
    for (size_t i = 0; i < n; i++)
        list->ids[list->n + i] = collide_id_number(numbers[i]);
    return n;
}

static enum collide_status read_any_id(struct json_reader *r, struct json_field field, struct id_list *list,
                                       struct collide_error *err)
{
    struct collide_id id;
    enum collide_status status = json_read_id(r, field.name, &id, err);
    if (status != COLLIDE_OK || r->is_starved)
        return status;
    if (list->numbers)
        list->numbers[list->n++] = id.number;
    else
        list->ids[list->n++] = id;
    return COLLIDE_OK;
}

enum collide_status json_read_ids(struct json_reader *r, struct json_field field, struct id_list *list,
                                  struct collide_error *err)
{
    enum collide_status status = enter_list(r, field, err);
    while (status == COLLIDE_OK && json_next(r, field.level)) {
        status = make_room(r, field, list, err);
        if (status != COLLIDE_OK)
            return status;
        size_t room = (list->capacity < field.max ? list->capacity : field.max) - list->n;
        size_t n = json_peek(r) == '"' ? 0 : read_small_integers(r, list, room);
        list->n += n;
        if (n == 0)
            status = read_any_id(r, field, list, err);
    }
    return r->failed ? COLLIDE_INVALID : status;
}

static enum collide_status read_weight(struct json_reader *r, struct json_field field, size_t number,
                                       float *out, struct collide_error *err)
{
    double weight = NAN;
    if (is_number_next(r) && !json_number(r, &weight))
        return json_status(r);
    if (!(fabs(weight) <= COLLIDE_MAX_WEIGHT))
        return error_set(err, COLLIDE_INVALID, "\"%s\": entry %zu is not a number from -1e6 to 1e6",
                         field.name, number);
    *out = (float)weight;
    return COLLIDE_OK;
}

enum collide_status json_read_weights(struct json_reader *r, struct json_field field,
                                      struct weight_list *list, struct collide_error *err)
{
    enum collide_status status = enter_list(r, field, err);
    while (status == COLLIDE_OK && json_next(r, field.level)) {
        float *weights =
            with_room(r, field, list->weights, list->n, &list->capacity, sizeof *list->weights, err);
        if (!weights)
            return err->status;
        list->weights = weights;
        status = read_weight(r, field, list->n, &weights[list->n], err);
        list->n += !r->is_starved;
    }
    return r->failed ? COLLIDE_INVALID : status;
}

enum collide_status json_read_count(struct json_reader *r, struct json_field field, size_t *out,
                                    struct collide_error *err)
{
    double number = NAN;
    if (is_number_next(r) && !json_number(r, &number))
        return json_status(r);
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
    json_bool(r, out);
    return json_status(r);
}
