#include "learn/options.h"

#include "base/error.h"
#include "learn/space_plan.h"

#include <inttypes.h>
#include <math.h>

const char *const mapping_entries_names[] = {[ENTRIES_STORED] = "stored",
                                             [ENTRIES_PACKED] = "packed",
                                             [ENTRIES_COMPUTED] = "computed",
                                             [ENTRIES_AUTO] = "auto",
                                             NULL};

struct training training_default(void)
{
    return (struct training){.row_rate = 0.01f,
                             .bias_rate = 0.02f,
                             .input_share = 0.6f,
                             .batch_users = 128,
                             .n_negatives = 2048,
                             .teacher_epochs = 30,
                             .mapped_epochs = 30,
                             .user_epochs = 5};
}

float training_temperature(uint32_t n_items)
{
    /* Fewer than eight items need no more than eight do. */
    return 1.3f / logf((float)(n_items > 8 ? n_items : 8));
}

struct learn_options learn_options_default(void)
{
    return (struct learn_options){.items = {.method = LEARN_LHF},
                                  .users = {.method = LEARN_LHF},
                                  .dim = 64,
                                  .form = ROWS_I8,
                                  .mapping = ENTRIES_STORED,
                                  .histories = HISTORIES_MODEL,
                                  .patience = 5,
                                  .seed = 1,
                                  .training = training_default()};
}

static enum collide_status check_training(const struct training *t, struct collide_error *err)
{
    if (t->temperature != 0.0f && !(t->temperature >= 0.005f && t->temperature <= 10.0f))
        return error_set(err, COLLIDE_INVALID,
                         "temperature %g; give 0.005 to 10, or 0 for one by the number of items",
                         (double)t->temperature);
    if (!(t->row_rate > 0.0f && t->row_rate <= 1.0f) || !(t->bias_rate >= 0.0f && t->bias_rate <= 1.0f))
        return error_set(err, COLLIDE_INVALID, "learning rates %g (rows) and %g (bias); give up to 1",
                         (double)t->row_rate, (double)t->bias_rate);
    if (!(t->input_share > 0.0f && t->input_share < 1.0f))
        return error_set(err, COLLIDE_INVALID, "input share %g; give one between 0 and 1",
                         (double)t->input_share);
    if (t->batch_users < 1 || t->batch_users > 65536 || t->n_negatives < 1 || t->n_negatives > 1u << 20)
        return error_set(err, COLLIDE_INVALID,
                         "batches of %" PRIu32 " users and %" PRIu32
                         " negatives; give 1 to 65536 users and 1 to 2^20 negatives",
                         t->batch_users, t->n_negatives);
    if (t->mapped_epochs < 1 || t->mapped_epochs > 10000 || t->teacher_epochs < 1 ||
        t->teacher_epochs > 10000 || t->user_epochs > 10000)
        return error_set(err, COLLIDE_INVALID,
                         "%" PRIu32 ", %" PRIu32 " and %" PRIu32 " epochs; give 1 to 10000",
                         t->teacher_epochs, t->mapped_epochs, t->user_epochs);
    return COLLIDE_OK;
}

static enum collide_status check_plan(const struct space_plan *plan, const char *space,
                                      struct collide_error *err)
{
    if (plan->n_rows < 1 && plan->method != LEARN_FULL)
        return error_set(err, COLLIDE_INVALID, "0 rows for %s asked for; give at least 1", space);
    return COLLIDE_OK;
}

static enum collide_status check_budget(const struct learn_options *o, struct collide_error *err)
{
    return o->val || o->hold_out > 0.0
               ? COLLIDE_OK
               : error_set(err, COLLIDE_INVALID,
                           "a budget is spent by held-out interactions: give some, or hold out a share");
}

static enum collide_status check_held_out(const struct learn_options *o, uint32_t n_users,
                                          struct collide_error *err)
{
    if (o->val && o->val->n_rows != n_users)
        return error_set(err, COLLIDE_INVALID, "held-out lists of %" PRIu32 " users for a log of %" PRIu32,
                         o->val->n_rows, n_users);
    if (o->hold_out == 0.0)
        return COLLIDE_OK;
    if (o->val)
        return error_set(err, COLLIDE_INVALID,
                         "held-out interactions are given, and a share of the log is to be held out too: "
                         "choose one of both");
    if (!(o->hold_out > 0.0 && o->hold_out <= 0.5))
        return error_set(err, COLLIDE_INVALID, "a share of %g is to be held out; give up to 0.5",
                         o->hold_out);
    return COLLIDE_OK;
}

enum collide_status learn_options_check(const struct learn_options *o, const struct interactions *log,
                                        struct collide_error *err)
{
    enum collide_status status = o->budget_bytes ? check_budget(o, err) : check_plan(&o->items, "items", err);
    if (status == COLLIDE_OK && !o->budget_bytes && o->training.backbone != BACKBONE_BAG)
        status = check_plan(&o->users, "users", err);
    if (status != COLLIDE_OK)
        return status;
    if (o->training.backbone == BACKBONE_USER && o->histories == HISTORIES_MODEL)
        return error_set(err, COLLIDE_INVALID,
                         "a user that is a row of its own has no use for a history: leave histories out, or "
                         "let it be both");
    if (o->dim < 1 || o->dim > MODEL_MAX_DIM)
        return error_set(err, COLLIDE_INVALID, "dim %" PRIu32 " asked for; give 1 to %d", o->dim,
                         MODEL_MAX_DIM);
    if (o->scalar_bits > MODEL_MAX_CLASS_BITS)
        return error_set(err, COLLIDE_INVALID, "%" PRIu32 " bits for weight and bias; give up to %d",
                         o->scalar_bits, MODEL_MAX_CLASS_BITS);
    status = plans_check_computed(o, err);
    if (status == COLLIDE_OK)
        status = row_form_check(o->form, o->dim, err);
    if (status != COLLIDE_OK)
        return status;
    status = check_held_out(o, log->users.n_ids, err);
    if (status != COLLIDE_OK)
        return status;
    return check_training(&o->training, err);
}
