#include "api/oip_fields.h"
#include "base/error.h"

#include <stdint.h>

/* A body that has come in part, and what making queries of it needs. */
struct oip_reader {
    struct oip_fields_reader reader;
    struct oip_fields fields;
    const struct request_limits *limits;
    struct request *request;
    struct oip_form *form;
    struct collide_error *err;
    const struct oip_tensor *first; /* the input that says how many rows there are */
    size_t n_rows;
    /* (n_rows) or (n_rows, columns), in the arena; NULL: not given */
    const struct collide_id *users, *excluded;
    const struct collide_id *feature_ids[MODEL_MAX_FEATURES];
    struct collide_feature *features; /* (n_rows, fields.n_features) */
};

static enum collide_status invalid(struct oip_reader *b, const char *text)
{
    return error_set(b->err, COLLIDE_INVALID, "%s", text);
}

static const struct oip_tensor *input(const struct oip_reader *b, enum oip_input i)
{
    return &b->fields.inputs[i];
}

static bool is_given(const struct oip_reader *b, enum oip_input i)
{
    return input(b, i)->rank > 0;
}

static size_t columns(const struct oip_reader *b, enum oip_input i)
{
    return oip_columns(input(b, i), oip_input_row(i));
}

static enum collide_status check_rows(struct oip_reader *b, const struct oip_tensor *t, enum oip_row row)
{
    if (!b->first) {
        b->first = t;
        b->n_rows = oip_rows(t, row);
    }
    if (oip_rows(t, row) != b->n_rows)
        return error_set(b->err, COLLIDE_INVALID, "\"%s\" has %zu rows where \"%s\" has %zu", t->label,
                         oip_rows(t, row), b->first->label, b->n_rows);
    b->form->has_rows |= t->rank == 2;
    return COLLIDE_OK;
}

static enum collide_status check_shapes(struct oip_reader *b)
{
    enum collide_status status = COLLIDE_OK;
    for (enum oip_input i = 0; i < OIP_N_INPUTS && status == COLLIDE_OK; i++)
        if (is_given(b, i))
            status = check_rows(b, input(b, i), oip_input_row(i));
    for (size_t i = 0; i < b->fields.n_features && status == COLLIDE_OK; i++)
        status = check_rows(b, &b->fields.features[i], OIP_ROW_LIST);
    if (status != COLLIDE_OK)
        return status;
    b->form->has_rows |= b->n_rows != 1;
    return COLLIDE_OK;
}

/* Scores are asked for with items, a top-k with k. */
static enum collide_status choose_kind(struct oip_reader *b)
{
    const struct oip_fields *f = &b->fields;
    bool scores = is_given(b, OIP_INPUT_ITEMS);
    if (scores && f->k > 0)
        return invalid(b,
                       "with the input \"items\" those are scored, with the parameter \"k\" the best of all "
                       "are found; not both");
    if (!scores && f->k == 0)
        return invalid(b,
                       "the input \"items\", what to score, or the parameter \"k\", how many of the best to "
                       "find, is missing");
    if (scores && (is_given(b, OIP_INPUT_EXCLUDE) || f->exclude_seen))
        return invalid(b, "\"exclude\" and \"exclude_seen\" go with \"k\", not with \"items\"");
    b->request->kind = scores ? REQUEST_SCORE : REQUEST_TOPK;
    if (scores) /* they have the shape of the items */
        b->form->has_rows = input(b, OIP_INPUT_ITEMS)->rank == 2;
    b->form->n_columns = scores ? columns(b, OIP_INPUT_ITEMS) : f->k;
    if (!scores && b->n_rows > b->limits->max_parts)
        return error_set(b->err, COLLIDE_INVALID,
                         "%zu rows to find the best items for are over the limit of %zu; send them in parts",
                         b->n_rows, b->limits->max_parts);
    size_t n;
    if (__builtin_mul_overflow(b->n_rows, b->form->n_columns, &n) || n > b->limits->max_items)
        return error_set(b->err, COLLIDE_INVALID, "%zu rows of %zu scores are over the limit of %zu",
                         b->n_rows, b->form->n_columns, b->limits->max_items);
    b->request->n_results = n;
    return COLLIDE_OK;
}

static enum collide_status check_lengths(struct oip_reader *b)
{
    const struct oip_tensor *lengths = input(b, OIP_INPUT_HISTORY_LENGTHS);
    size_t n_columns = columns(b, OIP_INPUT_HISTORY);
    for (size_t i = 0; i < lengths->n; i++)
        if (oip_tensor_number(lengths, i) > n_columns)
            return error_set(b->err, COLLIDE_INVALID,
                             "\"history_lengths\": row %zu has %llu where a row of \"history\" has %zu ids",
                             i, (unsigned long long)oip_tensor_number(lengths, i), n_columns);
    return COLLIDE_OK;
}

