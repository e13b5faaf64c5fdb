#include "learn/learn.h"

#include "base/error.h"
#include "base/log.h"
#include "base/rng.h"
#include "learn/attempt.h"
#include "learn/budget.h"
#include "learn/evaluate.h"
#include "learn/map/id_mapping.h"
#include "learn/options.h"
#include "learn/store/assemble.h"
#include "learn/train/trainer.h"

#include <cblas.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct learner {
    const struct interactions *log;
    struct learn_options options;
    struct corpus corpus;
    struct parallel *team;
    float *teacher, *teacher_bias; /* owned; NULL: none is needed */
    double teacher_loss;
};

static void settle_rows(struct space_plan *plan, uint32_t n_ids, const char *space)
{
    if (plan->method != LEARN_FULL && plan->n_rows >= n_ids) {
        log_info("%" PRIu32 " rows are enough for all %" PRIu32
                 " %s: each gets its own, %s has nothing to fold",
                 plan->n_rows, n_ids, space, learn_method_name(plan->method));
        plan->method = LEARN_FULL;
        plan->settings = (struct method_settings){0};
    }
    if (plan->method == LEARN_FULL)
        plan->n_rows = n_ids;
}

static bool has_users(const struct learner *l)
{
    return l->options.training.backbone != BACKBONE_BAG;
}

/* The corpus, and what its size decides. Without rows of their own, users of one item teach nothing. */
static enum collide_status prepare(struct learner *l, struct collide_error *err)
{
    struct learn_options *o = &l->options;
    const uint32_t min_items = o->training.backbone == BACKBONE_USER ? 1 : 2;
    enum collide_status status = corpus_create(l->log, min_items, &l->corpus, err);
    if (status != COLLIDE_OK)
        return status;
    if (l->corpus.histories.n_rows == 0)
        return error_set(err, COLLIDE_INVALID,
                         "nothing to learn from: no user of the log has two items or more (%" PRIu32
                         " users, %" PRIu32 " items)",
                         l->log->users.n_ids, l->corpus.n_items);
    if (o->training.temperature == 0.0f)
        o->training.temperature = training_temperature(l->corpus.n_items);
    if (o->budget_bytes)
        return COLLIDE_OK;
    settle_rows(&o->items, l->corpus.n_items, "items");
    if (has_users(l))
        settle_rows(&o->users, l->corpus.histories.n_rows, "users");
    return COLLIDE_OK;
}

/* A row for every item, as training leaves it. */
static enum collide_status keep_teacher(struct learner *l, struct trainer *trainer, struct collide_error *err)
{
    const size_t n = l->corpus.n_items, n_values = n * l->options.dim;
    l->teacher = malloc(n_values * sizeof *l->teacher);
    l->teacher_bias = malloc(n * sizeof *l->teacher_bias);
    if (!l->teacher || !l->teacher_bias)
        return error_no_memory(err, "the teacher's rows");
    memcpy(l->teacher, trainer_rows(trainer), n_values * sizeof *l->teacher);
    memcpy(l->teacher_bias, trainer_bias(trainer), n * sizeof *l->teacher_bias);
    return COLLIDE_OK;
}

static enum collide_status train_teacher(struct learner *l, struct collide_error *err)
{
    const struct mapping_problem mapping = {.n_ids = l->corpus.n_items,
                                            .dense_ids = l->corpus.dense_ids,
                                            .counts = l->corpus.counts,
                                            .n_rows = l->corpus.n_items,
                                            .dim = l->options.dim};
    struct id_mapping identity = {0};
    struct rng rng = rng_seeded(l->options.seed, 0);
    struct trainer_problem problem = {.corpus = &l->corpus,
                                      .items = &identity,
                                      .dim = l->options.dim,
                                      .item_lengths = ITEM_LENGTHS_ONE,
                                      .training = l->options.training,
                                      .seed = rng_u64(&rng)};
    problem.training.backbone = BACKBONE_BAG;
    struct trainer *trainer = NULL;
    enum collide_status status = id_mapping_create(LEARN_FULL, &mapping, &identity, err);
    if (status == COLLIDE_OK)
        status = trainer_create(&problem, l->team, &trainer, err);
    if (status == COLLIDE_OK)
        status = trainer_run(trainer, l->options.training.teacher_epochs, "teacher", &l->teacher_loss, err);
    if (status == COLLIDE_OK)
        status = keep_teacher(l, trainer, err);
    trainer_destroy(trainer);
    id_mapping_free(&identity);
    return status;
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

static void note_provenance(const struct learner *l, const struct attempt *a, struct learned *learned)
{
    const struct learn_options *o = &l->options;
    learned_note(learned, "method", "%s", learn_method_name(o->items.method));
    learned_note(learned, "trained_rows", "%" PRIu32, attempt_n_rows(a));
    if (has_users(l)) {
        learned_note(learned, "user_method", "%s", learn_method_name(o->users.method));
        learned_note(learned, "trained_user_rows", "%" PRIu32, attempt_n_user_rows(a));
    }
    learned_note(learned, "dim", "%" PRIu32, o->dim);
    learned_note(learned, "temperature", "%.9g", (double)o->training.temperature);
    learned_note(learned, "teacher_epochs", "%" PRIu32, o->training.teacher_epochs);
    learned_note(learned, "mapped_epochs", "%" PRIu32, o->training.mapped_epochs);
    learned_note(learned, "seed", "%" PRIu64, o->seed);
    learned_note(learned, "threads", "%u", parallel_n_threads(l->team));
    learned_note(learned, "log_users", "%" PRIu32, l->log->users.n_ids);
    learned_note(learned, "log_items", "%" PRIu32, l->corpus.n_items);
    learned_note(learned, "log_interactions", "%" PRIu64, l->log->histories.offsets[l->log->users.n_ids]);
    if (l->teacher)
        learned_note(learned, "teacher_loss", "%.6f", l->teacher_loss);
    learned_note(learned, "loss", "%.6f", attempt_loss(a));
}

/* Methods without a teacher get its epochs too, so that all have seen the log equally often. */
static enum collide_status learn(struct learner *l, struct learned **out, struct collide_error *err)
{
    struct training *training = &l->options.training;
    enum collide_status status = prepare(l, err);
    if (status != COLLIDE_OK)
        return status;
    if (plan_needs_teacher(&l->options.items) || l->options.budget_bytes)
        status = train_teacher(l, err);
    else
        training->mapped_epochs += training->teacher_epochs;
    const struct groundwork ground = {l->log, &l->corpus, l->teacher, l->teacher_bias, l->team};
    if (status == COLLIDE_OK && l->options.budget_bytes)
        status = budget_choose(&ground, &l->options, err);
    struct attempt *attempt = NULL;
    struct learned *learned = NULL;
    if (status == COLLIDE_OK)
        status = attempt_create(&ground, &l->options, &attempt, err);
    if (status == COLLIDE_OK)
        status = attempt_assemble(attempt, &learned, err);
    if (status == COLLIDE_OK)
        note_provenance(l, attempt, learned);
    if (status == COLLIDE_OK && l->options.val)
        status = measure(l, learned, err);
    attempt_destroy(attempt);
    if (status == COLLIDE_OK)
        *out = learned;
    else
        learned_destroy(learned);
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
    status = learn(&l, out, err);
    free(l.teacher);
    free(l.teacher_bias);
    corpus_free(&l.corpus);
    parallel_destroy(l.team);
    return status;
}
