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
#include "learn/user_bags.h"

#include <cblas.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Random streams that must not repeat one another. */
enum { SEED_TEACHER, SEED_MAPPING, SEED_TRAINING, SEED_USER_MAPPING, SEED_USER_TRAINING };

struct learner {
    const struct interactions *log;
    struct learn_options options;
    struct parallel *team;
    struct corpus corpus;
    struct id_mapping identity; /* the teacher's */
    struct trainer *teacher;    /* until its mapping and biases are taken */
    double teacher_loss;
    struct id_mapping items, users;
    struct trainer *trainer;
    double loss;
};

static bool has_teacher(const struct space_plan *plan)
{
    return mapping_method(plan->method)->teacher == TEACHER_NEEDED;
}

static bool has_users(const struct learner *l)
{
    return l->options.training.backbone != BACKBONE_BAG;
}

/* Whether users' rows are found from the bags of a model without them; otherwise they are trained from the
 * start. */
static bool finds_users(const struct learner *l)
{
    return has_users(l) && (has_teacher(&l->options.users) || l->options.users.method == LEARN_FULL);
}

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
    settle_rows(&o->items, l->corpus.n_items, "items");
    if (has_users(l))
        settle_rows(&o->users, l->corpus.histories.n_rows, "users");
    return COLLIDE_OK;
}

static uint64_t stream_seed(const struct learner *l, uint64_t stream)
{
    struct rng rng = rng_seeded(l->options.seed, stream);
    return rng_u64(&rng);
}

/* ---- Mapping. */

static struct mapping_problem item_problem(const struct learner *l)
{
    return (struct mapping_problem){.n_ids = l->corpus.n_items,
                                    .dense_ids = l->corpus.dense_ids,
                                    .counts = l->corpus.counts,
                                    .n_rows = l->options.items.n_rows,
                                    .dim = l->options.dim,
                                    .settings = l->options.items.settings,
                                    .seed = stream_seed(l, SEED_MAPPING),
                                    .team = l->team};
}

static enum collide_status map_items(struct learner *l, struct collide_error *err)
{
    struct mapping_problem problem = item_problem(l);
    problem.vectors = l->teacher ? trainer_rows(l->teacher) : NULL;
    return id_mapping_create(l->options.items.method, &problem, &l->items, err);
}

/* The bags of all users over the items as they are trained; owned. */
static float *find_bags(struct learner *l)
{
    const uint32_t dim = l->options.dim;
    float *items = malloc((size_t)l->corpus.n_items * dim * sizeof *items);
    float *bags = malloc((size_t)l->corpus.histories.n_rows * dim * sizeof *bags);
    if (items && bags) {
        for (uint32_t i = 0; i < l->corpus.n_items; i++)
            id_mapping_embed(&l->items, trainer_rows(l->trainer), trainer_lookup_weights(l->trainer), i,
                             items + (size_t)i * dim);
        user_bags(&l->corpus, items, dim, l->team, bags);
        free(items);
        return bags;
    }
    free(items);
    free(bags);
    return NULL;
}

static enum collide_status map_users(struct learner *l, struct collide_error *err)
{
    const uint32_t n_users = l->corpus.histories.n_rows;
    uint32_t *counts = malloc(n_users * sizeof *counts);
    float *bags = finds_users(l) ? find_bags(l) : NULL;
    enum collide_status status = COLLIDE_OK;
    if (!counts || (finds_users(l) && !bags))
        status = error_no_memory(err, "the users' bags");
    for (uint32_t u = 0; status == COLLIDE_OK && u < n_users; u++)
        counts[u] = (uint32_t)(l->corpus.histories.offsets[u + 1] - l->corpus.histories.offsets[u]);
    struct mapping_problem problem = {.n_ids = n_users,
                                      .dense_ids = l->corpus.dense_users,
                                      .counts = counts,
                                      .partners = &l->corpus.histories,
                                      .n_partners = l->corpus.n_items,
                                      .n_rows = l->options.users.n_rows,
                                      .dim = l->options.dim,
                                      .vectors = bags,
                                      .settings = l->options.users.settings,
                                      .seed = stream_seed(l, SEED_USER_MAPPING),
                                      .team = l->team};
    if (status == COLLIDE_OK)
        status = id_mapping_create(l->options.users.method, &problem, &l->users, err);
    if (status == COLLIDE_OK && l->options.users.method == LEARN_FULL) {
        l->users.rows = bags;
        bags = NULL;
    }
    free(bags);
    free(counts);
    return status;
}

/* ---- Training. */

/* A bit more is free: rows of eight bits are not trained for. */
static uint32_t trained_bits(enum row_form form)
{
    const struct row_table rows = {.width = 8, .precision = row_form_precision(form)};
    return row_bytes(&rows) < 8 ? (uint32_t)row_bytes(&rows) : 0;
}

static struct trainer_problem training_problem(const struct learner *l, const struct id_mapping *items,
                                               uint64_t stream)
{
    return (struct trainer_problem){.corpus = &l->corpus,
                                    .items = items,
                                    .dim = l->options.dim,
                                    .item_lengths =
                                        items->n_lookups == 1 ? ITEM_LENGTHS_ONE : ITEM_LENGTHS_FREE,
                                    .training = l->options.training,
                                    .seed = stream_seed(l, stream)};
}

