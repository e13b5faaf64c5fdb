#include "learn/click/click_learn.h"

#include "base/error.h"
#include "base/log.h"
#include "base/rng.h"
#include "learn/click/click_mapping.h"
#include "learn/click/click_search.h"

#include <cblas.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Random streams that must not repeat one another. */
enum { SEED_TEACHER, SEED_MAPPING, SEED_TRAINING };

/* What regularisation is chosen from. */
static const float L2_CHOICES[] = {0.0f, 0.003f, 0.01f, 0.02f, 0.04f, 0.08f};
/* Of few dimensions k-means makes more: see docs/QUALITY.md. */
enum { TEACHER_DIM = 8 };

enum { N_L2_CHOICES = sizeof L2_CHOICES / sizeof L2_CHOICES[0] };

struct click_learned {
    struct click_options options;
    struct click_columns columns;
    const char *names[CLICK_MAX_FEATURES];
    struct parallel *team;
    struct click_data data;
    struct id_mapping identity; /* the teacher's */
    struct click_model teacher;
    struct id_mapping mapping;
    struct click_model model;
    struct click_fit fit;
    struct click_quality quality;
    struct click_file *file;
};

struct click_options click_options_default(void)
{
    return (struct click_options){.method = LEARN_LHF,
                                  .dim = 16,
                                  .form = ROWS_I8,
                                  .teacher_epochs = 30,
                                  .mapped_epochs = 30,
                                  .l2 = -1.0,
                                  .seed = 1};
}

static uint64_t stream_seed(const struct click_learned *l, uint64_t stream)
{
    struct rng rng = rng_seeded(l->options.seed, stream);
    return rng_u64(&rng);
}

static enum collide_status check(const struct click_options *o, struct collide_error *err)
{
    if (o->dim < 1 || o->dim > MODEL_MAX_DIM)
        return error_set(err, COLLIDE_INVALID, "dim %" PRIu32 " is not within 1 .. %d", o->dim,
                         MODEL_MAX_DIM);
    if (o->teacher_dim > o->dim)
        return error_set(err, COLLIDE_INVALID,
                         "the teacher's dim, %" PRIu32 ", is above that of rows, %" PRIu32, o->teacher_dim,
                         o->dim);
    return row_form_check(o->form, o->dim, err);
}

static enum collide_status prepare(struct click_learned *l, struct collide_error *err)
{
    struct click_options *o = &l->options;
    enum collide_status status = check(o, err);
    if (status == COLLIDE_OK)
        status = click_columns_parse(&o->choices, &l->columns, err);
    if (status == COLLIDE_OK)
        status = click_data_read(o->log_path, o->val_path, &l->columns, &l->data, err);
    if (status != COLLIDE_OK)
        return status;
    for (size_t i = 0; i < l->columns.n_features; i++)
        l->names[i] = l->columns.features[i].name;
    if (o->n_rows == 0)
        o->n_rows = click_rows_default(&l->data);
    if (o->method == LEARN_FULL || o->n_rows >= l->data.n_entries) {
        o->method = LEARN_FULL;
        o->n_rows = l->data.n_entries;
    }
    log_info("%s: %zu examples to learn from, %zu held out, %.2f %% clicks, %" PRIu32 " ids in %zu columns",
             o->log_path, l->data.train.n, l->data.val.n, 100.0 * l->data.base_rate, l->data.n_entries,
             l->data.n_spaces);
    uint32_t shares[CLICK_MAX_IDS];
    return click_rows_share(&l->data, o->n_rows, shares, err); /* too few are better refused now */
}

static enum collide_status train(struct click_learned *l, const struct click_trainer_problem *problem,
                                 uint32_t n_epochs, const char *label, struct click_model *model,
                                 struct collide_error *err)
{
    const bool is_given = l->options.l2 >= 0.0;
    const float given = (float)l->options.l2;
    struct click_search search = {.problem = problem,
                                  .training = click_training_default(),
                                  .l2 = is_given ? &given : L2_CHOICES,
                                  .n_l2 = is_given ? 1 : N_L2_CHOICES,
                                  .label = label};
    search.training.n_epochs = n_epochs;
    return click_train_best(&search, l->team, model, &l->fit, err);
}

static struct click_mapping_problem mapping_problem(const struct click_learned *l, enum learn_method method,
                                                    uint32_t dim)
{
    return (struct click_mapping_problem){.data = &l->data,
                                          .method = method,
                                          .settings = l->options.settings,
                                          .n_rows = l->options.n_rows,
                                          .dim = dim,
                                          .seed = stream_seed(l, SEED_MAPPING),
                                          .team = l->team};
}

static uint32_t teacher_dim(const struct click_options *o)
{
    const uint32_t few = o->dim < TEACHER_DIM ? o->dim : TEACHER_DIM;
    return o->teacher_dim ? o->teacher_dim : few;
}

static enum collide_status train_teacher(struct click_learned *l, struct collide_error *err)
{
    const uint32_t dim = teacher_dim(&l->options);
    const struct click_mapping_problem mapping = mapping_problem(l, LEARN_FULL, dim);
    enum collide_status status = click_mapping_create(&mapping, &l->identity, err);
    const struct click_trainer_problem problem = {
        .data = &l->data, .mapping = &l->identity, .dim = dim, .seed = stream_seed(l, SEED_TEACHER)};
    return status == COLLIDE_OK ? train(l, &problem, l->options.teacher_epochs, "teacher", &l->teacher, err)
                                : status;
}

