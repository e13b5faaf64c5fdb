#include "learn/learn.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "learn/attempt.h"
#include "learn/budget.h"
#include "learn/checkpoint.h"
#include "learn/evaluate.h"
#include "learn/hold_out.h"
#include "learn/options.h"
#include "learn/run_identity.h"
#include "learn/space_plan.h"
#include "learn/store/assemble.h"
#include "learn/teacher.h"

#include <cblas.h>
#include <inttypes.h>
#include <stdlib.h>

/* Users who rank all items in about a second, to tell epochs apart by, and in a minute or two, for the final
 * figure; never so few that they could not tell some tenths of a percent. */
static const uint64_t EPOCH_SCORES = 400000000, FINAL_SCORES = 100000000000;
enum { MIN_JUDGES = 2000 };

struct learner {
    const struct interactions *log;
    struct learn_options common;  /* what all models have of it, see learner_create */
    struct learn_options options; /* of the model in the making */
    bool has_teacher;             /* that model */
    struct hold_out hold_out;     /* empty unless a share is held out */
    const struct csr *histories;  /* that are trained on */
    struct csr judges;            /* held-out items of some users */
    struct corpus corpus;         /* of the histories */
    struct teacher teacher;       /* without rows: none was needed yet */
    double teacher_seconds;
    struct checkpoint *checkpoint; /* NULL: none is asked for */
    struct oversight oversight;
    struct parallel *team;
};

static bool has_users(const struct learner *l)
{
    return l->options.training.backbone != BACKBONE_BAG;
}

/* The corpus, and what its size decides. Without rows of their own, users of one item teach nothing. */
static enum collide_status prepare(struct learner *l, struct collide_error *err)
{
    struct training *training = &l->common.training;
    const uint32_t min_items = training->backbone == BACKBONE_USER ? 1 : 2;
    struct interactions trained_on = *l->log;
    trained_on.histories = *l->histories;
    enum collide_status status = corpus_create(&trained_on, min_items, &l->corpus, err);
    if (status != COLLIDE_OK)
        return status;
    if (l->corpus.histories.n_rows == 0)
        return error_set(err, COLLIDE_INVALID,
                         "nothing to learn from: no user of the log has two items or more (%" PRIu32
                         " users, %" PRIu32 " items)",
                         l->log->users.n_ids, l->corpus.n_items);
    if (training->temperature == 0.0f)
        training->temperature = training_temperature(l->corpus.n_items);
    return COLLIDE_OK;
}

static void settle_plans(struct learner *l)
{
    plans_settle(&l->options, l->corpus.n_items, l->corpus.histories.n_rows);
}

static struct groundwork groundwork_of(const struct learner *l)
{
    return (struct groundwork){.log = l->log,
                               .histories = l->histories,
                               .corpus = &l->corpus,
                               .teacher = l->has_teacher ? l->teacher.rows : NULL,
                               .teacher_bias = l->has_teacher ? l->teacher.bias : NULL,
                               .team = l->team,
                               .oversight = &l->oversight};
}

static enum collide_status teach(struct learner *l, const char *stage, struct collide_error *err)
{
    const struct groundwork ground = groundwork_of(l);
    const uint64_t start_ns = clock_now_ns();
    if (l->teacher.rows)
        return COLLIDE_OK;
    enum collide_status status = teacher_train(&ground, &l->options, stage, &l->teacher, err);
    l->teacher_seconds += clock_seconds_since(start_ns);
    return status;
}

/* ---- What is held out. */

static uint64_t n_judges(const struct learner *l, uint64_t n_scores)
{
    const uint64_t n = n_scores / l->log->items.n_ids;
    return n < MIN_JUDGES ? MIN_JUDGES : n;
}

static enum collide_status oversee(struct learner *l, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    if (l->common.hold_out > 0.0) {
        status = hold_out_split(l->log, l->common.hold_out, l->common.seed, &l->hold_out, err);
        l->histories = &l->hold_out.train;
        l->common.val = &l->hold_out.held_out;
    }
    if (status == COLLIDE_OK && l->common.val)
        status = hold_out_sample(l->common.val, n_judges(l, EPOCH_SCORES), &l->judges, err);
    l->oversight = (struct oversight){.checkpoint = l->checkpoint,
                                      .judges = l->common.val ? &l->judges : NULL,
                                      .histories = l->histories,
                                      .patience = l->common.patience,
                                      .team = l->team};
    return status;
}

