#include "learn/learn.h"

#include "base/error.h"
#include "base/log.h"
#include "base/rng.h"
#include "learn/evaluate.h"
#include "learn/map/id_mapping.h"
#include "learn/options.h"
#include "learn/store/assemble.h"
#include "learn/train/trainer.h"
#include "learn/train/vector.h"

#include <cblas.h>
#include <inttypes.h>
#include <string.h>

/* Random streams that must not repeat one another. */
enum { SEED_TEACHER, SEED_MAPPING, SEED_TRAINING };

struct learner {
    const struct interactions *log;
    struct learn_options options;
    struct parallel *team;
    struct corpus corpus;
    struct id_mapping identity; /* the teacher's */
    struct trainer *teacher;    /* until its mapping and biases are taken */
    double teacher_loss;
    struct id_mapping mapping;
    struct trainer *trainer;
    double loss;
};

/* The corpus, and what its size decides. */
static enum collide_status prepare(struct learner *l, struct collide_error *err)
{
    struct learn_options *o = &l->options;
    enum collide_status status = corpus_create(l->log, 2, &l->corpus, err);
    if (status != COLLIDE_OK)
        return status;
    if (l->corpus.histories.n_rows == 0)
        return error_set(err, COLLIDE_INVALID,
                         "nothing to learn from: no user of the log has two items or more (%" PRIu32
                         " users, %" PRIu32 " items)",
                         l->log->users.n_ids, l->corpus.n_items);
    if (o->training.temperature == 0.0f)
        o->training.temperature = training_temperature(l->corpus.n_items);
    if (o->method == LEARN_FULL) {
        o->n_rows = l->corpus.n_items;
    } else if (o->n_rows >= l->corpus.n_items) {
        log_info("%" PRIu32 " rows are enough for all %" PRIu32
                 " items: every item gets its own, %s has nothing to "
                 "fold",
                 o->n_rows, l->corpus.n_items, learn_method_name(o->method));
        o->method = LEARN_FULL;
        o->n_rows = l->corpus.n_items;
    }
    return COLLIDE_OK;
}

static uint64_t stream_seed(const struct learner *l, uint64_t stream)
{
    struct rng rng = rng_seeded(l->options.seed, stream);
    return rng_u64(&rng);
}

static struct trainer_problem training_problem(const struct learner *l, const struct id_mapping *mapping,
                                               uint64_t stream)
{
    return (struct trainer_problem){.corpus = &l->corpus,
                                    .items = mapping,
                                    .dim = l->options.dim,
                                    .training = l->options.training,
                                    .seed = stream_seed(l, stream)};
}

static struct mapping_problem item_problem(const struct learner *l)
{
    return (struct mapping_problem){.n_ids = l->corpus.n_items,
                                    .dense_ids = l->corpus.dense_ids,
                                    .counts = l->corpus.counts,
                                    .n_rows = l->options.n_rows,
                                    .dim = l->options.dim,
                                    .seed = stream_seed(l, SEED_MAPPING),
                                    .team = l->team};
}

/* Trains a row for every item; what the mapping compares are the rows' directions. */
static enum collide_status train_teacher(struct learner *l, struct collide_error *err)
{
    struct mapping_problem problem = item_problem(l);
    problem.n_rows = l->corpus.n_items;
    enum collide_status status = id_mapping_create(LEARN_FULL, &problem, &l->identity, err);
    if (status != COLLIDE_OK)
        return status;
    struct trainer_problem training = training_problem(l, &l->identity, SEED_TEACHER);
    status = trainer_create(&training, l->team, &l->teacher, err);
    if (status == COLLIDE_OK)
        status =
            trainer_run(l->teacher, l->options.training.teacher_epochs, "teacher", &l->teacher_loss, err);
    for (size_t i = 0; status == COLLIDE_OK && i < l->corpus.n_items; i++)
        vector_normalise(trainer_rows(l->teacher) + i * l->options.dim, l->options.dim);
    return status;
}

static enum collide_status map_items(struct learner *l, struct collide_error *err)
{
    struct mapping_problem problem = item_problem(l);
    problem.vectors = l->teacher ? trainer_rows(l->teacher) : NULL;
    return id_mapping_create(l->options.method, &problem, &l->mapping, err);
}

/* Methods without a teacher get its epochs too, so that all have seen the log equally often. */
static enum collide_status train_rows(struct learner *l, struct collide_error *err)
{
    const struct training *training = &l->options.training;
    uint32_t n_epochs = training->mapped_epochs + (l->teacher ? 0 : training->teacher_epochs);
    struct trainer_problem problem = training_problem(l, &l->mapping, SEED_TRAINING);
    enum collide_status status = trainer_create(&problem, l->team, &l->trainer, err);
    if (status != COLLIDE_OK)
        return status;
    if (l->teacher)
        memcpy(trainer_bias(l->trainer), trainer_bias(l->teacher), l->corpus.n_items * sizeof(float));
    trainer_destroy(l->teacher);
    l->teacher = NULL;
    return trainer_run(l->trainer, n_epochs, "rows", &l->loss, err);
}

