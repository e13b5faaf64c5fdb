#include "learn/click/click_trainer.h"

#include "base/error.h"
#include "base/log.h"
#include "learn/click/click_gradients.h"
#include "learn/train/embedder.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A product of two embeddings is learned slowly at first, since both start small. */
enum { MIN_PATIENCE_STEPS = 600 };

struct trainer {
    const struct click_trainer_problem *problem;
    const struct click_training *training;
    float bias_0;
    struct parallel *alone;  /* a team of one */
    struct id_mapping items; /* a row of one value each: the biases */
    struct embedder *embeddings, *biases;
    struct click_gradients *gradients;
    struct click_model now; /* what held-out examples are scored by */
    struct rng rng;
    uint32_t *order;      /* (train.n) */
    uint32_t *slots;      /* (batch, n_spaces) */
    uint32_t *bias_slots; /* (batch) */
    uint8_t *is_click;    /* (batch) */
    float *logits;        /* (val.n) */
};

struct click_training click_training_default(void)
{
    return (struct click_training){
        .batch = 256, .row_rate = 0.003f, .bias_rate = 0.003f, .l2 = 0.01f, .n_epochs = 30, .patience = 3};
}

static enum collide_status create_biases(struct trainer *t, struct collide_error *err)
{
    const uint32_t n = t->problem->data->spaces[0].n_seen;
    t->items = (struct id_mapping){.n_ids = n,
                                   .n_rows = n,
                                   .n_lookups = 1,
                                   .n_parts = 1,
                                   .combine = COMBINE_SUM,
                                   .width = 1,
                                   .rows_of = malloc(n * sizeof *t->items.rows_of),
                                   .rows = malloc(n * sizeof *t->items.rows)};
    if (!t->items.rows_of || !t->items.rows)
        return error_no_memory(err, "the biases in training");
    for (uint32_t i = 0; i < n; i++) {
        t->items.rows_of[i] = i;
        t->items.rows[i] = t->problem->bias ? t->problem->bias[i] : t->bias_0;
    }
    const struct embedder_options options = {.mapping = &t->items, .dim = 1, .max_slots = t->training->batch};
    return embedder_create(&options, &t->rng, t->alone, &t->biases, err);
}

static enum collide_status create(struct trainer *t, struct collide_error *err)
{
    const struct click_trainer_problem *p = t->problem;
    const size_t batch = t->training->batch, n_spaces = p->data->n_spaces;
    const double rate = p->data->base_rate;
    t->bias_0 = (float)log(rate / (1.0 - rate));
    t->rng = rng_seeded(p->seed, 0);
    t->order = malloc(p->data->train.n * sizeof *t->order);
    t->slots = malloc(batch * n_spaces * sizeof *t->slots);
    t->bias_slots = malloc(batch * sizeof *t->bias_slots);
    t->is_click = malloc(batch * sizeof *t->is_click);
    t->logits = malloc(p->data->val.n * sizeof *t->logits);
    if (!t->order || !t->slots || !t->bias_slots || !t->is_click || !t->logits)
        return error_no_memory(err, "training on clicks");
    for (size_t i = 0; i < p->data->train.n; i++)
        t->order[i] = (uint32_t)i;
    const struct embedder_options options = {
        .mapping = p->mapping, .dim = p->dim, .max_slots = (uint32_t)(batch * n_spaces)};
    enum collide_status status = parallel_create(1, &t->alone, err);
    if (status == COLLIDE_OK)
        status = embedder_create(&options, &t->rng, t->alone, &t->embeddings, err);
    if (status == COLLIDE_OK)
        status = create_biases(t, err);
    if (status == COLLIDE_OK)
        status = click_gradients_create((uint32_t)batch, (uint32_t)n_spaces, p->dim, &t->gradients, err);
    return status == COLLIDE_OK ? click_model_create(p->data, p->mapping, p->dim, &t->now, err) : status;
}

static void release(struct trainer *t)
{
    free(t->order);
    free(t->slots);
    free(t->bias_slots);
    free(t->is_click);
    free(t->logits);
    embedder_destroy(t->embeddings);
    embedder_destroy(t->biases);
    id_mapping_free(&t->items);
    click_gradients_destroy(t->gradients);
    click_model_free(&t->now);
    parallel_destroy(t->alone);
}