static void hold_nothing_out(struct learner *l)
{
    corpus_free(&l->corpus);
    l->histories = &l->log->histories;
    l->common.val = l->options.val = NULL;
    l->common.hold_out = 0.0;
    l->oversight.judges = NULL;
}

/* ---- A budget's choice. */

/* What it says of the options, as a checkpoint has it. */
struct choice {
    struct space_plan items, users;
    enum row_form form;
    uint32_t scalar_bits;
    enum mapping_entries mapping;
};

static bool recall_choice(struct learner *l)
{
    struct learn_options *o = &l->options;
    struct choice c;
    if (!checkpoint_recall(l->checkpoint, "choice", &c, sizeof c))
        return false;
    o->items = c.items;
    o->users = c.users;
    o->form = c.form;
    o->scalar_bits = c.scalar_bits;
    o->mapping = c.mapping;
    return true;
}

/* What is held out of the log does its work here: the model of this choice is of the whole log. */
static enum collide_status choose(struct learner *l, struct choice *choice, struct collide_error *err)
{
    const bool holds_out = l->options.hold_out > 0.0;
    enum collide_status status = COLLIDE_OK;
    if (!recall_choice(l)) {
        status = teach(l, holds_out ? "search" : "teacher", err);
        struct groundwork ground = groundwork_of(l);
        ground.oversight = NULL;
        if (status == COLLIDE_OK)
            status = budget_choose(&ground, &l->options, err);
    }
    const struct learn_options *o = &l->options;
    *choice = (struct choice){o->items, o->users, o->form, o->scalar_bits, o->mapping};
    checkpoint_keep(l->checkpoint, "choice", choice, sizeof *choice);
    if (status != COLLIDE_OK || !holds_out)
        return status;
    checkpoint_drop(l->checkpoint, "search");
    teacher_free(&l->teacher);
    hold_nothing_out(l);
    return prepare(l, err);
}

/* ---- The model. */

static enum collide_status measure(struct learner *l, struct learned *learned, struct collide_error *err)
{
    struct csr relevant;
    enum collide_status status = hold_out_sample(l->options.val, n_judges(l, FINAL_SCORES), &relevant, err);
    if (status != COLLIDE_OK)
        return status;
    const struct evaluation evaluation = {.histories = l->histories, .relevant = &relevant, .cutoff = 10};
    struct quality quality;
    status = evaluate_model(learned_model(learned), &evaluation, l->team, &quality, err);
    csr_free(&relevant);
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
    if (o->hold_out > 0.0 && o->val)
        learned_note(learned, "held_out", "%" PRIu64, o->val->offsets[o->val->n_rows]);
    if (l->has_teacher)
        learned_note(learned, "teacher_loss", "%.6f", l->teacher.loss);
    learned_note(learned, "loss", "%.6f", attempt_loss(a));
}

