#include "api/oip_fields.h"

#include "api/json_fields.h"
#include "base/error.h"
#include "base/spelling.h"

#include <stdio.h>
#include <string.h>

/* What an input's values may be: bits of enum oip_datatype. */
#define TYPE(t)  (1u << (t))
#define INTEGERS (TYPE(OIP_INT32) | TYPE(OIP_INT64) | TYPE(OIP_UINT32) | TYPE(OIP_UINT64))
#define IDS      (INTEGERS | TYPE(OIP_BYTES))

struct input_kind {
    const char *name;
    unsigned types;
    enum oip_row row;
};

static const struct input_kind INPUTS[OIP_N_INPUTS] = {
    [OIP_INPUT_USER] = {"user", IDS, OIP_ROW_VALUE},
    [OIP_INPUT_ITEMS] = {"items", IDS, OIP_ROW_LIST},
    [OIP_INPUT_HISTORY] = {"history", IDS, OIP_ROW_LIST},
    [OIP_INPUT_HISTORY_LENGTHS] = {"history_lengths", INTEGERS, OIP_ROW_VALUE},
    [OIP_INPUT_WEIGHTS] = {"weights", TYPE(OIP_FP32), OIP_ROW_LIST},
    [OIP_INPUT_EXCLUDE] = {"exclude", IDS, OIP_ROW_LIST},
};

static const struct input_kind FEATURE = {OIP_FEATURE, IDS, OIP_ROW_LIST};

/* Lists and objects around what is read. */
enum { BODY_LEVEL, FIELD_LEVEL, ELEMENT_LEVEL, PARAMETERS_LEVEL };

enum oip_row oip_input_row(enum oip_input input)
{
    return INPUTS[input].row;
}

size_t oip_rows(const struct oip_tensor *t, enum oip_row row)
{
    return t->rank == 2 || row == OIP_ROW_VALUE ? t->shape[0] : 1;
}

size_t oip_columns(const struct oip_tensor *t, enum oip_row row)
{
    if (t->rank == 2)
        return t->shape[1];
    return row == OIP_ROW_VALUE ? t->rank : t->shape[0];
}

const char *oip_output_name(enum oip_output output)
{
    static const char *const names[OIP_N_OUTPUTS] = {
        [OIP_SCORES] = "scores", [OIP_ITEMS] = "items", [OIP_COUNTS] = "counts"};
    return names[output];
}

static enum collide_status invalid(struct oip_fields_reader *p, const char *text)
{
    return error_set(&p->error, COLLIDE_INVALID, "%s", text);
}

static bool is_feature(const struct oip_tensor *t)
{
    return t->name.n_bytes > OIP_FEATURE_CHARS && memcmp(t->name.bytes, OIP_FEATURE, OIP_FEATURE_CHARS) == 0;
}

/* Why an input has no place. */
static enum collide_status refuse_input(struct oip_fields_reader *p, const struct oip_tensor *t)
{
    if (is_feature(t) && p->out->features)
        return error_set(&p->error, COLLIDE_INVALID, "there are more than %d features, as no model has",
                         MODEL_MAX_FEATURES);
    if (is_feature(t))
        return error_no_memory(&p->error, "the features");
    struct spelling meant = spelling_of(t->label);
    for (enum oip_input i = 0; i < OIP_N_INPUTS; i++)
        spelling_offer(&meant, INPUTS[i].name);
    if (meant.closest)
        return error_set(&p->error, COLLIDE_INVALID, "unknown input \"%s\"; did you mean \"%s\"?", t->label,
                         meant.closest);
    return error_set(
        &p->error, COLLIDE_INVALID,
        "unknown input \"%s\"; there are user, items, history, history_lengths, weights, exclude "
        "and features.NAME",
        t->label);
}

