#include "learn/teacher.h"

#include "base/error.h"
#include "base/rng.h"
#include "learn/map/id_mapping.h"
#include "learn/store/assemble.h"
#include "learn/train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lesson {
    const struct groundwork *ground;
    const struct learn_options *options;
    struct id_mapping identity;
    struct trainer *trainer;
};

static enum collide_status assemble(void *context, struct learned **out, struct collide_error *err)
{
    const struct lesson *lesson = context;
    const struct corpus *corpus = lesson->ground->corpus;
    const struct trained trained = {.items = {.mapping = &lesson->identity,
                                              .rows = trainer_rows(lesson->trainer),
                                              .dense_ids = corpus->dense_ids,
                                              .counts = corpus->counts},
                                    .weights = corpus->weights,
                                    .bias = trainer_bias(lesson->trainer),
                                    .dim = lesson->options->dim,
                                    .item_lengths = ITEM_LENGTHS_ONE,
                                    .pooling = POOLING_NORMALISED,
                                    .temperature = lesson->options->training.temperature};
    struct learn_options as_it_is = *lesson->options;
    as_it_is.form = ROWS_F32;
    as_it_is.scalar_bits = 0;
    as_it_is.mapping = ENTRIES_STORED;
    as_it_is.histories = HISTORIES_NONE;
    return learned_create(lesson->ground->log, &trained, &as_it_is, out, err);
}

static enum collide_status create_trainer(struct lesson *lesson, struct collide_error *err)
{
    const struct corpus *corpus = lesson->ground->corpus;
    const struct mapping_problem mapping = {.n_ids = corpus->n_items,
                                            .dense_ids = corpus->dense_ids,
                                            .counts = corpus->counts,
                                            .n_rows = corpus->n_items,
                                            .dim = lesson->options->dim};
    struct rng rng = rng_seeded(lesson->options->seed, 0);
    struct trainer_problem problem = {.corpus = corpus,
                                      .items = &lesson->identity,
                                      .dim = lesson->options->dim,
                                      .item_lengths = ITEM_LENGTHS_ONE,
                                      .training = lesson->options->training,
                                      .seed = rng_u64(&rng)};
    problem.training.backbone = BACKBONE_BAG;
    enum collide_status status = id_mapping_create(LEARN_FULL, &mapping, &lesson->identity, err);
    return status == COLLIDE_OK ? trainer_create(&problem, lesson->ground->team, &lesson->trainer, err)
                                : status;
}

/* ---- What there is when it is done. */

static size_t row_bytes_of(const struct groundwork *ground, const struct learn_options *options)
{
    return (size_t)ground->corpus->n_items * options->dim * sizeof(float);
}

static size_t bias_bytes_of(const struct groundwork *ground)
{
    return ground->corpus->n_items * sizeof(float);
}

struct names {
    char rows[CHECKPOINT_NAME_BYTES], bias[CHECKPOINT_NAME_BYTES], loss[CHECKPOINT_NAME_BYTES];
};

static struct names names_of(const char *name)
{
    struct names n;
    snprintf(n.rows, sizeof n.rows, "%.8s-done.rows", name);
    snprintf(n.bias, sizeof n.bias, "%.8s-done.bias", name);
    snprintf(n.loss, sizeof n.loss, "%.8s-done.loss", name);
    return n;
}

static bool recall(const struct checkpoint *c, const struct names *names, size_t row_bytes, size_t bias_bytes,
                   struct teacher *t)
{
    return checkpoint_recall(c, names->rows, t->rows, row_bytes) &&
           checkpoint_recall(c, names->bias, t->bias, bias_bytes) &&
           checkpoint_recall(c, names->loss, &t->loss, sizeof t->loss);
}

static enum collide_status train(struct lesson *lesson, const char *name, struct teacher *t,
                                 struct collide_error *err)
{
    enum collide_status status = create_trainer(lesson, err);
    const struct stage stage = {.name = name,
                                .n_epochs = lesson->options->training.teacher_epochs,
                                .trainer = lesson->trainer,
                                .assemble = assemble,
                                .context = lesson};
    if (status == COLLIDE_OK)
        status = stage_run(&stage, lesson->ground->oversight, &t->loss, err);
    if (status == COLLIDE_OK) {
        memcpy(t->rows, trainer_rows(lesson->trainer), row_bytes_of(lesson->ground, lesson->options));
        memcpy(t->bias, trainer_bias(lesson->trainer), bias_bytes_of(lesson->ground));
    }
    trainer_destroy(lesson->trainer);
    id_mapping_free(&lesson->identity);
    return status;
}

enum collide_status teacher_train(const struct groundwork *ground, const struct learn_options *options,
                                  const char *name, struct teacher *out, struct collide_error *err)
{
    struct checkpoint *checkpoint = ground->oversight ? ground->oversight->checkpoint : NULL;
    const size_t row_bytes = row_bytes_of(ground, options), bias_bytes = bias_bytes_of(ground);
    const struct names names = names_of(name);
    struct lesson lesson = {.ground = ground, .options = options};
    enum collide_status status = COLLIDE_OK;
    out->rows = malloc(row_bytes);
    out->bias = malloc(bias_bytes);
    if (!out->rows || !out->bias)
        status = error_no_memory(err, "the teacher's rows");
    else if (!recall(checkpoint, &names, row_bytes, bias_bytes, out))
        status = train(&lesson, name, out, err);
    if (status != COLLIDE_OK) {
        teacher_free(out);
        return status;
    }
    checkpoint_keep(checkpoint, names.rows, out->rows, row_bytes);
    checkpoint_keep(checkpoint, names.bias, out->bias, bias_bytes);
    checkpoint_keep(checkpoint, names.loss, &out->loss, sizeof out->loss);
    return COLLIDE_OK;
}

void teacher_free(struct teacher *t)
{
    free(t->rows);
    free(t->bias);
    *t = (struct teacher){0};
}
