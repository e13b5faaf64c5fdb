#include "learn/budget.h"

#include "base/error.h"
#include "base/least.h"
#include "base/log.h"
#include "learn/evaluate.h"
#include "learn/hold_out.h"
#include "learn/map/id_mapping.h"
#include "learn/space_plan.h"
#include "learn/store/assemble.h"
#include "model/cost.h"
#include "model/mapping.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Enough users to tell candidates apart by a tenth of a percent, so few that it takes a second or two. */
enum { N_JUDGES = 10000, CUTOFF = 10 };

/* What every candidate is trained for before it is judged. How much rows and scalars of few bits lose shows
 * only in training, which makes up for a part of it. */
enum { SKETCH_EPOCHS = 2, SKETCH_USER_EPOCHS = 1 };

/* How ids of both spaces are looked up. */
struct layout {
    enum learn_method method;
    uint32_t n_lookups;
};

static const struct layout layouts[] = {{LEARN_FULL, 1}, {LEARN_LHF, 1}, {LEARN_RQ, 2},
                                        {LEARN_RQ, 3},   {LEARN_RQ, 4},  {LEARN_RQ, 8}};
static const enum row_form forms[] = {ROWS_I8, ROWS_I4, ROWS_I3, ROWS_I2};
static const uint32_t scalar_bits[] = {4, 5, 6, 8};
static const float item_shares[] = {0.35f, 0.5f, 0.65f};
enum {
    N_LAYOUTS = sizeof layouts / sizeof layouts[0],
    N_FORMS = sizeof forms / sizeof forms[0],
    N_SCALAR_BITS = sizeof scalar_bits / sizeof scalar_bits[0],
    N_ITEM_SHARES = sizeof item_shares / sizeof item_shares[0],
    N_CLIMBERS = 3, /* layouts of which the other choices are varied */
    N_FINALISTS = 4,
    MAX_CANDIDATES = N_LAYOUTS + N_CLIMBERS * (N_FORMS + N_SCALAR_BITS + N_ITEM_SHARES)
};

/* Indices into the arrays above. */
struct choice {
    unsigned layout, form, scalar_bits, item_share;
};

static const struct choice START = {.form = 2, .scalar_bits = 0, .item_share = 1};

struct candidate {
    struct choice choice;
    struct learn_options options; /* with as many rows as fit */
    uint64_t n_bytes;
    double sketched, trained; /* recall; trained is below 0 unless it was */
};

struct search {
    const struct groundwork *ground;
    const struct learn_options *asked;
    struct csr judges; /* held-out items of at most N_JUDGES users */
    struct candidate candidates[MAX_CANDIDATES];
    size_t n;
    uint64_t least_bytes; /* of all that were looked at */
};

/* ---- Bytes. */

static bool has_users(const struct learn_options *o)
{
    return o->training.backbone != BACKBONE_BAG;
}

enum collide_status budget_bytes(const struct groundwork *ground, const struct learn_options *asked,
                                 uint64_t *out, struct collide_error *err)
{
    const struct corpus *corpus = ground->corpus;
    struct learn_options settled = *asked, *o = &settled;
    struct id_mapping items, users = {0};
    plans_settle_mapping(o, corpus->n_items);
    enum collide_status status = plans_check_computed(o, err);
    if (status == COLLIDE_OK)
        status = plan_shape(&o->items, corpus->n_items, MAPPING_ITEMS, o->dim, &items, err);
    if (status == COLLIDE_OK && has_users(o))
        status = plan_shape(&o->users, corpus->histories.n_rows, MAPPING_USERS, o->dim, &users, err);
    if (status != COLLIDE_OK)
        return status;
    struct model shape;
    learned_shape(ground->log, &items, has_users(o) ? &users : NULL, ground->scalars, o, &shape);
    const bool keeps = o->histories == HISTORIES_MODEL;
    *out = bytes_of_model(&shape, keeps ? ground->log->histories.offsets[ground->log->users.n_ids] : 0);
    return COLLIDE_OK;
}