/* One step on the examples order[0 .. n). */
static double step(struct trainer *t, const uint32_t *order, uint32_t n)
{
    const struct click_examples *train = &t->problem->data->train;
    const size_t n_spaces = t->problem->data->n_spaces;
    embedder_clear(t->embeddings);
    embedder_clear(t->biases);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t *entries = train->entries + order[i] * n_spaces;
        for (size_t s = 0; s < n_spaces; s++)
            t->slots[i * n_spaces + s] = embedder_take(t->embeddings, entries[s]);
        t->bias_slots[i] = embedder_take(t->biases, entries[0]);
        t->is_click[i] = train->is_click[order[i]];
    }
    const struct click_batch batch = {.n = n,
                                      .n_spaces = (uint32_t)n_spaces,
                                      .slots = t->slots,
                                      .bias_slots = t->bias_slots,
                                      .is_click = t->is_click,
                                      .embeddings = embedder_gather(t->embeddings),
                                      .biases = embedder_gather(t->biases),
                                      .n_slots = embedder_n_slots(t->embeddings),
                                      .n_bias_slots = embedder_n_slots(t->biases),
                                      .l2 = t->training->l2,
                                      .bias_0 = t->bias_0};
    struct click_result result = click_gradients_evaluate(t->gradients, &batch);
    embedder_step(t->embeddings, result.embeddings, t->training->row_rate);
    embedder_step(t->biases, result.biases, t->training->bias_rate);
    return result.log_loss * n;
}

static double run_epoch(struct trainer *t)
{
    const size_t n = t->problem->data->train.n, batch = t->training->batch;
    double loss = 0.0;
    for (size_t i = n - 1; i > 0; i--) {
        size_t j = rng_below(&t->rng, i + 1);
        uint32_t swapped = t->order[i];
        t->order[i] = t->order[j];
        t->order[j] = swapped;
    }
    for (size_t at = 0; at < n; at += batch)
        loss += step(t, t->order + at, (uint32_t)(n - at < batch ? n - at : batch));
    return loss / (double)n;
}

static double measure(struct trainer *t)
{
    click_model_set(&t->now, embedder_rows(t->embeddings), embedder_rows(t->biases));
    return click_model_log_loss(&t->now, &t->problem->data->val, t->alone, t->logits);
}

/* In epochs, of which those of a small log are few steps. */
static uint32_t patience_of(const struct trainer *t)
{
    const size_t n_steps = (t->problem->data->train.n + t->training->batch - 1) / t->training->batch;
    const uint32_t least = (uint32_t)((MIN_PATIENCE_STEPS + n_steps - 1) / n_steps);
    return t->training->patience > least ? t->training->patience : least;
}

static enum collide_status run(struct trainer *t, const char *label, struct click_model *best,
                               struct click_fit *fit, struct collide_error *err)
{
    const uint32_t patience = patience_of(t);
    *fit = (struct click_fit){.val_loss = measure(t), .l2 = t->training->l2};
    click_model_set(best, t->now.rows, t->now.bias);
    for (uint32_t epoch = 1; epoch <= t->training->n_epochs; epoch++) {
        double loss = run_epoch(t), val_loss = measure(t);
        log_debug("%s, l2 %g, epoch %" PRIu32 ": log loss %.5f, held out %.5f", label,
                  (double)t->training->l2, epoch, loss, val_loss);
        if (!isfinite(loss) || !isfinite(val_loss))
            return error_set(err, COLLIDE_INVALID,
                             "training diverged: the loss is not finite any more after epoch %" PRIu32,
                             epoch);
        if (val_loss < fit->val_loss) {
            fit->val_loss = val_loss;
            fit->epoch = epoch;
            click_model_set(best, t->now.rows, t->now.bias);
        } else if (epoch - fit->epoch >= patience) {
            break;
        }
    }
    log_info("%s, l2 %g: held-out log loss %.5f after epoch %" PRIu32, label, (double)t->training->l2,
             fit->val_loss, fit->epoch);
    return COLLIDE_OK;
}

enum collide_status click_train(const struct click_trainer_problem *problem,
                                const struct click_training *training, const char *label,
                                struct click_model *model, struct click_fit *fit, struct collide_error *err)
{
    struct trainer t = {.problem = problem, .training = training};
    struct click_model best = {0};
    struct click_fit found;
    enum collide_status status = create(&t, err);
    if (status == COLLIDE_OK)
        status = click_model_create(problem->data, problem->mapping, problem->dim, &best, err);
    if (status == COLLIDE_OK)
        status = run(&t, label, &best, &found, err);
    release(&t);
    if (status != COLLIDE_OK) {
        click_model_free(&best);
        return status;
    }
    *model = best;
    *fit = found;
    return COLLIDE_OK;
}
