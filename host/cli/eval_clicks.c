#include "cli/eval_clicks.h"

#include "base/buffer.h"
#include "base/error.h"
#include "data/click_log.h"
#include "learn/click/click_metrics.h"
#include "learn/click/click_store.h"
#include "score/model_handle.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 256 };

/* An example's texts are copied: they outlive its line until the batch is scored. */
struct batch {
    size_t n;
    size_t n_ids; /* of an example */
    size_t lengths[BATCH][CLICK_MAX_IDS];
    struct buffer text; /* of all ids, one behind the other */
    struct collide_id ids[BATCH][CLICK_MAX_IDS];
    struct collide_feature features[BATCH][CLICK_MAX_FEATURES];
    struct collide_query queries[BATCH];
};

struct click_eval {
    const struct click_columns *columns;
    struct collide_lane *lane;
    struct batch batch;
    struct buffer logits; /* of float */
    struct buffer labels; /* of uint8_t */
    uint64_t n_unknown;
};

static const char USER[] = "user";

static bool has_user(const struct click_columns *c)
{
    return c->n_features > 0 && !strcmp(c->features[0].name, USER);
}

static void set_query(const struct click_eval *e, struct batch *b, size_t i)
{
    const struct click_columns *c = e->columns;
    const size_t n_users = has_user(c);
    for (size_t f = n_users; f < c->n_features; f++)
        b->features[i][f] = (struct collide_feature){.name = c->features[f].name,
                                                     .n_bytes = strlen(c->features[f].name),
                                                     .ids = &b->ids[i][1 + f],
                                                     .n_ids = 1};
    b->queries[i] = (struct collide_query){.user = n_users ? &b->ids[i][1] : NULL,
                                           .features = &b->features[i][n_users],
                                           .n_features = c->n_features - n_users,
                                           .items = &b->ids[i][0],
                                           .n_items = 1};
}

static enum collide_status score_batch(struct click_eval *e, struct collide_error *err)
{
    struct batch *b = &e->batch;
    float logits[BATCH];
    struct collide_counts counts;
    const char *text = b->text.bytes;
    if (b->n == 0)
        return COLLIDE_OK;
    for (size_t i = 0; i < b->n; i++) {
        for (size_t k = 0; k < b->n_ids; k++) {
            b->ids[i][k] = collide_id_text(text, b->lengths[i][k]);
            text += b->lengths[i][k];
        }
        set_query(e, b, i);
    }
    enum collide_status status = collide_score(e->lane, b->queries, b->n, logits, &counts, err);
    if (status != COLLIDE_OK)
        return status;
    for (size_t i = 0; i < b->n; i++)
        if (!isfinite(logits[i]))
            return error_set(err, COLLIDE_CORRUPT,
                             "example %zu has no finite logit: the model's values are too large",
                             e->labels.n_bytes - b->n + i + 1);
    e->n_unknown += counts.n_unknown;
    buffer_append(&e->logits, logits, b->n * sizeof *logits);
    b->n = b->text.n_bytes = 0;
    return e->logits.failed ? error_no_memory(err, "the scores") : COLLIDE_OK;
}

static enum collide_status add_example(void *context, bool is_click, const struct click_text *ids,
                                       struct collide_error *err)
{
    struct click_eval *e = context;
    struct batch *b = &e->batch;
    uint8_t label = is_click;
    buffer_append(&e->labels, &label, sizeof label);
    for (size_t k = 0; k < b->n_ids; k++) {
        buffer_append(&b->text, ids[k].text, ids[k].n_bytes);
        b->lengths[b->n][k] = ids[k].n_bytes;
    }
    if (e->labels.failed || b->text.failed)
        return error_no_memory(err, "the examples");
    return ++b->n == BATCH ? score_batch(e, err) : COLLIDE_OK;
}

