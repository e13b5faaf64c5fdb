#include "learn/learn.h"

#include "base/file.h"
#include "base/log.h"
#include "cli/budget_text.h"
#include "cli/click_args.h"
#include "cli/command.h"
#include "cli/held_out.h"
#include "cli/learn_args.h"
#include "cli/learn_clicks.h"
#include "cli/learn_embeddings.h"
#include "cli/method_list.h"
#include "data/interactions.h"
#include "learn/checkpoint.h"
#include "learn/embeddings/numbers.h"
#include "model/write.h"

#include <inttypes.h>

struct flags {
    struct learn_flags learn;
    uint64_t rows, lookups, seed;
    double private_share, hold_out;
    int method, signals, histories, layout;
    const char *log_path, *val_path, *output, *budget, *checkpoint;
    struct click_options clicks;
    uint64_t teacher_dim;
    struct embedding_flags embeddings;
};

enum { HISTORIES_AUTO = 2 };
static const char *const HISTORIES[] = {
    [HISTORIES_MODEL] = "model", [HISTORIES_NONE] = "none", [HISTORIES_AUTO] = "auto", NULL};

/* Better known now than after hours of learning. */
static enum collide_status check_output(const struct flags *flags, struct collide_error *err)
{
    const struct embedding_files *tables = &flags->embeddings.files;
    const char *const inputs[] = {tables->items, tables->users, tables->bias, tables->frequencies};
    struct file_replace file;
    enum collide_status status = file_check_apart(flags->output, flags->log_path, err);
    if (status == COLLIDE_OK)
        status = file_check_apart(flags->output, flags->val_path, err);
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0] && status == COLLIDE_OK; i++)
        status = numbers_check_apart(flags->output, inputs[i], err);
    if (status == COLLIDE_OK)
        status = file_replace_begin(flags->output, &file, err);
    if (status == COLLIDE_OK)
        file_replace_abandon(&file);
    return status;
}

static struct method_settings settings_of(const struct flags *flags)
{
    return (struct method_settings){.n_lookups = (uint32_t)flags->lookups,
                                    .signals = (enum mapping_signals)flags->signals,
                                    .private_share = (float)flags->private_share};
}

static struct learn_options options_of(const struct flags *flags, const struct interactions *log)
{
    struct learn_options o = learn_flags_options(&flags->learn);
    o.items = (struct space_plan){.method = (enum learn_method)flags->method,
                                  .n_rows = learn_rows(flags->rows, log->items.n_ids),
                                  .settings = settings_of(flags)};
    o.users.n_rows = learn_rows(flags->learn.user_rows, log->users.n_ids);
    o.histories = (enum histories)flags->histories;
    if (flags->histories == HISTORIES_AUTO)
        o.histories =
            o.training.backbone == BACKBONE_USER || flags->budget ? HISTORIES_NONE : HISTORIES_MODEL;
    o.hold_out = flags->hold_out;
    o.checkpoint = flags->checkpoint;
    o.seed = flags->seed;
    return o;
}

/* No user can be scored by its id alone. */
static bool needs_histories(const struct learn_options *o)
{
    return o->histories == HISTORIES_NONE && o->training.backbone == BACKBONE_BAG;
}

static enum collide_status run(const struct flags *flags, struct collide_error *err)
{
    struct interactions log = {0};
    struct csr val = {0};
    struct learned *learned = NULL;
    struct learn_options options;
    enum log_layout layout = (enum log_layout)flags->layout;
    enum collide_status status = check_output(flags, err);
    if (status == COLLIDE_OK)
        status = interactions_read(flags->log_path, layout, flags->learn.spill, &log, err);
    if (status == COLLIDE_OK) {
        log_info("%s: %" PRIu64 " interactions of %" PRIu32 " users with %" PRIu32 " items, %" PRIu64
                 " duplicates left out",
                 flags->log_path, log.histories.offsets[log.users.n_ids], log.users.n_ids, log.items.n_ids,
                 log.n_duplicates);
        if (flags->val_path)
            status = held_out_read(flags->val_path, layout, &log, &val, err);
    }
    if (status == COLLIDE_OK) {
        options = options_of(flags, &log);
        options.val = flags->val_path ? &val : NULL;
        if (flags->budget)
            status = budget_parse(flags->budget, &log, options.dim, &options.budget_bytes, err);
    }
    if (status == COLLIDE_OK) {
        status = learn_model(&log, &options, &learned, err);
    }
    if (status == COLLIDE_OK)
        status = model_write(learned_model(learned), flags->output, err);
    if (status == COLLIDE_OK)
        log_info("wrote %s%s", flags->output,
                 needs_histories(&options) ? ", which needs a history with each request: it stores none "
                                             "(--histories model) and no rows of users (--users row)"
                                           : "");
    if (status == COLLIDE_OK && flags->checkpoint)
        status = checkpoint_remove(flags->checkpoint, err);
    learned_destroy(learned);
    csr_free(&val);
    interactions_free(&log);
    return status;
}

