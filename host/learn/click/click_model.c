#include "learn/click/click_model.h"

#include "base/error.h"
#include "learn/click/click_metrics.h"
#include "learn/train/vector.h"

#include <stdlib.h>
#include <string.h>

enum collide_status click_model_create(const struct click_data *data, const struct id_mapping *mapping,
                                       uint32_t dim, struct click_model *out, struct collide_error *err)
{
    struct click_model m = {.data = data, .mapping = mapping, .dim = dim};
    m.rows = calloc((size_t)mapping->n_rows * dim, sizeof *m.rows);
    m.bias = calloc(data->spaces[0].n_seen, sizeof *m.bias);
    m.means = calloc(data->n_spaces * dim + 1, sizeof *m.means);
    if (!m.rows || !m.bias || !m.means) {
        click_model_free(&m);
        return error_no_memory(err, "the click model");
    }
    *out = m;
    return COLLIDE_OK;
}

void click_model_free(struct click_model *m)
{
    free(m->rows);
    free(m->bias);
    free(m->means);
    *m = (struct click_model){0};
}

void click_model_embedding(const struct click_model *m, uint32_t entry, float *out)
{
    const uint32_t n_lookups = m->mapping->n_lookups;
    const uint32_t *rows_of = m->mapping->rows_of + (size_t)entry * n_lookups;
    memcpy(out, m->rows + (size_t)rows_of[0] * m->dim, m->dim * sizeof *out);
    for (uint32_t l = 1; l < n_lookups; l++)
        vector_add_scaled(1.0f, m->rows + (size_t)rows_of[l] * m->dim, out, m->dim);
}

float click_model_mean_bias(const struct click_model *m)
{
    return m->means[m->data->n_spaces * m->dim];
}

static void find_means(struct click_model *m)
{
    const struct click_data *d = m->data;
    const float share = 1.0f / (float)d->train.n;
    memset(m->means, 0, (d->n_spaces * m->dim + 1) * sizeof *m->means);
    for (size_t s = 0; s < d->n_spaces; s++) {
        float *mean = m->means + s * m->dim, embedding[MODEL_MAX_DIM];
        for (uint32_t i = 0; i < d->spaces[s].n_seen; i++) {
            uint32_t entry = d->spaces[s].first_entry + i;
            click_model_embedding(m, entry, embedding);
            vector_add_scaled(share * (float)d->counts[entry], embedding, mean, m->dim);
        }
    }
    double bias = 0.0;
    for (uint32_t i = 0; i < d->spaces[0].n_seen; i++)
        bias += (double)d->counts[i] * (double)m->bias[i];
    m->means[d->n_spaces * m->dim] = (float)(bias / (double)d->train.n);
}

void click_model_set(struct click_model *m, const float *rows, const float *bias)
{
    memcpy(m->rows, rows, (size_t)m->mapping->n_rows * m->dim * sizeof *rows);
    memcpy(m->bias, bias, m->data->spaces[0].n_seen * sizeof *bias);
    find_means(m);
}

static void add_embedding(const struct click_model *m, size_t space, uint32_t entry, float *sum)
{
    const uint32_t n_lookups = m->mapping->n_lookups;
    if (entry == CLICK_UNKNOWN) {
        vector_add_scaled(1.0f, m->means + space * m->dim, sum, m->dim);
        return;
    }
    for (uint32_t l = 0; l < n_lookups; l++)
        vector_add_scaled(1.0f, m->rows + (size_t)m->mapping->rows_of[(size_t)entry * n_lookups + l] * m->dim,
                          sum, m->dim);
}

struct scoring {
    const struct click_model *model;
    const struct click_examples *examples;
    float *logits;
};

static void score_examples(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct scoring *s = context;
    const struct click_model *m = s->model;
    const size_t n_spaces = m->data->n_spaces;
    for (size_t i = begin; i < end; i++) {
        float item[MODEL_MAX_DIM] = {0}, features[MODEL_MAX_DIM] = {0};
        const uint32_t *entries = s->examples->entries + i * n_spaces;
        add_embedding(m, 0, entries[0], item);
        for (size_t f = 1; f < n_spaces; f++)
            add_embedding(m, f, entries[f], features);
        float bias = entries[0] == CLICK_UNKNOWN ? click_model_mean_bias(m) : m->bias[entries[0]];
        s->logits[i] = vector_dot(features, item, m->dim) + bias;
    }
}

void click_model_logits(const struct click_model *m, const struct click_examples *examples,
                        struct parallel *team, float *logits)
{
    struct scoring scoring = {m, examples, logits};
    parallel_for(team, examples->n, score_examples, &scoring);
}

double click_model_log_loss(const struct click_model *m, const struct click_examples *examples,
                            struct parallel *team, float *logits)
{
    double loss = 0.0;
    click_model_logits(m, examples, team, logits);
    for (size_t i = 0; i < examples->n; i++)
        loss += click_log_loss((double)logits[i], examples->is_click[i]);
    return loss / (double)examples->n;
}