static enum collide_status make_model(struct learner *l, struct learned **out, struct collide_error *err)
{
    const struct groundwork ground = groundwork_of(l);
    struct attempt *attempt = NULL;
    struct learned *learned = NULL;
    enum collide_status status = attempt_create(&ground, &l->options, &attempt, err);
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

/* Methods without a teacher get its epochs too, so that all have seen the log equally often. */
static enum collide_status learn(struct learner *l, struct learned **out, struct collide_error *err)
{
    struct training *training = &l->options.training;
    struct choice choice;
    enum collide_status status = COLLIDE_OK;
    l->has_teacher = l->options.budget_bytes > 0;
    if (l->options.budget_bytes)
        status = choose(l, &choice, err);
    else
        settle_plans(l);
    l->has_teacher = l->has_teacher || plan_needs_teacher(&l->options.items);
    if (status == COLLIDE_OK && l->has_teacher)
        status = teach(l, "teacher", err);
    else if (!l->has_teacher)
        training->mapped_epochs += training->teacher_epochs;
    return status == COLLIDE_OK ? make_model(l, out, err) : status;
}

static enum collide_status open_checkpoint(struct learner *l, struct collide_error *err)
{
    if (!l->common.checkpoint)
        return COLLIDE_OK;
    struct buffer run = {0};
    run_identity(l->log, &l->common, parallel_n_threads(l->team), &run);
    enum collide_status status = run.failed
                                     ? error_no_memory(err, "a checkpoint")
                                     : checkpoint_open(l->common.checkpoint, run.bytes, &l->checkpoint, err);
    buffer_free(&run);
    return status;
}

/* These options, with what is common to all models. */
static struct learn_options merge(const struct learner *l, const struct learn_options *options)
{
    struct learn_options o = l->common;
    o.items = options->items;
    o.users = options->users;
    o.form = options->form;
    o.scalar_bits = options->scalar_bits;
    o.mapping = options->mapping;
    o.budget_bytes = options->budget_bytes;
    o.histories = options->histories;
    return o;
}

enum collide_status learner_learn(struct learner *l, const struct learn_options *options,
                                  struct learned **out, double *seconds, struct collide_error *err)
{
    l->options = merge(l, options);
    struct learn_options asked = l->options;
    if (asked.hold_out > 0.0)
        asked.val = NULL; /* by now it is what the share became */
    enum collide_status status = learn_options_check(&asked, l->log, err);
    if (status != COLLIDE_OK)
        return status;
    const uint64_t start_ns = clock_now_ns();
    const double teacher_seconds = l->teacher_seconds;
    status = learn(l, out, err);
    if (seconds)
        *seconds = clock_seconds_since(start_ns) + (l->has_teacher ? teacher_seconds : 0.0);
    return status;
}

enum collide_status learner_bytes(const struct learner *l, const struct learn_options *options, uint64_t *out,
                                  struct collide_error *err)
{
    const struct groundwork ground = groundwork_of(l);
    const struct learn_options o = merge(l, options);
    return budget_bytes(&ground, &o, out, err);
}

enum collide_status learner_fit_rows(const struct learner *l, uint64_t max_bytes,
                                     struct learn_options *options, struct collide_error *err)
{
    const struct groundwork ground = groundwork_of(l);
    struct learn_options o = merge(l, options);
    enum collide_status status = budget_fit_rows(&ground, max_bytes, &o, err);
    if (status != COLLIDE_OK)
        return status;
    options->items.n_rows = o.items.n_rows;
    options->users.n_rows = o.users.n_rows;
    return COLLIDE_OK;
}

enum collide_status learner_create(const struct interactions *train, const struct learn_options *options,
                                   struct learner **out, struct collide_error *err)
{
    struct learner *l = calloc(1, sizeof *l);
    if (!l)
        return error_no_memory(err, "the learner");
    *l = (struct learner){.log = train, .common = *options, .histories = &train->histories};
    enum collide_status status =
        parallel_create(options->n_threads ? options->n_threads : parallel_n_cpus(), &l->team, err);
    /* Products are small and run on the team's threads, several at a time. */
    openblas_set_num_threads(1);
    if (status == COLLIDE_OK)
        status = open_checkpoint(l, err);
    if (status == COLLIDE_OK)
        status = oversee(l, err);
    if (status == COLLIDE_OK)
        status = prepare(l, err);
    if (status == COLLIDE_OK)
        *out = l;
    else
        learner_destroy(l);
    return status;
}

void learner_destroy(struct learner *l)
{
    if (!l)
        return;
    teacher_free(&l->teacher);
    corpus_free(&l->corpus);
    csr_free(&l->judges);
    hold_out_free(&l->hold_out);
    checkpoint_close(l->checkpoint);
    parallel_destroy(l->team);
    free(l);
}

enum collide_status learn_model(const struct interactions *train, const struct learn_options *options,
                                struct learned **out, struct collide_error *err)
{
    struct learner *l = NULL;
    enum collide_status status = learn_options_check(options, train, err);
    if (status == COLLIDE_OK)
        status = learner_create(train, options, &l, err);
    if (status == COLLIDE_OK)
        status = learner_learn(l, options, out, NULL, err);
    learner_destroy(l);
    return status;
}
