#include "cli/command.h"

#include "base/log.h"

#include <assert.h>
#include <string.h>

static enum args_outcome parse(struct usage *usage, int argc, char **argv, struct collide_error *err)
{
    const char *config = NULL;
    struct arg table[ARGS_MAX];
    struct args all = {.table = table, .n = usage->n + 1};
    assert(usage->n < ARGS_MAX);
    if (usage->n)
        memcpy(table, usage->table, usage->n * sizeof table[0]);
    table[usage->n] =
        (struct arg){.name = "config",
                     .type = ARG_TEXT,
                     .target = &config,
                     .value_name = "FILE",
                     .group = "Common",
                     .help = "take options from this file, too: lines of `name = value` (docs/CLI.md)"};
    enum args_outcome outcome = args_parse(&all, argc, argv, &usage->positionals, err);
    if (outcome == ARGS_HELP)
        args_print_help(stdout, usage->synopsis, usage->summary, &all);
    usage->args = (struct args){.table = usage->table, .n = usage->n};
    memcpy(usage->args.sources, all.sources, sizeof all.sources);
    if (outcome != ARGS_OK || !config)
        return outcome;
    char name[64];
    size_t n_program = strlen("collide ");
    snprintf(name, sizeof name, "%.*s", (int)(help_n_command(usage->synopsis) - n_program),
             usage->synopsis + n_program);
    return config_read(config, name, &usage->args, &usage->config, err) == COLLIDE_OK ? ARGS_OK : ARGS_BAD;
}

bool command_parse(struct usage *usage, int argc, char **argv, int *exit_code)
{
    struct collide_error err = {0};
    enum args_outcome outcome = parse(usage, argc, argv, &err);
    if (outcome == ARGS_BAD)
        *exit_code = err.status == COLLIDE_INVALID ? command_misused(usage, err.text) : command_fail(&err);
    else if (outcome == ARGS_HELP)
        *exit_code = EXIT_DONE;
    return outcome == ARGS_OK;
}

int command_fail(const struct collide_error *err)
{
    log_error("%s", err->text);
    return EXIT_FAILED;
}

int command_misused(const struct usage *usage, const char *message)
{
    log_error("%s\nusage: %s", message, usage->synopsis);
    return EXIT_USAGE;
}

int command_refuse(const struct usage *usage, const char *const *names, const char *why)
{
    const char *name = args_first_given(&usage->args, names);
    char message[160];
    snprintf(message, sizeof message, "--%s %s", name ? name : "", why);
    return name ? command_misused(usage, message) : EXIT_DONE;
}
