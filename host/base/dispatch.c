#include "base/dispatch.h"

#include "base/file.h"
#include "base/log.h"
#include "base/spelling.h"

#include <stdio.h>
#include <string.h>

enum { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

static void print_help(const struct dispatch *d, FILE *out)
{
    fprintf(out, "%s %s: %s\n\nusage: %s COMMAND [options]\n\n", d->program, collide_version(), d->about,
            d->program);
    for (size_t i = 0; i < d->n_commands; i++)
        fprintf(out, "  %-10s %s\n", d->commands[i].name, d->commands[i].summary);
    fprintf(out, "\n`%s COMMAND --help` shows a command's options.\n", d->program);
    if (d->epilogue)
        fprintf(out, "%s\n", d->epilogue);
}

static int unknown_command(const struct dispatch *d, const char *name)
{
    struct spelling meant = spelling_of(name);
    for (size_t i = 0; i < d->n_commands; i++)
        spelling_offer(&meant, d->commands[i].name);
    if (meant.closest)
        log_error("there is no command \"%s\"; did you mean \"%s\"?", name, meant.closest);
    else
        log_error("there is no command \"%s\"; see `%s --help`", name, d->program);
    return STATUS_USAGE;
}

static int run_command(const struct dispatch *d, const char *name, int argc, char **argv)
{
    for (size_t i = 0; i < d->n_commands; i++)
        if (strcmp(name, d->commands[i].name) == 0)
            return d->commands[i].run(argc, argv);
    return unknown_command(d, name);
}

int dispatch_run(const struct dispatch *d, int argc, char **argv)
{
    if (argc < 1) {
        print_help(d, stderr);
        return STATUS_USAGE;
    }
    const char *name = argv[0];
    if (strcmp(name, "--help") != 0 && strcmp(name, "-h") != 0 && strcmp(name, "help") != 0)
        return run_command(d, name, argc - 1, argv + 1);
    print_help(d, stdout);
    return STATUS_DONE;
}

int dispatch_main(const struct dispatch *d, int argc, char **argv)
{
    int status = STATUS_DONE;
    struct collide_error err;
    log_set_level(LOG_INFO);
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        printf("%s %s\n", d->program, collide_version());
    else
        status = dispatch_run(d, argc - 1, argv + 1);
    if (file_flush(stdout, "standard output", &err) == COLLIDE_OK)
        return status;
    log_error("%s", err.text);
    return status == STATUS_DONE ? STATUS_FAILED : status;
}
