#include "learn/trainer.h"

#include "base/error.h"
#include "base/progress.h"
#include "learn/batch.h"
#include "learn/objective.h"
#include "learn/vector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Parameters with their moments; a row is `width` of them. */
struct adam_table {
    size_t width;
    float *x, *m, *v;  /* (n, width) each */
    uint32_t *n_steps; /* (n) */
};

struct trainer {
    struct trainer_problem problem;
    struct parallel *team;
    struct sampler *sampler;
    struct objective *objective;
    struct adam_table rows;
    struct adam_table bias;
    uint32_t *users; /* (n_users) in the epoch's order */
    struct rng rng;
    /* What the running update looks at. */
    const struct batch *batch;
    struct gradients gradients;
    float rate_scale; /* of both learning rates, by the schedule */
};

static bool adam_table_create(struct adam_table *a, size_t n, size_t width)
{
    a->width = width;
    a->x = calloc(n * width, sizeof *a->x);
    a->m = calloc(n * width, sizeof *a->m);
    a->v = calloc(n * width, sizeof *a->v);
    a->n_steps = calloc(n, sizeof *a->n_steps);
    return a->x && a->m && a->v && a->n_steps;
}

static void adam_table_free(struct adam_table *a)
{
    free(a->x);
    free(a->m);
    free(a->v);
    free(a->n_steps);
}

static void adam_table_step(struct adam_table *a, uint32_t row, float rate, const float *gradient)
{
    size_t from = row * a->width;
    struct adam_step step = {.rate = rate, .n_steps = ++a->n_steps[row]};
    vector_adam(&step, gradient, a->x + from, a->m + from, a->v + from, a->width);
}

static void rows_start(struct trainer *t)
{
    for (uint32_t r = 0; r < t->problem.n_rows; r++) {
        float *row = t->rows.x + (size_t)r * t->problem.dim;
        for (uint32_t d = 0; d < t->problem.dim; d++)
            row[d] = (float)rng_normal(&t->rng);
        vector_normalise(row, t->problem.dim);
    }
}

enum collide_status trainer_create(const struct trainer_problem *problem, struct parallel *team,
                                   struct trainer **out, struct collide_error *err)
{
    const struct corpus *corpus = problem->corpus;
    uint32_t n_users = corpus->histories.n_rows;
    struct trainer *t = calloc(1, sizeof *t);
    if (!t)
        return error_no_memory(err, "the trainer");
    *t = (struct trainer){.problem = *problem, .team = team, .rng = rng_seeded(problem->seed, 0)};
    t->users = malloc(n_users * sizeof *t->users);
    enum collide_status status = COLLIDE_OK;
    if (!t->users || !adam_table_create(&t->rows, problem->n_rows, problem->dim) ||
        !adam_table_create(&t->bias, corpus->n_items, 1))
        status = error_no_memory(err, "the rows in training");
    struct batch_shape shape = {problem->n_rows, problem->training.batch_users, problem->training.n_negatives,
                                problem->training.input_share};
    if (status == COLLIDE_OK)
        status = sampler_create(corpus, problem->row_of_item, &shape, &t->sampler, err);
    if (status == COLLIDE_OK) {
        struct batch_limits limits = sampler_limits(t->sampler);
        status =
            objective_create(&limits, problem->dim, problem->training.temperature, team, &t->objective, err);
    }
    if (status != COLLIDE_OK) {
        trainer_destroy(t);
        return status;
    }
    for (uint32_t u = 0; u < n_users; u++)
        t->users[u] = u;
    rows_start(t);
    *out = t;
    return COLLIDE_OK;
}

void trainer_destroy(struct trainer *t)
{
    if (!t)
        return;
    objective_destroy(t->objective);
    sampler_destroy(t->sampler);
    adam_table_free(&t->rows);
    adam_table_free(&t->bias);
    free(t->users);
    free(t);
}

float *trainer_rows(struct trainer *t)
{
    return t->rows.x;
}

float *trainer_bias(struct trainer *t)
{
    return t->bias.x;
}

static void shuffle(uint32_t *values, uint32_t n, struct rng *rng)
{
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = (uint32_t)rng_below(rng, i);
        uint32_t swapped = values[i - 1];
        values[i - 1] = values[j];
        values[j] = swapped;
    }
}

/* Slots are dealt out to threads in turn; each is one row or one bias, so the order does not matter. */
static void update_slots(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)begin, (void)end;
    struct trainer *t = context;
    const struct batch *b = t->batch;
    unsigned n_threads = parallel_n_threads(t->team);
    float row_rate = t->rate_scale * t->problem.training.row_rate;
    float bias_rate = t->rate_scale * t->problem.training.bias_rate;
    for (uint32_t slot = thread; slot < b->n_row_slots; slot += n_threads)
        adam_table_step(&t->rows, b->rows[slot], row_rate, t->gradients.rows + (size_t)slot * t->problem.dim);
    for (uint32_t slot = thread; slot < b->n_item_slots; slot += n_threads)
        adam_table_step(&t->bias, b->items[slot], bias_rate, t->gradients.bias + slot);
}

static void trainer_step(struct trainer *t, uint32_t begin, uint32_t end)
{
    t->batch = sampler_draw(t->sampler, t->users + begin, end - begin, &t->rng);
    t->gradients = objective_evaluate(t->objective, t->batch, t->rows.x, t->bias.x);
    parallel_for(t->team, parallel_n_threads(t->team), update_slots, t);
}

/* Half a cosine from 1 down to 0.01. */
static float schedule(uint64_t step, uint64_t n_steps)
{
    const double pi = 3.14159265358979323846, last = 0.01;
    double done = (double)step / (double)n_steps;
    return (float)(last + (1.0 - last) * 0.5 * (1.0 + cos(pi * done)));
}

static bool all_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

enum collide_status trainer_run(struct trainer *t, uint32_t n_epochs, const char *label, double *loss,
                                struct collide_error *err)
{
    uint32_t n_users = t->problem.corpus->histories.n_rows, n_batch = sampler_limits(t->sampler).n_users;
    uint64_t n_batches = (n_users + (uint64_t)n_batch - 1) / n_batch, n_steps = n_batches * n_epochs,
             step = 0;
    double mean = 0.0;
    struct progress progress;
    progress_begin(&progress, label, n_steps);
    for (uint32_t epoch = 0; epoch < n_epochs && isfinite(mean); epoch++) {
        double sum = 0.0, mass = 0.0;
        shuffle(t->users, n_users, &t->rng);
        for (uint64_t b = 0; b < n_batches; b++) {
            t->rate_scale = schedule(step, n_steps);
            trainer_step(t, (uint32_t)(n_users * b / n_batches), (uint32_t)(n_users * (b + 1) / n_batches));
            sum += t->gradients.loss;
            mass += t->gradients.target_mass;
            progress_update(&progress, ++step, NULL);
        }
        mean = sum / mass;
        char note[32];
        snprintf(note, sizeof note, "loss %.4f", mean);
        progress_update(&progress, step, note);
    }
    progress_end(&progress);
    if (!isfinite(mean) || !all_finite(t->rows.x, (size_t)t->problem.n_rows * t->problem.dim) ||
        !all_finite(t->bias.x, t->problem.corpus->n_items))
        return error_set(
            err, COLLIDE_INVALID,
            "training diverged (%s, temperature %g, row rate %g): raise the temperature or lower the "
            "learning rates",
            label, (double)t->problem.training.temperature, (double)t->problem.training.row_rate);
    *loss = mean;
    return COLLIDE_OK;
}
