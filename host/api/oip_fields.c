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

static const struct {
    const char *name;
    unsigned types;
} INPUTS[OIP_N_INPUTS] = {
    [OIP_INPUT_USER] = {"user", IDS},
    [OIP_INPUT_ITEMS] = {"items", IDS},
    [OIP_INPUT_HISTORY] = {"history", IDS},
    [OIP_INPUT_HISTORY_LENGTHS] = {"history_lengths", INTEGERS},
    [OIP_INPUT_WEIGHTS] = {"weights", TYPE(OIP_FP32)},
    [OIP_INPUT_EXCLUDE] = {"exclude", IDS},
};

/* Everything that reading a body needs. */
struct parser {
    struct oip_source source;
    const struct request_limits *limits;
    struct oip_fields *out;
    struct collide_error *err;
};

const char *oip_output_name(enum oip_output output)
{
    static const char *const names[OIP_N_OUTPUTS] = {
        [OIP_SCORES] = "scores", [OIP_ITEMS] = "items", [OIP_COUNTS] = "counts"};
    return names[output];
}

static enum collide_status invalid(struct parser *p, const char *text)
{
    return error_set(p->err, COLLIDE_INVALID, "%s", text);
}

static bool has_name(const struct json_text *key, const char *name)
{
    return key->n_bytes == strlen(name) && memcmp(key->bytes, name, key->n_bytes) == 0;
}

static enum collide_status unknown_input(struct parser *p, const struct oip_tensor *t)
{
    struct spelling meant = spelling_of(t->label);
    for (enum oip_input i = 0; i < OIP_N_INPUTS; i++)
        spelling_offer(&meant, INPUTS[i].name);
    if (meant.closest)
        return error_set(p->err, COLLIDE_INVALID, "unknown input \"%s\"; did you mean \"%s\"?", t->label,
                         meant.closest);
    return error_set(
        p->err, COLLIDE_INVALID,
        "unknown input \"%s\"; there are user, items, history, history_lengths, weights, exclude "
        "and features.NAME",
        t->label);
}

static enum collide_status check_type(struct parser *p, const struct oip_tensor *t, unsigned types)
{
    if (types & TYPE(t->datatype))
        return COLLIDE_OK;
    return error_set(p->err, COLLIDE_INVALID, "input \"%s\" cannot be %s; send it as %s", t->label,
                     oip_datatype_name(t->datatype),
                     types == TYPE(OIP_FP32) ? "FP32"
                     : types == INTEGERS     ? "INT32, INT64, UINT32 or UINT64"
                                             : "INT64, INT32, UINT64, UINT32 or BYTES");
}

static bool same_name(const struct json_text *a, const struct json_text *b)
{
    return a->n_bytes == b->n_bytes && memcmp(a->bytes, b->bytes, a->n_bytes) == 0;
}

/* Where the input of this name is to be kept; NULL: there is none such. */
static struct oip_tensor *place_of(struct parser *p, const struct oip_tensor *t, unsigned *types)
{
    *types = IDS;
    for (enum oip_input i = 0; i < OIP_N_INPUTS; i++)
        if (has_name(&t->name, INPUTS[i].name)) {
            *types = INPUTS[i].types;
            return &p->out->inputs[i];
        }
    if (t->name.n_bytes <= OIP_FEATURE_CHARS || memcmp(t->name.bytes, OIP_FEATURE, OIP_FEATURE_CHARS) != 0)
        return NULL;
    for (size_t i = 0; i < p->out->n_features; i++)
        if (same_name(&p->out->features[i].name, &t->name))
            return &p->out->features[i];
    return p->out->n_features < MODEL_MAX_FEATURES ? &p->out->features[p->out->n_features++] : NULL;
}

