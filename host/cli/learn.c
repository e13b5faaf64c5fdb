#include "learn/learn.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/model_args.h"
#include "data/interactions.h"
#include "learn/checkpoint.h"
#include "model/write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct flags {
    struct learn_options learn;
    uint64_t rows, user_rows, lookups, user_lookups, dim, scalar_bits, threads;
    double temperature, private_share;
    uint64_t teacher_epochs, mapped_epochs, user_epochs, patience;
    int method, user_method, signals, backbone, precision, mapping, histories, layout;
    const char *log_path, *val_path, *output, *budget;
};

static const char *const SIGNALS[] = {
    [SIGNALS_BOTH] = "both", [SIGNALS_FREQUENCY] = "frequency", [SIGNALS_EMBEDDING] = "embedding", NULL};
static const char *const BACKBONES[] = {
    [BACKBONE_BAG] = "bag", [BACKBONE_USER] = "row", [BACKBONE_BOTH] = "both", NULL};
static const char *const MAPPINGS[] = {"stored", "packed", NULL};
enum { HISTORIES_AUTO = 2 };
static const char *const HISTORIES[] = {
    [HISTORIES_MODEL] = "model", [HISTORIES_NONE] = "none", [HISTORIES_AUTO] = "auto", NULL};
static const char *const LAYOUTS[] = {"auto", "pairs", "adjacency", NULL};

/* Held-out pairs by the log's ids. What the log does not know cannot be measured: counted and left out. */
struct held_out {
    const struct interactions *log;
    struct buffer pairs; /* of struct csr_pair */
    uint64_t n_unknown;
};

static enum collide_status add_held_out(void *context, const char *user, size_t n_user, const char *item,
                                        size_t n_item, struct collide_error *err)
{
    struct held_out *h = context;
    struct csr_pair pair = {.row = id_index_find(&h->log->users, collide_id_text(user, n_user)),
                            .value = id_index_find(&h->log->items, collide_id_text(item, n_item))};
    if (pair.row == h->log->users.n_ids || pair.value == h->log->items.n_ids) {
        h->n_unknown++;
        return COLLIDE_OK;
    }
    buffer_append(&h->pairs, &pair, sizeof pair);
    return h->pairs.failed ? error_no_memory(err, "the held-out interactions") : COLLIDE_OK;
}

static enum collide_status read_held_out(const char *path, enum log_layout layout,
                                         const struct interactions *log, struct csr *out,
                                         struct collide_error *err)
{
    struct held_out h = {.log = log};
    const struct log_visitor visitor = {.visit = add_held_out, .context = &h};
    enum collide_status status = log_scan(path, layout, &visitor, NULL, err);
    if (status == COLLIDE_OK && h.pairs.n_bytes == 0)
        status = error_set(err, COLLIDE_INVALID, "%s shares no user and item with the log", path);
    if (status != COLLIDE_OK) {
        buffer_free(&h.pairs);
        return status;
    }
    if (h.n_unknown)
        log_warning("%s: %" PRIu64 " interactions have ids that the log does not; they are not measured",
                    path, h.n_unknown);
    const struct csr_shape shape = {.n_rows = log->users.n_ids, .n_values = log->items.n_ids};
    return csr_from_pairs((struct csr_pair *)(void *)h.pairs.bytes, h.pairs.n_bytes / sizeof(struct csr_pair),
                          shape, out, err);
}

/* Bytes, with k or M behind them for powers of 1000, or percent of a table of f32 rows for all users and
 * items. */
