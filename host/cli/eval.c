/* `collide eval`: recall and NDCG over all items, by the protocol of GraphHash and BACO, scored on the
 * device. */
#include "base/error.h"
#include "base/parallel.h"
#include "cli/click_args.h"
#include "cli/command.h"
#include "cli/device_args.h"
#include "cli/eval_clicks.h"
#include "cli/eval_print.h"
#include "cli/learn_args.h"

enum { MAX_CUTOFF = 10000 };

enum by { BY_NOTHING, BY_ITEMS, BY_USERS, BY_BOTH };
static const char *const BYS[] = {
    [BY_NOTHING] = "nothing", [BY_ITEMS] = "items", [BY_USERS] = "users", [BY_BOTH] = "both", NULL};

struct flags {
    struct device_flags device;
    struct eval_files files;
    struct arg_text_list masks;
    struct arg_u64_list cutoffs;
    uint64_t threads;
    int by, layout;
    bool json;
    const char *clicks;
    struct click_choices choices;
    const char *model_path;
};

static enum collide_status print(const struct flags *flags, const struct eval_request *request,
                                 const struct eval_result *result, struct collide_error *err)
{
    struct eval_breakdown by_items, by_users;
    const bool has_items = flags->by == BY_ITEMS || flags->by == BY_BOTH,
               has_users = flags->by == BY_USERS || flags->by == BY_BOTH;
    enum collide_status status = COLLIDE_OK;
    if (has_items)
        status = eval_by_items(request, result, &flags->cutoffs, &by_items, err);
    if (status == COLLIDE_OK && has_users)
        status = eval_by_users(request, result, &flags->cutoffs, &by_users, err);
    if (status != COLLIDE_OK)
        return status;
    const struct eval_figures figures = {.result = result,
                                         .lists = request->lists,
                                         .cutoffs = &flags->cutoffs,
                                         .by_items = has_items ? &by_items : NULL,
                                         .by_users = has_users ? &by_users : NULL};
    if (flags->json)
        eval_print_json(&figures);
    else
        eval_print_text(&figures);
    return COLLIDE_OK;
}

static size_t largest(const struct arg_u64_list *list)
{
    uint64_t most = 0;
    for (size_t i = 0; i < list->n; i++)
        most = list->items[i] > most ? list->items[i] : most;
    return most;
}

static enum collide_status run(const struct flags *flags, struct collide_error *err)
{
    struct collide_model *model = NULL;
    struct eval_lists lists = {0};
    struct eval_result result = {0};
    const struct collide_scorer_options scorer = device_flags_options(&flags->device);
    enum collide_status status = collide_model_open(flags->model_path, &model, err);
    if (status == COLLIDE_OK)
        status = eval_lists_read(&flags->files, &model->items, &lists, err);
    const struct eval_request request = {.model = model,
                                         .lists = &lists,
                                         .scorer = &scorer,
                                         .model_name = flags->model_path,
                                         .test_name = flags->files.test,
                                         .depth = largest(&flags->cutoffs),
                                         .n_threads = (unsigned)flags->threads};
    if (status == COLLIDE_OK)
        status = eval_run(&request, &result, err);
    if (status == COLLIDE_OK)
        status = print(flags, &request, &result, err);
    eval_result_free(&result);
    eval_lists_free(&lists);
    collide_model_close(model);
    return status;
}

static const char *const FOR_LISTS[] = {"mask", "history", "k", "by", "layout", "threads", NULL};
static const char *const FOR_CLICKS[] = {"label", "item", "features", NULL};

int command_eval(int argc, char **argv)
{
    struct flags flags = {.cutoffs = {.items = {10, 20, 50}, .n = 3}, .threads = parallel_n_cpus()};
    const struct arg table[] = {
        test_arg(&flags.files.test),
        mask_arg(&flags.masks),
        {.name = "history",
         .type = ARG_TEXT,
         .target = &flags.files.history,
         .value_name = "FILE",
         .help = "the users' histories, where the model stores none or instead of them"},
        {.name = "k",
         .short_name = 'k',
         .type = ARG_U64_LIST,
         .target = &flags.cutoffs,
         .min = 1,
         .max = MAX_CUTOFF,
         .value_name = "K,K...",
         .help = "lengths of the lists to judge"},
        {.name = "by",
         .type = ARG_CHOICE,
         .target = &flags.by,
         .choices = BYS,
         .help =
             "figures for items by how often they occur, a quarter of all interactions at a time, and for "
             "users by how long their histories are. Counted are --history, else the histories in the "
             "model, else all --mask"},
        {.name = "threads",
         .type = ARG_U64,
         .target = &flags.threads,
         .min = 1,
         .max = 1024,
         .default_text = "one a CPU",
         .help = "threads, each with its own way to the device"},
        layout_arg(&flags.layout),
        {.name = "json", .type = ARG_FLAG, .target = &flags.json, .help = "print one JSON document"},
        {.name = "clicks",
         .type = ARG_TEXT,
         .target = &flags.clicks,
         .value_name = "FILE",
         .group = CLICK_GROUP,
         .help = "a log that says what was clicked, to measure log loss, normalised entropy and AUC on; its "
                 "columns are those that the model was learned from, unless said otherwise"},
        CLICK_ARGS(&flags.choices),
        DEVICE_ARGS(&flags.device),
    };
    struct usage usage = {
        "collide eval MODEL --test FILE [--mask FILE]... | --clicks FILE [options]",
        "Measures recall and NDCG: every item is a candidate, known ones are masked, averages are over the "
        "users in the test file. Exact ties go to the smaller dense id: of items called by small integers "
        "that "
        "is the integer, of others the one that occurs more often comes first. Where users have rows of "
        "their "
        "own and the model stores no histories, only --mask says what they had in training. Or measures how "
        "well clicks are foretold.",
        table, sizeof table / sizeof table[0], .positionals = {1, 1, "MODEL"}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    if (!flags.files.test == !flags.clicks)
        return command_misused(&usage, flags.clicks ? "give --test FILE or --clicks FILE, not both"
                                                    : "--test FILE is missing, or --clicks FILE");
    exit_code = flags.clicks ? command_refuse(&usage, FOR_LISTS, "goes with --test, not with --clicks")
                             : command_refuse(&usage, FOR_CLICKS, "goes with --clicks, not with --test");
    if (exit_code != EXIT_DONE)
        return exit_code;
    if (flags.cutoffs.n > EVAL_MAX_CUTOFFS)
        return command_misused(&usage, "--k takes at most 16 lengths");
    flags.model_path = usage.positionals.values[0];
    flags.files.masks = flags.masks.items;
    flags.files.n_masks = flags.masks.n;
    flags.files.layout = (enum log_layout)flags.layout;
    struct collide_error err = {0};
    const struct click_eval_flags clicks = {flags.model_path, flags.clicks, flags.choices, &flags.device,
                                            flags.json};
    enum collide_status status = flags.clicks ? eval_clicks(&clicks, &err) : run(&flags, &err);
    return status == COLLIDE_OK ? EXIT_DONE : command_fail(&err);
}
