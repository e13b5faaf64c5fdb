/* `collide compare`: several methods on one log, each learned with several seeds. */
#include "base/error.h"
#include "base/log.h"
#include "cli/budget_text.h"
#include "cli/command.h"
#include "cli/compare_print.h"

#include <inttypes.h>
#include <stdlib.h>

struct flags {
    struct experiment_flags experiment;
    const char *methods, *budget;
    uint64_t rows, n_seeds;
    bool json, markdown;
};

struct comparing {
    const struct flags *flags;
    const struct method_list *methods;
    struct experiment experiment;
    uint64_t budget_bytes; /* 0: rows are given */
    struct trial *trials;  /* (methods, seeds) */
};

static enum collide_status set_options(const struct comparing *c, const struct learner *learner,
                                       const struct method_choice *method, struct learn_options *o,
                                       struct collide_error *err)
{
    o->items = method->plan;
    if (method->is_auto) {
        o->budget_bytes = c->budget_bytes;
        return COLLIDE_OK;
    }
    if (c->budget_bytes)
        return learner_fit_rows(learner, c->budget_bytes, o, err);
    uint64_t n_bytes;
    o->items.n_rows = learn_rows(c->flags->rows, c->experiment.log.items.n_ids);
    return learner_bytes(learner, o, &n_bytes, err);
}

/* All methods are settled before the first is learned: what cannot be is said at once. */
static enum collide_status compare_with_seed(struct comparing *c, size_t seed_index,
                                             struct collide_error *err)
{
    const size_t n_methods = c->methods->n;
    const struct learn_options common = experiment_options(&c->experiment, seed_index + 1);
    struct learn_options *options = malloc(n_methods * sizeof *options);
    struct learner *learner = NULL;
    enum collide_status status = options ? learner_create(&c->experiment.log, &common, &learner, err)
                                         : error_no_memory(err, "the methods' options");
    for (size_t m = 0; m < n_methods && status == COLLIDE_OK; m++) {
        options[m] = common;
        status = set_options(c, learner, &c->methods->items[m], &options[m], err);
    }
    for (size_t m = 0; m < n_methods && status == COLLIDE_OK; m++) {
        log_info("seed %zu of %" PRIu64 ": %s", seed_index + 1, c->flags->n_seeds, c->methods->items[m].text);
        status = experiment_try(&c->experiment, learner, &options[m],
                                &c->trials[m * c->flags->n_seeds + seed_index], err);
    }
    learner_destroy(learner);
    free(options);
    return status;
}

static void print(const struct comparing *c)
{
    const struct comparison comparison = {c->methods, c->flags->n_seeds, c->trials};
    if (c->flags->json)
        compare_print_json(&comparison);
    else if (c->flags->markdown)
        compare_print_markdown(&comparison);
    else
        compare_print_text(&comparison);
}

static enum collide_status run(const struct flags *flags, const struct method_list *methods,
                               struct collide_error *err)
{
    struct comparing c = {.flags = flags, .methods = methods};
    enum collide_status status = experiment_open(&flags->experiment, &c.experiment, err);
    if (status == COLLIDE_OK && flags->budget)
        status = budget_parse(flags->budget, &c.experiment.log,
                              learn_flags_options(&flags->experiment.learn).dim, &c.budget_bytes, err);
    c.trials = calloc(methods->n * flags->n_seeds, sizeof *c.trials);
    if (status == COLLIDE_OK && !c.trials)
        status = error_no_memory(err, "the figures");
    for (size_t i = 0; i < flags->n_seeds && status == COLLIDE_OK; i++)
        status = compare_with_seed(&c, i, err);
    if (status == COLLIDE_OK)
        print(&c);
    free(c.trials);
    experiment_close(&c.experiment);
    return status;
}

static bool has_auto(const struct method_list *methods)
{
    for (size_t i = 0; i < methods->n; i++)
        if (methods->items[i].is_auto)
            return true;
    return false;
}

/* NULL: nothing is wrong. */
static const char *misuse(const struct flags *flags)
{
    if (!flags->experiment.test_path)
        return "--test FILE is missing";
    if (!flags->methods)
        return "--methods is missing: give some, such as lhf,frequency,modulo";
    if (flags->rows && flags->budget)
        return "give --rows or --budget, not both";
    if (flags->json && flags->markdown)
        return "give --json or --markdown, not both";
    return NULL;
}

int command_compare(int argc, char **argv)
{
    struct flags flags = {.experiment = experiment_flags_default(), .n_seeds = 3};
    const struct arg table[] = {
        test_arg(&flags.experiment.test_path),
        mask_arg(&flags.experiment.masks),
        {.name = "methods",
         .type = ARG_TEXT,
         .target = &flags.methods,
         .value_name = "A,B,...",
         .default_text = "",
         .help = "ways to map items as `collide learn --method` names them; rq:8 reads 8 rows an item, "
                 "lhf:frequency and lhf:embedding look at one signal alone; auto is what `collide learn "
                 "--budget` chooses, and needs --budget and --val"},
        {.name = "seeds",
         .type = ARG_U64,
         .target = &flags.n_seeds,
         .min = 1,
         .max = 1000,
         .help = "each method is learned with the seeds 1 to N"},
        rows_arg(&flags.rows),
        {.name = "budget",
         .type = ARG_TEXT,
         .target = &flags.budget,
         .value_name = "BYTES|PERCENT",
         .default_text = "",
         .help =
             "instead of --rows: as many as each method can have with all that serving needs, such as 180k, "
             "2.5MB, or percent of f32 rows for all users and items"},
        experiment_val_arg(&flags.experiment),
        SHAPE_ARGS(&flags.experiment.learn),
        USER_ARGS(&flags.experiment.learn),
        learn_threads_arg(&flags.experiment.learn),
        layout_arg(&flags.experiment.layout),
        spill_arg(&flags.experiment.learn),
        {.name = "json", .type = ARG_FLAG, .target = &flags.json, .help = "print one JSON document"},
        {.name = "markdown", .type = ARG_FLAG, .target = &flags.markdown, .help = "print a Markdown table"},
        TRAINING_ARGS(&flags.experiment.learn),
        DEVICE_ARGS(&flags.experiment.device),
    };
    struct usage usage = {
        "collide compare LOG --test FILE --methods A,B,... [options]",
        "Learns a model by each method with each seed, measures all of them on the device as `collide eval` "
        "does, and prints one table: rows, bytes of all that serving needs (histories are not kept, and "
        "methods whose rows can be computed store no mapping, unless --mapping says otherwise or users "
        "have rows), recall and NDCG with their spread over the seeds, seconds to learn. Methods share a "
        "seed's teacher.",
        table, sizeof table / sizeof table[0], .positionals = {1, 1, "LOG"}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    if (misuse(&flags))
        return command_misused(&usage, misuse(&flags));
    struct collide_error err = {0};
    struct method_list methods;
    if (method_list_parse(flags.methods, &methods, &err) != COLLIDE_OK)
        return command_misused(&usage, err.text);
    if (has_auto(&methods) && !(flags.budget && flags.experiment.val_path))
        return command_misused(&usage, "the method auto needs --budget and --val");
    if (has_auto(&methods) && flags.experiment.learn.mapping == ENTRIES_COMPUTED)
        return command_misused(&usage, "the method auto chooses none that is computed: leave --mapping out");
    flags.experiment.log_path = usage.positionals.values[0];
    return run(&flags, &methods, &err) == COLLIDE_OK ? EXIT_DONE : command_fail(&err);
}
