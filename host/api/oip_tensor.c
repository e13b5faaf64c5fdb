#include "api/oip_tensor.h"

#include "base/error.h"
#include "collide/scorer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned n_bytes; /* of a value; 0: they differ */
    uint64_t max;     /* of integers */
} DATATYPES[OIP_N_DATATYPES] = {
    [OIP_INT32] = {"INT32", 4, INT32_MAX},
    [OIP_INT64] = {"INT64", 8, INT64_MAX},
    [OIP_UINT32] = {"UINT32", 4, UINT32_MAX},
    [OIP_UINT64] = {"UINT64", 8, UINT64_MAX},
    [OIP_FP32] = {"FP32", 4, 0},
    [OIP_BYTES] = {"BYTES", 0, 0},
};

enum field { FIELD_NAME, FIELD_SHAPE, FIELD_DATATYPE, FIELD_DATA, FIELD_PARAMETERS, N_FIELDS };

static const char *const FIELDS[N_FIELDS] = {"name", "shape", "datatype", "data", "parameters"};

#define BIT(field) (1u << (field))

/* What must be known before data can be read. */
static const unsigned HEAD = BIT(FIELD_NAME) | BIT(FIELD_SHAPE) | BIT(FIELD_DATATYPE);

const char *oip_datatype_name(enum oip_datatype datatype)
{
    return DATATYPES[datatype].name;
}

unsigned oip_value_bytes(enum oip_datatype datatype)
{
    return DATATYPES[datatype].n_bytes;
}

static enum collide_status read_text(struct json_reader *r, const char *what, struct json_text *out,
                                     struct collide_error *err)
{
    if (json_peek(r) != '"')
        return error_set(err, COLLIDE_INVALID, "the \"%s\" of an input must be a string", what);
    json_string(r, out);
    return json_status(r);
}

static enum collide_status read_name(struct json_reader *r, struct oip_tensor *t, struct collide_error *err)
{
    enum collide_status status = read_text(r, FIELDS[FIELD_NAME], &t->name, err);
    if (status != COLLIDE_OK || r->is_starved)
        return status;
    size_t n = t->name.n_bytes < sizeof t->label ? t->name.n_bytes : sizeof t->label - 1;
    memcpy(t->label, t->name.bytes, n);
    t->label[n] = '\0';
    return COLLIDE_OK;
}

static enum collide_status read_datatype(struct json_reader *r, struct oip_tensor *t,
                                         struct collide_error *err)
{
    struct json_text text;
    enum collide_status status = read_text(r, FIELDS[FIELD_DATATYPE], &text, err);
    if (status != COLLIDE_OK || r->is_starved)
        return status;
    for (t->datatype = 0; t->datatype < OIP_N_DATATYPES; t->datatype++)
        if (json_text_is(&text, DATATYPES[t->datatype].name))
            return COLLIDE_OK;
    return error_set(
        err, COLLIDE_INVALID,
        "datatype \"%.*s\" is none that is taken; ids are INT64, INT32, UINT64, UINT32 or BYTES, "
        "weights FP32",
        (int)(text.n_bytes < 32 ? text.n_bytes : 32), text.bytes);
}

static enum collide_status wrong_shape(struct collide_error *err)
{
    return error_set(err, COLLIDE_INVALID, "a \"shape\" must be a list of one or two sizes, such as [2, 10]");
}

static enum collide_status read_shape(struct json_reader *r, unsigned level, struct oip_tensor *t,
                                      struct collide_error *err)
{
    if (!json_enter(r, '[', level))
        return wrong_shape(err);
    while (json_next(r, level)) {
        uint64_t size = 0, n = t->rank ? t->n : 1;
        bool is_read = t->rank < OIP_MAX_RANK && json_u64(r, &size);
        if (r->is_starved)
            return COLLIDE_OK;
        if (!is_read || __builtin_mul_overflow(n, size, &t->n))
            return wrong_shape(err);
        t->shape[t->rank++] = (size_t)size;
    }
    if (r->failed || r->is_starved)
        return json_status(r);
    return t->rank > 0 ? COLLIDE_OK : wrong_shape(err);
}

static enum collide_status read_parameters(struct json_reader *r, unsigned level, struct oip_tensor *t,
                                           struct collide_error *err)
{
    struct json_text key;
    uint64_t n;
    if (!json_enter(r, '{', level))
        return error_set(err, COLLIDE_INVALID, "the \"parameters\" of an input must be an object");
    while (json_next(r, level) && json_key(r, &key)) {
        if (json_text_is(&key, "shared_memory_region"))
            return error_set(err, COLLIDE_INVALID,
                             "tensors in shared memory are not supported; send the data with the request");
        if (!json_text_is(&key, "binary_data_size")) {
            json_pass(r, level);
        } else if (json_u64(r, &n)) {
            t->is_binary = true;
            t->n_binary_bytes = (size_t)n;
        } else if (!r->is_starved) {
            return error_set(err, COLLIDE_INVALID, "\"binary_data_size\" must be a number of bytes");
        }
    }
    return json_status(r);
}