static bool is_click_log(const struct flags *flags)
{
    const struct click_choices *c = &flags->clicks.choices;
    return c->label || c->item || c->features;
}

static enum collide_status run_clicks(const struct flags *flags, struct collide_error *err)
{
    const struct learn_options o = learn_flags_options(&flags->learn);
    struct click_options options = flags->clicks;
    options.log_path = flags->log_path;
    options.val_path = flags->val_path;
    options.method = (enum learn_method)flags->method;
    options.settings = settings_of(flags);
    options.n_rows = (uint32_t)flags->rows;
    options.dim = flags->learn.dim ? o.dim : options.dim;
    options.teacher_dim = (uint32_t)flags->teacher_dim;
    options.form = o.form;
    options.teacher_epochs = o.training.teacher_epochs;
    options.mapped_epochs = o.training.mapped_epochs;
    options.seed = flags->seed;
    options.n_threads = o.n_threads;
    enum collide_status status = check_output(flags, err);
    return status == COLLIDE_OK ? learn_clicks(&options, flags->output, err) : status;
}

static enum collide_status run_embeddings(const struct flags *flags, struct collide_error *err)
{
    const struct learn_options o = learn_flags_options(&flags->learn);
    struct embedding_options options = {.items = {.method = (enum learn_method)flags->method,
                                                  .n_rows = (uint32_t)flags->rows,
                                                  .settings = settings_of(flags)},
                                        .users = o.users,
                                        .form = o.form,
                                        .mapping = o.mapping,
                                        .scalar_bits = o.scalar_bits,
                                        .seed = flags->seed,
                                        .n_threads = o.n_threads};
    options.users.n_rows = (uint32_t)flags->learn.user_rows;
    enum collide_status status = check_output(flags, err);
    return status == COLLIDE_OK
               ? learn_embeddings(&flags->embeddings, &options, flags->budget, flags->output, err)
               : status;
}

/* What makes no sense without a log. */
static const char *const FOR_LOGS[] = {
    "dim",    "users",       "histories",      "val",    "hold-out",    "checkpoint", "spill",
    "layout", "temperature", "teacher-epochs", "epochs", "user-epochs", "patience",   "label",
    "item",   "features",    "teacher-dim",    "l2",     NULL};

/* What goes with rows of users, with one method, with all but one, and with logs of clicks. */
static const char *const FOR_USERS[] = {"user-method", "user-rows", "user-lookups", NULL};
static const char *const FOR_LHF[] = {"signals", "private", NULL};
static const char *const NOT_FOR_FULL[] = {"rows", NULL};
static const char *const FOR_CLICKS[] = {"teacher-dim", "l2", NULL};

/* What a budget chooses, for a log. */
static const char *const CHOSEN_BY_BUDGET[] = {"method",      "rows",      "lookups",      "signals",
                                               "private",     "precision", "mapping",      "scalar-bits",
                                               "user-method", "user-rows", "user-lookups", NULL};