static enum collide_status check_type(struct oip_fields_reader *p, const struct oip_tensor *t, unsigned types)
{
    if (types & TYPE(t->datatype))
        return COLLIDE_OK;
    return error_set(&p->error, COLLIDE_INVALID, "input \"%s\" cannot be %s; send it as %s", t->label,
                     oip_datatype_name(t->datatype),
                     types == TYPE(OIP_FP32) ? "FP32"
                     : types == INTEGERS     ? "INT32, INT64, UINT32 or UINT64"
                                             : "INT64, INT32, UINT64, UINT32 or BYTES");
}

static bool same_name(const struct json_text *a, const struct json_text *b)
{
    return a->n_bytes == b->n_bytes && memcmp(a->bytes, b->bytes, a->n_bytes) == 0;
}

static struct oip_tensor *feature_of(struct oip_fields_reader *p, const struct json_text *name)
{
    struct oip_fields *out = p->out;
    for (size_t i = 0; i < out->n_features; i++)
        if (same_name(&out->features[i].name, name))
            return &out->features[i];
    if (!out->features)
        out->features = arena_alloc(p->json.arena, MODEL_MAX_FEATURES, sizeof *out->features);
    return out->features && out->n_features < MODEL_MAX_FEATURES ? &out->features[out->n_features++] : NULL;
}

/* Where the input of this name is to be kept; NULL: there is none such. */
static struct oip_tensor *place_of(struct oip_fields_reader *p, const struct oip_tensor *t,
                                   const struct input_kind **kind)
{
    for (enum oip_input i = 0; i < OIP_N_INPUTS; i++)
        if (json_text_is(&t->name, INPUTS[i].name)) {
            *kind = &INPUTS[i];
            return &p->out->inputs[i];
        }
    *kind = &FEATURE;
    return is_feature(t) ? feature_of(p, &t->name) : NULL;
}

/* What an input claims to hold, before it is read. */
static enum collide_status check_size(struct oip_fields_reader *p, const struct oip_tensor *t,
                                      const struct input_kind *kind)
{
    size_t n_rows = oip_rows(t, kind->row), n_columns = oip_columns(t, kind->row);
    bool is_history =
        kind == &INPUTS[OIP_INPUT_HISTORY] || kind == &INPUTS[OIP_INPUT_WEIGHTS] || kind == &FEATURE;
    size_t max = is_history ? p->limits->max_history : p->limits->max_items;
    if (kind == &FEATURE && n_columns == 0)
        return error_set(&p->error, COLLIDE_INVALID, "\"%s\" has no ids in a row; leave it out", t->label);
    if (kind->row == OIP_ROW_VALUE && n_columns != 1)
        return error_set(&p->error, COLLIDE_INVALID,
                         "\"%s\" has one value a row: its shape is [rows] or [rows, 1]", t->label);
    if (n_rows > p->limits->max_items)
        return error_set(&p->error, COLLIDE_INVALID, "%zu rows are over the limit of %zu; send them in parts",
                         n_rows, p->limits->max_items);
    if (kind == &INPUTS[OIP_INPUT_ITEMS] && t->n > max)
        return error_set(&p->error, COLLIDE_INVALID, "%zu rows of %zu scores are over the limit of %zu",
                         n_rows, n_columns, max);
    if (n_columns > max)
        return error_set(&p->error, COLLIDE_INVALID, "a row of \"%s\" is longer than the limit of %zu",
                         t->label, max);
    return COLLIDE_OK;
}

static enum collide_status check_head(void *context, const struct oip_tensor *t, struct collide_error *err)
{
    struct oip_fields_reader *p = context;
    const struct input_kind *kind;
    (void)err;
    p->place = place_of(p, t, &kind);
    if (!p->place)
        return refuse_input(p, t);
    if (p->place->rank > 0)
        return error_set(&p->error, COLLIDE_INVALID, "input \"%s\" is given twice", t->label);
    enum collide_status status = check_type(p, t, kind->types);
    return status == COLLIDE_OK ? check_size(p, t, kind) : status;
}

