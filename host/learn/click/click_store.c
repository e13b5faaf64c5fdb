#include "learn/click/click_store.h"

#include "base/error.h"
#include "learn/store/keys_of.h"
#include "learn/train/vector.h"
#include "model/layout.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_NOTES = 32 };

_Static_assert((int)CLICK_NAME_MAX_CHARS == (int)FEATURE_NAME_MAX_CHARS, "names are features'");
_Static_assert((int)CLICK_MAX_FEATURES == MODEL_MAX_FEATURES + 1, "features are a model's, and the user");

struct click_file {
    struct model model;
    struct feature features[MODEL_MAX_FEATURES];
    /* All owned; the model points to them. */
    uint32_t *remaps[CLICK_MAX_IDS];
    struct stored_rows rows;
    float *bias;
    struct provenance_entry notes[MAX_NOTES];
    char *note_texts[MAX_NOTES];
};

/* The rows to be stored: those of training, then the unknown item's, then zeros. */
struct centred_rows {
    const struct click_model *model;
    uint8_t *space_of_row; /* (n_rows of training) */
};

static void read_row(const void *context, uint32_t r, float *out)
{
    const struct centred_rows *c = context;
    const struct click_model *m = c->model;
    const uint32_t n_trained = m->mapping->n_rows;
    memset(out, 0, m->dim * sizeof *out);
    if (r == n_trained)
        memcpy(out, m->means, m->dim * sizeof *out);
    if (r >= n_trained)
        return;
    memcpy(out, m->rows + (size_t)r * m->dim, m->dim * sizeof *out);
    const size_t s = c->space_of_row[r];
    if (s > 0)
        vector_add_scaled(-1.0f / (float)m->mapping->n_lookups, m->means + s * m->dim, out, m->dim);
}

static enum collide_status store_rows(struct click_file *f, const struct click_model *m, enum row_form form,
                                      struct collide_error *err)
{
    const struct id_mapping *mapping = m->mapping;
    struct centred_rows centred = {.model = m, .space_of_row = calloc(mapping->n_rows, 1)};
    if (!centred.space_of_row)
        return error_no_memory(err, "the model's rows");
    for (size_t s = 0; s < m->data->n_spaces; s++)
        for (uint32_t i = 0; i < m->data->spaces[s].n_seen; i++)
            for (uint32_t l = 0; l < mapping->n_lookups; l++) {
                size_t entry = m->data->spaces[s].first_entry + i;
                centred.space_of_row[mapping->rows_of[entry * mapping->n_lookups + l]] = (uint8_t)s;
            }
    const struct row_source source = {
        .n = mapping->n_rows + 2, .width = m->dim, .read = read_row, .context = &centred};
    enum collide_status status = quantize_rows(&source, m->dim, form, &f->rows, err);
    free(centred.space_of_row);
    if (status == COLLIDE_OK)
        f->model.rows = f->rows.table;
    return status;
}

/* What all features together add on the average. */
static void mean_of_features(const struct click_model *m, float *out)
{
    memset(out, 0, m->dim * sizeof *out);
    for (size_t s = 1; s < m->data->n_spaces; s++)
        vector_add_scaled(1.0f, m->means + s * m->dim, out, m->dim);
}

static enum collide_status store_bias(struct click_file *f, const struct click_model *m,
                                      struct collide_error *err)
{
    const struct click_space *items = &m->data->spaces[0];
    float mean[MODEL_MAX_DIM], embedding[MODEL_MAX_DIM];
    f->bias = malloc((items->index.n_ids + 1ull) * sizeof *f->bias);
    if (!f->bias)
        return error_no_memory(err, "the items' biases");
    mean_of_features(m, mean);
    for (size_t id = 0; id <= items->index.n_ids; id++)
        f->bias[id] = click_model_mean_bias(m) + vector_dot(mean, m->means, m->dim);
    for (uint32_t i = 0; i < items->n_seen; i++) {
        click_model_embedding(m, i, embedding);
        f->bias[items->dense_ids[i]] = m->bias[i] + vector_dot(mean, embedding, m->dim);
    }
    f->model.bias = f->bias;
    return COLLIDE_OK;
}