static enum collide_status read_input(struct parser *p)
{
    struct oip_tensor tensor;
    unsigned types;
    enum collide_status status = oip_read_tensor(&p->source, &tensor, p->err);
    if (status != COLLIDE_OK)
        return status;
    struct oip_tensor *place = place_of(p, &tensor, &types);
    if (!place)
        return unknown_input(p, &tensor);
    if (place->rank > 0)
        return error_set(p->err, COLLIDE_INVALID, "input \"%s\" is given twice", tensor.label);
    *place = tensor;
    return check_type(p, place, types);
}

static enum collide_status read_inputs(struct parser *p)
{
    struct json_reader *r = &p->source.json;
    enum collide_status status = COLLIDE_OK;
    if (json_peek(r) != '[')
        return invalid(p, "\"inputs\" must be a list of tensors");
    for (json_open(r, '['); status == COLLIDE_OK && json_next(r, ']');)
        status = read_input(p);
    return r->failed ? COLLIDE_INVALID : status;
}

static enum collide_status read_output_parameters(struct parser *p, enum oip_choice *choice)
{
    struct json_reader *r = &p->source.json;
    struct json_text key;
    bool is_binary;
    if (json_peek(r) != '{')
        return invalid(p, "the \"parameters\" of an output must be an object");
    for (json_open(r, '{'); json_next(r, '}') && json_key(r, &key);) {
        if (has_name(&key, "classification") || has_name(&key, "shared_memory_region"))
            return error_set(p->err, COLLIDE_INVALID, "the output parameter \"%.*s\" is not supported",
                             (int)key.n_bytes, key.bytes);
        if (!has_name(&key, "binary_data")) {
            json_skip(r);
            continue;
        }
        enum collide_status status = json_read_bool(r, "binary_data", &is_binary, p->err);
        if (status != COLLIDE_OK)
            return status;
        *choice = is_binary ? OIP_YES : OIP_NO;
    }
    return r->failed ? COLLIDE_INVALID : COLLIDE_OK;
}

static enum collide_status add_output(struct parser *p, const struct json_text *name, enum oip_choice choice)
{
    struct oip_fields *out = p->out;
    enum oip_output output = 0;
    while (output < OIP_N_OUTPUTS && !has_name(name, oip_output_name(output)))
        output++;
    if (output == OIP_N_OUTPUTS)
        return error_set(p->err, COLLIDE_INVALID,
                         "unknown output \"%.*s\"; there are scores, and of a top-k items and counts",
                         (int)(name->n_bytes < 32 ? name->n_bytes : 32), name->bytes);
    for (unsigned i = 0; i < out->n_outputs; i++)
        if (out->outputs[i].name == output)
            return error_set(p->err, COLLIDE_INVALID, "output \"%s\" is asked for twice",
                             oip_output_name(output));
    out->outputs[out->n_outputs++] = (struct oip_output_field){output, choice};
    return COLLIDE_OK;
}

static enum collide_status read_output(struct parser *p)
{
    struct json_reader *r = &p->source.json;
    struct json_text key, name = {0};
    enum oip_choice choice = OIP_UNSAID;
    enum collide_status status = COLLIDE_OK;
    if (json_peek(r) != '{')
        return invalid(p, "an output must be an object with a \"name\"");
    for (json_open(r, '{'); status == COLLIDE_OK && json_next(r, '}') && json_key(r, &key);) {
        if (has_name(&key, "name") && json_peek(r) == '"')
            json_string(r, &name);
        else if (has_name(&key, "parameters"))
            status = read_output_parameters(p, &choice);
        else
            status = invalid(p, "an output has a \"name\", which is a string, and \"parameters\"");
    }
    if (r->failed || status != COLLIDE_OK)
        return r->failed ? COLLIDE_INVALID : status;
    return add_output(p, &name, choice);
}

static enum collide_status read_outputs(struct parser *p)
{
    struct json_reader *r = &p->source.json;
    enum collide_status status = COLLIDE_OK;
    if (json_peek(r) != '[')
        return invalid(p, "\"outputs\" must be a list");
    for (json_open(r, '['); status == COLLIDE_OK && json_next(r, ']');)
        status = read_output(p);
    return r->failed ? COLLIDE_INVALID : status;
}

