#include "learn/train/reassign.h"

#include "base/error.h"
#include "learn/map/nearest.h"
#include "learn/train/vector.h"

#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_USERS = 1024, /* whose bags are in memory at a time */
    ASKING_USERS = 32,  /* whose logits for all rows are, on a thread */
};

/* Users times rows, about half a second of work: of larger logs every so many blocks of users are asked. */
static const double MOST_ASKED = 1e8;

static const float NO_ITEMS = -1e30f; /* the bias of a row without items */

struct work {
    struct reassignment r;
    struct parallel *team;
    float *directions; /* (n_rows, dim) */
    float *bags;       /* (BLOCK_USERS, dim), of users from first_user on */
    uint64_t first_user;
    uint32_t asking_blocks; /* one in so many is asked */
    float *rests;           /* (n_threads, dim): a bag without one of its items */
    float *means;           /* (n_items, dim): sums of c_u h_u\i, then their means */
    float *frequencies;     /* (n_items): N_i */
    uint32_t *sizes;        /* (n_rows): items */
    float *row_bias;        /* (n_rows): log sum of exp(bias) of its items */
    float *logits;          /* (n_threads, ASKING_USERS, n_rows) */
    float *sums;            /* (n_threads, n_rows): what users ask of a row's items */
    float *asked;           /* (n_rows): G(r) */
    uint32_t n_nearest;     /* open rows that each is compared with, itself included */
    uint32_t *nearest; /* (n_nearest, open rows): numbers of open rows, by the one that they are near to */
    float *half_norms; /* (open rows): of directions, |d|^2 / 2 */
    float *scores;     /* (n_threads, NEAREST_SCORES) */
    float *best;       /* (n_threads, NEAREST_POINTS, n_nearest) */
    uint32_t *choices; /* (n_items): rows */
};

static uint32_t first_open(const struct work *w)
{
    return w->r.items->n_rows - w->r.items->n_open_rows;
}

static uint64_t history_length(const struct work *w, uint64_t user)
{
    return w->r.corpus->histories.offsets[user + 1] - w->r.corpus->histories.offsets[user];
}

static const float *row_of(const struct work *w, uint32_t item)
{
    return w->r.rows + (size_t)w->r.items->rows_of[item] * w->r.dim;
}

static void find_directions(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct work *w = context;
    const size_t dim = w->r.dim;
    memcpy(w->directions + begin * dim, w->r.rows + begin * dim, (end - begin) * dim * sizeof(float));
    for (size_t row = begin; row < end; row++)
        vector_normalise(w->directions + row * dim, dim);
}

/* ---- What an item's users are without it. */

static void fill_bags(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct work *w = context;
    const struct csr *histories = &w->r.corpus->histories;
    const size_t dim = w->r.dim;
    for (size_t k = begin; k < end; k++) {
        const uint64_t user = w->first_user + k;
        vector_fill(0.0f, w->bags + k * dim, dim);
        for (uint64_t e = histories->offsets[user]; e < histories->offsets[user + 1]; e++)
            vector_add_scaled(w->r.corpus->weights[histories->values[e]], row_of(w, histories->values[e]),
                              w->bags + k * dim, dim);
    }
}

static void add_user(struct work *w, uint32_t item, const float *bag, float share, float *rest)
{
    const size_t dim = w->r.dim;
    memcpy(rest, bag, dim * sizeof *rest);
    vector_add_scaled(-w->r.corpus->weights[item], row_of(w, item), rest, dim);
    vector_normalise(rest, dim);
    vector_add_scaled(share, rest, w->means + item * dim, dim);
    w->frequencies[item] += share;
}

/* Items are dealt out to threads: each one's users are added up by one thread, always in the same order. */
static void add_block(void *context, unsigned thread, size_t begin, size_t end)
{
    struct work *w = context;
    const struct csr *histories = &w->r.corpus->histories;
    const unsigned n_threads = parallel_n_threads(w->team);
    (void)begin, (void)end;
    uint64_t n = histories->n_rows - w->first_user;
    n = n < BLOCK_USERS ? n : BLOCK_USERS;
    for (uint64_t k = 0; k < n; k++) {
        const uint64_t user = w->first_user + k;
        const float share = 1.0f / sqrtf((float)history_length(w, user));
        for (uint64_t e = histories->offsets[user]; e < histories->offsets[user + 1]; e++)
            if (histories->values[e] % n_threads == thread)
                add_user(w, histories->values[e], w->bags + k * w->r.dim, share,
                         w->rests + (size_t)thread * w->r.dim);
    }
}

