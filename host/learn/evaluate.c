#include "learn/evaluate.h"

#include "base/error.h"
#include "base/ranking.h"
#include "learn/store/dequantize.h"
#include "learn/train/vector.h"
#include "model/id_values.h"
#include "model/mapping.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Vectors are read once a block: with few users in it, by memory's speed instead of the processor's. */
enum { MIN_BLOCK_USERS = 16, MAX_BLOCK_USERS = 64, BLOCK_SCORES = 1 << 20 };

struct ranked {
    float score;
    uint32_t item;
};

/* One thread's memory. */
struct workspace {
    float *queries;     /* (block_users, dim) */
    float *products;    /* (block_users, n_vectors) */
    float *scores;      /* (n_ids) */
    struct ranked *top; /* (cutoff) best first */
    bool *is_hit;       /* (cutoff) */
};

struct evaluator {
    const struct model *model;
    const struct evaluation *evaluation;
    /* What items are scored by: rows, where an item is one of them, else the items' own embeddings. */
    float *vectors;           /* (n_vectors, dim) */
    uint32_t *vector_of_item; /* (n_ids) */
    float *weights, *bias;    /* (n_ids) */
    uint32_t n_vectors;
    uint32_t *users; /* (n_users) who have relevant items */
    uint32_t n_users;
    struct ranking_quality *qualities; /* (n_users) */
    uint32_t block_users;
    struct workspace *workspaces; /* (n_threads) */
};

static uint64_t length(const struct csr *lists, uint32_t u)
{
    return lists->offsets[u + 1] - lists->offsets[u];
}

/* The bag of the user's own embedding, where users have such, and of the history. */
static void pool_query(const struct evaluator *e, uint32_t user, float *query)
{
    const struct csr *histories = e->evaluation->histories;
    const struct model *m = e->model;
    memset(query, 0, m->dim * sizeof *query);
    if (m->user_is_embedded) {
        float own[MODEL_MAX_DIM];
        dequantize_embedding(m, &m->user, user, own);
        vector_add_scaled(model_weight_of(&m->user, user), own, query, m->dim);
    }
    const bool has_history = !m->user_is_embedded || m->histories.offsets;
    for (uint64_t k = histories->offsets[user]; has_history && k < histories->offsets[user + 1]; k++) {
        uint32_t id = histories->values[k];
        vector_add_scaled(e->weights[id], e->vectors + (size_t)e->vector_of_item[id] * m->dim, query, m->dim);
    }
    vector_normalise(query, m->dim);
}

static void mask(const struct csr *lists, uint32_t user, float *scores)
{
    for (uint64_t k = lists->offsets[user]; k < lists->offsets[user + 1]; k++)
        scores[lists->values[k]] = -INFINITY;
}

/* The items with the highest scores, masked ones left out; gives how many there are. */
static uint32_t select_top(const float *scores, uint32_t n, uint32_t cutoff, struct ranked *top)
{
    uint32_t n_top = 0;
    float least = -INFINITY;
    for (uint32_t i = 0; i < n; i++) {
        if (!(scores[i] > least))
            continue;
        uint32_t at = n_top < cutoff ? n_top++ : cutoff - 1;
        for (; at > 0 && top[at - 1].score < scores[i]; at--)
            top[at] = top[at - 1];
        top[at] = (struct ranked){scores[i], i};
        if (n_top == cutoff)
            least = top[cutoff - 1].score;
    }
    return n_top;
}

static bool is_relevant(const struct csr *relevant, uint32_t user, uint32_t item)
{
    for (uint64_t k = relevant->offsets[user]; k < relevant->offsets[user + 1]; k++)
        if (relevant->values[k] == item)
            return true;
    return false;
}

static void measure_user(struct evaluator *e, uint32_t index, const float *products, struct workspace *w)
{
    const struct space *item = &e->model->item;
    uint32_t user = e->users[index], cutoff = e->evaluation->cutoff;
    vector_gather(products, e->vector_of_item, e->model->logit_scale, e->bias, w->scores, item->n_ids);
    mask(e->evaluation->histories, user, w->scores);
    if (e->evaluation->masked)
        mask(e->evaluation->masked, user, w->scores);
    uint32_t n_top = select_top(w->scores, item->n_ids, cutoff, w->top);
    for (uint32_t r = 0; r < n_top; r++)
        w->is_hit[r] = is_relevant(e->evaluation->relevant, user, w->top[r].item);
    e->qualities[index] = ranking_measure(w->is_hit, n_top, length(e->evaluation->relevant, user), cutoff);
}

static void measure_users(void *context, unsigned thread, size_t begin, size_t end)
{
    struct evaluator *e = context;
    struct workspace *w = &e->workspaces[thread];
    const int dim = (int)e->model->dim, n_vectors = (int)e->n_vectors;
    for (size_t first = begin; first < end; first += e->block_users) {
        size_t n = end - first < e->block_users ? end - first : e->block_users;
        for (size_t i = 0; i < n; i++)
            pool_query(e, e->users[first + i], w->queries + i * e->model->dim);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, n_vectors, dim, 1.0f, w->queries, dim,
                    e->vectors, dim, 0.0f, w->products, n_vectors);
        for (size_t i = 0; i < n; i++)
            measure_user(e, (uint32_t)(first + i), w->products + i * e->n_vectors, w);
    }
}