static enum collide_status store_space(struct click_file *f, const struct click_model *m, size_t s,
                                       struct space *out, struct collide_error *err)
{
    const struct click_space *space = &m->data->spaces[s];
    const uint32_t n_lookups = m->mapping->n_lookups, n_trained = m->mapping->n_rows;
    const size_t n = (space->index.n_ids + 1ull) * n_lookups;
    uint32_t *remap = f->remaps[s] = malloc(n * sizeof *remap);
    if (!remap)
        return error_no_memory(err, "the model's ids");
    for (size_t e = 0; e < n; e++)
        remap[e] = s == 0 && e % n_lookups == 0 ? n_trained : n_trained + 1;
    for (uint32_t i = 0; i < space->n_seen; i++)
        memcpy(remap + (size_t)space->dense_ids[i] * n_lookups,
               m->mapping->rows_of + ((size_t)space->first_entry + i) * n_lookups, n_lookups * sizeof *remap);
    *out = (struct space){.n_ids = space->index.n_ids, .keys = keys_of(&space->index), .remap = remap};
    return COLLIDE_OK;
}

static enum collide_status store_spaces(struct click_file *f, const struct click_model *m,
                                        const char *const *names, struct collide_error *err)
{
    enum collide_status status = store_space(f, m, 0, &f->model.item, err);
    for (size_t s = 1; s < m->data->n_spaces && status == COLLIDE_OK; s++) {
        struct space *out = &f->features[f->model.n_features].space;
        if (s == 1 && !strcmp(names[0], SPACE_NAME_USER)) {
            out = &f->model.user;
            f->model.user_is_embedded = true;
        } else {
            f->features[f->model.n_features++].name = names[s - 1];
        }
        status = store_space(f, m, s, out, err);
    }
    return status;
}

enum collide_status click_file_create(const struct click_model *model, const char *const *names,
                                      enum row_form form, struct click_file **out, struct collide_error *err)
{
    struct click_file *f = calloc(1, sizeof *f);
    if (!f)
        return error_no_memory(err, "the model");
    f->model = (struct model){.dim = model->dim,
                              .pooling = POOLING_SUM,
                              .logit_scale = 1.0f,
                              .mapping = {.n_lookups = model->mapping->n_lookups, .combine = COMBINE_SUM},
                              .features = f->features,
                              .provenance = f->notes};
    enum collide_status status = store_rows(f, model, form, err);
    if (status == COLLIDE_OK)
        status = store_bias(f, model, err);
    if (status == COLLIDE_OK)
        status = store_spaces(f, model, names, err);
    if (status != COLLIDE_OK) {
        click_file_destroy(f);
        return status;
    }
    *out = f;
    return COLLIDE_OK;
}

enum collide_status click_file_note(struct click_file *f, const char *name, const char *value,
                                    struct collide_error *err)
{
    const size_t n = f->model.n_provenance;
    if (n == MAX_NOTES)
        return COLLIDE_OK;
    f->note_texts[n] = strdup(value);
    if (!f->note_texts[n])
        return error_no_memory(err, "the model's provenance");
    f->notes[n] = (struct provenance_entry){.name = name, .value = f->note_texts[n]};
    f->model.n_provenance++;
    return COLLIDE_OK;
}

const struct model *click_file_model(const struct click_file *f)
{
    return &f->model;
}

void click_file_destroy(struct click_file *f)
{
    if (!f)
        return;
    for (size_t s = 0; s < CLICK_MAX_IDS; s++)
        free(f->remaps[s]);
    stored_rows_free(&f->rows);
    free(f->bias);
    for (size_t i = 0; i < MAX_NOTES; i++)
        free(f->note_texts[i]);
    free(f);
}