/* A row of the teacher's is that of the entry with its number: see map_full. Methods without a teacher may
 * take its epochs too. */
static enum collide_status train_rows(struct click_learned *l, struct collide_error *err)
{
    struct click_mapping_problem mapping = mapping_problem(l, l->options.method, l->options.dim);
    mapping.vectors = l->teacher.rows;
    mapping.vector_dim = l->teacher.dim;
    enum collide_status status = click_mapping_create(&mapping, &l->mapping, err);
    const struct click_trainer_problem problem = {.data = &l->data,
                                                  .mapping = &l->mapping,
                                                  .bias = l->teacher.bias,
                                                  .dim = l->options.dim,
                                                  .seed = stream_seed(l, SEED_TRAINING)};
    const uint32_t n_epochs = l->options.mapped_epochs + (l->teacher.rows ? 0 : l->options.teacher_epochs);
    return status == COLLIDE_OK ? train(l, &problem, n_epochs, "rows", &l->model, err) : status;
}

static enum collide_status measure(struct click_learned *l, struct collide_error *err)
{
    const struct click_examples *val = &l->data.val;
    float *logits = malloc(val->n * sizeof *logits);
    if (!logits)
        return error_no_memory(err, "the held-out examples");
    click_model_logits(&l->model, val, l->team, logits);
    enum collide_status status = click_quality_measure(logits, val->is_click, val->n, &l->quality, err);
    free(logits);
    if (status == COLLIDE_OK)
        log_info("held out: log loss %.5f, normalised entropy %.4f, AUC %.4f", l->quality.log_loss,
                 l->quality.normalised_entropy, l->quality.auc);
    return status;
}

static enum collide_status note_number(struct click_learned *l, const char *name, double value,
                                       struct collide_error *err)
{
    char text[32];
    snprintf(text, sizeof text, "%.9g", value);
    return click_file_note(l->file, name, text, err);
}

static enum collide_status note_texts(struct click_learned *l, struct collide_error *err)
{
    const struct click_options *o = &l->options;
    const char *const notes[][2] = {{"method", learn_method_name(o->method)},
                                    {CLICK_NOTE_LABEL, o->choices.label},
                                    {CLICK_NOTE_ITEM, o->choices.item},
                                    {CLICK_NOTE_FEATURES, o->choices.features}};
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < sizeof notes / sizeof notes[0] && status == COLLIDE_OK; i++)
        status = click_file_note(l->file, notes[i][0], notes[i][1], err);
    return status;
}

static enum collide_status note_numbers(struct click_learned *l, struct collide_error *err)
{
    const struct click_options *o = &l->options;
    const struct {
        const char *name;
        double value;
    } notes[] = {{"trained_rows", l->mapping.n_rows},
                 {"dim", o->dim},
                 {"teacher_dim", l->teacher.dim},
                 {"l2", (double)l->fit.l2},
                 {"epochs", l->fit.epoch},
                 {"seed", (double)o->seed},
                 {"log_examples", (double)l->data.train.n},
                 {"log_ids", l->data.n_entries},
                 {"base_rate", l->data.base_rate},
                 {"val_examples", (double)l->data.val.n},
                 {"val_log_loss", l->quality.log_loss},
                 {"val_normalised_entropy", l->quality.normalised_entropy},
                 {"val_auc", l->quality.auc}};
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < sizeof notes / sizeof notes[0] && status == COLLIDE_OK; i++)
        status = note_number(l, notes[i].name, notes[i].value, err);
    return status;
}

static enum collide_status run(struct click_learned *l, struct collide_error *err)
{
    enum collide_status status = prepare(l, err);
    if (status == COLLIDE_OK && mapping_method(l->options.method)->teacher == TEACHER_NEEDED)
        status = train_teacher(l, err);
    if (status == COLLIDE_OK)
        status = train_rows(l, err);
    if (status == COLLIDE_OK)
        status = measure(l, err);
    if (status == COLLIDE_OK)
        status = click_file_create(&l->model, l->names, l->options.form, &l->file, err);
    if (status == COLLIDE_OK)
        status = note_texts(l, err);
    return status == COLLIDE_OK ? note_numbers(l, err) : status;
}

enum collide_status click_learn(const struct click_options *options, struct click_learned **out,
                                struct collide_error *err)
{
    struct click_learned *l = calloc(1, sizeof *l);
    if (!l)
        return error_no_memory(err, "learning from clicks");
    l->options = *options;
    enum collide_status status =
        parallel_create(options->n_threads ? options->n_threads : parallel_n_cpus(), &l->team, err);
    /* Products are small and run on the team's threads, several at a time. */
    openblas_set_num_threads(1);
    if (status == COLLIDE_OK)
        status = run(l, err);
    if (status == COLLIDE_OK)
        *out = l;
    else
        click_learned_destroy(l);
    return status;
}

void click_learned_destroy(struct click_learned *l)
{
    if (!l)
        return;
    click_file_destroy(l->file);
    click_model_free(&l->model);
    click_model_free(&l->teacher);
    id_mapping_free(&l->mapping);
    id_mapping_free(&l->identity);
    click_data_free(&l->data);
    parallel_destroy(l->team);
    free(l);
}

const struct model *click_learned_model(const struct click_learned *l)
{
    return click_file_model(l->file);
}

struct click_quality click_learned_quality(const struct click_learned *l)
{
    return l->quality;
}
