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

/* The fields of one input so far. */
struct draft {
    struct oip_tensor *tensor;
    unsigned given;          /* BIT(field) each */
    struct json_reader data; /* at data that came before the head */
    bool data_is_read;
    bool is_binary;
    uint64_t n_binary_bytes;
};

const char *oip_datatype_name(enum oip_datatype datatype)
{
    return DATATYPES[datatype].name;
}

static bool has_name(const struct json_text *key, const char *name)
{
    return key->n_bytes == strlen(name) && memcmp(key->bytes, name, key->n_bytes) == 0;
}

static enum collide_status read_text(struct json_reader *r, const char *what, struct json_text *out,
                                     struct collide_error *err)
{
    if (json_peek(r) != '"')
        return error_set(err, COLLIDE_INVALID, "the \"%s\" of an input must be a string", what);
    return json_string(r, out) ? COLLIDE_OK : COLLIDE_INVALID;
}

static enum collide_status read_name(struct json_reader *r, struct oip_tensor *t, struct collide_error *err)
{
    enum collide_status status = read_text(r, FIELDS[FIELD_NAME], &t->name, err);
    if (status != COLLIDE_OK)
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
    if (status != COLLIDE_OK)
        return status;
    for (t->datatype = 0; t->datatype < OIP_N_DATATYPES; t->datatype++)
        if (has_name(&text, DATATYPES[t->datatype].name))
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

static enum collide_status read_shape(struct json_reader *r, struct oip_tensor *t, struct collide_error *err)
{
    if (json_peek(r) != '[')
        return wrong_shape(err);
    t->n = 1;
    t->rank = 0;
    for (json_open(r, '['); json_next(r, ']');) {
        uint64_t size;
        if (t->rank == OIP_MAX_RANK || !json_u64(r, &size) || __builtin_mul_overflow(t->n, size, &t->n))
            return wrong_shape(err);
        t->shape[t->rank++] = (size_t)size;
    }
    if (r->failed)
        return COLLIDE_INVALID;
    return t->rank > 0 ? COLLIDE_OK : wrong_shape(err);
}

static enum collide_status read_parameters(struct json_reader *r, struct draft *d, struct collide_error *err)
{
    if (json_peek(r) != '{')
        return error_set(err, COLLIDE_INVALID, "the \"parameters\" of an input must be an object");
    for (json_open(r, '{'); json_next(r, '}');) {
        struct json_text key;
        if (!json_key(r, &key))
            break;
        if (has_name(&key, "shared_memory_region"))
            return error_set(err, COLLIDE_INVALID,
                             "tensors in shared memory are not supported; send the data with the request");
        if (!has_name(&key, "binary_data_size"))
            json_skip(r);
        else if (json_u64(r, &d->n_binary_bytes))
            d->is_binary = true;
        else
            return error_set(err, COLLIDE_INVALID, "\"binary_data_size\" must be a number of bytes");
    }
    return r->failed ? COLLIDE_INVALID : COLLIDE_OK;
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

static enum collide_status wrong_count(const struct oip_tensor *t, struct collide_error *err)
{
    return error_set(err, COLLIDE_INVALID, "\"%s\": its data are not the %zu values of its shape", t->label,
                     t->n);
}

/* Values, by datatype. */
union values {
    const void *given;
    void *any;
    uint64_t *numbers;
    struct collide_id *texts;
    float *floats;
};

static void keep_values(struct oip_tensor *t, union values values, unsigned number_bytes)
{
    if (t->datatype == OIP_BYTES) {
        t->texts = values.texts;
    } else if (t->datatype == OIP_FP32) {
        t->floats = values.floats;
    } else {
        t->numbers = values.given;
        t->number_bytes = number_bytes;
    }
}

static bool read_value(struct json_reader *r, const struct oip_tensor *t, union values values, size_t i)
{
    struct json_text text;
    double number;
    char next;
    switch (t->datatype) {
    case OIP_BYTES:
        if (json_peek(r) != '"' || !json_string(r, &text))
            return false;
        values.texts[i] = collide_id_text(text.bytes, text.n_bytes);
        return true;
    case OIP_FP32:
        next = json_peek(r);
        if ((next != '-' && (next < '0' || next > '9')) || !json_number(r, &number) ||
            !(fabs(number) <= COLLIDE_MAX_WEIGHT))
            return false;
        values.floats[i] = (float)number;
        return true;
    default:
        return json_u64(r, &values.numbers[i]) && values.numbers[i] <= DATATYPES[t->datatype].max;
    }
}

/* A list of exactly n values, behind those before. */
static enum collide_status read_run(struct json_reader *r, const struct oip_tensor *t, union values values,
                                    size_t begin, size_t n, struct collide_error *err)
{
    size_t i = begin;
    for (json_open(r, '['); json_next(r, ']'); i++) {
        if (i == begin + n)
            return wrong_count(t, err);
        if (!read_value(r, t, values, i))
            return r->failed ? COLLIDE_INVALID : wrong_value(t, i, err);
    }
    if (r->failed)
        return COLLIDE_INVALID;
    return i == begin + n ? COLLIDE_OK : wrong_count(t, err);
}

/* A list of rows. */
static enum collide_status read_rows(struct json_reader *r, const struct oip_tensor *t, union values values,
                                     struct collide_error *err)
{
    size_t row = 0;
    enum collide_status status = COLLIDE_OK;
    for (json_open(r, '['); status == COLLIDE_OK && json_next(r, ']'); row++) {
        if (json_peek(r) != '[' || row == t->shape[0])
            return wrong_count(t, err);
        status = read_run(r, t, values, row * t->shape[1], t->shape[1], err);
    }
    if (r->failed)
        return COLLIDE_INVALID;
    return status != COLLIDE_OK || row == t->shape[0] ? status : wrong_count(t, err);
}

static bool is_nested(struct json_reader *r)
{
    struct json_reader peeping = *r;
    return json_open(&peeping, '[') && json_peek(&peeping) == '[';
}

/* Lists may be nested as the shape says, or flat. */
static enum collide_status read_data(struct json_reader *r, struct oip_tensor *t, struct collide_error *err)
{
    if (json_peek(r) != '[')
        return error_set(err, COLLIDE_INVALID, "\"%s\": \"data\" must be a list", t->label);
    bool nested = is_nested(r);
    /* No memory for more values than the text can hold, each with its comma or bracket. */
    size_t least_bytes = t->datatype == OIP_BYTES ? sizeof "\"\"," - 1 : sizeof "0," - 1;
    if (t->n > (size_t)(r->end - r->at) / least_bytes || (nested && t->rank < 2))
        return wrong_count(t, err);
    const size_t value_bytes[OIP_N_DATATYPES] = {
        [OIP_INT32] = 8,  [OIP_INT64] = 8, [OIP_UINT32] = 8,
        [OIP_UINT64] = 8, [OIP_FP32] = 4,  [OIP_BYTES] = sizeof(struct collide_id)};
    union values values = {.any = arena_alloc(r->arena, t->n, value_bytes[t->datatype])};
    if (!values.any)
        return error_no_memory(err, "an input");
    enum collide_status status = nested ? read_rows(r, t, values, err) : read_run(r, t, values, 0, t->n, err);
    if (status == COLLIDE_OK)
        keep_values(t, values, sizeof(uint64_t));
    return status;
}

/* What is negative as an integer of its size is beyond the datatype's max as an unsigned one. */
static enum collide_status check_numbers(const struct oip_tensor *t, const void *numbers,
                                         struct collide_error *err)
{
    uint64_t all = 0;
    if (DATATYPES[t->datatype].n_bytes == 4)
        for (size_t i = 0; i < t->n; i++)
            all |= ((const uint32_t *)numbers)[i];
    else
        for (size_t i = 0; i < t->n; i++) {
            uint64_t number;
            memcpy(&number, (const char *)numbers + i * sizeof number, sizeof number);
            all |= number;
        }
    if (all <= DATATYPES[t->datatype].max)
        return COLLIDE_OK;
    return error_set(err, COLLIDE_INVALID, "\"%s\": ids are integers from 0 on, and one of these is negative",
                     t->label);
}

static enum collide_status check_floats(const struct oip_tensor *t, const float *floats,
                                        struct collide_error *err)
{
    for (size_t i = 0; i < t->n; i++)
        if (!(fabsf(floats[i]) <= COLLIDE_MAX_WEIGHT))
            return wrong_value(t, i, err);
    return COLLIDE_OK;
}

/* Each value with its length before it. */
static enum collide_status take_texts(struct arena *arena, struct cursor bytes, struct oip_tensor *t,
                                      struct collide_error *err)
{
    if (t->n > cursor_left(&bytes) / sizeof(uint32_t))
        return wrong_count(t, err);
    struct collide_id *texts = arena_alloc(arena, t->n, sizeof *texts);
    if (!texts)
        return error_no_memory(err, "an input");
    for (size_t i = 0; i < t->n; i++) {
        uint32_t n = cursor_u32(&bytes);
        texts[i] = collide_id_text((const char *)cursor_take(&bytes, n), n);
    }
    if (bytes.failed || cursor_left(&bytes) > 0)
        return wrong_count(t, err);
    t->texts = texts;
    return COLLIDE_OK;
}

/* The bytes at a multiple of 4, where they lie or else in the arena; NULL: out of memory. */
static const void *aligned(struct arena *arena, const uint8_t *bytes, size_t n)
{
    if ((uintptr_t)bytes % 4 == 0)
        return bytes;
    void *copy = arena_alloc(arena, n, 1);
    return copy ? memcpy(copy, bytes, n) : NULL;
}

static enum collide_status take_binary(struct oip_source *s, struct draft *d, struct collide_error *err)
{
    struct oip_tensor *t = d->tensor;
    size_t left = cursor_left(&s->binary), value_bytes = DATATYPES[t->datatype].n_bytes;
    const uint8_t *bytes = cursor_take(&s->binary, d->n_binary_bytes);
    if (!bytes)
        return error_set(err, COLLIDE_INVALID,
                         "\"%s\": its \"binary_data_size\" is %llu, and %zu bytes are left behind the JSON, "
                         "which Inference-Header-Content-Length ends",
                         t->label, (unsigned long long)d->n_binary_bytes, left);
    size_t n = (size_t)d->n_binary_bytes;
    if (t->datatype == OIP_BYTES)
        return take_texts(s->json.arena, cursor_over(bytes, n), t, err);
    if (n % value_bytes != 0 || n / value_bytes != t->n)
        return wrong_count(t, err);
    union values values = {.given = aligned(s->json.arena, bytes, n)};
    if (!values.given)
        return error_no_memory(err, "an input");
    enum collide_status status =
        t->datatype == OIP_FP32 ? check_floats(t, values.floats, err) : check_numbers(t, values.given, err);
    if (status == COLLIDE_OK)
        keep_values(t, values, DATATYPES[t->datatype].n_bytes);
    return status;
}

static enum collide_status read_field(struct oip_source *s, enum field field, struct draft *d,
                                      struct collide_error *err)
{
    struct json_reader *r = &s->json;
    switch (field) {
    case FIELD_NAME:
        return read_name(r, d->tensor, err);
    case FIELD_SHAPE:
        return read_shape(r, d->tensor, err);
    case FIELD_DATATYPE:
        return read_datatype(r, d->tensor, err);
    case FIELD_PARAMETERS:
        return read_parameters(r, d, err);
    case FIELD_DATA:
        d->data_is_read = (d->given & HEAD) == HEAD;
        if (d->data_is_read)
            return read_data(r, d->tensor, err);
        d->data = *r;
        json_skip(r);
        return r->failed ? COLLIDE_INVALID : COLLIDE_OK;
    case N_FIELDS:
        break;
    }
    return COLLIDE_INVALID;
}

static enum collide_status read_fields(struct oip_source *s, struct draft *d, struct collide_error *err)
{
    struct json_reader *r = &s->json;
    for (json_open(r, '{'); json_next(r, '}');) {
        struct json_text key;
        if (!json_key(r, &key))
            break;
        enum field field = 0;
        while (field < N_FIELDS && !has_name(&key, FIELDS[field]))
            field++;
        if (field == N_FIELDS)
            return error_set(err, COLLIDE_INVALID, "unknown field \"%.*s\" of an input",
                             (int)(key.n_bytes < 32 ? key.n_bytes : 32), key.bytes);
        if (d->given & BIT(field))
            return error_set(err, COLLIDE_INVALID, "field \"%s\" of an input is given twice", FIELDS[field]);
        enum collide_status status = read_field(s, field, d, err);
        if (status != COLLIDE_OK)
            return status;
        d->given |= BIT(field);
    }
    return r->failed ? COLLIDE_INVALID : COLLIDE_OK;
}

static enum collide_status read_values(struct oip_source *s, struct draft *d, struct collide_error *err)
{
    if ((d->given & HEAD) != HEAD)
        return error_set(err, COLLIDE_INVALID, "an input needs a \"name\", a \"shape\" and a \"datatype\"");
    if (d->is_binary == ((d->given & BIT(FIELD_DATA)) != 0))
        return error_set(err, COLLIDE_INVALID,
                         "\"%s\" must have either \"data\" or the parameter \"binary_data_size\"",
                         d->tensor->label);
    if (d->is_binary)
        return take_binary(s, d, err);
    return d->data_is_read ? COLLIDE_OK : read_data(&d->data, d->tensor, err);
}

enum collide_status oip_read_tensor(struct oip_source *s, struct oip_tensor *out, struct collide_error *err)
{
    *out = (struct oip_tensor){0};
    struct draft draft = {.tensor = out};
    if (json_peek(&s->json) != '{')
        return error_set(err, COLLIDE_INVALID, "an input must be an object");
    enum collide_status status = read_fields(s, &draft, err);
    return status == COLLIDE_OK ? read_values(s, &draft, err) : status;
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
