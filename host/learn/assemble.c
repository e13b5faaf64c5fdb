#include "learn/assemble.h"

#include "base/error.h"
#include "learn/quantize.h"
#include "learn/vector.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NOTES = 32, MAX_NOTE_BYTES = 64 };

struct learned {
    struct model model;
    /* All owned; the model points to them. */
    uint32_t *remap;
    void *rows;
    float *scales;
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

/* Normalises, quantises and stores the rows; lengths: (n_rows) those of the trained rows. */
static enum collide_status store_rows(struct learned *l, const struct trained *t, float *lengths)
{
    size_t n_values = ((size_t)t->n_rows + 1) * t->dim;
    float *unit = calloc(n_values, sizeof *unit);
    l->rows = calloc(t->n_rows + 1ull, model_row_bytes(&l->model));
    l->scales = l->model.item.precision == PRECISION_I8 ? calloc(t->n_rows + 1ull, sizeof *l->scales) : NULL;
    bool complete = unit && l->rows && (l->scales || l->model.item.precision != PRECISION_I8);
    if (complete) {
        memcpy(unit, t->rows, (size_t)t->n_rows * t->dim * sizeof *unit);
        for (uint32_t r = 0; r < t->n_rows; r++)
            lengths[r] = vector_normalise(unit + (size_t)r * t->dim, t->dim);
        quantize_rows(unit, t->n_rows + 1, t->dim, l->model.item.precision, l->rows, l->scales);
    }
    free(unit);
    return complete ? COLLIDE_OK : COLLIDE_NO_MEMORY;
}

static enum collide_status store_items(struct learned *l, const struct trained *t)
{
    const struct corpus *corpus = t->corpus;
    size_t n_entries = l->model.item.n_ids + 1ull;
    float *lengths = calloc(t->n_rows, sizeof *lengths);
    l->remap = malloc(n_entries * sizeof *l->remap);
    l->weights = calloc(n_entries, sizeof *l->weights);
    l->bias = malloc(n_entries * sizeof *l->bias);
    bool complete = lengths && l->remap && l->weights && l->bias && store_rows(l, t, lengths) == COLLIDE_OK;
    if (complete) {
        float lowest = t->bias[0];
        for (uint32_t i = 1; i < corpus->n_items; i++)
            lowest = t->bias[i] < lowest ? t->bias[i] : lowest;
        for (size_t id = 0; id < n_entries; id++) {
            l->remap[id] = t->n_rows;
            l->bias[id] = lowest;
        }
        for (uint32_t i = 0; i < corpus->n_items; i++) {
            uint32_t id = corpus->dense_ids[i], row = t->row_of_item[i];
            l->remap[id] = row;
            l->weights[id] = corpus->weights[i] * lengths[row];
            l->bias[id] = t->bias[i];
        }
    }
    free(lengths);
    return complete ? COLLIDE_OK : COLLIDE_NO_MEMORY;
}

static enum collide_status store_users(struct learned *l, const struct interactions *log)
{
    const struct csr *histories = &log->histories;
    uint32_t n_users = log->users.n_ids;
    l->offsets = malloc((n_users + 2ull) * sizeof *l->offsets);
    if (!l->offsets)
        return COLLIDE_NO_MEMORY;
    for (uint32_t u = 0; u <= n_users; u++)
        l->offsets[u] = (uint32_t)histories->offsets[u];
    l->offsets[n_users + 1] = l->offsets[n_users];
    l->model.user = (struct user_space){
        .n_ids = n_users, .keys = keys_of(&log->users), .offsets = l->offsets, .history = histories->values};
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
                              .item = {.n_ids = log->items.n_ids,
                                       .n_rows = trained->n_rows + 1,
                                       .precision = options->precision,
                                       .keys = keys_of(&log->items)},
                              .provenance = l->notes};
    enum collide_status status = store_items(l, trained);
    if (status == COLLIDE_OK && options->histories == HISTORIES_MODEL)
        status = store_users(l, log);
    if (status != COLLIDE_OK) {
        learned_destroy(l);
        return error_no_memory(err, "the model");
    }
    l->model.item.remap = l->remap;
    l->model.item.rows = l->rows;
    l->model.item.scales = l->scales;
    l->model.item.weights = l->weights;
    l->model.item.bias = l->bias;
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
    free(l->rows);
    free(l->scales);
    free(l->weights);
    free(l->bias);
    free(l->offsets);
    free(l);
}
