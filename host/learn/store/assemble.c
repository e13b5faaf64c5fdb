#include "learn/store/assemble.h"

#include "base/error.h"
#include "base/order.h"
#include "learn/store/dequantize.h"
#include "learn/store/quantize.h"
#include "learn/train/vector.h"
#include "model/mapping.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NOTES = 32, MAX_NOTE_BYTES = 64 };

struct learned {
    struct model model;
    /* All owned; the model points to them. */
    uint32_t *remap;
    struct stored_rows rows;
    float *weights;
    float *bias;
    uint32_t *offsets;
    struct provenance_entry notes[MAX_NOTES];
    char note_texts[MAX_NOTES][MAX_NOTE_BYTES];
};

static struct keys keys_of(const struct id_index *index)
{
    static const enum key_kind kinds[] = {
        [ID_DENSE] = KEYS_DENSE, [ID_U64] = KEYS_U64, [ID_STRING] = KEYS_STRING};
    return (struct keys){.kind = kinds[index->kind],
                         .u64 = index->keys,
                         .bytes = index->key_bytes,
                         .offsets = index->key_offsets,
                         .slots = index->slots,
                         .n_slots = index->n_slots};
}

/* The trained rows, by falling accesses, each of length 1, and the unknown id's zeros. */
struct unit_rows {
    const struct trained *trained;
    uint32_t *order;  /* (n_rows): which trained row comes k-th */
    uint32_t *rank;   /* (n_rows): its inverse */
    float *stretches; /* (n_rows): a trained row's length over that of what is stored of it */
};

static float read_unit_row(const void *context, uint32_t k, float *out)
{
    const struct unit_rows *u = context;
    const struct trained *t = u->trained;
    if (k == t->n_rows) {
        memset(out, 0, t->dim * sizeof *out);
        return 0.0f;
    }
    memcpy(out, t->rows + (size_t)u->order[k] * t->dim, t->dim * sizeof *out);
    return vector_normalise(out, t->dim);
}

static void read_row(const void *context, uint32_t k, float *out)
{
    read_unit_row(context, k, out);
}

static enum collide_status order_rows(struct unit_rows *u, struct collide_error *err)
{
    const struct trained *t = u->trained;
    uint64_t *n_accesses = calloc(t->n_rows, sizeof *n_accesses);
    if (!n_accesses)
        return error_no_memory(err, "the order of rows");
    for (uint32_t i = 0; i < t->corpus->n_items; i++)
        n_accesses[t->row_of_item[i]] += t->corpus->counts[i];
    enum collide_status status = order_by_count(n_accesses, t->n_rows, u->order, err);
    free(n_accesses);
    for (uint32_t k = 0; status == COLLIDE_OK && k < t->n_rows; k++)
        u->rank[u->order[k]] = k;
    return status;
}

static enum collide_status store_rows(struct learned *l, struct unit_rows *u, enum row_form form,
                                      struct collide_error *err)
{
    const struct trained *t = u->trained;
    const struct row_source source = {.n = t->n_rows + 1, .width = t->dim, .read = read_row, .context = u};
    enum collide_status status = quantize_rows(&source, t->dim, form, &l->rows, err);
    if (status != COLLIDE_OK)
        return status;
    l->model.rows = l->rows.table;
    for (uint32_t k = 0; k < t->n_rows; k++) {
        float row[MODEL_MAX_DIM];
        float trained_length = read_unit_row(u, k, row);
        dequantize_row(&l->rows.table, k, 0, row);
        float stored_length = vector_normalise(row, t->dim);
        u->stretches[k] = stored_length > 0.0f ? trained_length / stored_length : 0.0f;
    }
    return COLLIDE_OK;
}

static enum collide_status store_items(struct learned *l, const struct unit_rows *u,
                                       struct collide_error *err)
{
    const struct trained *t = u->trained;
    const struct corpus *corpus = t->corpus;
    size_t n_entries = l->model.item.n_ids + 1ull;
    l->remap = malloc(n_entries * sizeof *l->remap);
    l->weights = calloc(n_entries, sizeof *l->weights);
    l->bias = malloc(n_entries * sizeof *l->bias);
    if (!l->remap || !l->weights || !l->bias)
        return error_no_memory(err, "the model's items");
    float lowest = t->bias[0];
    for (uint32_t i = 1; i < corpus->n_items; i++)
        lowest = t->bias[i] < lowest ? t->bias[i] : lowest;
    for (size_t id = 0; id < n_entries; id++) {
        l->remap[id] = t->n_rows;
        l->bias[id] = lowest;
    }
    for (uint32_t i = 0; i < corpus->n_items; i++) {
        uint32_t id = corpus->dense_ids[i], row = u->rank[t->row_of_item[i]];
        l->remap[id] = row;
        l->weights[id] = corpus->weights[i] * u->stretches[row];
        l->bias[id] = t->bias[i];
    }
    l->model.item.remap = l->remap;
    l->model.item.weights = l->weights;
    l->model.bias = l->bias;
    return COLLIDE_OK;
}

static enum collide_status pack_mapping(struct learned *l, struct collide_error *err)
{
    const uint64_t n_entries = l->model.item.n_ids + 1ull;
    const uint32_t bits = mapping_bits(l->model.rows.n);
    uint32_t *words = malloc(mapping_n_words(n_entries, bits) * sizeof *words);
    if (!words)
        return error_no_memory(err, "the packed mapping");
    mapping_pack(l->remap, n_entries, bits, words);
    free(l->remap);
    l->model.item.remap = l->remap = words;
    l->model.mapping.kind = MAPPING_PACKED;
    l->model.mapping.bits = bits;
    return COLLIDE_OK;
}

static enum collide_status store_parameters(struct learned *l, const struct trained *t,
                                            const struct learn_options *options, struct collide_error *err)
{
    struct unit_rows u = {.trained = t};
    enum collide_status status = COLLIDE_OK;
    u.order = malloc(t->n_rows * sizeof *u.order);
    u.rank = malloc(t->n_rows * sizeof *u.rank);
    u.stretches = malloc(t->n_rows * sizeof *u.stretches);
    if (!u.order || !u.rank || !u.stretches)
        status = error_no_memory(err, "the model's rows");
    if (status == COLLIDE_OK)
        status = order_rows(&u, err);
    if (status == COLLIDE_OK)
        status = store_rows(l, &u, options->form, err);
    if (status == COLLIDE_OK)
        status = store_items(l, &u, err);
    if (status == COLLIDE_OK && options->mapping == MAPPING_PACKED)
        status = pack_mapping(l, err);
    free(u.order);
    free(u.rank);
    free(u.stretches);
    return status;
}

static enum collide_status store_users(struct learned *l, const struct interactions *log,
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
    l->model.user = (struct space){.n_ids = n_users, .keys = keys_of(&log->users)};
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
                              .pooling = POOLING_NORMALISED,
                              .logit_scale = 1.0f / trained->temperature,
                              .mapping = {.n_lookups = 1},
                              .item = {.n_ids = log->items.n_ids, .keys = keys_of(&log->items)},
                              .provenance = l->notes};
    enum collide_status status = store_parameters(l, trained, options, err);
    if (status == COLLIDE_OK && options->histories == HISTORIES_MODEL)
        status = store_users(l, log, err);
    if (status != COLLIDE_OK) {
        learned_destroy(l);
        return status;
    }
    *out = l;
    return COLLIDE_OK;
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
    free(l->remap);
    stored_rows_free(&l->rows);
    free(l->weights);
    free(l->bias);
    free(l->offsets);
    free(l);
}