/* ---- What is asked of a row. */

static void merge_items(struct work *w)
{
    const struct id_mapping *items = w->r.items;
    for (uint32_t i = 0; i < items->n_ids; i++) {
        w->sizes[items->rows_of[i]]++;
        w->row_bias[items->rows_of[i]] += expf(w->r.bias[i]);
    }
    for (uint32_t row = 0; row < items->n_rows; row++)
        w->row_bias[row] = w->sizes[row] ? logf(w->row_bias[row]) : NO_ITEMS;
}

/* This thread's users of the block against all rows. */
static void ask(void *context, unsigned thread, size_t begin, size_t end)
{
    struct work *w = context;
    const size_t dim = w->r.dim, n_rows = w->r.items->n_rows;
    float *logits = w->logits + thread * ASKING_USERS * n_rows, *sums = w->sums + thread * n_rows;
    for (size_t first = begin; first < end; first += ASKING_USERS) {
        const size_t n = end - first < ASKING_USERS ? end - first : ASKING_USERS;
        float *users = w->bags + first * dim;
        for (size_t k = 0; k < n; k++)
            vector_normalise(users + k * dim, dim);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)n_rows, (int)dim, 1.0f, users,
                    (int)dim, w->directions, (int)dim, 0.0f, logits, (int)n_rows);
        for (size_t k = 0; k < n; k++) {
            const float mass = sqrtf((float)history_length(w, w->first_user + first + k));
            vector_softmax(logits + k * n_rows, w->row_bias, 1.0f / w->r.temperature, mass, n_rows);
            vector_add_scaled(1.0f, logits + k * n_rows, sums, n_rows);
        }
    }
}

static void look_at_users(struct work *w)
{
    const uint32_t n_users = w->r.corpus->histories.n_rows;
    for (w->first_user = 0; w->first_user < n_users; w->first_user += BLOCK_USERS) {
        const uint64_t left = n_users - w->first_user, n = left < BLOCK_USERS ? left : BLOCK_USERS;
        parallel_for(w->team, n, fill_bags, w);
        parallel_for(w->team, parallel_n_threads(w->team), add_block, w);
        if (w->first_user / BLOCK_USERS % w->asking_blocks == 0)
            parallel_for(w->team, n, ask, w);
    }
    for (size_t i = 0; i < w->r.corpus->n_items; i++)
        vector_scale(w->frequencies[i] > 0.0f ? 1.0f / w->frequencies[i] : 0.0f, w->means + i * w->r.dim,
                     w->r.dim);
}

static void find_asked(struct work *w)
{
    const size_t n_rows = w->r.items->n_rows;
    for (unsigned t = 1; t < parallel_n_threads(w->team); t++)
        vector_add_scaled(1.0f, w->sums + t * n_rows, w->sums, n_rows);
    for (size_t row = 0; row < n_rows; row++)
        w->asked[row] =
            w->sizes[row] && w->sums[row] > 0.0f ? logf(w->sums[row]) - w->row_bias[row] : INFINITY;
}

/* ---- Choosing. */

static void find_nearest(void *context, unsigned thread, size_t begin, size_t end)
{
    struct work *w = context;
    const size_t dim = w->r.dim, n_open = w->r.items->n_open_rows;
    const float *open = w->directions + first_open(w) * dim;
    const struct centroids all = {open, w->half_norms, (uint32_t)n_open, w->r.dim};
    for (size_t first = begin; first < end; first += NEAREST_POINTS) {
        const size_t n = end - first < NEAREST_POINTS ? end - first : NEAREST_POINTS;
        const struct kept kept = {w->n_nearest, n_open, w->nearest + first};
        nearest_several(&all, open + first * dim, (uint32_t)n, w->scores + (size_t)thread * NEAREST_SCORES,
                        w->best + (size_t)thread * NEAREST_POINTS * w->n_nearest, &kept);
    }
}

static float fit(const struct work *w, uint32_t item, uint32_t row)
{
    const size_t dim = w->r.dim;
    return vector_dot(w->means + item * dim, w->directions + row * dim, dim) / w->r.temperature -
           w->asked[row];
}

