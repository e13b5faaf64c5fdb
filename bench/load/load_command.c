#include "load_command.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "commands.h"
#include "experiment.h"
#include "json.h"
#include "sweep.h"

#include <errno.h>

/* Where a run's results go; whatever is not asked for is NULL. */
struct outputs {
    cJSON *documents; /* a sweep's */
    FILE *csv, *hgrm;
    size_t n_reports;
};

static int fail(int exit_code, const struct collide_error *err)
{
    log_error("%s", err->text);
    return exit_code;
}

static enum collide_status open_file(const char *path, FILE **out, struct collide_error *err)
{
    if (!path)
        return COLLIDE_OK;
    *out = fopen(path, "we");
    return *out ? COLLIDE_OK : error_set_errno(err, COLLIDE_IO, errno, "cannot write %s", path);
}

static enum collide_status close_file(const char *path, FILE *file, struct collide_error *err)
{
    if (!file)
        return COLLIDE_OK;
    enum collide_status status = file_flush(file, path, err);
    fclose(file);
    return status;
}

/* Before measuring: a file that cannot be written is no surprise afterwards. */
static enum collide_status outputs_open(const struct load_options *o, struct outputs *out,
                                        struct collide_error *err)
{
    enum collide_status status = open_file(o->csv, &out->csv, err);
    if (status == COLLIDE_OK)
        status = open_file(o->hgrm, &out->hgrm, err);
    if (out->csv)
        report_print_csv_header(out->csv);
    return status;
}

static enum collide_status outputs_close(const struct load_options *o, struct outputs *out,
                                         struct collide_error *err)
{
    enum collide_status csv = close_file(o->csv, out->csv, err);
    enum collide_status hgrm = close_file(o->hgrm, out->hgrm, csv == COLLIDE_OK ? err : NULL);
    return csv != COLLIDE_OK ? csv : hgrm;
}

static enum collide_status measure(struct experiment *e, struct outputs *out, struct collide_error *err)
{
    char description[256];
    enum collide_status status = experiment_measure(e, err);
    if (status != COLLIDE_OK)
        return status;
    const struct report report = experiment_report(e, description, sizeof description);
    if (out->csv)
        report_print_csv(out->csv, &report);
    if (out->hgrm)
        report_print_hgrm(out->hgrm, &report.merged->sides[SIDE_MAIN]);
    if (e->options->json)
        return json_print(stdout, report_json(&report), err);
    report_print_text(stdout, &report);
    return COLLIDE_OK;
}

static void take_rate(void *context, const struct report *r)
{
    struct outputs *out = context;
    if (out->csv)
        report_print_csv(out->csv, r);
    if (out->documents) {
        cJSON_AddItemToArray(out->documents, report_json(r));
        return;
    }
    if (out->n_reports++ == 0)
        report_print_sweep_header(stdout, r);
    report_print_sweep_row(stdout, r);
}

static enum collide_status sweep(struct experiment *e, struct outputs *out, struct collide_error *err)
{
    const struct sweep_sink sink = {.context = out, .take = take_rate};
    if (e->options->json)
        out->documents = cJSON_CreateArray();
    enum collide_status status = sweep_run(e, &sink, err);
    if (status == COLLIDE_OK && e->options->json)
        return json_print(stdout, out->documents, err);
    cJSON_Delete(out->documents);
    return status;
}

/* Of what goes wrong before anything is measured. */
static int exit_code_of(enum collide_status status)
{
    return status == COLLIDE_IO ? EXIT_UNREACHABLE : status == COLLIDE_INVALID ? EXIT_USAGE : EXIT_FAILED;
}

static int run(struct experiment *e, enum load_action action)
{
    struct collide_error err;
    struct outputs out = {0};
    enum collide_status status = outputs_open(e->options, &out, &err);
    if (status == COLLIDE_OK)
        status = action == LOAD_SWEEP ? sweep(e, &out, &err) : measure(e, &out, &err);
    struct collide_error close_err;
    enum collide_status closed = outputs_close(e->options, &out, &close_err);
    if (status != COLLIDE_OK)
        return fail(EXIT_FAILED, &err);
    if (closed != COLLIDE_OK)
        return fail(EXIT_FAILED, &close_err);
    /* A sweep goes to where errors are to be expected; a search's trials do, too, but not its run. */
    bool is_good = action == LOAD_SWEEP || experiment_n_errors(e) == 0;
    return is_good ? EXIT_DONE : EXIT_FAILED;
}

static void print_help(const struct load_kind *kind, enum load_action action, const struct args *args)
{
    char usage[128];
    snprintf(usage, sizeof usage, "collide-bench %s%s [options] %s", action == LOAD_SWEEP ? "sweep " : "",
             kind->name, kind->arguments);
    args_print_help(stdout, usage, kind->summary, args);
}

static enum collide_status settle(const struct load_kind *kind, enum load_action action,
                                  struct load_options *o, struct collide_error *err)
{
    enum collide_status status = action == LOAD_SWEEP ? sweep_options_settle(o, err) : COLLIDE_OK;
    return status == COLLIDE_OK ? load_options_settle(o, &kind->lanes, err) : status;
}

int load_command(const struct load_kind *kind, enum load_action action, int argc, char **argv)
{
    struct load_options options = load_options_defaults();
    struct arg table[LOAD_N_OPTIONS + SWEEP_N_OPTIONS + LOAD_OWN_OPTIONS_MAX];
    struct args_positionals positionals = {
        .min = kind->n_arguments, .max = kind->n_arguments, .names = kind->arguments};
    struct subject subject = {0};
    struct experiment experiment = {0};
    struct collide_error err;
    size_t n = LOAD_N_OPTIONS;
    options.timeout_s = kind->timeout_s;
    load_options_fill_table(&options, &kind->lanes, table);
    if (action == LOAD_SWEEP) {
        sweep_options_fill_table(&options, table + n);
        n += SWEEP_N_OPTIONS;
    }
    n += kind->fill_table(kind->self, &options, table + n);
    struct args args = {.table = table, .n = n};
    switch (args_parse(&args, argc, argv, &positionals, &err)) {
    case ARGS_HELP:
        print_help(kind, action, &args);
        return EXIT_DONE;
    case ARGS_BAD:
        return fail(EXIT_USAGE, &err);
    case ARGS_OK:
        break;
    }
    enum collide_status status = settle(kind, action, &options, &err);
    if (status == COLLIDE_OK)
        status = kind->open(kind->self, &options, positionals.values, &subject, &err);
    if (status == COLLIDE_OK)
        status = experiment_create(kind, &options, &subject, &experiment, &err);
    experiment.settings = table;
    experiment.n_settings = n;
    int exit_code = status == COLLIDE_OK ? run(&experiment, action) : fail(exit_code_of(status), &err);
    experiment_free(&experiment);
    kind->close(kind->self);
    return exit_code;
}