/* Checks what queries' bags are to be made of. */
static enum collide_status check_who(struct oip_reader *b)
{
    size_t n_ids = columns(b, OIP_INPUT_HISTORY);
    for (size_t i = 0; i < b->fields.n_features; i++)
        n_ids += oip_columns(&b->fields.features[i], OIP_ROW_LIST);
    if (!is_given(b, OIP_INPUT_USER) && !is_given(b, OIP_INPUT_HISTORY) && b->fields.n_features == 0)
        return invalid(b, "say whom to score for: the input \"user\", \"history\" or \"features.NAME\", or "
                          "several of them");
    if (is_given(b, OIP_INPUT_WEIGHTS) && columns(b, OIP_INPUT_WEIGHTS) != columns(b, OIP_INPUT_HISTORY))
        return invalid(b, "\"weights\" must have the shape of \"history\"");
    if (is_given(b, OIP_INPUT_HISTORY_LENGTHS) && !is_given(b, OIP_INPUT_HISTORY))
        return invalid(b, "\"history_lengths\" are of no use without \"history\"");
    if (n_ids > b->limits->max_history)
        return error_set(b->err, COLLIDE_INVALID,
                         "a row of \"history\" and features has %zu ids; the limit is %zu", n_ids,
                         b->limits->max_history);
    return check_lengths(b);
}

/* The outputs asked for, or all that there are. */
static enum collide_status choose_outputs(struct oip_reader *b)
{
    const struct oip_fields *f = &b->fields;
    const bool finds = b->request->kind == REQUEST_TOPK;
    const struct oip_output_field all[OIP_N_OUTPUTS] = {
        {.name = OIP_SCORES}, {.name = OIP_ITEMS}, {.name = OIP_COUNTS}};
    const struct oip_output_field *wanted = f->n_outputs ? f->outputs : all;
    b->form->n_outputs = f->n_outputs ? f->n_outputs : finds ? OIP_N_OUTPUTS : 1;
    for (unsigned i = 0; i < b->form->n_outputs; i++) {
        if (!finds && wanted[i].name != OIP_SCORES)
            return error_set(b->err, COLLIDE_INVALID, "the output \"%s\" is of a top-k; there is \"scores\"",
                             oip_output_name(wanted[i].name));
        bool is_binary =
            wanted[i].is_binary == OIP_UNSAID ? f->outputs_are_binary : wanted[i].is_binary == OIP_YES;
        b->form->outputs[i] = (struct oip_wanted_output){wanted[i].name, is_binary};
    }
    return COLLIDE_OK;
}

static enum collide_status ids_of(struct oip_reader *b, const struct oip_tensor *t,
                                  const struct collide_id **out)
{
    if (t->rank == 0)
        return COLLIDE_OK;
    *out = oip_tensor_ids(t, &b->request->arena);
    return *out ? COLLIDE_OK : error_no_memory(b->err, "an input");
}

/* A query has one size for the numbers of both of its lists. */
static enum collide_status even_out(struct oip_reader *b)
{
    struct oip_tensor *items = &b->fields.inputs[OIP_INPUT_ITEMS];
    struct oip_tensor *history = &b->fields.inputs[OIP_INPUT_HISTORY];
    if (!items->numbers || !history->numbers || items->number_bytes == history->number_bytes)
        return COLLIDE_OK;
    return oip_tensor_widen(items->number_bytes < history->number_bytes ? items : history, &b->request->arena,
                            b->err);
}

static enum collide_status prepare(struct oip_reader *b)
{
    size_t n_features = b->fields.n_features;
    enum collide_status status = even_out(b);
    if (status == COLLIDE_OK)
        status = ids_of(b, input(b, OIP_INPUT_USER), &b->users);
    if (status == COLLIDE_OK)
        status = ids_of(b, input(b, OIP_INPUT_EXCLUDE), &b->excluded);
    for (size_t i = 0; i < n_features && status == COLLIDE_OK; i++)
        status = ids_of(b, &b->fields.features[i], &b->feature_ids[i]);
    if (status != COLLIDE_OK || n_features == 0)
        return status;
    b->features = arena_alloc(&b->request->arena, b->n_rows * n_features, sizeof *b->features);
    return b->features ? COLLIDE_OK : error_no_memory(b->err, "the features");
}

static void set_features(struct oip_reader *b, size_t row, struct collide_query *query)
{
    query->n_features = b->fields.n_features;
    query->features = b->features ? b->features + row * query->n_features : NULL;
    for (size_t i = 0; i < query->n_features; i++) {
        const struct oip_tensor *t = &b->fields.features[i];
        size_t n = oip_columns(t, OIP_ROW_LIST);
        b->features[row * query->n_features + i] =
            (struct collide_feature){.name = t->name.bytes + OIP_FEATURE_CHARS,
                                     .n_bytes = t->name.n_bytes - OIP_FEATURE_CHARS,
                                     .ids = b->feature_ids[i] + row * n,
                                     .n_ids = n};
    }
}

static const void *numbers_at(const struct oip_tensor *t, size_t i)
{
    return t->numbers ? (const char *)t->numbers + i * t->number_bytes : NULL;
}