/* Trains a row for every item; what the mapping compares are the rows' directions. */
static enum collide_status train_teacher(struct learner *l, struct collide_error *err)
{
    struct mapping_problem problem = item_problem(l);
    problem.n_rows = l->corpus.n_items;
    problem.settings = (struct method_settings){0};
    enum collide_status status = id_mapping_create(LEARN_FULL, &problem, &l->identity, err);
    if (status != COLLIDE_OK)
        return status;
    struct trainer_problem training = training_problem(l, &l->identity, SEED_TEACHER);
    training.training.backbone = BACKBONE_BAG;
    status = trainer_create(&training, l->team, &l->teacher, err);
    if (status == COLLIDE_OK)
        status =
            trainer_run(l->teacher, l->options.training.teacher_epochs, "teacher", &l->teacher_loss, err);
    for (size_t i = 0; status == COLLIDE_OK && i < l->corpus.n_items; i++)
        vector_normalise(trainer_rows(l->teacher) + i * l->options.dim, l->options.dim);
    return status;
}

/* Methods without a teacher get its epochs too, so that all have seen the log equally often. */
static enum collide_status train_rows(struct learner *l, struct collide_error *err)
{
    const struct training *training = &l->options.training;
    uint32_t n_epochs = training->mapped_epochs + (l->teacher ? 0 : training->teacher_epochs);
    struct trainer_problem problem = training_problem(l, &l->items, SEED_TRAINING);
    problem.row_bits = trained_bits(l->options.form);
    problem.users = &l->users;
    if (finds_users(l))
        problem.training.backbone = BACKBONE_BAG;
    enum collide_status status = trainer_create(&problem, l->team, &l->trainer, err);
    if (status != COLLIDE_OK)
        return status;
    if (l->teacher)
        memcpy(trainer_bias(l->trainer), trainer_bias(l->teacher), l->corpus.n_items * sizeof(float));
    trainer_destroy(l->teacher);
    l->teacher = NULL;
    return trainer_run(l->trainer, n_epochs, "rows", &l->loss, err);
}

/* Goes on from where the items are. */
static enum collide_status train_users(struct learner *l, struct collide_error *err)
{
    struct trainer_problem problem = training_problem(l, &l->items, SEED_USER_TRAINING);
    problem.row_bits = trained_bits(l->options.form);
    problem.users = &l->users;
    struct trainer *trainer = NULL;
    enum collide_status status = trainer_create(&problem, l->team, &trainer, err);
    if (status != COLLIDE_OK)
        return status;
    trainer_start_from(trainer, l->trainer);
    trainer_destroy(l->trainer);
    l->trainer = trainer;
    return l->options.training.user_epochs
               ? trainer_run(trainer, l->options.training.user_epochs, "users", &l->loss, err)
               : COLLIDE_OK;
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
    learned_note(learned, "method", "%s", learn_method_name(o->items.method));
    learned_note(learned, "trained_rows", "%" PRIu32, l->items.n_rows);
    if (has_users(l)) {
        learned_note(learned, "user_method", "%s", learn_method_name(o->users.method));
        learned_note(learned, "trained_user_rows", "%" PRIu32, l->users.n_rows);
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
    if (has_teacher(&o->items))
        learned_note(learned, "teacher_loss", "%.6f", l->teacher_loss);
    learned_note(learned, "loss", "%.6f", l->loss);
}

static enum collide_status assemble(struct learner *l, struct learned **out, struct collide_error *err)
{
    struct trained trained = {.corpus = &l->corpus,
                              .items = {.mapping = &l->items,
                                        .rows = trainer_rows(l->trainer),
                                        .lookup_weights = trainer_lookup_weights(l->trainer),
                                        .dense_ids = l->corpus.dense_ids},
                              .users = {.mapping = has_users(l) ? &l->users : NULL,
                                        .rows = trainer_user_rows(l->trainer),
                                        .dense_ids = l->corpus.dense_users},
                              .bias = trainer_bias(l->trainer),
                              .dim = l->options.dim,
                              .item_lengths = training_problem(l, &l->items, SEED_TRAINING).item_lengths,
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
    if (status == COLLIDE_OK && has_teacher(&l->options.items))
        status = train_teacher(l, err);
    if (status == COLLIDE_OK)
        status = map_items(l, err);
    if (status == COLLIDE_OK && has_users(l) && !finds_users(l))
        status = map_users(l, err);
    if (status == COLLIDE_OK)
        status = train_rows(l, err);
    if (status == COLLIDE_OK && finds_users(l))
        status = map_users(l, err);
    if (status == COLLIDE_OK && finds_users(l))
        status = train_users(l, err);
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
    id_mapping_free(&l.items);
    id_mapping_free(&l.users);
    id_mapping_free(&l.identity);
    corpus_free(&l.corpus);
    parallel_destroy(l.team);
    return status;
}