/* How many rows to try, and what they may take. */
struct fitting {
    const struct groundwork *ground;
    double item_share; /* of the rows */
    uint64_t least_rows, max_bytes;
};

static uint32_t rows_of_plan(const struct space_plan *plan, uint32_t n_ids, double n_rows)
{
    return plan->method == LEARN_FULL || n_rows > n_ids ? n_ids : (uint32_t)n_rows;
}

/* What one space has no use for is the other's. */
static void set_rows(const struct fitting *f, uint64_t n_rows, struct learn_options *o)
{
    const struct corpus *corpus = f->ground->corpus;
    const double n_items = corpus->n_items, n_users = corpus->histories.n_rows, n = (double)n_rows;
    double item_rows = fmin(f->item_share * n, n_items);
    const double user_rows = fmin(n - item_rows, n_users);
    if (user_rows == n_users)
        item_rows = n - user_rows;
    o->items.n_rows = rows_of_plan(&o->items, corpus->n_items, item_rows);
    o->users.n_rows = rows_of_plan(&o->users, corpus->histories.n_rows, user_rows);
}

/* Gives *o as many rows as fit, found by bisection; false: none do. *least_bytes becomes what the smallest
 * model takes that was looked at, unless it was less before. */
static bool fit_rows(const struct fitting *f, struct learn_options *o, uint64_t *n_bytes,
                     uint64_t *least_bytes)
{
    const struct corpus *corpus = f->ground->corpus;
    const uint64_t most = (uint64_t)corpus->n_items + corpus->histories.n_rows;
    bool fits = false;
    for (uint64_t low = f->least_rows, high = most; low <= high;) {
        const uint64_t n_rows = low + (high - low) / 2;
        struct learn_options tried = *o;
        uint64_t n = 0;
        set_rows(f, n_rows, &tried);
        bool is_possible = budget_bytes(f->ground, &tried, &n, NULL) == COLLIDE_OK;
        if (is_possible && n < *least_bytes)
            *least_bytes = n;
        if (!is_possible || n <= f->max_bytes) {
            if (is_possible) {
                *o = tried;
                *n_bytes = n;
                fits = true;
            }
            low = n_rows + 1;
        } else {
            high = n_rows - 1;
        }
    }
    return fits;
}

enum collide_status budget_fit_rows(const struct groundwork *ground, uint64_t max_bytes,
                                    struct learn_options *o, struct collide_error *err)
{
    const struct fitting fitting = {ground, has_users(o) ? 0.5 : 1.0, has_users(o) ? 2 : 1, max_bytes};
    uint64_t n_bytes, least_bytes = UINT64_MAX;
    if (fit_rows(&fitting, o, &n_bytes, &least_bytes))
        return COLLIDE_OK;
    if (least_bytes == UINT64_MAX) { /* for its message */
        set_rows(&fitting, (uint64_t)ground->corpus->n_items + ground->corpus->histories.n_rows, o);
        return budget_bytes(ground, o, &n_bytes, err);
    }
    return error_set(err, COLLIDE_INVALID,
                     "a budget of %" PRIu64 " bytes is too small for %s, which takes %" PRIu64
                     " at least (mapping and scalars of every id are part of it)",
                     max_bytes, learn_method_name(o->items.method), least_bytes);
}

static struct space_plan plan_of(const struct layout *layout)
{
    const bool is_full = layout->method == LEARN_FULL;
    return (struct space_plan){.method = layout->method,
                               .settings = {.n_lookups = is_full ? 0 : layout->n_lookups}};
}

/* With as many rows as the budget holds; false: with none. */
static bool fit(struct search *s, const struct choice *c, struct candidate *out)
{
    const struct layout *layout = &layouts[c->layout];
    const struct fitting fitting = {.ground = s->ground,
                                    .item_share =
                                        has_users(s->asked) ? (double)item_shares[c->item_share] : 1.0,
                                    .least_rows = 4ull * layout->n_lookups,
                                    .max_bytes = s->asked->budget_bytes};
    *out = (struct candidate){.choice = *c, .options = *s->asked, .trained = -1.0};
    out->options.form = forms[c->form];
    out->options.scalar_bits = scalar_bits[c->scalar_bits];
    out->options.mapping = ENTRIES_PACKED;
    out->options.items = out->options.users = plan_of(layout);
    return fit_rows(&fitting, &out->options, &out->n_bytes, &s->least_bytes);
}