/* What is not known is passed over: clients send parameters that are meant for other servers. */
static enum collide_status read_parameter(struct parser *p, const struct json_text *key)
{
    struct json_reader *r = &p->source.json;
    if (has_name(key, "k"))
        return json_read_count(r, (struct json_field){"k", p->limits->max_items}, &p->out->k, p->err);
    if (has_name(key, "exclude_seen"))
        return json_read_bool(r, "exclude_seen", &p->out->exclude_seen, p->err);
    if (has_name(key, "binary_data_output"))
        return json_read_bool(r, "binary_data_output", &p->out->outputs_are_binary, p->err);
    if (!has_name(key, "timeout") && !has_name(key, "timeout_us")) {
        json_skip(r);
        return COLLIDE_OK;
    }
    return json_u64(r, &p->out->timeout_us) ? COLLIDE_OK
                                            : invalid(p, "a timeout must be a number of microseconds");
}

static enum collide_status read_parameters(struct parser *p)
{
    struct json_reader *r = &p->source.json;
    struct json_text key;
    enum collide_status status = COLLIDE_OK;
    if (json_peek(r) != '{')
        return invalid(p, "\"parameters\" must be an object");
    for (json_open(r, '{'); status == COLLIDE_OK && json_next(r, '}') && json_key(r, &key);)
        status = read_parameter(p, &key);
    return r->failed ? COLLIDE_INVALID : status;
}

static enum collide_status read_id(struct parser *p)
{
    if (json_peek(&p->source.json) != '"')
        return invalid(p, "\"id\" must be a string");
    return json_string(&p->source.json, &p->out->id) ? COLLIDE_OK : COLLIDE_INVALID;
}

static const struct {
    const char *name;
    enum collide_status (*read)(struct parser *p);
} FIELDS[] = {
    {"id", read_id}, {"inputs", read_inputs}, {"outputs", read_outputs}, {"parameters", read_parameters}};

enum { N_FIELDS = sizeof FIELDS / sizeof FIELDS[0] };

static enum collide_status read_body(struct parser *p)
{
    struct json_reader *r = &p->source.json;
    struct json_text key;
    unsigned given = 0;
    if (json_peek(r) != '{')
        return invalid(p, "the request must be a JSON object with \"inputs\"");
    for (json_open(r, '{'); json_next(r, '}') && json_key(r, &key);) {
        size_t f = 0;
        while (f < N_FIELDS && !has_name(&key, FIELDS[f].name))
            f++;
        if (f == N_FIELDS || given & 1u << f)
            return error_set(p->err, COLLIDE_INVALID, "%s field \"%.*s\"",
                             f == N_FIELDS ? "unknown" : "there is more than one",
                             (int)(key.n_bytes < 32 ? key.n_bytes : 32), key.bytes);
        enum collide_status status = FIELDS[f].read(p);
        if (status != COLLIDE_OK)
            return status;
        given |= 1u << f;
    }
    if (r->failed || !json_finish(r))
        return COLLIDE_INVALID;
    if (cursor_left(&p->source.binary) > 0)
        return error_set(p->err, COLLIDE_INVALID,
                         "%zu bytes are left behind the JSON that no input says are its",
                         cursor_left(&p->source.binary));
    return COLLIDE_OK;
}

enum collide_status oip_read_fields(const struct oip_body *body, const struct request_limits *limits,
                                    struct arena *arena, struct oip_fields *out, struct collide_error *err)
{
    *out = (struct oip_fields){0};
    if (body->n_json_bytes > body->n_bytes)
        return error_set(err, COLLIDE_INVALID,
                         "Inference-Header-Content-Length is %zu where the whole body has %zu bytes",
                         body->n_json_bytes, body->n_bytes);
    struct parser p = {.limits = limits, .out = out, .err = err};
    p.source.json = json_reader_over(body->bytes, body->n_json_bytes, arena, err);
    p.source.binary = cursor_over(body->bytes + body->n_json_bytes, body->n_bytes - body->n_json_bytes);
    return read_body(&p);
}
