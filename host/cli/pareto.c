/* `collide pareto`: the best model under each of several budgets. */
#include "base/error.h"
#include "base/log.h"
#include "cli/budget_text.h"
#include "cli/command.h"
#include "cli/pareto_files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BUDGETS = 64, MAX_BUDGET_TEXT = 32 };

struct flags {
    struct experiment_flags experiment;
    const char *budgets, *output;
    uint64_t seed;
};

static int compare_budgets(const void *a, const void *b)
{
    const struct pareto_point *p = a, *q = b;
    return (p->budget_bytes > q->budget_bytes) - (p->budget_bytes < q->budget_bytes);
}

/* From the smallest to the largest: one that is too small is met first. points: (MAX_BUDGETS). */
static enum collide_status parse_budgets(const char *text, const struct experiment *e,
                                         struct pareto_point *points, size_t *n, struct collide_error *err)
{
    for (*n = 0;; (*n)++) {
        char one[MAX_BUDGET_TEXT];
        const size_t length = strcspn(text, ",");
        if (*n == MAX_BUDGETS)
            return error_set(err, COLLIDE_INVALID, "more than %d budgets", MAX_BUDGETS);
        snprintf(one, sizeof one, "%.*s", (int)(length < sizeof one ? length : sizeof one - 1), text);
        enum collide_status status = budget_parse(one, &e->log, learn_flags_options(&e->flags->learn).dim,
                                                  &points[*n].budget_bytes, err);
        if (status != COLLIDE_OK)
            return status;
        if (!text[length])
            break;
        text += length + 1;
    }
    qsort(points, ++*n, sizeof *points, compare_budgets);
    return COLLIDE_OK;
}

static enum collide_status try_all(const struct experiment *e, uint64_t seed, struct pareto_point *points,
                                   size_t n, struct collide_error *err)
{
    struct learn_options options = experiment_options(e, seed);
    struct learner *learner = NULL;
    enum collide_status status = learner_create(&e->log, &options, &learner, err);
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++) {
        options.budget_bytes = points[i].budget_bytes;
        log_info("budget %zu of %zu: %" PRIu64 " bytes", i + 1, n, options.budget_bytes);
        status = experiment_try(e, learner, &options, &points[i].best, err);
    }
    learner_destroy(learner);
    return status;
}

static void find_front(struct pareto_point *points, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct trial *a = &points[i].best;
        points[i].is_on_front = true;
        for (size_t j = 0; j < n; j++) {
            const struct trial *b = &points[j].best;
            if (b->n_bytes <= a->n_bytes && b->qualities[RECALL_AT_10] > a->qualities[RECALL_AT_10])
                points[i].is_on_front = false;
        }
    }
}

static void print_table(const struct pareto *p)
{
    printf("%11s %11s %7s  %-11s %8s %9s %s", "budget", "bytes", "% full", "method", "lookups", "rows",
           "values");
    for (size_t q = 0; q < N_QUALITIES; q++)
        printf(" %9s %%", quality_names[q]);
    printf(" %9s\n", "seconds");
    for (size_t i = 0; i < p->n; i++) {
        const struct trial *t = &p->points[i].best;
        printf("%11" PRIu64 " %11" PRIu64 " %7.2f%c %-11s %8" PRIu32 " %9" PRIu64 " %6s",
               p->points[i].budget_bytes, t->n_bytes, 100.0 * (double)t->n_bytes / (double)p->full_bytes,
               p->points[i].is_on_front ? '*' : ' ', t->method, t->n_lookups, t->n_rows, t->precision);
        for (size_t q = 0; q < N_QUALITIES; q++)
            printf(" %11.3f", 100 * t->qualities[q]);
        printf(" %9.1f\n", t->seconds);
    }
    printf("\n%% full: of f32 rows for all users and items; *: nothing smaller has a better recall@10\n");
}

