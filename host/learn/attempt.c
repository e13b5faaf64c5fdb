#include "learn/attempt.h"

#include "base/error.h"
#include "base/rng.h"
#include "learn/map/id_mapping.h"
#include "learn/mapping_state.h"
#include "learn/space_plan.h"
#include "learn/store/assemble.h"
#include "learn/train/trainer.h"
#include "learn/train/vector.h"
#include "learn/user_bags.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct attempt {
    const struct groundwork *ground;
    struct learn_options options;
    struct corpus corpus; /* the groundwork's, with the weights below if there are any; borrows the rest */
    float *weights;       /* (n_items) or NULL */
    struct id_mapping items, users;
    uint32_t *user_counts; /* (n_users) of interactions; NULL: no users */
    struct trainer *trainer;
    double loss;
};

static bool has_users(const struct attempt *a)
{
    return a->options.training.backbone != BACKBONE_BAG;
}

/* Whether users' rows are found from the bags of a model without them; otherwise they are trained from the
 * start. */
static bool finds_users(const struct attempt *a)
{
    return has_users(a) && (plan_needs_teacher(&a->options.users) || a->options.users.method == LEARN_FULL);
}

static const char ROWS_STAGE[] = "rows", USERS_STAGE[] = "users";

/* Random streams that must not repeat one another. */
enum { SEED_ITEMS = 1, SEED_ROWS, SEED_USERS, SEED_USER_ROWS };

static uint64_t stream_seed(const struct attempt *a, uint64_t stream)
{
    struct rng rng = rng_seeded(a->options.seed, stream);
    return rng_u64(&rng);
}

static struct checkpoint *checkpoint_of(const struct attempt *a)
{
    return a->ground->oversight ? a->ground->oversight->checkpoint : NULL;
}

static float *copy_floats(const float *from, size_t n)
{
    float *copy = malloc(n * sizeof *copy);
    if (copy)
        memcpy(copy, from, n * sizeof *copy);
    return copy;
}

/* ---- Weights in bags. */

/* In a bag, an item counts by its frequency, and by the length that the teacher found for its row. A row that
 * is shared has one length for all: what an item had of its own goes into its weight. */
static enum collide_status weigh_items(struct attempt *a, struct collide_error *err)
{
    const size_t n = a->corpus.n_items, dim = a->options.dim;
    const struct space_plan *plan = &a->options.items;
    double sum = 0.0;
    if (plan->method != LEARN_LHF || plan->settings.signals != SIGNALS_BOTH)
        return COLLIDE_OK;
    a->weights = malloc(n * sizeof *a->weights);
    if (!a->weights)
        return error_no_memory(err, "the items' weights");
    for (size_t i = 0; i < n; i++) {
        const float *row = a->ground->teacher + i * dim;
        a->weights[i] = sqrtf(vector_dot(row, row, dim));
        sum += (double)a->weights[i];
    }
    for (size_t i = 0; i < n; i++)
        a->weights[i] *= a->corpus.weights[i] * (float)((double)n / sum);
    a->corpus.weights = a->weights;
    return COLLIDE_OK;
}

/* ---- Mapping. */

/* What is like what shows in the directions of the teacher's rows. */
static float *find_directions(const struct attempt *a)
{
    const size_t n = a->corpus.n_items, dim = a->options.dim;
    float *directions = copy_floats(a->ground->teacher, n * dim);
    for (size_t i = 0; directions && i < n; i++)
        vector_normalise(directions + i * dim, dim);
    return directions;
}

static enum collide_status make_item_mapping(struct attempt *a, struct collide_error *err)
{
    const struct corpus *corpus = &a->corpus;
    const struct learn_options *o = &a->options;
    float *directions = a->ground->teacher ? find_directions(a) : NULL;
    struct csr users_of_items = {0};
    enum collide_status status = COLLIDE_OK;
    if (a->ground->teacher && !directions)
        status = error_no_memory(err, "the items' directions");
    if (status == COLLIDE_OK && mapping_method(o->items.method)->partners == PARTNERS_NEEDED)
        status = csr_transpose(&corpus->histories, corpus->n_items, &users_of_items, err);
    const struct mapping_problem problem = {.n_ids = corpus->n_items,
                                            .n_space_ids = a->ground->log->items.n_ids,
                                            .dense_ids = corpus->dense_ids,
                                            .counts = corpus->counts,
                                            .partners = &users_of_items,
                                            .n_partners = corpus->histories.n_rows,
                                            .side = MAPPING_ITEMS,
                                            .ids_may_move = true,
                                            .n_rows = o->items.n_rows,
                                            .dim = o->dim,
                                            .vectors = directions,
                                            .settings = o->items.settings,
                                            .seed = stream_seed(a, SEED_ITEMS),
                                            .team = a->ground->team};
    if (status == COLLIDE_OK)
        status = id_mapping_create(o->items.method, &problem, &a->items, err);
    csr_free(&users_of_items);
    free(directions);
    if (status != COLLIDE_OK || o->items.method != LEARN_FULL || !a->ground->teacher)
        return status;
    a->items.rows = copy_floats(a->ground->teacher, (size_t)corpus->n_items * o->dim);
    return a->items.rows ? COLLIDE_OK : error_no_memory(err, "the items' rows");
}