static enum collide_status parse_budget(const char *text, const struct interactions *log, uint32_t dim,
                                        uint64_t *out, struct collide_error *err)
{
    const double full = ((double)log->users.n_ids + (double)log->items.n_ids) * dim * sizeof(float);
    const struct {
        const char *suffix;
        double unit;
    } units[] = {{"", 1.0}, {"k", 1e3}, {"kB", 1e3}, {"M", 1e6}, {"MB", 1e6}, {"%", full / 100.0}};
    char *end;
    double value = strtod(text, &end);
    for (size_t i = 0; end != text && i < sizeof units / sizeof units[0]; i++)
        if (strcmp(end, units[i].suffix) == 0 && value * units[i].unit >= 1.0 &&
            value * units[i].unit < 1e18) {
            *out = (uint64_t)(value * units[i].unit);
            return COLLIDE_OK;
        }
    return error_set(err, COLLIDE_INVALID,
                     "--budget %s is no size: give bytes, such as 180k or 2.5MB, or percent, such as 1%%",
                     text);
}

/* Better known now than after hours of learning. */
static enum collide_status check_writable(const char *path, struct collide_error *err)
{
    struct file_replace file;
    enum collide_status status = file_replace_begin(path, &file, err);
    if (status == COLLIDE_OK)
        file_replace_abandon(&file);
    return status;
}

static enum collide_status run(const struct flags *flags, struct collide_error *err)
{
    struct interactions log = {0};
    struct csr val = {0};
    struct learned *learned = NULL;
    struct learn_options options = flags->learn;
    enum log_layout layout = (enum log_layout)flags->layout;
    enum collide_status status = check_writable(flags->output, err);
    if (status == COLLIDE_OK)
        status = interactions_read(flags->log_path, layout, &log, err);
    if (status == COLLIDE_OK) {
        log_info("%s: %" PRIu64 " interactions of %" PRIu32 " users with %" PRIu32 " items, %" PRIu64
                 " duplicates left out",
                 flags->log_path, log.histories.offsets[log.users.n_ids], log.users.n_ids, log.items.n_ids,
                 log.n_duplicates);
        if (flags->val_path)
            status = read_held_out(flags->val_path, layout, &log, &val, err);
    }
    if (status == COLLIDE_OK) {
        options.val = flags->val_path ? &val : NULL;
        /* An eighth of the ids: enough that likes share, few enough to matter. */
        options.items.n_rows = flags->rows ? (uint32_t)flags->rows : log.items.n_ids / 8 + 1;
        options.users.n_rows = flags->user_rows ? (uint32_t)flags->user_rows : log.users.n_ids / 8 + 1;
        if (flags->budget)
            status = parse_budget(flags->budget, &log, options.dim, &options.budget_bytes, err);
    }
    if (status == COLLIDE_OK) {
        status = learn_model(&log, &options, &learned, err);
    }
    if (status == COLLIDE_OK)
        status = model_write(learned_model(learned), flags->output, err);
    if (status == COLLIDE_OK)
        log_info("wrote %s", flags->output);
    if (status == COLLIDE_OK && options.checkpoint)
        status = checkpoint_remove(options.checkpoint, err);
    learned_destroy(learned);
    csr_free(&val);
    interactions_free(&log);
    return status;
}