/* What is not chosen is as the model was learned. */
static enum collide_status choose_columns(const struct click_eval_flags *flags, const struct model *model,
                                          struct click_columns *out, struct collide_error *err)
{
    struct click_choices choices = flags->choices;
    choices.label = choices.label ? choices.label : model_provenance(model, CLICK_NOTE_LABEL);
    choices.item = choices.item ? choices.item : model_provenance(model, CLICK_NOTE_ITEM);
    choices.features = choices.features ? choices.features : model_provenance(model, CLICK_NOTE_FEATURES);
    if (!choices.label || !choices.item || !choices.features)
        return error_set(err, COLLIDE_INVALID,
                         "%s was not learned from clicks: say with --label, --item and --features what the "
                         "columns are",
                         flags->model_path);
    return click_columns_parse(&choices, out, err);
}

static void print_number(const char *format, double value, const char *otherwise)
{
    if (isnan(value))
        printf("%s", otherwise);
    else
        printf(format, value);
}

static void print_text(const struct click_quality *q, const struct collide_scorer *scorer, uint64_t n_unknown)
{
    struct collide_scorer_info info;
    collide_scorer_info(scorer, &info);
    printf("%zu examples on %s, %s engine, %.3f %% clicks, %" PRIu64 " unknown ids\n\n", q->n, info.device,
           info.engine, 100.0 * q->base_rate, n_unknown);
    printf("log loss            %10.6f\nnormalised entropy  ", q->log_loss);
    print_number("%10.6f", q->normalised_entropy, "         -");
    printf("\nAUC                 ");
    print_number("%10.6f", q->auc, "         -");
    printf("\n");
}

static void print_json(const struct click_quality *q, uint64_t n_unknown)
{
    printf("{\"examples\":%zu,\"base_rate\":%.6f,\"log_loss\":%.6f,\"normalised_entropy\":", q->n,
           q->base_rate, q->log_loss);
    print_number("%.6f", q->normalised_entropy, "null");
    printf(",\"auc\":");
    print_number("%.6f", q->auc, "null");
    printf(",\"unknown\":%" PRIu64 "}\n", n_unknown);
}

static enum collide_status measure(struct click_eval *e, const char *path, struct click_quality *out,
                                   struct collide_error *err)
{
    const struct click_visitor visitor = {add_example, e};
    enum collide_status status = click_log_scan(path, e->columns, &visitor, err);
    if (status == COLLIDE_OK)
        status = score_batch(e, err);
    if (status == COLLIDE_OK && e->labels.n_bytes == 0)
        return error_set(err, COLLIDE_INVALID, "%s holds no examples", path);
    return status == COLLIDE_OK
               ? click_quality_measure((const float *)(const void *)e->logits.bytes,
                                       (const uint8_t *)e->labels.bytes, e->labels.n_bytes, out, err)
               : status;
}

enum collide_status eval_clicks(const struct click_eval_flags *flags, struct collide_error *err)
{
    struct collide_model *model = NULL;
    struct collide_scorer *scorer = NULL;
    struct click_columns columns;
    struct click_eval *e = calloc(1, sizeof *e);
    struct click_quality quality;
    const struct collide_scorer_options options = device_flags_options(flags->device);
    enum collide_status status = e ? COLLIDE_OK : error_no_memory(err, "the evaluation");
    if (status == COLLIDE_OK)
        status = collide_model_open(flags->model_path, &model, err);
    if (status == COLLIDE_OK)
        status = choose_columns(flags, model->model, &columns, err);
    if (status == COLLIDE_OK)
        status = collide_scorer_create(model, &options, &scorer, err);
    if (status == COLLIDE_OK)
        status = collide_lane_create(scorer, &e->lane, err);
    if (status == COLLIDE_OK) {
        e->columns = &columns;
        e->batch.n_ids = 1 + columns.n_features;
        status = measure(e, flags->log_path, &quality, err);
    }
    if (status == COLLIDE_OK && flags->json)
        print_json(&quality, e->n_unknown);
    else if (status == COLLIDE_OK)
        print_text(&quality, scorer, e->n_unknown);
    if (e) {
        collide_lane_destroy(e->lane);
        buffer_free(&e->batch.text);
        buffer_free(&e->logits);
        buffer_free(&e->labels);
    }
    free(e);
    collide_scorer_destroy(scorer);
    collide_model_close(model);
    return status;
}