static enum collide_status read_input(struct oip_fields_reader *p)
{
    const struct oip_head_check check = {check_head, p};
    if (!json_is_inside(&p->json, ELEMENT_LEVEL))
        p->input = (struct oip_draft){0};
    enum collide_status status = oip_read_tensor(&p->json, ELEMENT_LEVEL, &p->input, &check, &p->error);
    if (status != COLLIDE_OK || p->json.is_starved)
        return status;
    *p->place = p->input.tensor;
    if (p->place->is_binary)
        p->out->binary[p->out->n_binary++] = p->place;
    return COLLIDE_OK;
}

static enum collide_status read_inputs(struct oip_fields_reader *p)
{
    struct json_reader *r = &p->json;
    enum collide_status status = COLLIDE_OK;
    if (!json_enter(r, '[', FIELD_LEVEL))
        return invalid(p, "\"inputs\" must be a list of tensors");
    while (status == COLLIDE_OK && json_next(r, FIELD_LEVEL))
        status = read_input(p);
    return r->failed ? COLLIDE_INVALID : status;
}

static enum collide_status read_output_parameters(struct oip_fields_reader *p, enum oip_choice *choice)
{
    struct json_reader *r = &p->json;
    struct json_text key;
    bool is_binary;
    enum collide_status status = COLLIDE_OK;
    if (!json_enter(r, '{', PARAMETERS_LEVEL))
        return invalid(p, "the \"parameters\" of an output must be an object");
    while (status == COLLIDE_OK && json_next(r, PARAMETERS_LEVEL) && json_key(r, &key)) {
        if (json_text_is(&key, "classification") || json_text_is(&key, "shared_memory_region"))
            return error_set(&p->error, COLLIDE_INVALID, "the output parameter \"%.*s\" is not supported",
                             (int)key.n_bytes, key.bytes);
        if (!json_text_is(&key, "binary_data")) {
            json_pass(r, PARAMETERS_LEVEL);
            continue;
        }
        status = json_read_bool(r, "binary_data", &is_binary, &p->error);
        if (status == COLLIDE_OK && !r->is_starved)
            *choice = is_binary ? OIP_YES : OIP_NO;
    }
    return r->failed ? COLLIDE_INVALID : status;
}

static enum collide_status add_output(struct oip_fields_reader *p, const struct json_text *name,
                                      enum oip_choice choice)
{
    struct oip_fields *out = p->out;
    enum oip_output output = 0;
    while (output < OIP_N_OUTPUTS && !json_text_is(name, oip_output_name(output)))
        output++;
    if (output == OIP_N_OUTPUTS)
        return error_set(&p->error, COLLIDE_INVALID,
                         "unknown output \"%.*s\"; there are scores, and of a top-k items and counts",
                         (int)(name->n_bytes < 32 ? name->n_bytes : 32), name->bytes);
    for (unsigned i = 0; i < out->n_outputs; i++)
        if (out->outputs[i].name == output)
            return error_set(&p->error, COLLIDE_INVALID, "output \"%s\" is asked for twice",
                             oip_output_name(output));
    out->outputs[out->n_outputs++] = (struct oip_output_field){output, choice};
    return COLLIDE_OK;
}

static enum collide_status read_output_field(struct oip_fields_reader *p)
{
    struct json_reader *r = &p->json;
    struct json_text key;
    if (json_is_at_key(r, ELEMENT_LEVEL)) {
        if (!json_key(r, &key))
            return json_status(r);
        p->output.is_at_name = json_text_is(&key, "name") && json_peek(r) == '"';
        if (!p->output.is_at_name && !json_text_is(&key, "parameters"))
            return invalid(p, "an output has a \"name\", which is a string, and \"parameters\"");
    }
    if (!p->output.is_at_name)
        return read_output_parameters(p, &p->output.is_binary);
    json_string(r, &p->output.name);
    return json_status(r);
}

