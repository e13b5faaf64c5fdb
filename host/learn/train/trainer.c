#include "learn/train/trainer.h"

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "learn/train/adam_table.h"
#include "learn/train/batch.h"
#include "learn/train/embedder.h"
#include "learn/train/fake_classes.h"
#include "learn/train/reassign.h"
#include "learn/train/vector.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The rows of users, and what they give a batch. */
struct user_side {
    struct embedder *embedder; /* NULL: users are bags alone */
    uint32_t *slots;           /* (n_users of a batch) */
    float *embeddings;         /* (n_users of a batch, dim) */
    float *gradients;          /* (n_users of a batch, dim) by embedding slots */
};

struct trainer {
    struct trainer_problem problem;
    struct parallel *team;
    struct embedder *items;
    struct user_side users;
    struct adam_table bias;
    struct fake_classes classes;
    struct sampler *sampler;
    struct objective *objective;
    struct batch_limits limits;
    uint32_t *order; /* (n_users) those who can be learned from, in the epoch's order */
    uint32_t n_users;
    struct rng rng;
    uint64_t n_epochs_done; /* of a run */
    double loss;            /* of the last one of them */
    /* What the running update looks at. */
    const struct batch *batch;
    struct gradients gradients;
    float rate_scale; /* of both learning rates, by the schedule */
};

static enum collide_status create_users(struct trainer *t, struct collide_error *err)
{
    const struct trainer_problem *p = &t->problem;
    if (p->training.backbone == BACKBONE_BAG)
        return COLLIDE_OK;
    struct user_side *u = &t->users;
    u->slots = malloc(t->limits.n_users * sizeof *u->slots);
    u->embeddings = malloc((size_t)t->limits.n_users * p->dim * sizeof *u->embeddings);
    u->gradients = malloc((size_t)t->limits.n_users * p->dim * sizeof *u->gradients);
    if (!u->slots || !u->embeddings || !u->gradients)
        return error_no_memory(err, "the users in training");
    const struct embedder_options options = {p->users, p->dim, t->limits.n_users, p->row_bits};
    return embedder_create(&options, &t->rng, t->team, &u->embedder, err);
}

static enum collide_status create_parts(struct trainer *t, struct collide_error *err)
{
    const struct trainer_problem *p = &t->problem;
    const struct training *training = &p->training;
    struct batch_shape shape = {training->batch_users, training->n_negatives, training->input_share};
    if (training->backbone == BACKBONE_USER)
        shape.input_share = 0.0f;
    enum collide_status status = batch_limits_find(p->corpus, &shape, &t->limits, err);
    const struct embedder_options items = {p->items, p->dim, t->limits.n_item_slots, p->row_bits};
    if (status == COLLIDE_OK)
        status = embedder_create(&items, &t->rng, t->team, &t->items, err);
    if (status == COLLIDE_OK)
        status = create_users(t, err);
    if (status == COLLIDE_OK)
        status = sampler_create(p->corpus, t->items, &shape, &t->sampler, err);
    const struct objective_options objective = {p->dim, training->temperature, p->item_lengths};
    if (status == COLLIDE_OK)
        status = objective_create(&t->limits, &objective, t->team, &t->objective, err);
    return status;
}

/* A bag is judged by items that are not in it: a single item says nothing. */
static void choose_users(struct trainer *t)
{
    const struct csr *histories = &t->problem.corpus->histories;
    const uint64_t least = t->problem.training.backbone == BACKBONE_USER ? 1 : 2;
    for (uint32_t u = 0; u < histories->n_rows; u++)
        if (histories->offsets[u + 1] - histories->offsets[u] >= least)
            t->order[t->n_users++] = u;
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
    t->order = malloc(n_users * sizeof *t->order);
    enum collide_status status = t->order && adam_table_create(&t->bias, corpus->n_items, 1)
                                     ? create_parts(t, err)
                                     : error_no_memory(err, "the biases in training");
    if (status != COLLIDE_OK) {
        trainer_destroy(t);
        return status;
    }
    choose_users(t);
    *out = t;
    return COLLIDE_OK;
}