static enum collide_status wrong_value(const struct oip_tensor *t, size_t i, struct collide_error *err)
{
    if (t->datatype == OIP_BYTES)
        return error_set(err, COLLIDE_INVALID, "\"%s\": value %zu is not a string, as BYTES in JSON are",
                         t->label, i);
    if (t->datatype == OIP_FP32)
        return error_set(err, COLLIDE_INVALID, "\"%s\": value %zu is not a number from -1e6 to 1e6", t->label,
                         i);
    return error_set(err, COLLIDE_INVALID,
                     "\"%s\": value %zu is not an integer from 0 to %llu, as its %s are", t->label, i,
                     (unsigned long long)DATATYPES[t->datatype].max, DATATYPES[t->datatype].name);
}

enum collide_status oip_wrong_count(const struct oip_tensor *t, struct collide_error *err)
{
    return error_set(err, COLLIDE_INVALID, "\"%s\": its data are not the %zu values of its shape", t->label,
                     t->n);
}

static enum collide_status wrong_data(struct collide_error *err)
{
    return error_set(err, COLLIDE_INVALID, "the \"data\" of an input must be a list");
}

bool oip_values_reserve(struct oip_values *v, size_t n_more, size_t n_in_all, size_t item_bytes,
                        struct arena *arena)
{
    if (v->any && n_more <= v->capacity - v->n)
        return true;
    size_t wanted = n_more < v->n ? 2 * v->n : v->n + n_more;
    if (wanted > n_in_all)
        wanted = n_in_all;
    void *grown = arena_grow(arena, v->any, v->n, wanted, item_bytes);
    if (!grown)
        return false;
    v->any = grown;
    v->capacity = wanted;
    return true;
}

void oip_tensor_keep(struct oip_tensor *t, const void *values, unsigned number_bytes)
{
    if (t->datatype == OIP_BYTES) {
        t->texts = values;
    } else if (t->datatype == OIP_FP32) {
        t->floats = values;
    } else {
        t->numbers = values;
        t->number_bytes = number_bytes;
    }
}

/* Small integers, as many as are next and there is room for: most tensors are made of them. False: one of
 * them is none of the datatype. */
static bool read_small(struct json_reader *r, const struct oip_tensor *t, struct oip_values *v, size_t end)
{
    size_t room = (v->capacity < end ? v->capacity : end) - v->n;
    for (size_t n = json_small_integers(r, v->numbers + v->n, room); n > 0; n--, v->n++)
        if (v->numbers[v->n] > DATATYPES[t->datatype].max)
            return false;
    return true;
}

/* False: the value that is next is none of the datatype. */
static bool read_typed(struct json_reader *r, const struct oip_tensor *t, struct oip_values *v)
{
    struct json_text text;
    double number;
    char next;
    switch (t->datatype) {
    case OIP_BYTES:
        if (json_peek(r) != '"' || !json_string(r, &text))
            return false;
        v->texts[v->n] = collide_id_text(text.bytes, text.n_bytes);
        return true;
    case OIP_FP32:
        next = json_peek(r);
        if ((next != '-' && (next < '0' || next > '9')) || !json_number(r, &number) ||
            !(fabs(number) <= COLLIDE_MAX_WEIGHT))
            return false;
        v->floats[v->n] = (float)number;
        return true;
    default:
        return json_u64(r, &v->numbers[v->n]) && v->numbers[v->n] <= DATATYPES[t->datatype].max;
    }
}

/* In memory, read from JSON. */
static const size_t ITEM_BYTES[OIP_N_DATATYPES] = {
    [OIP_INT32] = 8,  [OIP_INT64] = 8, [OIP_UINT32] = 8,
    [OIP_UINT64] = 8, [OIP_FP32] = 4,  [OIP_BYTES] = sizeof(struct collide_id)};

/* The next of values that may be `end` so far. */
static enum collide_status read_value(struct json_reader *r, struct oip_draft *d, size_t end,
                                      struct collide_error *err)
{
    /* No memory for more values than the text at hand can hold, each with its comma or bracket. */
    const struct oip_tensor *t = &d->tensor;
    size_t least_bytes = t->datatype == OIP_BYTES ? sizeof "\"\"," - 1 : sizeof "0," - 1;
    size_t room = d->values.n < d->values.capacity ? 1 : 1 + (size_t)(r->end - r->at) / least_bytes;
    if (d->values.n == end)
        return oip_wrong_count(t, err);
    if (!oip_values_reserve(&d->values, room, t->n, ITEM_BYTES[t->datatype], r->arena))
        return error_no_memory(err, "an input");
    size_t n_before = d->values.n;
    bool is_integer = t->datatype != OIP_BYTES && t->datatype != OIP_FP32;
    if (is_integer && !read_small(r, t, &d->values, end))
        return wrong_value(t, d->values.n, err);
    if (d->values.n > n_before)
        return COLLIDE_OK;
    if (read_typed(r, t, &d->values))
        d->values.n++;
    else if (!r->failed && !r->is_starved)
        return wrong_value(t, d->values.n, err);
    return json_status(r);
}