static enum collide_status read_output(struct oip_fields_reader *p)
{
    struct json_reader *r = &p->json;
    enum collide_status status = COLLIDE_OK;
    if (!json_is_inside(r, ELEMENT_LEVEL))
        p->output = (struct oip_output_draft){0};
    if (!json_enter(r, '{', ELEMENT_LEVEL))
        return invalid(p, "an output must be an object with a \"name\"");
    while (status == COLLIDE_OK && json_next(r, ELEMENT_LEVEL))
        status = read_output_field(p);
    if (r->failed || r->is_starved || status != COLLIDE_OK)
        return r->failed ? COLLIDE_INVALID : status;
    return add_output(p, &p->output.name, p->output.is_binary);
}

static enum collide_status read_outputs(struct oip_fields_reader *p)
{
    struct json_reader *r = &p->json;
    enum collide_status status = COLLIDE_OK;
    if (!json_enter(r, '[', FIELD_LEVEL))
        return invalid(p, "\"outputs\" must be a list");
    while (status == COLLIDE_OK && json_next(r, FIELD_LEVEL))
        status = read_output(p);
    return r->failed ? COLLIDE_INVALID : status;
}

/* What is not known is passed over: clients send parameters that are meant for other servers. */
static enum collide_status read_parameter(struct oip_fields_reader *p, const struct json_text *key)
{
    struct json_reader *r = &p->json;
    if (json_text_is(key, "k"))
        return json_read_count(r, (struct json_field){.name = "k", .max = p->limits->max_items}, &p->out->k,
                               &p->error);
    if (json_text_is(key, "exclude_seen"))
        return json_read_bool(r, "exclude_seen", &p->out->exclude_seen, &p->error);
    if (json_text_is(key, "binary_data_output"))
        return json_read_bool(r, "binary_data_output", &p->out->outputs_are_binary, &p->error);
    if (!json_text_is(key, "timeout") && !json_text_is(key, "timeout_us")) {
        json_pass(r, FIELD_LEVEL);
        return COLLIDE_OK;
    }
    return json_u64(r, &p->out->timeout_us) || r->is_starved
               ? COLLIDE_OK
               : invalid(p, "a timeout must be a number of microseconds");
}

static enum collide_status read_parameters(struct oip_fields_reader *p)
{
    struct json_reader *r = &p->json;
    struct json_text key;
    enum collide_status status = COLLIDE_OK;
    if (!json_enter(r, '{', FIELD_LEVEL))
        return invalid(p, "\"parameters\" must be an object");
    while (status == COLLIDE_OK && json_next(r, FIELD_LEVEL) && json_key(r, &key))
        status = read_parameter(p, &key);
    return r->failed ? COLLIDE_INVALID : status;
}

static enum collide_status read_id(struct oip_fields_reader *p)
{
    if (json_peek(&p->json) != '"')
        return invalid(p, "\"id\" must be a string");
    json_string(&p->json, &p->out->id);
    return json_status(&p->json);
}

static const struct {
    const char *name;
    enum collide_status (*read)(struct oip_fields_reader *p);
} FIELDS[] = {
    {"id", read_id}, {"inputs", read_inputs}, {"outputs", read_outputs}, {"parameters", read_parameters}};

enum { N_FIELDS = sizeof FIELDS / sizeof FIELDS[0] };

static enum collide_status begin_field(struct oip_fields_reader *p)
{
    struct json_text key;
    if (!json_key(&p->json, &key))
        return json_status(&p->json);
    for (p->field = 0; p->field < N_FIELDS && !json_text_is(&key, FIELDS[p->field].name);)
        p->field++;
    if (p->field == N_FIELDS || p->given & 1u << p->field)
        return error_set(&p->error, COLLIDE_INVALID, "%s field \"%.*s\"",
                         p->field == N_FIELDS ? "unknown" : "there is more than one",
                         (int)(key.n_bytes < 32 ? key.n_bytes : 32), key.bytes);
    return COLLIDE_OK;
}

static enum collide_status read_field(struct oip_fields_reader *p)
{
    enum collide_status status = COLLIDE_OK;
    if (json_is_at_key(&p->json, BODY_LEVEL))
        status = begin_field(p);
    if (status == COLLIDE_OK && !p->json.is_starved)
        status = FIELDS[p->field].read(p);
    if (status == COLLIDE_OK && !p->json.is_starved)
        p->given |= 1u << p->field;
    return status;
}

