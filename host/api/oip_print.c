#include "api/json_v1.h"
#include "api/oip_fields.h"
#include "base/number.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* What one output is printed from, by rows of n_columns places. */
struct table {
    const struct oip_answer *answer;
    size_t n_rows, n_columns;
    enum oip_datatype item_type;
};

static void print_text(struct buffer *out, const char *text)
{
    json_print_string(out, text, strlen(text));
}

static void print_u64(struct buffer *out, uint64_t value)
{
    char digits[NUMBER_MAX_CHARS];
    buffer_append(out, digits, number_print_u64(digits, value));
}

static void append_le(struct buffer *out, uint64_t value, size_t n_bytes)
{
    buffer_append(out, &value, n_bytes); /* hosts are little-endian */
}

/* As many columns as the row with the most hits has. */
static struct table table_of(const struct oip_answer *a)
{
    const struct oip_form *form = a->form;
    struct table t = {.answer = a, .n_rows = form->n_rows, .n_columns = form->n_columns};
    if (a->request->kind == REQUEST_SCORE)
        return t;
    t.item_type = a->model->model->item.keys.kind == KEYS_STRING ? OIP_BYTES : OIP_UINT64;
    t.n_columns = 0;
    for (size_t row = 0; row < t.n_rows; row++)
        if (a->response->n_hits[row] > t.n_columns)
            t.n_columns = a->response->n_hits[row];
    return t;
}

static const struct collide_hit *row_hits(const struct table *t, size_t row)
{
    return t->answer->response->hits + row * t->answer->form->n_columns;
}

/* The hit at a place; NULL: its row has fewer. */
static const struct collide_hit *hit_at(const struct table *t, size_t row, size_t column)
{
    return column < t->answer->response->n_hits[row] ? row_hits(t, row) + column : NULL;
}

static float score_at(const struct table *t, size_t row, size_t column)
{
    const struct collide_hit *hit = hit_at(t, row, column);
    return hit ? hit->score : NAN;
}

/* The item at a place as its datatype has it; of a place without a hit 0 or no text. */
static struct collide_id item_at(const struct table *t, size_t row, size_t column)
{
    const struct collide_hit *hit = hit_at(t, row, column);
    if (hit)
        return hit->item;
    return t->item_type == OIP_BYTES ? collide_id_text("", 0) : collide_id_number(0);
}

static enum oip_datatype datatype_of(const struct table *t, enum oip_output output)
{
    return output == OIP_ITEMS ? t->item_type : output == OIP_COUNTS ? OIP_INT32 : OIP_FP32;
}

static uint64_t binary_bytes(const struct table *t, enum oip_output output)
{
    if (output == OIP_COUNTS)
        return t->n_rows * sizeof(int32_t);
    uint64_t n = t->n_rows * t->n_columns, n_bytes = 0;
    if (output == OIP_SCORES || t->item_type == OIP_UINT64)
        return n * (output == OIP_SCORES ? sizeof(float) : sizeof(uint64_t));
    for (size_t i = 0; i < n; i++)
        n_bytes += sizeof(uint32_t) + item_at(t, i / t->n_columns, i % t->n_columns).n_bytes;
    return n_bytes;
}

static void append_item(struct buffer *out, struct collide_id item)
{
    if (!item.text) {
        append_le(out, item.number, sizeof item.number);
        return;
    }
    append_le(out, item.n_bytes, sizeof(uint32_t));
    buffer_append(out, item.text, item.n_bytes);
}

static void append_binary(struct buffer *out, const struct table *t, enum oip_output output)
{
    const struct response *response = t->answer->response;
    if (t->answer->request->kind == REQUEST_SCORE) {
        buffer_append(out, response->scores, t->n_rows * t->n_columns * sizeof(float));
        return;
    }
    for (size_t row = 0; row < t->n_rows; row++) {
        if (output == OIP_COUNTS)
            append_le(out, response->n_hits[row], sizeof(int32_t));
        for (size_t column = 0; output == OIP_SCORES && column < t->n_columns; column++)
            buffer_append(out, &(float){score_at(t, row, column)}, sizeof(float));
        for (size_t column = 0; output == OIP_ITEMS && column < t->n_columns; column++)
            append_item(out, item_at(t, row, column));
    }
}