/* What goes with embeddings alone; and what click logs have something else for. */
static const char *const FOR_EMBEDDINGS[] = {"user-embeddings", "frequencies", "bias", "pooling", NULL};
static const struct {
    const char *names[5], *instead;
} NOT_FOR_CLICKS[] = {
    {{"budget"}, "give --rows, then pack the model: collide convert --mapping packed --precision i4"},
    {{"mapping"}, "pack the model when it is learned: collide convert --mapping packed"},
    {{"scalar-bits"}, "every item keeps a bias of its own"},
    {{"hold-out"}, "give --val FILE, or leave it out: then the log's last tenth is held out"},
    {{"users", "user-method", "user-rows", "user-lookups"},
     "name the column of users in --features, as in --features user=user_id"},
    {{"checkpoint"}, "a run that is cut short starts over"},
    {{"spill"}, "they are kept in memory"},
    {{"histories"}, "a user is what --features say"},
    {{"layout"}, "--label, --item and --features say what columns hold"},
    {{"patience"}, "training ends by itself when held-out examples are scored no better"},
    {{"temperature", "user-epochs"}, "training on clicks has none"},
};

static int refuse_for_clicks(const struct usage *usage)
{
    int exit_code = EXIT_DONE;
    char why[120];
    for (size_t i = 0; i < sizeof NOT_FOR_CLICKS / sizeof NOT_FOR_CLICKS[0] && exit_code == EXIT_DONE; i++) {
        snprintf(why, sizeof why, "is not for click logs: %s", NOT_FOR_CLICKS[i].instead);
        exit_code = command_refuse(usage, NOT_FOR_CLICKS[i].names, why);
    }
    return exit_code;
}

static int check_embeddings(const struct usage *usage, const struct flags *flags)
{
    int exit_code =
        command_refuse(usage, FOR_LOGS, "is not for embeddings, which are learned from without a log");
    if (exit_code == EXIT_DONE && !flags->embeddings.files.users)
        exit_code = command_refuse(usage, FOR_USERS, "goes with --user-embeddings, where there is no log");
    if (exit_code != EXIT_DONE)
        return exit_code;
    if (usage->positionals.n)
        return command_misused(usage, "a log and --from-embeddings are given; choose one of both");
    if (flags->budget && (flags->rows || flags->learn.user_rows))
        return command_misused(usage,
                               "--budget says how many rows there are; leave --rows and --user-rows out");
    return EXIT_DONE;
}

static int check_log(const struct usage *usage, const struct flags *flags)
{
    const struct click_choices *c = &flags->clicks.choices;
    if (!usage->positionals.n)
        return command_misused(usage, "too few arguments: expected LOG, or --from-embeddings FILE");
    int exit_code = command_refuse(usage, FOR_EMBEDDINGS, "goes with --from-embeddings");
    if (exit_code != EXIT_DONE)
        return exit_code;
    if (is_click_log(flags))
        return c->label && c->item && c->features
                   ? refuse_for_clicks(usage)
                   : command_misused(usage, "a click log needs all of --label, --item and --features");
    if (flags->val_path && flags->hold_out > 0.0)
        return command_misused(usage, "--val and --hold-out are given; choose one of both");
    exit_code =
        command_refuse(usage, FOR_CLICKS, "goes with --label, --item and --features, for a log of clicks");
    if (exit_code == EXIT_DONE && flags->budget)
        exit_code =
            command_refuse(usage, CHOSEN_BY_BUDGET, "is what --budget chooses: leave one of both out");
    if (exit_code == EXIT_DONE && flags->method != LEARN_LHF)
        exit_code = command_refuse(usage, FOR_LHF, "goes with --method lhf");
    if (exit_code == EXIT_DONE && flags->method == LEARN_FULL)
        exit_code =
            command_refuse(usage, NOT_FOR_FULL, "is not for --method full, which has a row for every item");
    if (exit_code == EXIT_DONE && flags->learn.backbone == BACKBONE_BAG)
        exit_code = command_refuse(usage, FOR_USERS, "goes with --users row or --users both");
    return exit_code;
}

