#include "learn/stage.h"

#include "base/error.h"
#include "base/log.h"
#include "learn/evaluate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_MEASUREMENTS = 10, CUTOFF = 10 };

/* The best measurement so far; part of the checkpoint. */
struct best {
    double recall, loss;
    uint64_t epoch;    /* after which it was made; 0: none was */
    uint64_t n_behind; /* measurements since */
};

struct running {
    const struct stage *stage;
    const struct oversight *oversight;
    struct training_state state, parameters;
    struct best best;
    void *best_parameters; /* as of the best measurement; NULL: nothing is measured */
};

/* ---- The checkpoint. */

struct array_name {
    char text[CHECKPOINT_NAME_BYTES];
};

static struct array_name name_of(const struct stage *stage, const char *part)
{
    struct array_name name;
    snprintf(name.text, sizeof name.text, "%.8s.%s", stage->name, part);
    return name;
}

bool stage_is_begun(const struct oversight *oversight, const char *name)
{
    const struct stage stage = {.name = name};
    return oversight &&
           checkpoint_find(oversight->checkpoint, name_of(&stage, "best").text, sizeof(struct best));
}

static void keep(const struct running *r)
{
    struct checkpoint *c = r->oversight->checkpoint;
    checkpoint_keep(c, name_of(r->stage, "best").text, &r->best, sizeof r->best);
    if (r->best_parameters)
        checkpoint_keep(c, name_of(r->stage, "best-parameters").text, r->best_parameters,
                        training_state_bytes(&r->parameters));
    for (size_t i = 0; i < r->state.n; i++)
        checkpoint_keep(c, name_of(r->stage, r->state.parts[i].name).text, r->state.parts[i].bytes,
                        r->state.parts[i].n_bytes);
}

static enum collide_status recall(struct running *r, struct collide_error *err)
{
    const struct checkpoint *c = r->oversight->checkpoint;
    bool complete = checkpoint_recall(c, name_of(r->stage, "best").text, &r->best, sizeof r->best);
    if (complete && r->best_parameters)
        complete = checkpoint_recall(c, name_of(r->stage, "best-parameters").text, r->best_parameters,
                                     training_state_bytes(&r->parameters));
    for (size_t i = 0; complete && i < r->state.n; i++)
        complete = checkpoint_recall(c, name_of(r->stage, r->state.parts[i].name).text,
                                     r->state.parts[i].bytes, r->state.parts[i].n_bytes);
    return complete ? COLLIDE_OK
                    : error_set(err, COLLIDE_CORRUPT,
                                "the checkpoint's state of the stage \"%s\" is not what this program writes: "
                                "remove it to start over",
                                r->stage->name);
}

/* ---- Measuring. */

static bool is_due(uint32_t n_done, uint32_t n_epochs)
{
    const uint32_t interval = (n_epochs + N_MEASUREMENTS - 1) / N_MEASUREMENTS;
    return n_done % interval == 0 || n_done == n_epochs;
}

static enum collide_status measure(const struct running *r, double *recall, struct collide_error *err)
{
    const struct evaluation evaluation = {
        .histories = r->oversight->histories, .relevant = r->oversight->judges, .cutoff = CUTOFF};
    struct learned *learned = NULL;
    struct quality quality = {0};
    enum collide_status status = r->stage->assemble(r->stage->context, &learned, err);
    if (status == COLLIDE_OK)
        status = evaluate_model(learned_model(learned), &evaluation, r->oversight->team, &quality, err);
    learned_destroy(learned);
    *recall = quality.recall;
    return status;
}

static enum collide_status judge(struct running *r, uint32_t n_done, double loss, struct collide_error *err)
{
    double recall;
    enum collide_status status = measure(r, &recall, err);
    if (status != COLLIDE_OK)
        return status;
    log_debug("%s: recall@%d %.3f %% after %" PRIu32 " epochs", r->stage->name, CUTOFF, 100.0 * recall,
              n_done);
    r->best.n_behind++;
    if (r->best.epoch > 0 && recall <= r->best.recall)
        return COLLIDE_OK;
    r->best = (struct best){.recall = recall, .loss = loss, .epoch = n_done};
    training_state_copy_out(&r->parameters, r->best_parameters);
    return COLLIDE_OK;
}

static bool is_out_of_patience(const struct running *r)
{
    return r->oversight->patience > 0 && r->best.n_behind >= r->oversight->patience;
}

/* ---- */

static enum collide_status after_epoch(void *context, uint32_t n_done, double loss,
                                       enum epoch_verdict *verdict, struct collide_error *err)
{
    struct running *r = context;
    enum collide_status status = COLLIDE_OK;
    if (r->best_parameters && is_due(n_done, r->stage->n_epochs))
        status = judge(r, n_done, loss, err);
    if (status != COLLIDE_OK)
        return status;
    if (is_out_of_patience(r))
        *verdict = EPOCHS_END;
    checkpoint_write(r->oversight->checkpoint);
    return COLLIDE_OK;
}

static void take_best(const struct running *r, double *loss)
{
    if (r->best.n_behind == 0)
        return;
    training_state_copy_in(&r->parameters, r->best_parameters);
    *loss = r->best.loss;
    log_info("%s: the best of what was measured is kept, recall@%d %.2f %% after epoch %" PRIu64
             " of %" PRIu32,
             r->stage->name, CUTOFF, 100.0 * r->best.recall, r->best.epoch, r->stage->n_epochs);
}

static enum collide_status run(struct running *r, double *loss, struct collide_error *err)
{
    const struct epoch_watcher watcher = {after_epoch, r};
    const struct stage *stage = r->stage;
    enum collide_status status = COLLIDE_OK;
    keep(r);
    if (stage_is_begun(r->oversight, stage->name))
        status = recall(r, err);
    else
        checkpoint_write(r->oversight->checkpoint);
    *loss = 0.0;
    if (status == COLLIDE_OK && !is_out_of_patience(r))
        status = trainer_run_watched(stage->trainer, stage->n_epochs, stage->name, &watcher, loss, err);
    if (status == COLLIDE_OK)
        take_best(r, loss);
    checkpoint_drop(r->oversight->checkpoint, name_of(stage, "").text);
    return status;
}

enum collide_status stage_run(const struct stage *stage, const struct oversight *oversight, double *loss,
                              struct collide_error *err)
{
    if (!oversight)
        return trainer_run(stage->trainer, stage->n_epochs, stage->name, loss, err);
    struct running r = {.stage = stage, .oversight = oversight};
    trainer_state(stage->trainer, STATE_ALL, &r.state);
    trainer_state(stage->trainer, STATE_PARAMETERS, &r.parameters);
    if (oversight->judges) {
        r.best_parameters = calloc(1, training_state_bytes(&r.parameters));
        if (!r.best_parameters)
            return error_no_memory(err, "the best parameters");
    }
    enum collide_status status = run(&r, loss, err);
    free(r.best_parameters);
    return status;
}
