#include "learn/store/assemble.h"

#include "base/error.h"
#include "learn/store/dequantize.h"
#include "learn/store/keys_of.h"
#include "learn/store/quantize.h"
#include "learn/store/row_order.h"
#include "learn/train/vector.h"
#include "model/mapping.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NOTES = 32, MAX_NOTE_BYTES = 64 };

struct learned {
    struct model model;
    /* All owned; the model points to them. */
    uint32_t *item_remap, *user_remap;
    float *item_lookup_weights, *user_lookup_weights;
    struct stored_rows rows;
    float *weights;
    float *bias;
    struct class_tables classes;
    uint32_t *offsets;
    struct provenance_entry notes[MAX_NOTES];
    char note_texts[MAX_NOTES][MAX_NOTE_BYTES];
};

/* The rows of all spaces as they are to be stored: items', users', and the unknown ids' zeros. */
struct table_source {
    const struct trained *trained;
    struct row_order items, users;
    uint32_t width;
    uint32_t n_item_rows, n_user_rows;
    float *stretches; /* (n_item_rows): a trained row's length over that of what is stored of it */
};

static float read_length_one(const struct trained *t, uint32_t width, float *row)
{
    return t->item_lengths == ITEM_LENGTHS_ONE ? vector_normalise(row, width) : 1.0f;
}

/* Gives the length that was taken from the row. */
static float read_stored_row(const struct table_source *s, uint32_t k, float *out)
{
    const struct trained *t = s->trained;
    const size_t width = s->width;
    if (k < s->n_item_rows) {
        memcpy(out, t->items.rows + s->items.row_at[k] * width, width * sizeof *out);
        return read_length_one(t, s->width, out);
    }
    if (k < s->n_item_rows + s->n_user_rows)
        memcpy(out, t->users.rows + s->users.row_at[k - s->n_item_rows] * width, width * sizeof *out);
    else
        memset(out, 0, width * sizeof *out);
    return 1.0f;
}

static void read_row(const void *context, uint32_t k, float *out)
{
    read_stored_row(context, k, out);
}

static void table_source_free(struct table_source *s)
{
    row_order_free(&s->items);
    row_order_free(&s->users);
    free(s->stretches);
}

/* Rows that are computed stand where the method has them. */
static enum collide_status order_rows(const struct trained_space *space, enum mapping_entries entries,
                                      struct row_order *out, struct collide_error *err)
{
    return entries == ENTRIES_COMPUTED ? row_order_keep(space->mapping, out, err)
                                       : row_order_create(space->mapping, space->counts, out, err);
}

static enum collide_status table_source_create(const struct trained *t, enum mapping_entries entries,
                                               struct table_source *out, struct collide_error *err)
{
    const struct id_mapping *items = t->items.mapping, *users = t->users.mapping;
    struct table_source s = {.trained = t,
                             .width = items->width,
                             .n_item_rows = items->n_rows,
                             .n_user_rows = users ? users->n_rows : 0};
    s.stretches = malloc(items->n_rows * sizeof *s.stretches);
    enum collide_status status = s.stretches ? order_rows(&t->items, entries, &s.items, err)
                                             : error_no_memory(err, "the model's rows");
    if (status == COLLIDE_OK && users)
        status = order_rows(&t->users, entries, &s.users, err);
    if (status == COLLIDE_OK)
        *out = s;
    else
        table_source_free(&s);
    return status;
}

static enum collide_status store_rows(struct learned *l, struct table_source *s, enum row_form form,
                                      struct collide_error *err)
{
    const struct trained *t = s->trained;
    const struct row_source source = {
        .n = s->n_item_rows + s->n_user_rows + 1, .width = s->width, .read = read_row, .context = s};
    enum collide_status status = quantize_rows(&source, t->dim, form, &l->rows, err);
    if (status != COLLIDE_OK)
        return status;
    l->model.rows = l->rows.table;
    for (uint32_t k = 0; k < s->n_item_rows; k++) {
        float row[MODEL_MAX_DIM];
        float trained_length = read_stored_row(s, k, row);
        dequantize_row(&l->rows.table, k, 0, row);
        float stored_length = read_length_one(t, s->width, row);
        s->stretches[k] = stored_length > 0.0f ? trained_length / stored_length : 0.0f;
    }
    return COLLIDE_OK;
}

/* ---- From ids to rows. */

/* The lookups of all spaces. */
static uint32_t most_lookups(const struct id_mapping *items, const struct id_mapping *users)
{
    return users && users->n_lookups > items->n_lookups ? users->n_lookups : items->n_lookups;
}

/* Whether packed entries can be relative to codebooks, or to all of the space's rows. */
static bool keeps_to_books(const struct id_mapping *m)
{
    return m->n_book_rows || m->n_lookups == 1;
}

