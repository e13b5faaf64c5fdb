#include "learn/embeddings/embedding_learn.h"

#include "base/error.h"
#include "base/rng.h"
#include "learn/budget.h"
#include "learn/map/id_weights.h"
#include "learn/map/row_fit.h"
#include "learn/options.h"
#include "learn/space_plan.h"
#include "learn/store/assemble.h"
#include "learn/store/dequantize.h"

#include <cblas.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One of the tables, and what becomes of it. */
struct embedded_space {
    enum mapping_side side;
    uint32_t n_ids;
    const float *vectors; /* (n_ids, dim) */
    uint32_t *counts;     /* (n_ids) owned, as the next */
    uint32_t *dense_ids;  /* (n_ids): 0, 1, 2... */
    struct id_mapping mapping;
};

struct embedding_work {
    const struct embedding_tables *tables;
    struct learn_options options;
    struct embedded_space items, users;
    float *weights; /* (n_items) of 1, owned; NULL: the model says none */
    struct parallel *team;
};

/* ---- A log of the ids alone, for what reads their number and keys of it. */

static struct interactions log_of(const struct embedding_tables *t)
{
    return (struct interactions){.items = {.kind = ID_DENSE, .n_ids = t->n_items},
                                 .users = {.kind = ID_DENSE, .n_ids = t->n_users}};
}

static struct learn_options learn_options_of(const struct embedding_tables *t,
                                             const struct embedding_options *options)
{
    struct learn_options o = learn_options_default();
    o.items = options->items;
    o.users = options->users;
    o.dim = t->dim;
    o.form = options->form;
    o.mapping = options->mapping;
    o.scalar_bits = options->scalar_bits;
    o.histories = HISTORIES_NONE;
    o.seed = options->seed;
    o.n_threads = options->n_threads;
    o.training.backbone = t->users ? BACKBONE_USER : BACKBONE_BAG;
    return o;
}

/* ---- What can be done without a log. */

static enum collide_status check_method(enum learn_method method, struct collide_error *err)
{
    const struct mapping_method *m = mapping_method(method);
    const char *reason = NULL;
    if (m->partners == PARTNERS_NEEDED)
        reason = "looks at who interacted with what, which only a log says";
    else if (m->weights == WEIGHTS_TRAINED)
        reason = "trains weights of lookups, for which it needs a log";
    else if (m->combine == COMBINE_MULTIPLY)
        reason = "multiplies rows, and only sums of rows are fitted to embeddings";
    return reason ? error_set(err, COLLIDE_UNSUPPORTED,
                              "%s %s: choose another method for embeddings, such as lhf, rq, pq or full",
                              m->name, reason)
                  : COLLIDE_OK;
}

static enum collide_status check(const struct embedding_tables *t, const struct learn_options *o,
                                 struct collide_error *err)
{
    const struct interactions log = log_of(t);
    enum collide_status status = check_method(o->items.method, err);
    if (status == COLLIDE_OK && t->users)
        status = check_method(o->users.method, err);
    if (status == COLLIDE_OK && o->scalar_bits && !t->bias)
        status = error_set(err, COLLIDE_INVALID,
                           "%" PRIu32 " bits for biases, and there are no biases: give some, or no bits",
                           o->scalar_bits);
    return status == COLLIDE_OK ? learn_options_check(o, &log, err) : status;
}

/* ---- From ids to rows. */

static double mean_square_length(const float *vectors, size_t n_ids, size_t dim)
{
    double squares = 0.0;
    for (size_t k = 0; k < n_ids * dim; k++)
        squares += (double)vectors[k] * (double)vectors[k];
    return squares / (double)n_ids;
}

static void scale_values(double factor, const float *from, size_t n, float *to)
{
    for (size_t k = 0; k < n; k++)
        to[k] = (float)(factor * (double)from[k]);
}

/* vectors: as long as methods expect. */
static enum collide_status fit_mapped_rows(const struct mapping_problem *problem, struct id_mapping *m,
                                           struct collide_error *err)
{
    float *weights = malloc(problem->n_ids * sizeof *weights);
    m->rows = malloc((size_t)m->n_rows * m->width * sizeof *m->rows);
    enum collide_status status = COLLIDE_OK;
    if (!weights || !m->rows)
        status = error_no_memory(err, "the rows");
    if (status == COLLIDE_OK) {
        id_weights(problem, weights);
        status = fit_rows(m, problem->vectors, weights, m->rows, err);
    }
    free(weights);
    return status;
}