static const struct collide_id *texts_at(const struct oip_tensor *t, size_t i)
{
    return t->texts ? t->texts + i : NULL;
}

static void set_query(struct oip_reader *b, size_t row, struct collide_query *query)
{
    const struct oip_tensor *items = input(b, OIP_INPUT_ITEMS), *history = input(b, OIP_INPUT_HISTORY);
    const struct oip_tensor *weights = input(b, OIP_INPUT_WEIGHTS);
    size_t n_items = columns(b, OIP_INPUT_ITEMS), n_history = columns(b, OIP_INPUT_HISTORY);
    query->user = b->users ? &b->users[row] : NULL;
    query->history = texts_at(history, row * n_history);
    query->history_numbers = numbers_at(history, row * n_history);
    query->weights = weights->floats ? weights->floats + row * n_history : NULL;
    query->n_history = n_history;
    if (is_given(b, OIP_INPUT_HISTORY_LENGTHS))
        query->n_history = (size_t)oip_tensor_number(input(b, OIP_INPUT_HISTORY_LENGTHS), row);
    query->items = texts_at(items, row * n_items);
    query->item_numbers = numbers_at(items, row * n_items);
    query->n_items = n_items;
    query->number_bytes = items->numbers ? items->number_bytes : history->number_bytes;
    set_features(b, row, query);
}

static enum collide_status make_queries(struct oip_reader *b)
{
    struct request *r = b->request;
    r->parts = arena_alloc(&r->arena, 1, sizeof *r->parts);
    if (r->kind == REQUEST_TOPK)
        r->topk = arena_alloc(&r->arena, b->n_rows, sizeof *r->topk);
    else
        r->queries = arena_alloc(&r->arena, b->n_rows, sizeof *r->queries);
    if (!r->parts || (!r->topk && !r->queries))
        return error_no_memory(b->err, "the queries");
    r->n_parts = 1;
    r->n_queries = r->parts[0].n_queries = b->n_rows;
    size_t n_excluded = columns(b, OIP_INPUT_EXCLUDE);
    for (size_t row = 0; row < b->n_rows; row++) {
        if (r->kind == REQUEST_SCORE) {
            set_query(b, row, &r->queries[row]);
            continue;
        }
        struct collide_topk_query *q = &r->topk[row];
        set_query(b, row, &q->query);
        q->k = b->fields.k;
        q->exclude = b->excluded ? b->excluded + row * n_excluded : NULL;
        q->n_exclude = n_excluded;
        q->flags = b->fields.exclude_seen ? COLLIDE_TOPK_EXCLUDE_SEEN : 0;
    }
    return COLLIDE_OK;
}

static enum collide_status build(struct oip_reader *b)
{
    enum collide_status (*const steps[])(struct oip_reader * b) = {check_shapes,   choose_kind, check_who,
                                                                   choose_outputs, prepare,     make_queries};
    enum collide_status status = COLLIDE_OK;
    *b->form = (struct oip_form){0};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == COLLIDE_OK; i++)
        status = steps[i](b);
    b->form->id = b->fields.id;
    b->request->timeout_us =
        b->fields.timeout_us < REQUEST_MAX_TIMEOUT_US ? b->fields.timeout_us : REQUEST_MAX_TIMEOUT_US;
    b->form->n_rows = b->n_rows;
    return status;
}

static void clear(struct request *r)
{
    arena_reset(&r->arena);
    *r = (struct request){.arena = r->arena};
}

struct oip_reader *oip_begin(size_t n_json_bytes, const struct request_limits *limits, struct request *out,
                             struct oip_form *form)
{
    clear(out);
    struct oip_reader *r = arena_alloc(&out->arena, 1, sizeof *r);
    if (!r)
        return NULL;
    r->limits = limits;
    r->request = out;
    r->form = form;
    r->err = &r->reader.error;
    oip_fields_begin(&r->reader, n_json_bytes, limits, &out->arena, &r->fields);
    return r;
}

enum collide_status oip_read(struct oip_reader *r, const struct request_text *text, size_t *n_read,
                             struct collide_error *err)
{
    struct request *request = r->request;
    enum collide_status status = oip_read_fields(&r->reader, text, n_read);
    if (status == COLLIDE_OK && text->is_last)
        status = build(r);
    if (status == COLLIDE_OK)
        return status;
    struct collide_error error = r->reader.error;
    clear(request);
    return error_set(err, error.status, "%s", error.text);
}

enum collide_status oip_parse(const struct oip_body *body, const struct request_limits *limits,
                              struct request *out, struct oip_form *form, struct collide_error *err)
{
    const struct request_text all = {.bytes = body->bytes, .n_bytes = body->n_bytes, .is_last = true};
    struct oip_reader *r = oip_begin(body->n_json_bytes, limits, out, form);
    size_t n_read;
    return r ? oip_read(r, &all, &n_read, err) : error_no_memory(err, "the request");
}