static void set_own_rows(const struct id_mapping *m, uint32_t first_row, struct model *model,
                         struct space *space)
{
    const uint32_t bits = mapping_bits(m->n_rows / m->n_lookups);
    space->own_rows = (struct own_rows){.first = first_row, .n = m->n_rows};
    model->mapping.bits = bits > model->mapping.bits ? bits : model->mapping.bits;
}

static enum mapping_kind kind_of(const struct id_mapping *items, enum mapping_entries entries)
{
    return entries == ENTRIES_COMPUTED ? items->kind
           : entries == ENTRIES_PACKED ? MAPPING_PACKED
                                       : MAPPING_STORED;
}

/* What makes an embedding of rows. */
static struct row_mapping mapping_of(const struct id_mapping *items, const struct id_mapping *users,
                                     enum mapping_entries entries)
{
    const enum mapping_kind kind = kind_of(items, entries);
    const bool has_parts = items->n_parts > 1;
    return (struct row_mapping){.kind = kind,
                                .seed = kind == MAPPING_HASHED ? items->seed : 0,
                                .divisor = kind == MAPPING_QUOTIENT ? items->divisor : 0,
                                .n_lookups = most_lookups(items, users),
                                .combine = has_parts ? COMBINE_CONCAT : items->combine,
                                .n_parts = has_parts ? items->n_parts : 0};
}

/* Rows an id, and what row numbers are relative to, and so how many bits they take. */
static void plan_mapping(const struct id_mapping *items, const struct id_mapping *users,
                         enum mapping_entries entries, struct model *m)
{
    m->mapping = mapping_of(items, users, entries);
    m->user_is_embedded = users != NULL;
    m->item.n_lookups = items->n_lookups;
    if (users)
        m->user.n_lookups = users->n_lookups;
    if (entries != ENTRIES_PACKED)
        return;
    if (!keeps_to_books(items) || (users && !keeps_to_books(users))) {
        m->mapping.bits = mapping_bits(m->rows.n);
        return;
    }
    set_own_rows(items, 0, m, &m->item);
    if (users)
        set_own_rows(users, items->n_rows, m, &m->user);
}

static enum collide_status pack_space(const struct row_mapping *mapping, struct space *space,
                                      uint32_t **remap, struct collide_error *err)
{
    const uint64_t n_entries = (space->n_ids + 1ull) * space->n_lookups;
    uint32_t *words = malloc(mapping_n_words(n_entries, mapping->bits) * sizeof *words);
    if (!words)
        return error_no_memory(err, "the packed mapping");
    mapping_pack(*remap, n_entries, mapping->bits, words);
    free(*remap);
    space->remap = *remap = words;
    return COLLIDE_OK;
}

/* Ids of which nothing is known have the row of zeros; in codebooks, which have none, the first row. Nothing
 * is stored of a computed mapping. */
static enum collide_status store_remap(struct learned *l, const struct trained_space *from,
                                       const struct row_order *order, uint32_t first_row, struct space *space,
                                       uint32_t **out, struct collide_error *err)
{
    const struct id_mapping *m = from->mapping;
    const size_t n_lookups = space->n_lookups, n_entries = (space->n_ids + 1ull) * n_lookups;
    const uint32_t n_book = space->own_rows.n / (uint32_t)n_lookups;
    if (mapping_is_computed(l->model.mapping.kind))
        return COLLIDE_OK;
    uint32_t *remap = malloc(n_entries * sizeof *remap);
    if (!remap)
        return error_no_memory(err, "the model's mapping");
    for (size_t e = 0; e < n_entries; e++)
        remap[e] = n_book ? 0 : l->model.rows.n - 1;
    for (size_t i = 0; i < m->n_ids; i++)
        for (size_t k = 0; k < n_lookups; k++) {
            const uint32_t place = order->place_of[m->rows_of[i * n_lookups + k]];
            remap[from->dense_ids[i] * n_lookups + k] = n_book ? place % n_book : first_row + place;
        }
    space->remap = *out = remap;
    return l->model.mapping.kind == MAPPING_PACKED ? pack_space(&l->model.mapping, space, out, err)
                                                   : COLLIDE_OK;
}

/* Of ids of which nothing is known: 0. */
static enum collide_status store_lookup_weights(const struct trained_space *from, struct space *space,
                                                float **out, struct collide_error *err)
{
    const size_t n_lookups = space->n_lookups;
    if (!from->lookup_weights)
        return COLLIDE_OK;
    float *weights = calloc((space->n_ids + 1ull) * n_lookups, sizeof *weights);
    if (!weights)
        return error_no_memory(err, "the weights of lookups");
    for (size_t i = 0; i < from->mapping->n_ids; i++)
        memcpy(weights + from->dense_ids[i] * n_lookups, from->lookup_weights + i * n_lookups,
               n_lookups * sizeof *weights);
    space->lookup_weights = *out = weights;
    return COLLIDE_OK;
}

