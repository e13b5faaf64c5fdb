#include "cli/experiment.h"

#include "base/error.h"
#include "base/log.h"
#include "base/parallel.h"
#include "cli/held_out.h"
#include "model/cost.h"
#include "model/write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const quality_names[N_QUALITIES] = {
    [RECALL_AT_10] = "recall@10", [NDCG_AT_10] = "ndcg@10", [RECALL_AT_50] = "recall@50"};

struct experiment_flags experiment_flags_default(void)
{
    struct experiment_flags flags = {.learn = learn_flags_default()};
    flags.learn.mapping = ENTRIES_AUTO;
    return flags;
}

struct arg experiment_val_arg(struct experiment_flags *flags)
{
    return (struct arg){.name = "val",
                        .type = ARG_TEXT,
                        .target = &flags->val_path,
                        .value_name = "FILE",
                        .help =
                            "held-out interactions to choose models by; masked in the test only if --mask "
                            "names it too"};
}

/* ---- */

static bool has_own_rows_alone(const struct experiment_flags *flags)
{
    return flags->learn.backbone == BACKBONE_USER;
}

static enum collide_status read_lists(struct experiment *e, struct collide_error *err)
{
    const struct experiment_flags *flags = e->flags;
    const char *masks[ARG_LIST_MAX + 1];
    size_t n_masks = flags->masks.n;
    memcpy(masks, flags->masks.items, n_masks * sizeof *masks);
    if (has_own_rows_alone(flags))
        masks[n_masks++] = flags->log_path;
    const struct eval_files files = {.test = flags->test_path,
                                     .masks = masks,
                                     .n_masks = n_masks,
                                     .history = has_own_rows_alone(flags) ? NULL : flags->log_path,
                                     .layout = (enum log_layout)flags->layout,
                                     .spill = flags->learn.spill};
    return eval_lists_read(&files, &e->log.items, &e->lists, err);
}

enum collide_status experiment_open(const struct experiment_flags *flags, struct experiment *out,
                                    struct collide_error *err)
{
    *out = (struct experiment){.flags = flags};
    struct stat st;
    if (strcmp(flags->log_path, "-") == 0 || (stat(flags->log_path, &st) == 0 && !S_ISREG(st.st_mode)))
        return error_set(err, COLLIDE_INVALID, "the log is read twice, so it must be a file");
    enum collide_status status = interactions_read(flags->log_path, (enum log_layout)flags->layout,
                                                   flags->learn.spill, &out->log, err);
    if (status == COLLIDE_OK && flags->val_path)
        status = held_out_read(flags->val_path, (enum log_layout)flags->layout, &out->log, &out->val, err);
    if (status == COLLIDE_OK)
        status = read_lists(out, err);
    if (status != COLLIDE_OK)
        experiment_close(out);
    return status;
}

void experiment_close(struct experiment *e)
{
    eval_lists_free(&e->lists);
    csr_free(&e->val);
    interactions_free(&e->log);
    *e = (struct experiment){0};
}

struct learn_options experiment_options(const struct experiment *e, uint64_t seed)
{
    struct learn_options o = learn_flags_options(&e->flags->learn);
    o.users.n_rows = learn_rows(e->flags->learn.user_rows, e->log.users.n_ids);
    o.histories = HISTORIES_NONE;
    o.val = e->flags->val_path ? &e->val : NULL;
    o.seed = seed;
    return o;
}

/* ---- One model. */

/* As a file that is gone once it is closed. */
static enum collide_status reopen(const struct model *model, struct collide_model **out,
                                  struct collide_error *err)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    const int n = snprintf(path, sizeof path, "%s/collide-XXXXXX", folder && *folder ? folder : "/tmp");
    if (n < 0 || (size_t)n >= sizeof path)
        return error_set(err, COLLIDE_INVALID, "TMPDIR has %d characters: set a shorter one", n);
    const int fd = mkstemp(path);
    if (fd < 0)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot make a file for a model, %s", path);
    close(fd);
    enum collide_status status = model_write(model, path, err);
    if (status == COLLIDE_OK)
        status = collide_model_open(path, out, err);
    unlink(path);
    return status;
}

static enum collide_status measure(const struct experiment *e, const struct collide_model *model,
                                   struct trial *out, struct collide_error *err)
{
    const struct collide_scorer_options scorer = device_flags_options(&e->flags->device);
    const uint64_t n_threads = e->flags->learn.threads;
    const struct eval_request request = {.model = model,
                                         .lists = &e->lists,
                                         .scorer = &scorer,
                                         .model_name = "the model",
                                         .test_name = e->flags->test_path,
                                         .depth = 50,
                                         .n_threads = n_threads ? (unsigned)n_threads : parallel_n_cpus()};
    struct eval_result result = {0};
    enum collide_status status = eval_run(&request, &result, err);
    if (status != COLLIDE_OK)
        return status;
    const struct ranking_quality at_10 = eval_quality(&result, &e->lists, 10);
    out->qualities[RECALL_AT_10] = at_10.recall;
    out->qualities[NDCG_AT_10] = at_10.ndcg;
    out->qualities[RECALL_AT_50] = eval_quality(&result, &e->lists, 50).recall;
    eval_result_free(&result);
    return COLLIDE_OK;
}

static const char *provenance_of(const struct model *m, const char *name)
{
    const char *value = model_provenance(m, name);
    return value ? value : "";
}

static void describe(const struct model *m, struct trial *out)
{
    const uint64_t n_rows = strtoull(provenance_of(m, "trained_rows"), NULL, 10) +
                            strtoull(provenance_of(m, "trained_user_rows"), NULL, 10);
    snprintf(out->method, sizeof out->method, "%s", provenance_of(m, "method"));
    out->n_lookups = m->mapping.n_lookups;
    out->precision = precision_name(m->rows.precision);
    out->scaling = scaling_name(m->rows.scaling);
    out->n_rows = n_rows * m->rows.width / m->dim;
    out->n_bytes = bytes_of_model(m, 0);
}

enum collide_status experiment_try(const struct experiment *e, struct learner *learner,
                                   const struct learn_options *options, struct trial *out,
                                   struct collide_error *err)
{
    struct learned *learned = NULL;
    struct collide_model *model = NULL;
    *out = (struct trial){0};
    enum collide_status status = learner_learn(learner, options, &learned, &out->seconds, err);
    if (status == COLLIDE_OK) {
        describe(learned_model(learned), out);
        status = reopen(learned_model(learned), &model, err);
    }
    if (status == COLLIDE_OK)
        status = measure(e, model, out, err);
    if (status == COLLIDE_OK)
        log_info("%s x %" PRIu32 ", %" PRIu64 " rows of %s: %" PRIu64
                 " bytes, recall@10 %.2f %%, ndcg@10 %.2f %%",
                 out->method, out->n_lookups, out->n_rows, out->precision, out->n_bytes,
                 100 * out->qualities[RECALL_AT_10], 100 * out->qualities[NDCG_AT_10]);
    collide_model_close(model);
    learned_destroy(learned);
    return status;
}
