#include "base/args.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "commands.h"
#include "page.h"

#include <errno.h>

static enum collide_status print_to(const char *path, const char *title, const struct results *results,
                                    struct collide_error *err)
{
    FILE *file = path ? fopen(path, "we") : stdout;
    if (!file)
        return error_set_errno(err, COLLIDE_INVALID, errno, "cannot write %s", path);
    enum collide_status status = page_print(file, title, results, err);
    if (status == COLLIDE_OK)
        status = file_flush(file, path ? path : "standard output", err);
    if (path)
        fclose(file);
    return status;
}

int bench_report(int argc, char **argv)
{
    const char *path = NULL, *title = NULL;
    const struct arg table[] = {
        {"output", 'o', ARG_TEXT, &path, .value_name = "FILE", .default_text = "standard output",
         .help = "the page"},
        {"title", '\0', ARG_TEXT, &title, .value_name = "TEXT", .help = "its heading"},
    };
    struct args args = {.table = table, .n = sizeof table / sizeof table[0]};
    struct args_positionals files = {.min = 1, .max = ARG_LIST_MAX, .names = "[NAME=]FILE..."};
    struct results results = {0};
    struct collide_error err;
    switch (args_parse(&args, argc, argv, &files, &err)) {
    case ARGS_HELP:
        args_print_help(
            stdout, "collide-bench report [options] [NAME=]FILE...",
            "Draws results that http, udp, xdp, shm and sweep have printed with --json as one HTML "
            "page that needs nothing else. A file's results are called by their command, or NAME.",
            &args);
        return EXIT_DONE;
    case ARGS_BAD:
        log_error("%s", err.text);
        return EXIT_USAGE;
    case ARGS_OK:
        break;
    }
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < files.n && status == COLLIDE_OK; i++)
        status = results_add_file(&results, files.values[i], &err);
    if (status == COLLIDE_OK)
        status = print_to(path, title, &results, &err);
    results_free(&results);
    if (status == COLLIDE_OK)
        return EXIT_DONE;
    log_error("%s", err.text);
    return EXIT_FAILED;
}