static enum collide_status store_mapping(struct learned *l, const struct table_source *s,
                                         enum mapping_entries entries, struct collide_error *err)
{
    const struct trained *t = s->trained;
    plan_mapping(t->items.mapping, t->users.mapping, entries, &l->model);
    enum collide_status status = store_remap(l, &t->items, &s->items, 0, &l->model.item, &l->item_remap, err);
    if (status == COLLIDE_OK)
        status = store_lookup_weights(&t->items, &l->model.item, &l->item_lookup_weights, err);
    if (status == COLLIDE_OK && t->users.mapping)
        status = store_remap(l, &t->users, &s->users, s->n_item_rows, &l->model.user, &l->user_remap, err);
    if (status == COLLIDE_OK && t->users.mapping)
        status = store_lookup_weights(&t->users, &l->model.user, &l->user_lookup_weights, err);
    return status;
}

/* ---- What items weigh, and their biases. */

struct class_sharing item_sharing(const struct learn_options *options)
{
    const double weight_share = options->training.backbone == BACKBONE_USER ? 0.0 : 0.1;
    return (struct class_sharing){options->scalar_bits, weight_share};
}

static enum collide_status share_scalars(struct learned *l, const struct trained_space *items,
                                         const struct class_sharing *sharing, struct collide_error *err)
{
    const size_t n = l->model.item.n_ids;
    float *importance = calloc(n + 1, sizeof *importance);
    if (!importance)
        return error_no_memory(err, "the items' classes");
    for (uint32_t i = 0; i < items->mapping->n_ids; i++)
        importance[items->dense_ids[i]] = class_importance(items->counts[i]);
    const struct class_problem problem = {.weights = l->weights,
                                          .bias = l->bias,
                                          .importance = importance,
                                          .n_ids = (uint32_t)n,
                                          .sharing = *sharing};
    enum collide_status status = classes_fit(&problem, &l->classes, err);
    free(importance);
    if (status != COLLIDE_OK)
        return status;
    l->model.item.weights = l->model.bias = NULL;
    l->model.item.classes = (struct id_classes){.words = l->classes.words,
                                                .bits = sharing->bits,
                                                .weights = l->classes.weights,
                                                .bias = l->classes.bias};
    return COLLIDE_OK;
}

static enum collide_status store_weights(struct learned *l, const struct table_source *s,
                                         struct collide_error *err)
{
    const struct trained *t = s->trained;
    if (!t->weights)
        return COLLIDE_OK;
    l->weights = calloc(l->model.item.n_ids + 1ull, sizeof *l->weights);
    if (!l->weights)
        return error_no_memory(err, "the items' weights");
    for (uint32_t i = 0; i < t->items.mapping->n_ids; i++) {
        float stretch = t->item_lengths == ITEM_LENGTHS_ONE
                            ? s->stretches[s->items.place_of[t->items.mapping->rows_of[i]]]
                            : 1.0f;
        l->weights[t->items.dense_ids[i]] = t->weights[i] * stretch;
    }
    l->model.item.weights = l->weights;
    return COLLIDE_OK;
}

static enum collide_status store_bias(struct learned *l, const struct trained *t, struct collide_error *err)
{
    const uint32_t n_trained = t->items.mapping->n_ids;
    const size_t n_entries = l->model.item.n_ids + 1ull;
    if (!t->bias)
        return COLLIDE_OK;
    l->bias = malloc(n_entries * sizeof *l->bias);
    if (!l->bias)
        return error_no_memory(err, "the items' biases");
    float lowest = t->bias[0];
    for (uint32_t i = 1; i < n_trained; i++)
        lowest = t->bias[i] < lowest ? t->bias[i] : lowest;
    for (size_t id = 0; id < n_entries; id++)
        l->bias[id] = lowest;
    for (uint32_t i = 0; i < n_trained; i++)
        l->bias[t->items.dense_ids[i]] = t->bias[i];
    l->model.bias = l->bias;
    return COLLIDE_OK;
}

static enum collide_status store_parameters(struct learned *l, const struct trained *t,
                                            const struct learn_options *options, struct collide_error *err)
{
    struct table_source s;
    enum collide_status status = table_source_create(t, options->mapping, &s, err);
    if (status != COLLIDE_OK)
        return status;
    status = store_rows(l, &s, options->form, err);
    if (status == COLLIDE_OK)
        status = store_mapping(l, &s, options->mapping, err);
    if (status == COLLIDE_OK)
        status = store_weights(l, &s, err);
    if (status == COLLIDE_OK)
        status = store_bias(l, t, err);
    const struct class_sharing sharing = item_sharing(options);
    if (status == COLLIDE_OK && sharing.bits)
        status = share_scalars(l, &t->items, &sharing, err);
    table_source_free(&s);
    return status;
}