/* A row that is a list of its own. */
static enum collide_status read_row(struct json_reader *r, unsigned level, struct oip_draft *d,
                                    struct collide_error *err)
{
    const struct oip_tensor *t = &d->tensor;
    enum collide_status status = COLLIDE_OK;
    if (!json_is_inside(r, level) && (json_peek(r) != '[' || d->n_rows++ == t->shape[0]))
        return oip_wrong_count(t, err);
    json_enter(r, '[', level);
    size_t end = d->n_rows * t->shape[1];
    while (status == COLLIDE_OK && json_next(r, level))
        status = read_value(r, d, end, err);
    if (r->failed || r->is_starved || status != COLLIDE_OK)
        return r->failed ? COLLIDE_INVALID : status;
    return d->values.n == end ? COLLIDE_OK : oip_wrong_count(t, err);
}

/* The data at level: values in one list, or nested as the shape says. */
static enum collide_status read_data(struct json_reader *r, unsigned level, struct oip_draft *d,
                                     struct collide_error *err)
{
    struct oip_tensor *t = &d->tensor;
    enum collide_status status = COLLIDE_OK;
    if (!json_enter(r, '[', level))
        return wrong_data(err);
    while (status == COLLIDE_OK && json_next(r, level)) {
        if (d->n_rows == 0 && d->values.n == 0)
            d->is_nested = json_is_inside(r, level + 1) || json_peek(r) == '[';
        if (d->is_nested && t->rank < 2)
            return oip_wrong_count(t, err);
        status = d->is_nested ? read_row(r, level + 1, d, err) : read_value(r, d, t->n, err);
    }
    if (r->failed || r->is_starved || status != COLLIDE_OK)
        return r->failed ? COLLIDE_INVALID : status;
    if (d->values.n != t->n || (d->is_nested && d->n_rows != t->shape[0]))
        return oip_wrong_count(t, err);
    if (!oip_values_reserve(&d->values, 0, t->n, ITEM_BYTES[t->datatype], r->arena))
        return error_no_memory(err, "an input");
    oip_tensor_keep(t, d->values.any, sizeof(uint64_t));
    return COLLIDE_OK;
}

/* What is negative as an integer of its size is beyond the datatype's max as an unsigned one. */
static enum collide_status check_numbers(const struct oip_tensor *t, const void *numbers, size_t n,
                                         struct collide_error *err)
{
    uint64_t all = 0;
    if (DATATYPES[t->datatype].n_bytes == 4)
        for (size_t i = 0; i < n; i++)
            all |= ((const uint32_t *)numbers)[i];
    else
        for (size_t i = 0; i < n; i++) {
            uint64_t number;
            memcpy(&number, (const char *)numbers + i * sizeof number, sizeof number);
            all |= number;
        }
    if (all <= DATATYPES[t->datatype].max)
        return COLLIDE_OK;
    return error_set(err, COLLIDE_INVALID, "\"%s\": ids are integers from 0 on, and one of these is negative",
                     t->label);
}

enum collide_status oip_check_values(const struct oip_tensor *t, const void *values, size_t first, size_t n,
                                     struct collide_error *err)
{
    const float *floats = values;
    if (t->datatype != OIP_FP32)
        return check_numbers(t, values, n, err);
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(floats[i]) <= COLLIDE_MAX_WEIGHT))
            return wrong_value(t, first + i, err);
    return COLLIDE_OK;
}

static bool has_head(const struct oip_draft *d)
{
    return (d->given & HEAD) == HEAD;
}

/* Data that come before what they are wait as text, which is read once more. */
static enum collide_status hold_data(struct json_reader *r, unsigned level, struct oip_draft *d,
                                     struct collide_error *err)
{
    if (json_peek(r) != '[')
        return wrong_data(err);
    r->held = r->at;
    d->data_is_held = true;
    json_pass(r, level - 1);
    return COLLIDE_OK;
}

static enum collide_status read_held(struct json_reader *r, unsigned level, struct oip_draft *d,
                                     struct collide_error *err)
{
    struct json_reader data = *r;
    data.at = r->held;
    data.end = r->at;
    data.held = NULL;
    data.is_last = true;
    data.place = JSON_AT_VALUE;
    data.depth = level;
    data.is_in_object = true;
    r->held = NULL;
    return read_data(&data, level, d, err);
}