static void choose(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct work *w = context;
    const uint32_t first = first_open(w);
    for (size_t i = begin; i < end; i++) {
        const uint32_t own = w->r.items->rows_of[i];
        w->choices[i] = own;
        if (own < first || w->frequencies[i] == 0.0f || !isfinite(w->asked[own]))
            continue;
        float best = fit(w, (uint32_t)i, own);
        for (uint32_t k = 0; k < w->n_nearest; k++) {
            const uint32_t row = first + w->nearest[(size_t)k * w->r.items->n_open_rows + (own - first)];
            const float found = fit(w, (uint32_t)i, row);
            if (found > best) {
                best = found;
                w->choices[i] = row;
            }
        }
    }
}

static uint32_t move(struct work *w)
{
    uint32_t n_moved = 0;
    for (uint32_t i = 0; i < w->r.items->n_ids; i++) {
        uint32_t *row = &w->r.items->rows_of[i];
        const uint32_t chosen = w->choices[i];
        if (chosen == *row || w->sizes[*row] == 1)
            continue;
        w->r.bias[i] += w->asked[*row] - w->asked[chosen];
        w->sizes[*row]--;
        w->sizes[chosen]++;
        *row = chosen;
        n_moved++;
    }
    return n_moved;
}

/* ---- */

static bool allocate(struct work *w)
{
    const size_t dim = w->r.dim, n_rows = w->r.items->n_rows, n_items = w->r.items->n_ids;
    const size_t n_threads = parallel_n_threads(w->team), n_open = w->r.items->n_open_rows;
    w->directions = malloc(n_rows * dim * sizeof *w->directions);
    w->half_norms = malloc(n_open * sizeof *w->half_norms);
    w->bags = malloc(BLOCK_USERS * dim * sizeof *w->bags);
    w->rests = malloc(n_threads * dim * sizeof *w->rests);
    w->means = calloc(n_items * dim, sizeof *w->means);
    w->frequencies = calloc(n_items, sizeof *w->frequencies);
    w->sizes = calloc(n_rows, sizeof *w->sizes);
    w->row_bias = calloc(n_rows, sizeof *w->row_bias);
    w->logits = malloc(n_threads * ASKING_USERS * n_rows * sizeof *w->logits);
    w->sums = calloc(n_threads * n_rows, sizeof *w->sums);
    w->asked = malloc(n_rows * sizeof *w->asked);
    w->nearest = malloc(w->n_nearest * n_open * sizeof *w->nearest);
    w->scores = malloc(n_threads * NEAREST_SCORES * sizeof *w->scores);
    w->best = malloc(n_threads * NEAREST_POINTS * w->n_nearest * sizeof *w->best);
    w->choices = malloc(n_items * sizeof *w->choices);
    return w->directions && w->half_norms && w->bags && w->rests && w->means && w->frequencies && w->sizes &&
           w->row_bias && w->logits && w->sums && w->asked && w->nearest && w->scores && w->best && w->choices;
}

static void release(struct work *w)
{
    free(w->directions);
    free(w->half_norms);
    free(w->bags);
    free(w->rests);
    free(w->means);
    free(w->frequencies);
    free(w->sizes);
    free(w->row_bias);
    free(w->logits);
    free(w->sums);
    free(w->asked);
    free(w->nearest);
    free(w->scores);
    free(w->best);
    free(w->choices);
}

static uint32_t run(struct work *w)
{
    const struct id_mapping *items = w->r.items;
    w->asking_blocks =
        1 + (uint32_t)((double)w->r.corpus->histories.n_rows * (double)items->n_rows / MOST_ASKED);
    parallel_for(w->team, items->n_rows, find_directions, w);
    merge_items(w);
    look_at_users(w);
    find_asked(w);
    vector_fill(0.5f, w->half_norms, items->n_open_rows);
    parallel_for(w->team, items->n_open_rows, find_nearest, w);
    parallel_for(w->team, items->n_ids, choose, w);
    return move(w);
}

enum collide_status reassign_items(const struct reassignment *r, struct parallel *team, uint32_t *n_moved,
                                   struct collide_error *err)
{
    const uint32_t n_open = r->items->n_open_rows;
    struct work w = {.r = *r, .team = team};
    enum collide_status status = COLLIDE_OK;
    w.n_nearest = n_open < REASSIGN_NEAREST ? n_open : REASSIGN_NEAREST;
    if (allocate(&w))
        *n_moved = run(&w);
    else
        status = error_no_memory(err, "the items' new rows");
    release(&w);
    return status;
}