static enum collide_status store_histories(struct learned *l, const struct interactions *log,
                                           struct collide_error *err)
{
    const struct csr *histories = &log->histories;
    uint32_t n_users = log->users.n_ids;
    l->offsets = malloc((n_users + 2ull) * sizeof *l->offsets);
    if (!l->offsets)
        return error_no_memory(err, "the users' histories");
    for (uint32_t u = 0; u <= n_users; u++)
        l->offsets[u] = (uint32_t)histories->offsets[u];
    l->offsets[n_users + 1] = l->offsets[n_users];
    l->model.histories = (struct stored_histories){.offsets = l->offsets, .items = histories->values};
    return COLLIDE_OK;
}

enum collide_status learned_create(const struct interactions *log, const struct trained *trained,
                                   const struct learn_options *options, struct learned **out,
                                   struct collide_error *err)
{
    if (options->histories == HISTORIES_MODEL && log->histories.offsets[log->users.n_ids] > UINT32_MAX)
        return error_set(err, COLLIDE_UNSUPPORTED,
                         "the histories have more than 2^32 - 1 items; learn a model without histories");
    struct learned *l = calloc(1, sizeof *l);
    if (!l)
        return error_no_memory(err, "the model");
    l->model = (struct model){.dim = trained->dim,
                              .pooling = trained->pooling,
                              .logit_scale = 1.0f / trained->temperature,
                              .item = {.n_ids = log->items.n_ids, .keys = keys_of(&log->items)},
                              .provenance = l->notes};
    if (options->histories == HISTORIES_MODEL || trained->users.mapping)
        l->model.user = (struct space){.n_ids = log->users.n_ids, .keys = keys_of(&log->users)};
    enum collide_status status = store_parameters(l, trained, options, err);
    if (status == COLLIDE_OK && options->histories == HISTORIES_MODEL)
        status = store_histories(l, log, err);
    if (status != COLLIDE_OK) {
        learned_destroy(l);
        return status;
    }
    *out = l;
    return COLLIDE_OK;
}

static bool is_weighted(const struct space_plan *plan)
{
    return mapping_method(plan->method)->weights == WEIGHTS_TRAINED;
}

void learned_shape(const struct interactions *log, const struct id_mapping *items,
                   const struct id_mapping *users, enum item_scalars scalars,
                   const struct learn_options *options, struct model *out)
{
    static const uint32_t word;
    static const float something;
    *out = (struct model){.dim = options->dim,
                          .rows = {.n = items->n_rows + (users ? users->n_rows : 0) + 1,
                                   .width = items->width,
                                   .precision = row_form_precision(options->form),
                                   .scaling = row_form_scaling(options->form)},
                          .item = {.n_ids = log->items.n_ids, .keys = keys_of(&log->items), .remap = &word}};
    if (options->histories == HISTORIES_MODEL || users)
        out->user = (struct space){
            .n_ids = log->users.n_ids, .keys = keys_of(&log->users), .remap = users ? &word : NULL};
    plan_mapping(items, users, options->mapping, out);
    if (is_weighted(&options->items))
        out->item.lookup_weights = &something;
    if (users && is_weighted(&options->users))
        out->user.lookup_weights = &something;
    if (options->scalar_bits) {
        out->item.classes = (struct id_classes){&word, options->scalar_bits, &something, &something};
        return;
    }
    out->item.weights = scalars == ITEM_WEIGHTS_AND_BIAS ? &something : NULL;
    out->bias = scalars == ITEM_NO_SCALARS ? NULL : &something;
}

void learned_note(struct learned *l, const char *name, const char *format, ...)
{
    size_t n = l->model.n_provenance;
    if (n == MAX_NOTES)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(l->note_texts[n], MAX_NOTE_BYTES, format, args);
    va_end(args);
    l->notes[n] = (struct provenance_entry){.name = name, .value = l->note_texts[n]};
    l->model.n_provenance++;
}

const struct model *learned_model(const struct learned *l)
{
    return &l->model;
}

void learned_destroy(struct learned *l)
{
    if (!l)
        return;
    free(l->item_remap);
    free(l->user_remap);
    free(l->item_lookup_weights);
    free(l->user_lookup_weights);
    stored_rows_free(&l->rows);
    free(l->weights);
    free(l->bias);
    class_tables_free(&l->classes);
    free(l->offsets);
    free(l);
}