static bool evaluator_allocate(struct evaluator *e, unsigned n_threads)
{
    const struct model *m = e->model;
    e->block_users = BLOCK_SCORES / e->n_vectors;
    e->block_users = e->block_users < MIN_BLOCK_USERS   ? MIN_BLOCK_USERS
                     : e->block_users > MAX_BLOCK_USERS ? MAX_BLOCK_USERS
                                                        : e->block_users;
    e->vectors = malloc((size_t)e->n_vectors * m->dim * sizeof *e->vectors);
    e->vector_of_item = malloc((m->item.n_ids + 1ull) * sizeof *e->vector_of_item);
    e->weights = malloc((m->item.n_ids + 1ull) * sizeof *e->weights);
    e->bias = malloc((m->item.n_ids + 1ull) * sizeof *e->bias);
    e->users = malloc((e->evaluation->relevant->n_rows + 1ull) * sizeof *e->users);
    e->qualities = malloc((e->evaluation->relevant->n_rows + 1ull) * sizeof *e->qualities);
    e->workspaces = calloc(n_threads, sizeof *e->workspaces);
    if (!e->vectors || !e->vector_of_item || !e->weights || !e->bias || !e->users || !e->qualities ||
        !e->workspaces)
        return false;
    for (unsigned t = 0; t < n_threads; t++) {
        struct workspace *w = &e->workspaces[t];
        w->queries = malloc((size_t)e->block_users * m->dim * sizeof *w->queries);
        w->products = malloc((size_t)e->block_users * e->n_vectors * sizeof *w->products);
        w->scores = malloc((m->item.n_ids + 1ull) * sizeof *w->scores);
        w->top = malloc(e->evaluation->cutoff * sizeof *w->top);
        w->is_hit = malloc(e->evaluation->cutoff * sizeof *w->is_hit);
        if (!w->queries || !w->products || !w->scores || !w->top || !w->is_hit)
            return false;
    }
    return true;
}

static void evaluator_free(struct evaluator *e, unsigned n_threads)
{
    for (unsigned t = 0; e->workspaces && t < n_threads; t++) {
        free(e->workspaces[t].queries);
        free(e->workspaces[t].products);
        free(e->workspaces[t].scores);
        free(e->workspaces[t].top);
        free(e->workspaces[t].is_hit);
    }
    free(e->workspaces);
    free(e->vectors);
    free(e->vector_of_item);
    free(e->weights);
    free(e->bias);
    free(e->users);
    free(e->qualities);
}

static struct quality average(const struct evaluator *e)
{
    struct quality q = {.n_users = e->n_users};
    for (uint32_t u = 0; u < e->n_users; u++) {
        q.recall += e->qualities[u].recall / (double)e->n_users;
        q.ndcg += e->qualities[u].ndcg / (double)e->n_users;
    }
    return q;
}

/* Else each item needs a vector of its own. */
static bool items_are_rows(const struct model *m)
{
    return m->mapping.n_lookups == 1 && !m->item.lookup_weights;
}

static void read_items(struct evaluator *e)
{
    const struct model *m = e->model;
    const bool by_rows = items_are_rows(m);
    for (uint32_t r = 0; by_rows && r < m->rows.n; r++)
        dequantize_row(&m->rows, r, 0, e->vectors + (size_t)r * m->dim);
    for (uint32_t id = 0; id < m->item.n_ids; id++) {
        e->vector_of_item[id] = by_rows ? model_row_of(m, &m->item, id, 0) : id;
        if (!by_rows)
            dequantize_embedding(m, &m->item, id, e->vectors + (size_t)id * m->dim);
        e->weights[id] = model_weight_of(&m->item, id);
        e->bias[id] = model_item_is_blank(m, id) ? -INFINITY : model_bias_of(m, id);
    }
}

enum collide_status evaluate_model(const struct model *model, const struct evaluation *evaluation,
                                   struct parallel *team, struct quality *out, struct collide_error *err)
{
    if (model->pooling != POOLING_NORMALISED)
        return error_set(err, COLLIDE_UNSUPPORTED,
                         "only models with normalised pooling can be evaluated here");
    if (evaluation->cutoff < 1 || evaluation->cutoff > EVALUATION_MAX_CUTOFF)
        return error_set(err, COLLIDE_INVALID, "cutoff %u asked for; give 1 to %d", evaluation->cutoff,
                         EVALUATION_MAX_CUTOFF);
    enum collide_status status = COLLIDE_OK;
    struct evaluator e = {.model = model,
                          .evaluation = evaluation,
                          .n_vectors = items_are_rows(model) ? model->rows.n : model->item.n_ids};
    if (!evaluator_allocate(&e, parallel_n_threads(team))) {
        status = error_no_memory(err, "evaluation");
        goto out;
    }
    read_items(&e);
    for (uint32_t u = 0; u < evaluation->relevant->n_rows; u++)
        if (length(evaluation->relevant, u) > 0)
            e.users[e.n_users++] = u;
    /* Products are small and run on the team's threads, several at a time. */
    openblas_set_num_threads(1);
    parallel_for(team, e.n_users, measure_users, &e);
    *out = average(&e);
out:
    evaluator_free(&e, parallel_n_threads(team));
    return status;
}