static enum collide_status keep_rows(const struct embedded_space *s, struct id_mapping *m,
                                     struct collide_error *err)
{
    const size_t n_bytes = (size_t)m->n_rows * m->width * sizeof *m->rows;
    m->rows = malloc(n_bytes);
    if (!m->rows)
        return error_no_memory(err, "the rows");
    memcpy(m->rows, s->vectors, n_bytes);
    return COLLIDE_OK;
}

static enum collide_status find_rows(const struct space_plan *plan, struct mapping_problem *problem,
                                     struct id_mapping *m, struct collide_error *err)
{
    const size_t n_values = (size_t)problem->n_ids * problem->dim;
    const double square = mean_square_length(problem->vectors, problem->n_ids, problem->dim);
    const double length = square > 0.0 ? sqrt(square) : 1.0;
    float *scaled = malloc(n_values * sizeof *scaled);
    if (!scaled)
        return error_no_memory(err, "the embeddings");
    scale_values(1.0 / length, problem->vectors, n_values, scaled);
    problem->vectors = scaled;
    enum collide_status status = id_mapping_create(plan->method, problem, m, err);
    if (status == COLLIDE_OK && !m->rows)
        status = fit_mapped_rows(problem, m, err);
    free(scaled);
    if (status == COLLIDE_OK)
        scale_values(length, m->rows, (size_t)m->n_rows * m->width, m->rows);
    return status;
}

static enum collide_status map_space(const struct embedding_work *w, const struct space_plan *plan,
                                     struct embedded_space *s, struct collide_error *err)
{
    struct rng rng = rng_seeded(w->options.seed, s->side);
    struct mapping_problem problem = {.n_ids = s->n_ids,
                                      .n_space_ids = s->n_ids,
                                      .dense_ids = s->dense_ids,
                                      .counts = s->counts,
                                      .side = s->side,
                                      .n_rows = plan->n_rows,
                                      .dim = w->options.dim,
                                      .vectors = s->vectors,
                                      .settings = plan->settings,
                                      .seed = rng_u64(&rng),
                                      .team = w->team};
    if (plan->method != LEARN_FULL)
        return find_rows(plan, &problem, &s->mapping, err);
    enum collide_status status = id_mapping_create(LEARN_FULL, &problem, &s->mapping, err);
    return status == COLLIDE_OK ? keep_rows(s, &s->mapping, err) : status;
}

/* ---- The work. */

/* counts: (n_ids), or NULL: all 1. */
static enum collide_status prepare_space(enum mapping_side side, uint32_t n_ids, const float *vectors,
                                         const uint32_t *counts, struct embedded_space *s,
                                         struct collide_error *err)
{
    *s = (struct embedded_space){.side = side, .n_ids = n_ids, .vectors = vectors};
    s->counts = malloc(n_ids * sizeof *s->counts);
    s->dense_ids = malloc(n_ids * sizeof *s->dense_ids);
    if (!s->counts || !s->dense_ids)
        return error_no_memory(err, "the ids");
    for (uint32_t i = 0; i < n_ids; i++) {
        s->dense_ids[i] = i;
        s->counts[i] = counts ? counts[i] : 1;
    }
    return COLLIDE_OK;
}

/* Classes are of weights and biases. */
static enum collide_status prepare_weights(struct embedding_work *w, struct collide_error *err)
{
    if (!w->options.scalar_bits)
        return COLLIDE_OK;
    w->weights = malloc(w->tables->n_items * sizeof *w->weights);
    if (!w->weights)
        return error_no_memory(err, "the items' weights");
    for (uint32_t i = 0; i < w->tables->n_items; i++)
        w->weights[i] = 1.0f;
    return COLLIDE_OK;
}

static enum collide_status prepare(struct embedding_work *w, struct collide_error *err)
{
    const struct embedding_tables *t = w->tables;
    struct learn_options *o = &w->options;
    plans_settle(o, t->n_items, t->n_users);
    /* Products are small and run on the team's threads, several at a time. */
    openblas_set_num_threads(1);
    enum collide_status status =
        parallel_create(o->n_threads ? o->n_threads : parallel_n_cpus(), &w->team, err);
    if (status == COLLIDE_OK && t->users)
        status = plans_check_alike(o, t->n_items, t->n_users, err);
    if (status == COLLIDE_OK)
        status = prepare_space(MAPPING_ITEMS, t->n_items, t->items, t->counts, &w->items, err);
    if (status == COLLIDE_OK && t->users)
        status = prepare_space(MAPPING_USERS, t->n_users, t->users, NULL, &w->users, err);
    return status == COLLIDE_OK ? prepare_weights(w, err) : status;
}

static struct trained_space trained_space_of(const struct embedded_space *s)
{
    return (struct trained_space){.mapping = s->vectors ? &s->mapping : NULL,
                                  .rows = s->mapping.rows,
                                  .dense_ids = s->dense_ids,
                                  .counts = s->counts};
}