int command_learn(int argc, char **argv)
{
    const struct learn_options defaults = learn_options_default();
    struct flags flags = {.learn = learn_flags_default(),
                          .seed = defaults.seed,
                          .method = (int)defaults.items.method,
                          .histories = HISTORIES_AUTO,
                          .clicks = click_options_default(),
                          .embeddings = embedding_flags_default()};
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
         .value_name = "METHOD",
         .help =
             "how items share rows: lhf, rq, pq, full, modulo, hash, frequency, double, hybrid, bloom, qr, "
             "qr-mul, qr-concat, lsh, hashemb, robe, ce, cce, graphhash, leiden or baco; docs/METHODS.md "
             "says what each one does"},
        rows_arg(&flags.rows),
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
         .choices = signal_names,
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
         .help = "chooses method, rows, lookups, precision, mapping and bits of scalars for the best quality "
                 "on --val or --hold-out within so many bytes (180k, 2.5MB), or so many percent of f32 rows "
                 "for all users and items (1%); with --from-embeddings the rows of the method given"},
        SHAPE_ARGS(&flags.learn),
        USER_ARGS(&flags.learn),
        {.name = "histories",
         .type = ARG_CHOICE,
         .target = &flags.histories,
         .choices = HISTORIES,
         .help =
             "keep the users' histories in the model, so that a user id alone can be scored, or not; auto "
             "keeps them, but not with --users row or --budget, of which they would take a part"},
        {.name = "val",
         .type = ARG_TEXT,
         .target = &flags.val_path,
         .value_name = "FILE",
         .help = "held-out interactions to measure on; the figures are kept in the model, and so are the "
                 "parameters that were best on them"},
        {.name = "hold-out",
         .type = ARG_DOUBLE,
         .target = &flags.hold_out,
         .low = 0,
         .high = 0.5,
         .value_name = "SHARE",
         .help = "instead of --val: this share of the log's interactions, such as 0.1, is not trained on but "
                 "measured on. With --budget the choice is made by it, and then trained on the whole log"},
        {.name = "checkpoint",
         .type = ARG_TEXT,
         .target = &flags.checkpoint,
         .value_name = "DIR",
         .help =
             "keep in this folder, after every epoch, what learning has come to; the same command goes on "
             "from there, to the same model. It is removed when the model is written"},
        layout_arg(&flags.layout),
        {.name = "seed",
         .type = ARG_U64,
         .target = &flags.seed,
         .help = "the same seed and thread count give the same model"},
        learn_threads_arg(&flags.learn),
        spill_arg(&flags.learn),
        TRAINING_ARGS(&flags.learn),
        CLICK_ARGS(&flags.clicks.choices),
        {.name = "teacher-dim",
         .type = ARG_U64,
         .target = &flags.teacher_dim,
         .min = 1,
         .max = MODEL_MAX_DIM,
         .default_text = "8",
         .group = CLICK_GROUP,
         .help = "dimensions of what the mapping is learned from"},
        {.name = "l2",
         .type = ARG_DOUBLE,
         .target = &flags.clicks.l2,
         .low = 0,
         .high = 10,
         .default_text = "the best on held-out examples",
         .group = CLICK_GROUP,
         .help = "regularisation"},
        EMBEDDING_ARGS(&flags.embeddings),
    };
    struct usage usage = {
        "collide learn LOG|--from-embeddings FILE -o MODEL [options]",
        "Learns which items share an embedding row, and the rows, from an interaction log: \"user item\" "
        "lines (blanks, commas or tabs, a header, further columns), LightGCN adjacency lines, plain, "
        ".gz or .zst; - is standard input. With --label, --item and --features the log is one of clicks, "
        "and a model of them is learned. With --from-embeddings there is no log: tables that were trained "
        "elsewhere are compressed.",
        table, sizeof table / sizeof table[0], .positionals = {0, 1, "LOG"}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    const bool has_embeddings = flags.embeddings.files.items != NULL;
    exit_code = has_embeddings ? check_embeddings(&usage, &flags) : check_log(&usage, &flags);
    if (exit_code != EXIT_DONE)
        return exit_code;
    if (!flags.output)
        return command_misused(&usage, "-o MODEL is missing");
    flags.log_path = has_embeddings ? NULL : usage.positionals.values[0];
    struct collide_error err = {0};
    enum collide_status status = has_embeddings         ? run_embeddings(&flags, &err)
                                 : is_click_log(&flags) ? run_clicks(&flags, &err)
                                                        : run(&flags, &err);
    return status == COLLIDE_OK ? EXIT_DONE : command_fail(&err);
}