void trainer_destroy(struct trainer *t)
{
    if (!t)
        return;
    objective_destroy(t->objective);
    sampler_destroy(t->sampler);
    embedder_destroy(t->items);
    embedder_destroy(t->users.embedder);
    free(t->users.slots);
    free(t->users.embeddings);
    free(t->users.gradients);
    adam_table_free(&t->bias);
    fake_classes_free(&t->classes);
    free(t->order);
    free(t);
}

float *trainer_rows(struct trainer *t)
{
    return embedder_rows(t->items);
}

float *trainer_user_rows(struct trainer *t)
{
    return t->users.embedder ? embedder_rows(t->users.embedder) : NULL;
}

float *trainer_bias(struct trainer *t)
{
    return t->bias.x;
}

float *trainer_lookup_weights(struct trainer *t)
{
    return embedder_lookup_weights(t->items);
}

float *trainer_user_lookup_weights(struct trainer *t)
{
    return t->users.embedder ? embedder_lookup_weights(t->users.embedder) : NULL;
}

void trainer_start_from(struct trainer *t, struct trainer *other)
{
    const struct id_mapping *m = t->problem.items;
    const size_t n_rows = (size_t)m->n_rows * m->width, n_weights = (size_t)m->n_ids * m->n_lookups;
    memcpy(trainer_rows(t), trainer_rows(other), n_rows * sizeof(float));
    memcpy(trainer_bias(t), trainer_bias(other), m->n_ids * sizeof(float));
    if (trainer_lookup_weights(t))
        memcpy(trainer_lookup_weights(t), trainer_lookup_weights(other), n_weights * sizeof(float));
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

/* Users that share rows share a slot. */
static const float *gather_users(struct trainer *t, const uint32_t *users, uint32_t n)
{
    struct user_side *u = &t->users;
    const uint32_t dim = t->problem.dim;
    if (!u->embedder)
        return NULL;
    embedder_clear(u->embedder);
    for (uint32_t i = 0; i < n; i++)
        u->slots[i] = embedder_take(u->embedder, users[i]);
    const float *embeddings = embedder_gather(u->embedder);
    for (uint32_t i = 0; i < n; i++)
        memcpy(u->embeddings + (size_t)i * dim, embeddings + (size_t)u->slots[i] * dim,
               dim * sizeof *embeddings);
    return u->embeddings;
}

static void step_users(struct trainer *t)
{
    struct user_side *u = &t->users;
    const uint32_t dim = t->problem.dim;
    if (!u->embedder)
        return;
    memset(u->gradients, 0, (size_t)embedder_n_slots(u->embedder) * dim * sizeof *u->gradients);
    for (uint32_t i = 0; i < t->batch->n_users; i++)
        vector_add_scaled(1.0f, t->gradients.users + (size_t)i * dim,
                          u->gradients + (size_t)u->slots[i] * dim, dim);
    embedder_step(u->embedder, u->gradients, t->rate_scale * t->problem.training.row_rate);
}

static void step_biases(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct trainer *t = context;
    float rate = t->rate_scale * t->problem.training.bias_rate;
    for (size_t slot = begin; slot < end; slot++)
        adam_table_step(&t->bias, t->batch->items[slot], rate, t->gradients.bias + slot);
}

static void trainer_step(struct trainer *t, const uint32_t *users, uint32_t n)
{
    t->batch = sampler_draw(t->sampler, users, n, &t->rng);
    const struct parameters at = {.embeddings = embedder_gather(t->items),
                                  .users = gather_users(t, users, n),
                                  .bias = t->problem.sharing.bits ? t->classes.bias : t->bias.x};
    t->gradients = objective_evaluate(t->objective, t->batch, &at);
    embedder_step(t->items, t->gradients.embeddings, t->rate_scale * t->problem.training.row_rate);
    step_users(t);
    parallel_for(t->team, t->batch->n_item_slots, step_biases, t);
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

static bool is_finite(const struct trainer *t)
{
    const struct id_mapping *items = t->problem.items, *users = t->problem.users;
    return all_finite(embedder_rows(t->items), (size_t)items->n_rows * items->width) &&
           (!t->users.embedder ||
            all_finite(embedder_rows(t->users.embedder), (size_t)users->n_rows * users->width)) &&
           all_finite(t->bias.x, t->problem.corpus->n_items);
}

void trainer_state(struct trainer *t, enum state_extent extent, struct training_state *out)
{
    *out = (struct training_state){0};
    embedder_state(t->items, extent, "items", out);
    if (t->users.embedder)
        embedder_state(t->users.embedder, extent, "users", out);
    adam_table_state(&t->bias, extent, "bias", out);
    if (t->problem.items->n_open_rows > 0)
        training_state_add(out, "items", "rows_of", t->problem.items->rows_of,
                           t->problem.items->n_ids * sizeof(uint32_t));
    if (extent == STATE_PARAMETERS)
        return;
    training_state_add(out, "run", "order", t->order, t->n_users * sizeof *t->order);
    training_state_add(out, "run", "rng", &t->rng, sizeof t->rng);
    training_state_add(out, "run", "epochs", &t->n_epochs_done, sizeof t->n_epochs_done);
    training_state_add(out, "run", "loss", &t->loss, sizeof t->loss);
}

/* A run's place in its schedule, and what it shows. */
struct course {
    uint64_t n_batches; /* of an epoch */
    uint64_t n_steps;   /* of the run */
    uint32_t n_epochs;
    struct progress progress;
};

static void show(struct course *c, uint64_t epoch, uint64_t n_users_done, double loss)
{
    char note[64];
    snprintf(note, sizeof note, "epoch %" PRIu64 " of %" PRIu32 ", loss %.4f", epoch + 1, c->n_epochs, loss);
    progress_update(&c->progress, n_users_done, note);
}

/* The lengths of the rows that items' embeddings are, where these are read as directions; else all 1. */
static void find_lengths(const struct trainer *t, float *out)
{
    const struct id_mapping *m = t->problem.items;
    for (uint32_t i = 0; i < m->n_ids; i++) {
        const float *row = embedder_rows(t->items) + (size_t)m->rows_of[i] * m->width;
        out[i] = t->problem.item_lengths == ITEM_LENGTHS_ONE ? sqrtf(vector_dot(row, row, m->width)) : 1.0f;
    }
}

/* A row that is read as a direction keeps its length in training: weights are divided by it. */
static enum collide_status share_scalars(struct trainer *t, struct collide_error *err)
{
    const struct trainer_problem *p = &t->problem;
    if (!p->sharing.bits)
        return COLLIDE_OK;
    float *lengths = malloc((p->corpus->n_items + 1ull) * sizeof *lengths);
    if (!lengths)
        return error_no_memory(err, "the items' classes");
    find_lengths(t, lengths);
    enum collide_status status =
        fake_classes_fit(&t->classes, &p->sharing, p->corpus, lengths, t->bias.x, err);
    for (uint32_t i = 0; status == COLLIDE_OK && i < p->corpus->n_items; i++)
        t->classes.weights[i] = lengths[i] > 0.0f ? t->classes.weights[i] / lengths[i] : 0.0f;
    free(lengths);
    sampler_weigh(t->sampler, t->classes.weights);
    return status;
}

/* Between epochs of the first half: later, rows are to settle for the items that they have. Only bags show
 * what a user is without an item. */
static enum collide_status reassign(struct trainer *t, uint32_t n_epochs, struct collide_error *err)
{
    const struct trainer_problem *p = &t->problem;
    const uint64_t n_done = t->n_epochs_done;
    uint32_t n_moved;
    if (p->training.backbone != BACKBONE_BAG || p->items->n_open_rows == 0 || n_done == 0 ||
        n_done > n_epochs / 2)
        return COLLIDE_OK;
    const struct reassignment r = {.corpus = p->corpus,
                                   .items = p->items,
                                   .rows = embedder_rows(t->items),
                                   .bias = t->bias.x,
                                   .dim = p->dim,
                                   .temperature = p->training.temperature};
    enum collide_status status = reassign_items(&r, t->team, &n_moved, err);
    if (status == COLLIDE_OK)
        log_debug("%" PRIu32 " of %" PRIu32 " items are in another row", n_moved, p->corpus->n_items);
    return status;
}

static void run_epoch(struct trainer *t, struct course *c)
{
    const uint64_t n_users = t->n_users, epoch = t->n_epochs_done;
    double sum = 0.0, mass = 0.0;
    shuffle(t->order, (uint32_t)n_users, &t->rng);
    for (uint64_t b = 0; b < c->n_batches; b++) {
        t->rate_scale = schedule(epoch * c->n_batches + b, c->n_steps);
        uint32_t begin = (uint32_t)(n_users * b / c->n_batches),
                 end = (uint32_t)(n_users * (b + 1) / c->n_batches);
        trainer_step(t, t->order + begin, end - begin);
        sum += t->gradients.loss;
        mass += t->gradients.target_mass;
        show(c, epoch, epoch * n_users + end, sum / mass);
    }
    t->loss = mass > 0.0 ? sum / mass : 0.0;
    t->n_epochs_done++;
}

static enum collide_status check_finite(const struct trainer *t, const char *label, struct collide_error *err)
{
    if (isfinite(t->loss) && is_finite(t))
        return COLLIDE_OK;
    return error_set(
        err, COLLIDE_INVALID,
        "training diverged (%s, temperature %g, row rate %g): raise the temperature or lower the "
        "learning rates",
        label, (double)t->problem.training.temperature, (double)t->problem.training.row_rate);
}

enum collide_status trainer_run_watched(struct trainer *t, uint32_t n_epochs, const char *label,
                                        const struct epoch_watcher *watcher, double *loss,
                                        struct collide_error *err)
{
    const uint64_t n_users = t->n_users, n_batch = t->limits.n_users;
    struct course c = {.n_batches = (n_users + n_batch - 1) / n_batch, .n_epochs = n_epochs};
    enum collide_status status = COLLIDE_OK;
    enum epoch_verdict verdict = EPOCHS_GO_ON;
    c.n_steps = c.n_batches * n_epochs;
    if (t->n_epochs_done < n_epochs) {
        progress_begin(&c.progress, label, n_users * n_epochs);
        c.progress.unit = "users";
        c.progress.first = n_users * t->n_epochs_done;
        large_array_expect(&t->problem.corpus->histories.store, ACCESS_RANDOM);
        while (status == COLLIDE_OK && verdict == EPOCHS_GO_ON && t->n_epochs_done < n_epochs) {
            status = reassign(t, n_epochs, err);
            if (status == COLLIDE_OK)
                status = share_scalars(t, err);
            if (status == COLLIDE_OK) {
                run_epoch(t, &c);
                status = check_finite(t, label, err);
            }
            if (status == COLLIDE_OK && watcher)
                status = watcher->after_epoch(watcher->context, (uint32_t)t->n_epochs_done, t->loss, &verdict,
                                              err);
        }
        large_array_expect(&t->problem.corpus->histories.store, ACCESS_NORMAL);
        progress_end(&c.progress);
    }
    t->n_epochs_done = 0; /* what runs next begins anew */
    if (status == COLLIDE_OK)
        *loss = n_epochs ? t->loss : 0.0;
    return status;
}

enum collide_status trainer_run(struct trainer *t, uint32_t n_epochs, const char *label, double *loss,
                                struct collide_error *err)
{
    return trainer_run_watched(t, n_epochs, label, NULL, loss, err);
}