/* The bags of all users over the items as they are trained; owned. */
static float *find_bags(struct attempt *a)
{
    const uint32_t dim = a->options.dim;
    float *items = malloc((size_t)a->corpus.n_items * dim * sizeof *items);
    float *bags = malloc((size_t)a->corpus.histories.n_rows * dim * sizeof *bags);
    if (items && bags) {
        for (uint32_t i = 0; i < a->corpus.n_items; i++)
            id_mapping_embed(&a->items, trainer_rows(a->trainer), trainer_lookup_weights(a->trainer), i,
                             items + (size_t)i * dim);
        user_bags(&a->corpus, items, dim, a->ground->team, bags);
        free(items);
        return bags;
    }
    free(items);
    free(bags);
    return NULL;
}

static enum collide_status make_user_mapping(struct attempt *a, struct collide_error *err)
{
    const uint32_t n_users = a->corpus.histories.n_rows;
    float *bags = finds_users(a) ? find_bags(a) : NULL;
    enum collide_status status = COLLIDE_OK;
    if (finds_users(a) && !bags)
        status = error_no_memory(err, "the users' bags");
    struct mapping_problem problem = {.n_ids = n_users,
                                      .n_space_ids = a->ground->log->users.n_ids,
                                      .dense_ids = a->corpus.dense_users,
                                      .counts = a->user_counts,
                                      .partners = &a->corpus.histories,
                                      .n_partners = a->corpus.n_items,
                                      .side = MAPPING_USERS,
                                      .n_rows = a->options.users.n_rows,
                                      .dim = a->options.dim,
                                      .vectors = bags,
                                      .settings = a->options.users.settings,
                                      .seed = stream_seed(a, SEED_USERS),
                                      .team = a->ground->team};
    if (status == COLLIDE_OK)
        status = id_mapping_create(a->options.users.method, &problem, &a->users, err);
    if (status == COLLIDE_OK && a->options.users.method == LEARN_FULL) {
        a->users.rows = bags;
        bags = NULL;
    }
    free(bags);
    return status;
}

/* The checkpoint's, or a new one, which is kept there. */
static enum collide_status map_ids(struct attempt *a, const char *space, struct id_mapping *mapping,
                                   enum collide_status (*make)(struct attempt *a, struct collide_error *err),
                                   struct collide_error *err)
{
    bool found;
    enum collide_status status = mapping_recall(checkpoint_of(a), space, mapping, &found, err);
    if (status == COLLIDE_OK && !found)
        status = make(a, err);
    if (status == COLLIDE_OK)
        mapping_keep(checkpoint_of(a), space, mapping);
    return status;
}

static enum collide_status map_items(struct attempt *a, struct collide_error *err)
{
    return map_ids(a, "items", &a->items, make_item_mapping, err);
}

static enum collide_status map_users(struct attempt *a, struct collide_error *err)
{
    return map_ids(a, "users", &a->users, make_user_mapping, err);
}

/* ---- Training. */

/* Training is aware of what fewer than eight bits a value lose. */
static uint32_t trained_bits(enum row_form form)
{
    const uint32_t bits = precision_bits(row_form_precision(form));
    return bits < 8 ? bits : 0;
}

static enum item_lengths item_lengths_of(const struct id_mapping *items)
{
    return items->n_lookups == 1 && !items->lookup_weights ? ITEM_LENGTHS_ONE : ITEM_LENGTHS_NEAR_ONE;
}

static struct trainer_problem training_problem(const struct attempt *a, uint64_t stream)
{
    return (struct trainer_problem){.corpus = &a->corpus,
                                    .items = &a->items,
                                    .users = &a->users,
                                    .dim = a->options.dim,
                                    .item_lengths = item_lengths_of(&a->items),
                                    .row_bits = trained_bits(a->options.form),
                                    .sharing = item_sharing(&a->options),
                                    .training = a->options.training,
                                    .seed = stream_seed(a, stream)};
}

static enum collide_status assemble(void *context, struct learned **out, struct collide_error *err)
{
    return attempt_assemble(context, out, err);
}

static enum collide_status run_stage(struct attempt *a, const char *name, uint32_t n_epochs,
                                     struct collide_error *err)
{
    const struct stage stage = {
        .name = name, .n_epochs = n_epochs, .trainer = a->trainer, .assemble = assemble, .context = a};
    return stage_run(&stage, a->ground->oversight, &a->loss, err);
}