static enum collide_status read_value_of(struct json_reader *r, unsigned level, struct oip_draft *d,
                                         struct collide_error *err)
{
    switch ((enum field)d->field) {
    case FIELD_NAME:
        return read_name(r, &d->tensor, err);
    case FIELD_SHAPE:
        return read_shape(r, level, &d->tensor, err);
    case FIELD_DATATYPE:
        return read_datatype(r, &d->tensor, err);
    case FIELD_PARAMETERS:
        return read_parameters(r, level, &d->tensor, err);
    case FIELD_DATA:
        return has_head(d) ? read_data(r, level, d, err) : hold_data(r, level, d, err);
    case N_FIELDS:
        break;
    }
    return COLLIDE_INVALID;
}

static enum collide_status begin_field(struct json_reader *r, struct oip_draft *d, struct collide_error *err)
{
    struct json_text key;
    if (!json_key(r, &key))
        return json_status(r);
    for (d->field = 0; d->field < N_FIELDS && !json_text_is(&key, FIELDS[d->field]);)
        d->field++;
    if (d->field == N_FIELDS)
        return error_set(err, COLLIDE_INVALID, "unknown field \"%.*s\" of an input",
                         (int)(key.n_bytes < 32 ? key.n_bytes : 32), key.bytes);
    if (d->given & BIT(d->field))
        return error_set(err, COLLIDE_INVALID, "field \"%s\" of an input is given twice", FIELDS[d->field]);
    return COLLIDE_OK;
}

static enum collide_status read_field(struct json_reader *r, unsigned level, struct oip_draft *d,
                                      const struct oip_head_check *check, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    bool had_head = has_head(d);
    if (json_is_at_key(r, level))
        status = begin_field(r, d, err);
    if (status == COLLIDE_OK && !r->is_starved)
        status = read_value_of(r, level + 1, d, err);
    if (status != COLLIDE_OK || r->is_starved)
        return status;
    d->given |= BIT(d->field);
    return has_head(d) && !had_head ? check->check(check->context, &d->tensor, err) : COLLIDE_OK;
}

static enum collide_status end_tensor(struct json_reader *r, unsigned level, struct oip_draft *d,
                                      struct collide_error *err)
{
    const struct oip_tensor *t = &d->tensor;
    size_t value_bytes = DATATYPES[t->datatype].n_bytes;
    if (!has_head(d))
        return error_set(err, COLLIDE_INVALID, "an input needs a \"name\", a \"shape\" and a \"datatype\"");
    if (t->is_binary == ((d->given & BIT(FIELD_DATA)) != 0))
        return error_set(err, COLLIDE_INVALID,
                         "\"%s\" must have either \"data\" or the parameter \"binary_data_size\"", t->label);
    if (!t->is_binary)
        return d->data_is_held ? read_held(r, level + 1, d, err) : COLLIDE_OK;
    bool fits = value_bytes ? t->n_binary_bytes % value_bytes == 0 && t->n_binary_bytes / value_bytes == t->n
                            : t->n <= t->n_binary_bytes / sizeof(uint32_t);
    return fits ? COLLIDE_OK : oip_wrong_count(t, err);
}

enum collide_status oip_read_tensor(struct json_reader *r, unsigned level, struct oip_draft *d,
                                    const struct oip_head_check *check, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    if (!json_enter(r, '{', level))
        return error_set(err, COLLIDE_INVALID, "an input must be an object");
    while (status == COLLIDE_OK && json_next(r, level))
        status = read_field(r, level, d, check, err);
    if (r->failed || r->is_starved || status != COLLIDE_OK)
        return r->failed ? COLLIDE_INVALID : status;
    return end_tensor(r, level, d, err);
}

uint64_t oip_tensor_number(const struct oip_tensor *t, size_t i)
{
    uint64_t number = 0;
    memcpy(&number, (const char *)t->numbers + i * t->number_bytes, t->number_bytes == 8 ? 8 : 4);
    return number;
}

const struct collide_id *oip_tensor_ids(const struct oip_tensor *t, struct arena *arena)
{
    if (t->datatype == OIP_BYTES)
        return t->texts;
    struct collide_id *ids = arena_alloc(arena, t->n, sizeof *ids);
    for (size_t i = 0; ids && i < t->n; i++)
        ids[i] = collide_id_number(oip_tensor_number(t, i));
    return ids;
}

enum collide_status oip_tensor_widen(struct oip_tensor *t, struct arena *arena, struct collide_error *err)
{
    uint64_t *numbers = arena_alloc(arena, t->n, sizeof *numbers);
    if (!numbers)
        return error_no_memory(err, "an input");
    for (size_t i = 0; i < t->n; i++)
        numbers[i] = oip_tensor_number(t, i);
    t->numbers = numbers;
    t->number_bytes = sizeof *numbers;
    return COLLIDE_OK;
}