static enum collide_status measure(struct learner *l, struct learned *learned, struct collide_error *err)
{
    struct evaluation evaluation = {
        .histories = &l->log->histories, .relevant = l->options.val, .cutoff = 10};
    struct quality quality;
    enum collide_status status = evaluate_model(learned_model(learned), &evaluation, l->team, &quality, err);
    if (status != COLLIDE_OK)
        return status;
    log_info("validation: recall@10 %.2f %%, ndcg@10 %.2f %% over %" PRIu32 " users", 100.0 * quality.recall,
             100.0 * quality.ndcg, quality.n_users);
    learned_note(learned, "val_recall_at_10", "%.6f", quality.recall);
    learned_note(learned, "val_ndcg_at_10", "%.6f", quality.ndcg);
    return COLLIDE_OK;
}

static void note_provenance(const struct learner *l, struct learned *learned)
{
    const struct learn_options *o = &l->options;
    learned_note(learned, "method", "%s", learn_method_name(o->method));
    learned_note(learned, "trained_rows", "%" PRIu32, l->mapping.n_rows);
    learned_note(learned, "dim", "%" PRIu32, o->dim);
    learned_note(learned, "temperature", "%.9g", (double)o->training.temperature);
    learned_note(learned, "teacher_epochs", "%" PRIu32, o->training.teacher_epochs);
    learned_note(learned, "mapped_epochs", "%" PRIu32, o->training.mapped_epochs);
    learned_note(learned, "seed", "%" PRIu64, o->seed);
    learned_note(learned, "threads", "%u", parallel_n_threads(l->team));
    learned_note(learned, "log_users", "%" PRIu32, l->log->users.n_ids);
    learned_note(learned, "log_items", "%" PRIu32, l->corpus.n_items);
    learned_note(learned, "log_interactions", "%" PRIu64, l->log->histories.offsets[l->log->users.n_ids]);
    if (mapping_method(o->method)->teacher == TEACHER_NEEDED)
        learned_note(learned, "teacher_loss", "%.6f", l->teacher_loss);
    learned_note(learned, "loss", "%.6f", l->loss);
}

static enum collide_status assemble(struct learner *l, struct learned **out, struct collide_error *err)
{
    struct trained trained = {.corpus = &l->corpus,
                              .row_of_item = l->mapping.rows_of,
                              .rows = trainer_rows(l->trainer),
                              .bias = trainer_bias(l->trainer),
                              .n_rows = l->mapping.n_rows,
                              .dim = l->options.dim,
                              .temperature = l->options.training.temperature};
    struct learned *learned = NULL;
    enum collide_status status = learned_create(l->log, &trained, &l->options, &learned, err);
    if (status != COLLIDE_OK)
        return status;
    note_provenance(l, learned);
    if (l->options.val)
        status = measure(l, learned, err);
    if (status == COLLIDE_OK)
        *out = learned;
    else
        learned_destroy(learned);
    return status;
}

static enum collide_status run(struct learner *l, struct learned **out, struct collide_error *err)
{
    enum collide_status status = prepare(l, err);
    if (status == COLLIDE_OK && mapping_method(l->options.method)->teacher == TEACHER_NEEDED)
        status = train_teacher(l, err);
    if (status == COLLIDE_OK)
        status = map_items(l, err);
    if (status == COLLIDE_OK)
        status = train_rows(l, err);
    if (status == COLLIDE_OK)
        status = assemble(l, out, err);
    return status;
}

enum collide_status learn_model(const struct interactions *train, const struct learn_options *options,
                                struct learned **out, struct collide_error *err)
{
    struct learner l = {.log = train, .options = *options};
    enum collide_status status = learn_options_check(options, train, err);
    if (status != COLLIDE_OK)
        return status;
    status = parallel_create(options->n_threads ? options->n_threads : parallel_n_cpus(), &l.team, err);
    if (status != COLLIDE_OK)
        return status;
    /* Products are small and run on the team's threads, several at a time. */
    openblas_set_num_threads(1);
    status = run(&l, out, err);
    trainer_destroy(l.trainer);
    trainer_destroy(l.teacher);
    id_mapping_free(&l.mapping);
    id_mapping_free(&l.identity);
    corpus_free(&l.corpus);
    parallel_destroy(l.team);
    return status;
}