static enum collide_status train_rows(struct attempt *a, struct collide_error *err)
{
    const struct groundwork *ground = a->ground;
    struct trainer_problem problem = training_problem(a, SEED_ROWS);
    if (finds_users(a))
        problem.training.backbone = BACKBONE_BAG;
    enum collide_status status = trainer_create(&problem, ground->team, &a->trainer, err);
    if (status != COLLIDE_OK)
        return status;
    if (ground->teacher_bias)
        memcpy(trainer_bias(a->trainer), ground->teacher_bias,
               a->corpus.n_items * sizeof *ground->teacher_bias);
    return run_stage(a, ROWS_STAGE, a->options.training.mapped_epochs, err);
}

/* Goes on from where the items are, which a checkpoint of this stage says itself. */
static enum collide_status train_users(struct attempt *a, struct collide_error *err)
{
    const struct trainer_problem problem = training_problem(a, SEED_USER_ROWS);
    struct trainer *trainer = NULL;
    enum collide_status status = trainer_create(&problem, a->ground->team, &trainer, err);
    if (status != COLLIDE_OK)
        return status;
    if (a->trainer)
        trainer_start_from(trainer, a->trainer);
    trainer_destroy(a->trainer);
    a->trainer = trainer;
    return run_stage(a, USERS_STAGE, a->options.training.user_epochs, err);
}

static enum collide_status prepare_users(struct attempt *a, struct collide_error *err)
{
    const struct csr *histories = &a->corpus.histories;
    a->user_counts = malloc((histories->n_rows + 1ull) * sizeof *a->user_counts);
    if (!a->user_counts)
        return error_no_memory(err, "the users");
    for (uint32_t u = 0; u < histories->n_rows; u++)
        a->user_counts[u] = (uint32_t)(histories->offsets[u + 1] - histories->offsets[u]);
    return plans_check_alike(&a->options, a->corpus.n_items, histories->n_rows, err);
}

static enum collide_status run(struct attempt *a, struct collide_error *err)
{
    enum collide_status status = weigh_items(a, err);
    if (status == COLLIDE_OK && has_users(a))
        status = prepare_users(a, err);
    if (status == COLLIDE_OK)
        status = map_items(a, err);
    if (status == COLLIDE_OK && has_users(a) && !finds_users(a))
        status = map_users(a, err);
    if (status == COLLIDE_OK && !stage_is_begun(a->ground->oversight, USERS_STAGE))
        status = train_rows(a, err);
    if (status == COLLIDE_OK && finds_users(a))
        status = map_users(a, err);
    if (status == COLLIDE_OK && finds_users(a))
        status = train_users(a, err);
    return status;
}

enum collide_status attempt_create(const struct groundwork *groundwork, const struct learn_options *options,
                                   struct attempt **out, struct collide_error *err)
{
    struct attempt *a = calloc(1, sizeof *a);
    if (!a)
        return error_no_memory(err, "the rows");
    a->ground = groundwork;
    a->options = *options;
    a->corpus = *groundwork->corpus;
    enum collide_status status = run(a, err);
    if (status != COLLIDE_OK) {
        attempt_destroy(a);
        return status;
    }
    *out = a;
    return COLLIDE_OK;
}

void attempt_destroy(struct attempt *a)
{
    if (!a)
        return;
    trainer_destroy(a->trainer);
    id_mapping_free(&a->items);
    id_mapping_free(&a->users);
    free(a->user_counts);
    free(a->weights);
    free(a);
}

double attempt_loss(const struct attempt *a)
{
    return a->loss;
}

uint32_t attempt_n_rows(const struct attempt *a)
{
    return a->items.n_rows;
}

uint32_t attempt_n_user_rows(const struct attempt *a)
{
    return a->users.n_rows;
}

enum collide_status attempt_assemble(struct attempt *a, struct learned **out, struct collide_error *err)
{
    const struct corpus *corpus = &a->corpus;
    const struct trained trained = {.items = {.mapping = &a->items,
                                              .rows = trainer_rows(a->trainer),
                                              .lookup_weights = trainer_lookup_weights(a->trainer),
                                              .dense_ids = corpus->dense_ids,
                                              .counts = corpus->counts},
                                    .users = {.mapping = trainer_user_rows(a->trainer) ? &a->users : NULL,
                                              .rows = trainer_user_rows(a->trainer),
                                              .lookup_weights = trainer_user_lookup_weights(a->trainer),
                                              .dense_ids = corpus->dense_users,
                                              .counts = a->user_counts},
                                    .weights = corpus->weights,
                                    .bias = trainer_bias(a->trainer),
                                    .dim = a->options.dim,
                                    .item_lengths = item_lengths_of(&a->items),
                                    .pooling = POOLING_NORMALISED,
                                    .temperature = a->options.training.temperature};
    return learned_create(a->ground->log, &trained, &a->options, out, err);
}