static void print_item(struct buffer *out, struct collide_id item)
{
    if (item.text)
        json_print_string(out, item.text, item.n_bytes);
    else
        print_u64(out, item.number);
}

static void print_value(struct buffer *out, const struct table *t, enum oip_output output, size_t i)
{
    char digits[NUMBER_MAX_CHARS];
    if (output == OIP_COUNTS)
        print_u64(out, t->answer->response->n_hits[i]);
    else if (output == OIP_ITEMS)
        print_item(out, item_at(t, i / t->n_columns, i % t->n_columns));
    else
        buffer_append(out, digits, number_print_f32(digits, score_at(t, i / t->n_columns, i % t->n_columns)));
}

static void print_data(struct buffer *out, const struct table *t, enum oip_output output)
{
    size_t n = t->n_rows * t->n_columns;
    if (t->answer->request->kind == REQUEST_SCORE) {
        json_print_floats(out, t->answer->response->scores, n);
        return;
    }
    buffer_append(out, "[", 1);
    for (size_t i = 0; i < (output == OIP_COUNTS ? t->n_rows : n); i++) {
        buffer_append(out, ",", i > 0);
        print_value(out, t, output, i);
    }
    buffer_append(out, "]", 1);
}

static void print_output(struct buffer *out, const struct table *t, const struct oip_wanted_output *wanted)
{
    buffer_append_text(out, "{\"name\":");
    print_text(out, oip_output_name(wanted->output));
    buffer_append_text(out, ",\"datatype\":");
    print_text(out, oip_datatype_name(datatype_of(t, wanted->output)));
    buffer_append_text(out, ",\"shape\":[");
    if (wanted->output == OIP_COUNTS || t->answer->form->has_rows)
        print_u64(out, t->n_rows);
    if (wanted->output != OIP_COUNTS) {
        buffer_append(out, ",", t->answer->form->has_rows);
        print_u64(out, t->n_columns);
    }
    if (wanted->is_binary) {
        buffer_append_text(out, "],\"parameters\":{\"binary_data_size\":");
        print_u64(out, binary_bytes(t, wanted->output));
        buffer_append_text(out, "}}");
    } else {
        buffer_append_text(out, "],\"data\":");
        print_data(out, t, wanted->output);
        buffer_append_text(out, "}");
    }
}

size_t oip_print(const struct oip_answer *a, struct buffer *out)
{
    const struct table t = table_of(a);
    const size_t begin = out->n_bytes;
    bool any_binary = false;
    buffer_append_text(out, "{\"model_name\":");
    print_text(out, a->model->name);
    buffer_append_text(out, ",\"model_version\":\"");
    print_u64(out, a->version);
    buffer_append(out, "\"", 1);
    if (a->form->id.bytes) {
        buffer_append_text(out, ",\"id\":");
        json_print_string(out, a->form->id.bytes, a->form->id.n_bytes);
    }
    buffer_append_text(out, ",\"parameters\":{\"unknown\":");
    print_u64(out, a->response->counts.n_unknown);
    buffer_append_text(out, "},\"outputs\":[");
    for (unsigned i = 0; i < a->form->n_outputs; i++) {
        buffer_append(out, ",", i > 0);
        print_output(out, &t, &a->form->outputs[i]);
        any_binary |= a->form->outputs[i].is_binary;
    }
    buffer_append_text(out, "]}");
    size_t n_json_bytes = out->n_bytes - begin;
    for (unsigned i = 0; i < a->form->n_outputs; i++)
        if (a->form->outputs[i].is_binary)
            append_binary(out, &t, a->form->outputs[i].output);
    if (!any_binary)
        buffer_append(out, "\n", 1);
    return any_binary ? n_json_bytes : 0;
}

void oip_print_error(const char *message, struct buffer *out)
{
    buffer_append_text(out, "{\"error\":");
    print_text(out, message);
    buffer_append_text(out, "}\n");
}