/* ---- Quality. */

static enum collide_status judge(const struct search *s, const struct learn_options *o, double *out,
                                 struct collide_error *err)
{
    struct attempt *attempt = NULL;
    struct learned *learned = NULL;
    const struct evaluation evaluation = {
        .histories = s->ground->histories, .relevant = &s->judges, .cutoff = CUTOFF};
    struct quality quality = {0};
    enum collide_status status = attempt_create(s->ground, o, &attempt, err);
    if (status == COLLIDE_OK)
        status = attempt_assemble(attempt, &learned, err);
    if (status == COLLIDE_OK)
        status = evaluate_model(learned_model(learned), &evaluation, s->ground->team, &quality, err);
    *out = quality.recall;
    attempt_destroy(attempt);
    learned_destroy(learned);
    return status;
}

/* As much of each candidate's description as fits a line. */
static void log_candidate(const struct candidate *c)
{
    const struct learn_options *o = &c->options;
    char users[32] = "", trained[32] = "";
    if (has_users(o))
        snprintf(users, sizeof users, " + %" PRIu32 " users'", o->users.n_rows);
    if (c->trained >= 0.0)
        snprintf(trained, sizeof trained, ", %.2f %% after training", 100.0 * c->trained);
    log_info("budget: %s x %" PRIu32 ", %" PRIu32 "%s rows of %s, %" PRIu32 "-bit scalars: %" PRIu64
             " bytes, recall@%d %.2f %%%s",
             learn_method_name(o->items.method), layouts[c->choice.layout].n_lookups, o->items.n_rows, users,
             row_form_name(o->form), o->scalar_bits, c->n_bytes, CUTOFF, 100.0 * c->sketched, trained);
}

static bool is_same(const struct choice *a, const struct choice *b)
{
    return a->layout == b->layout && a->form == b->form && a->scalar_bits == b->scalar_bits &&
           a->item_share == b->item_share;
}

/* NULL: it has not been judged. */
static const struct candidate *find(const struct search *s, const struct choice *c)
{
    for (size_t i = 0; i < s->n; i++)
        if (is_same(&s->candidates[i].choice, c))
            return &s->candidates[i];
    return NULL;
}

/* *recall: below 0 of what does not fit. */
static enum collide_status consider(struct search *s, const struct choice *c, double *recall,
                                    struct collide_error *err)
{
    const struct candidate *known = find(s, c);
    struct candidate *candidate = &s->candidates[s->n];
    *recall = known ? known->sketched : -1.0;
    if (known || s->n == MAX_CANDIDATES || !fit(s, c, candidate))
        return COLLIDE_OK;
    struct learn_options o = candidate->options;
    o.training.mapped_epochs = (uint32_t)least(o.training.mapped_epochs, SKETCH_EPOCHS);
    o.training.user_epochs = (uint32_t)least(o.training.user_epochs, SKETCH_USER_EPOCHS);
    enum collide_status status = judge(s, &o, &candidate->sketched, err);
    if (status != COLLIDE_OK)
        return status;
    log_candidate(candidate);
    *recall = candidate->sketched;
    s->n++;
    return COLLIDE_OK;
}

static int better_first(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->trained != y->trained)
        return x->trained > y->trained ? -1 : 1;
    return (x->sketched < y->sketched) - (x->sketched > y->sketched);
}

static void sort(struct search *s)
{
    qsort(s->candidates, s->n, sizeof s->candidates[0], better_first);
}