static enum collide_status check_output(const struct flags *flags, struct collide_error *err)
{
    const struct experiment_flags *e = &flags->experiment;
    const char *const inputs[] = {e->log_path, e->test_path, e->val_path};
    enum collide_status status = pareto_check_writable(flags->output, err);
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0] && status == COLLIDE_OK; i++)
        status = pareto_check_apart(flags->output, inputs[i], err);
    for (size_t i = 0; i < e->masks.n && status == COLLIDE_OK; i++)
        status = pareto_check_apart(flags->output, e->masks.items[i], err);
    return status;
}

static enum collide_status run(const struct flags *flags, struct collide_error *err)
{
    struct experiment e = {0};
    struct pareto_point points[MAX_BUDGETS] = {0};
    struct pareto pareto = {.points = points};
    enum collide_status status = flags->output ? check_output(flags, err) : COLLIDE_OK;
    if (status == COLLIDE_OK)
        status = experiment_open(&flags->experiment, &e, err);
    if (status == COLLIDE_OK)
        status = parse_budgets(flags->budgets, &e, points, &pareto.n, err);
    if (status == COLLIDE_OK)
        status = try_all(&e, flags->seed, points, pareto.n, err);
    if (status == COLLIDE_OK) {
        pareto.full_bytes = full_table_bytes(&e.log, learn_flags_options(&flags->experiment.learn).dim);
        find_front(points, pareto.n);
        print_table(&pareto);
    }
    if (status == COLLIDE_OK && flags->output)
        status = pareto_write_csv(&pareto, flags->output, err);
    if (status == COLLIDE_OK && flags->output)
        status = pareto_write_svg(&pareto, flags->output, err);
    experiment_close(&e);
    return status;
}

/* NULL: nothing is wrong. */
static const char *misuse(const struct flags *flags)
{
    if (!flags->experiment.test_path)
        return "--test FILE is missing";
    if (!flags->experiment.val_path)
        return "--val FILE is missing: models are chosen by it";
    if (!flags->budgets)
        return "--budgets is missing: give some, such as 0.5%,1%,2%,5%";
    return NULL;
}

int command_pareto(int argc, char **argv)
{
    struct flags flags = {.experiment = experiment_flags_default(), .seed = learn_options_default().seed};
    const struct arg table[] = {
        test_arg(&flags.experiment.test_path),
        experiment_val_arg(&flags.experiment),
        mask_arg(&flags.experiment.masks),
        {.name = "budgets",
         .type = ARG_TEXT,
         .target = &flags.budgets,
         .value_name = "B,B,...",
         .default_text = "",
         .help = "for all that serving needs: bytes such as 180k or 2.5MB, or percent of f32 rows for all "
                 "users and "
                 "items"},
        {.name = "output",
         .short_name = 'o',
         .type = ARG_TEXT,
         .target = &flags.output,
         .value_name = "NAME",
         .default_text = "the table alone",
         .help = "writes NAME.csv, and NAME.svg, a plot of quality against bytes"},
        dim_arg(&flags.experiment.learn),
        users_arg(&flags.experiment.learn),
        {.name = "seed", .type = ARG_U64, .target = &flags.seed, .help = "of all models"},
        learn_threads_arg(&flags.experiment.learn),
        layout_arg(&flags.experiment.layout),
        spill_arg(&flags.experiment.learn),
        TRAINING_ARGS(&flags.experiment.learn),
        DEVICE_ARGS(&flags.experiment.device),
    };
    struct usage usage = {"collide pareto LOG --val FILE --test FILE --budgets B,B,... [options]",
                          "For each budget learns the best model under it, as `collide learn --budget` "
                          "chooses it by --val, and measures "
                          "it on --test as `collide eval` does, on the device. Models share a teacher.",
                          table, sizeof table / sizeof table[0], .positionals = {1, 1, "LOG"}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    if (misuse(&flags))
        return command_misused(&usage, misuse(&flags));
    flags.experiment.log_path = usage.positionals.values[0];
    struct collide_error err = {0};
    return run(&flags, &err) == COLLIDE_OK ? EXIT_DONE : command_fail(&err);
}
