#include "api/json_v1.h"
#include "api/oip_fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Shapes of tensors; sizes that vary are -1. */
enum shape { VALUES, COLUMN, LIST };

static const char *const SHAPES[] = {[VALUES] = "[-1]", [COLUMN] = "[-1,1]", [LIST] = "[-1,-1]"};

/* A tensor as a model's description tells of it. */
struct described {
    const char *prefix, *name;
    enum oip_datatype datatype;
    enum shape shape;
};

enum { MAX_DESCRIBED = OIP_N_INPUTS + MODEL_MAX_FEATURES };

typedef void (*print_tensor)(const struct described *t, struct buffer *out);

static void print_text(struct buffer *out, const char *text)
{
    json_print_string(out, text, strlen(text));
}

static enum oip_datatype id_type(const struct space *space)
{
    return space->keys.kind == KEYS_STRING ? OIP_BYTES : OIP_UINT64;
}

/* Which tensors there are: those of a fixed name, then a model's features. */
static size_t list_inputs(const struct model *m, struct described *out)
{
    const enum oip_datatype items = id_type(&m->item);
    size_t n = 0;
    if (m->user.n_ids > 0)
        out[n++] = (struct described){"", "user", id_type(&m->user), COLUMN};
    out[n++] = (struct described){"", "items", items, LIST};
    out[n++] = (struct described){"", "history", items, LIST};
    out[n++] = (struct described){"", "history_lengths", OIP_INT32, COLUMN};
    out[n++] = (struct described){"", "weights", OIP_FP32, LIST};
    out[n++] = (struct described){"", "exclude", items, LIST};
    for (size_t i = 0; i < m->n_features; i++)
        out[n++] = (struct described){OIP_FEATURE, m->features[i].name, id_type(&m->features[i].space), LIST};
    return n;
}

static size_t list_outputs(const struct model *m, struct described *out)
{
    out[0] = (struct described){"", oip_output_name(OIP_SCORES), OIP_FP32, LIST};
    out[1] = (struct described){"", oip_output_name(OIP_ITEMS), id_type(&m->item), LIST};
    out[2] = (struct described){"", oip_output_name(OIP_COUNTS), OIP_INT32, VALUES};
    return OIP_N_OUTPUTS;
}

static void print_tensors(const struct described *tensors, size_t n, print_tensor print, struct buffer *out)
{
    buffer_append(out, "[", 1);
    for (size_t i = 0; i < n; i++) {
        buffer_append(out, ",", i > 0);
        /* names need no escapes */
        buffer_printf(out, "{\"name\":\"%s%s\"", tensors[i].prefix, tensors[i].name);
        print(&tensors[i], out);
    }
    buffer_append(out, "]", 1);
}

static void print_metadata(const struct described *t, struct buffer *out)
{
    buffer_printf(out, ",\"datatype\":\"%s\",\"shape\":%s}", oip_datatype_name(t->datatype),
                  SHAPES[t->shape]);
}

/* Triton's names: of text, TYPE_STRING. */
static void print_input_config(const struct described *t, struct buffer *out)
{
    buffer_printf(out, ",\"data_type\":\"TYPE_%s\",\"dims\":%s,\"optional\":true}",
                  t->datatype == OIP_BYTES ? "STRING" : oip_datatype_name(t->datatype), SHAPES[t->shape]);
}

static void print_output_config(const struct described *t, struct buffer *out)
{
    buffer_printf(out, ",\"data_type\":\"TYPE_%s\",\"dims\":%s}",
                  t->datatype == OIP_BYTES ? "STRING" : oip_datatype_name(t->datatype), SHAPES[t->shape]);
}

void oip_print_server(struct buffer *out)
{
    buffer_printf(
        out,
        "{\"name\":\"collide\",\"version\":\"%s\",\"extensions\":[\"binary_tensor_data\",\"parameters\","
        "\"model_configuration\",\"model_repository\"]}\n",
        collide_version());
}

void oip_print_model(const struct oip_model *model, struct buffer *out)
{
    struct described tensors[MAX_DESCRIBED];
    buffer_append_text(out, "{\"name\":");
    print_text(out, model->name);
    buffer_append_text(out, ",\"versions\":[");
    for (size_t i = 0; i < model->n_versions; i++) {
        buffer_printf(out, "%s\"%" PRIu64 "\"", i > 0 ? "," : "", model->versions[i]);
    }
    buffer_append_text(out, "],\"platform\":\"collide\",\"inputs\":");
    print_tensors(tensors, list_inputs(model->model, tensors), print_metadata, out);
    buffer_append_text(out, ",\"outputs\":");
    print_tensors(tensors, list_outputs(model->model, tensors), print_metadata, out);
    buffer_append_text(out, "}\n");
}

/* max_batch_size 0: shapes are told with all of their dimensions. */
void oip_print_config(const struct oip_model *model, struct buffer *out)
{
    struct described tensors[MAX_DESCRIBED];
    buffer_append_text(out, "{\"name\":");
    print_text(out, model->name);
    buffer_append_text(out,
                       ",\"platform\":\"collide\",\"backend\":\"collide\",\"max_batch_size\":0,\"input\":");
    print_tensors(tensors, list_inputs(model->model, tensors), print_input_config, out);
    buffer_append_text(out, ",\"output\":");
    print_tensors(tensors, list_outputs(model->model, tensors), print_output_config, out);
    buffer_append_text(out, "}\n");
}

void oip_print_ready(const struct oip_model *model, struct buffer *out)
{
    buffer_append_text(out, "{\"name\":");
    print_text(out, model->name);
    buffer_append_text(out, ",\"ready\":true}\n");
}