/* One step along one of a choice's indices, as long as that makes it better. */
static enum collide_status climb(struct search *s, struct choice *at, unsigned *index, unsigned n_values,
                                 int step, double *recall, struct collide_error *err)
{
    while ((int)*index + step >= 0 && (int)*index + step < (int)n_values) {
        const unsigned before = *index;
        double there;
        *index = (unsigned)((int)*index + step);
        enum collide_status status = consider(s, at, &there, err);
        if (status != COLLIDE_OK)
            return status;
        if (there <= *recall) {
            *index = before;
            return COLLIDE_OK;
        }
        *recall = there;
    }
    return COLLIDE_OK;
}

/* All forms: more bits and more rows pull in opposite ways, so that the best need not be next to the start.
 */
static enum collide_status choose_form(struct search *s, struct choice *at, double *recall,
                                       struct collide_error *err)
{
    struct choice tried = *at;
    enum collide_status status = COLLIDE_OK;
    for (tried.form = 0; tried.form < N_FORMS && status == COLLIDE_OK; tried.form++) {
        double there;
        status = consider(s, &tried, &there, err);
        if (status == COLLIDE_OK && there > *recall) {
            *recall = there;
            *at = tried;
        }
    }
    return status;
}

/* From a candidate to the best that can be had by varying one choice after the other. */
static enum collide_status vary(struct search *s, struct choice at, double recall, struct collide_error *err)
{
    struct {
        unsigned *index, n_values;
    } const axes[] = {{&at.scalar_bits, N_SCALAR_BITS},
                      {&at.item_share, has_users(s->asked) ? N_ITEM_SHARES : 0}};
    enum collide_status status = choose_form(s, &at, &recall, err);
    for (size_t a = 0; a < sizeof axes / sizeof *axes; a++)
        for (int step = -1; step <= 1 && status == COLLIDE_OK; step += 2)
            status = climb(s, &at, axes[a].index, axes[a].n_values, step, &recall, err);
    return status;
}

static enum collide_status consider_all(struct search *s, struct collide_error *err)
{
    struct candidate starts[N_LAYOUTS];
    enum collide_status status = COLLIDE_OK;
    for (unsigned layout = 0; layout < N_LAYOUTS && status == COLLIDE_OK; layout++) {
        struct choice c = START;
        double recall;
        c.layout = layout;
        status = consider(s, &c, &recall, err);
    }
    sort(s);
    const size_t n = s->n;
    memcpy(starts, s->candidates, n * sizeof *starts);
    for (size_t i = 0; i < n && i < N_CLIMBERS && status == COLLIDE_OK; i++)
        status = vary(s, starts[i].choice, starts[i].sketched, err);
    sort(s);
    return status;
}

static enum collide_status train_finalists(struct search *s, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < s->n && i < N_FINALISTS && status == COLLIDE_OK; i++) {
        struct candidate *c = &s->candidates[i];
        struct learn_options o = c->options;
        o.training.mapped_epochs = (o.training.mapped_epochs + 3) / 4;
        status = judge(s, &o, &c->trained, err);
        if (status == COLLIDE_OK)
            log_candidate(c);
    }
    sort(s);
    return status;
}

/* ---- */

enum collide_status budget_choose(const struct groundwork *ground, struct learn_options *options,
                                  struct collide_error *err)
{
    struct search *s = calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "the search");
    *s = (struct search){.ground = ground, .asked = options, .least_bytes = UINT64_MAX};
    enum collide_status status = hold_out_sample(options->val, N_JUDGES, &s->judges, err);
    if (status == COLLIDE_OK)
        status = consider_all(s, err);
    if (status == COLLIDE_OK && s->n == 0)
        status = error_set(err, COLLIDE_INVALID,
                           "a budget of %" PRIu64
                           " bytes is too small: the smallest model of this log takes %" PRIu64
                           " (mapping and scalars of every id alone take most of it)",
                           options->budget_bytes, s->least_bytes);
    if (status == COLLIDE_OK)
        status = train_finalists(s, err);
    if (status == COLLIDE_OK)
        *options = s->candidates[0].options;
    csr_free(&s->judges);
    free(s);
    return status;
}