int command_learn(int argc, char **argv)
{
    struct flags flags = {.learn = learn_options_default()};
    struct training *training = &flags.learn.training;
    flags.dim = flags.learn.dim;
    flags.threads = flags.learn.n_threads;
    flags.method = (int)flags.learn.items.method;
    flags.user_method = (int)flags.learn.users.method;
    flags.precision = (int)flags.learn.form;
    flags.mapping = (int)flags.learn.mapping;
    flags.histories = HISTORIES_AUTO;
    flags.temperature = (double)training->temperature;
    flags.teacher_epochs = training->teacher_epochs;
    flags.mapped_epochs = training->mapped_epochs;
    flags.user_epochs = training->user_epochs;
    flags.patience = flags.learn.patience;
    const struct arg table[] = {
        {.name = "output",
         .short_name = 'o',
         .type = ARG_TEXT,
         .target = &flags.output,
         .value_name = "MODEL",
         .help = "the model file to write; an older one is replaced only by a complete one"},
        {.name = "method",
         .type = ARG_CHOICE,
         .target = &flags.method,
         .choices = learn_method_names,
         .help = "how items share rows; docs/METHODS.md says what each one does"},
        {.name = "rows",
         .type = ARG_U64,
         .target = &flags.rows,
         .min = 1,
         .max = UINT32_MAX - 1,
         .default_text = "an eighth of the items",
         .help = "rows of dim values for items, in all codebooks together"},
        {.name = "lookups",
         .type = ARG_U64,
         .target = &flags.lookups,
         .min = 1,
         .max = MODEL_MAX_LOOKUPS,
         .default_text = "as the method has it",
         .help = "rows an item, of methods that read several"},
        {.name = "signals",
         .type = ARG_CHOICE,
         .target = &flags.signals,
         .choices = SIGNALS,
         .help = "what lhf looks at: how often ids occur, what they are like, or both"},
        {.name = "private",
         .type = ARG_DOUBLE,
         .target = &flags.private_share,
         .high = 1,
         .value_name = "SHARE",
         .help = "of lhf's rows, for the most frequent ids alone"},
        {.name = "budget",
         .type = ARG_TEXT,
         .target = &flags.budget,
         .value_name = "BYTES|PERCENT",
         .help = "chooses method, rows, lookups and precision for the best quality on --val or --hold-out "
                 "within so many bytes "
                 "(180k, 2.5MB), or so many percent of f32 rows for all users and items (1%)"},
        {.name = "dim",
         .type = ARG_U64,
         .target = &flags.dim,
         .min = 1,
         .max = MODEL_MAX_DIM,
         .help = "values a row"},
        precision_arg(&flags.precision, row_form_names),
        mapping_arg(&flags.mapping, MAPPINGS),
        {.name = "scalar-bits",
         .type = ARG_U64,
         .target = &flags.scalar_bits,
         .max = MODEL_MAX_CLASS_BITS,
         .default_text = "0: two floats",
         .help = "that an item's weight and bias take together: a class of items has them in common"},
        {.name = "users",
         .type = ARG_CHOICE,
         .target = &flags.backbone,
         .choices = BACKBONES,
         .help = "a user is the bag of its history over the items' rows, or has a row of its own that others "
                 "may share, or both"},
        {.name = "user-method",
         .type = ARG_CHOICE,
         .target = &flags.user_method,
         .choices = learn_method_names,
         .help = "how users share rows"},
        {.name = "user-rows",
         .type = ARG_U64,
         .target = &flags.user_rows,
         .min = 1,
         .max = UINT32_MAX - 1,
         .default_text = "an eighth of the users",
         .help = "rows for users"},
        {.name = "user-lookups",
         .type = ARG_U64,
         .target = &flags.user_lookups,
         .min = 1,
         .max = MODEL_MAX_LOOKUPS,
         .default_text = "as the method has it",
         .help = "rows a user, of methods that read several"},
        {.name = "histories",
         .type = ARG_CHOICE,
         .target = &flags.histories,
         .choices = HISTORIES,
         .help =
             "keep the users' histories in the model, so that a user id alone can be scored, or not; auto "
             "keeps them unless users have rows"},
        {.name = "val",
         .type = ARG_TEXT,
         .target = &flags.val_path,
         .value_name = "FILE",
         .help = "held-out interactions to measure on; the figures are kept in the model, and so are the "
                 "parameters that were best on them"},
        {.name = "hold-out",
         .type = ARG_DOUBLE,
         .target = &flags.learn.hold_out,
         .low = 0,
         .high = 0.5,
         .value_name = "SHARE",
         .help = "instead of --val: this share of the log's interactions, such as 0.1, is not trained on but "
                 "measured on. With --budget the choice is made by it, and then trained on the whole log"},
        {.name = "checkpoint",
         .type = ARG_TEXT,
         .target = &flags.learn.checkpoint,
         .value_name = "DIR",
         .help =
             "keep in this folder, after every epoch, what learning has come to; the same command goes on "
             "from there, to the same model. It is removed when the model is written"},
        {.name = "layout",
         .type = ARG_CHOICE,
         .target = &flags.layout,
         .choices = LAYOUTS,
         .help = "lines of \"user item\", or of \"user item item ...\""},
        {.name = "seed",
         .type = ARG_U64,
         .target = &flags.learn.seed,
         .help = "the same seed and thread count give the same model"},
        {.name = "threads",
         .type = ARG_U64,
         .target = &flags.threads,
         .max = 1024,
         .default_text = "one a CPU",
         .help = "threads"},
        {.name = "temperature",
         .type = ARG_DOUBLE,
         .target = &flags.temperature,
         .low = 0.005,
         .high = 10,
         .default_text = "1.3 / ln items",
         .group = "Training",
         .help = "a logit is cosine / temperature + bias"},
        {.name = "teacher-epochs",
         .type = ARG_U64,
         .target = &flags.teacher_epochs,
         .min = 1,
         .max = 10000,
         .group = "Training",
         .help = "epochs before the mapping, a row an item"},
        {.name = "epochs",
         .type = ARG_U64,
         .target = &flags.mapped_epochs,
         .min = 1,
         .max = 10000,
         .group = "Training",
         .help = "epochs through the mapping"},
        {.name = "user-epochs",
         .type = ARG_U64,
         .target = &flags.user_epochs,
         .max = 10000,
         .group = "Training",
         .help = "epochs with users' rows, after those were found from their histories"},
        {.name = "patience",
         .type = ARG_U64,
         .target = &flags.patience,
         .max = 1000,
         .group = "Training",
         .help = "with held-out interactions, quality is measured ten times in each stage of training, which "
                 "ends after so many measurements without a better one; 0: never"},
    };
    struct usage usage = {
        "collide learn LOG -o MODEL [options]",
        "Learns which items share an embedding row, and the rows, from an interaction log: \"user item\" "
        "lines (blanks, commas or tabs, a header, further columns), LightGCN adjacency lines, plain, "
        ".gz or .zst; - is standard input.",
        table, sizeof table / sizeof table[0], .positionals = {1, 1, "LOG"}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    if (!flags.output)
        return command_misused(&usage, "-o MODEL is missing");
    flags.log_path = usage.positionals.values[0];
    flags.learn.items = (struct space_plan){.method = (enum learn_method)flags.method,
                                            .settings = {.n_lookups = (uint32_t)flags.lookups,
                                                         .signals = (enum mapping_signals)flags.signals,
                                                         .private_share = (float)flags.private_share}};
    flags.learn.users = (struct space_plan){.method = (enum learn_method)flags.user_method,
                                            .settings = {.n_lookups = (uint32_t)flags.user_lookups}};
    training->backbone = (enum backbone)flags.backbone;
    training->user_epochs = (uint32_t)flags.user_epochs;
    flags.learn.patience = (uint32_t)flags.patience;
    if (flags.histories == HISTORIES_AUTO)
        flags.histories =
            training->backbone == BACKBONE_USER || flags.budget ? HISTORIES_NONE : HISTORIES_MODEL;
    flags.learn.form = (enum row_form)flags.precision;
    flags.learn.mapping = (enum mapping_kind)flags.mapping;
    flags.learn.histories = (enum histories)flags.histories;
    flags.learn.dim = (uint32_t)flags.dim;
    flags.learn.scalar_bits = (uint32_t)flags.scalar_bits;
    flags.learn.n_threads = (unsigned)flags.threads;
    training->temperature = (float)flags.temperature;
    training->teacher_epochs = (uint32_t)flags.teacher_epochs;
    training->mapped_epochs = (uint32_t)flags.mapped_epochs;
    struct collide_error err = {0};
    return run(&flags, &err) == COLLIDE_OK ? EXIT_DONE : command_fail(&err);
}