static enum collide_status read_json(struct oip_fields_reader *p)
{
    struct json_reader *r = &p->json;
    enum collide_status status = COLLIDE_OK;
    if (json_peek(r) == '\0' && r->is_starved)
        return COLLIDE_OK;
    if (!json_enter(r, '{', BODY_LEVEL))
        return invalid(p, "the request must be a JSON object with \"inputs\"");
    while (status == COLLIDE_OK && json_next(r, BODY_LEVEL))
        status = read_field(p);
    if (r->failed || r->is_starved || status != COLLIDE_OK)
        return r->failed ? COLLIDE_INVALID : status;
    p->json_is_whole = json_finish(r);
    return json_status(r);
}

/* The part of the text that is JSON. */
static enum collide_status read_json_text(struct oip_fields_reader *p, const struct request_text *text,
                                          size_t *n_read)
{
    bool ends = p->n_json_bytes == SIZE_MAX ? text->is_last : p->n_json_bytes - p->n_bytes <= text->n_bytes;
    size_t n = ends && p->n_json_bytes != SIZE_MAX ? p->n_json_bytes - p->n_bytes : text->n_bytes;
    json_feed(&p->json, text->bytes, n, (ends ? JSON_IS_LAST : 0u) | (text->is_last ? JSON_STAYS : 0u));
    enum collide_status status = read_json(p);
    *n_read = n - json_n_unread(&p->json);
    if (status != COLLIDE_OK || ends || !text->is_last)
        return status;
    return error_set(&p->error, COLLIDE_INVALID,
                     "Inference-Header-Content-Length is %zu where the whole body has %zu bytes",
                     p->n_json_bytes, p->n_bytes + text->n_bytes);
}

/* What is behind the JSON. */
static enum collide_status read_binary(struct oip_fields_reader *p, struct cursor *bytes, bool is_last)
{
    enum collide_status status = COLLIDE_OK;
    while (status == COLLIDE_OK && p->n_binary_read < p->out->n_binary) {
        struct oip_tensor *t = p->out->binary[p->n_binary_read];
        status = oip_take_binary(&p->binary, t, bytes, is_last, p->json.arena, &p->error);
        if (status == COLLIDE_OK && !p->binary.is_whole)
            return !is_last ? COLLIDE_OK
                            : error_set(&p->error, COLLIDE_INVALID,
                                        "\"%s\": its \"binary_data_size\" is %zu, and %zu bytes are left "
                                        "behind the JSON, which Inference-Header-Content-Length ends",
                                        t->label, t->n_binary_bytes, p->binary.n_taken + cursor_left(bytes));
        p->binary = (struct oip_binary){0};
        p->n_binary_read++;
    }
    if (status == COLLIDE_OK && cursor_left(bytes) > 0)
        return invalid(p, "bytes are left behind the JSON that no input says are its");
    return status;
}

void oip_fields_begin(struct oip_fields_reader *p, size_t n_json_bytes, const struct request_limits *limits,
                      struct arena *arena, struct oip_fields *out)
{
    p->json.arena = arena;
    p->json.err = &p->error;
    p->limits = limits;
    p->out = out;
    p->n_json_bytes = n_json_bytes;
}

enum collide_status oip_read_fields(struct oip_fields_reader *p, const struct request_text *text,
                                    size_t *n_read)
{
    enum collide_status status = COLLIDE_OK;
    *n_read = 0;
    if (!p->json_is_whole)
        status = read_json_text(p, text, n_read);
    if (status == COLLIDE_OK && p->json_is_whole) {
        struct cursor bytes = cursor_over(text->bytes + *n_read, text->n_bytes - *n_read);
        status = read_binary(p, &bytes, text->is_last);
        *n_read = text->n_bytes - cursor_left(&bytes);
    }
    p->n_bytes += *n_read;
    return status;
}