static enum collide_status assemble(const struct embedding_work *w, enum pooling pooling,
                                    struct learned **out, struct collide_error *err)
{
    const struct interactions log = log_of(w->tables);
    const struct trained trained = {.items = trained_space_of(&w->items),
                                    .users = trained_space_of(&w->users),
                                    .weights = w->weights,
                                    .bias = w->tables->bias,
                                    .dim = w->options.dim,
                                    .item_lengths = ITEM_LENGTHS_NEAR_ONE,
                                    .pooling = pooling,
                                    .temperature = 1.0f};
    return learned_create(&log, &trained, &w->options, out, err);
}

static void add_errors(const struct model *m, const struct space *space, const float *vectors,
                       struct embedding_errors *errors)
{
    for (uint32_t i = 0; i < space->n_ids; i++) {
        float embedding[MODEL_MAX_DIM];
        dequantize_embedding(m, space, i, embedding);
        embedding_errors_add(errors, vectors + (size_t)i * m->dim, embedding, m->dim);
    }
}

static void measure(const struct embedding_work *w, const struct model *m, struct embedding_report *r)
{
    *r = (struct embedding_report){0};
    add_errors(m, &m->item, w->tables->items, &r->items);
    if (w->tables->users)
        add_errors(m, &m->user, w->tables->users, &r->users);
}

static void note_space(struct learned *learned, const char *const *names, const struct space_plan *plan,
                       const struct embedded_space *s, const struct embedding_errors *e)
{
    learned_note(learned, names[0], "%s", learn_method_name(plan->method));
    learned_note(learned, names[1], "%" PRIu32, s->mapping.n_rows);
    learned_note(learned, names[2], "%.6g", embedding_errors_rms(e));
    learned_note(learned, names[3], "%.6g", embedding_errors_rms_length(e));
}

static void note_provenance(const struct embedding_work *w, const struct embedding_report *r,
                            struct learned *learned)
{
    static const char *const items[] = {"method", "trained_rows", "rms_error", "rms_length"};
    static const char *const users[] = {"user_method", "trained_user_rows", "user_rms_error",
                                        "user_rms_length"};
    learned_note(learned, "learned_from", "embeddings");
    note_space(learned, items, &w->options.items, &w->items, &r->items);
    if (w->tables->users)
        note_space(learned, users, &w->options.users, &w->users, &r->users);
    learned_note(learned, "dim", "%" PRIu32, w->options.dim);
    learned_note(learned, "seed", "%" PRIu64, w->options.seed);
    learned_note(learned, "threads", "%u", parallel_n_threads(w->team));
}

static void finish_space(struct embedded_space *s)
{
    free(s->counts);
    free(s->dense_ids);
    id_mapping_free(&s->mapping);
}

enum collide_status embedding_learn(const struct embedding_tables *tables,
                                    const struct embedding_options *options, struct learned **out,
                                    struct embedding_report *report, struct collide_error *err)
{
    struct embedding_work w = {.tables = tables, .options = learn_options_of(tables, options)};
    struct learned *learned = NULL;
    enum collide_status status = check(tables, &w.options, err);
    if (status == COLLIDE_OK)
        status = prepare(&w, err);
    if (status == COLLIDE_OK)
        status = map_space(&w, &w.options.items, &w.items, err);
    if (status == COLLIDE_OK && tables->users)
        status = map_space(&w, &w.options.users, &w.users, err);
    if (status == COLLIDE_OK)
        status = assemble(&w, options->pooling, &learned, err);
    if (status == COLLIDE_OK) {
        measure(&w, learned_model(learned), report);
        note_provenance(&w, report, learned);
        *out = learned;
    }
    finish_space(&w.items);
    finish_space(&w.users);
    free(w.weights);
    parallel_destroy(w.team);
    return status;
}

enum collide_status embedding_fit_rows(const struct embedding_tables *tables, uint64_t max_bytes,
                                       struct embedding_options *options, struct collide_error *err)
{
    const struct interactions log = log_of(tables);
    const struct corpus ids = {.n_items = tables->n_items, .histories = {.n_rows = tables->n_users}};
    const struct groundwork ground = {
        .log = &log, .corpus = &ids, .scalars = tables->bias ? ITEM_BIAS : ITEM_NO_SCALARS};
    struct learn_options o = learn_options_of(tables, options);
    enum collide_status status = budget_fit_rows(&ground, max_bytes, &o, err);
    if (status != COLLIDE_OK)
        return status;
    options->items.n_rows = o.items.n_rows;
    options->users.n_rows = o.users.n_rows;
    return COLLIDE_OK;
}
