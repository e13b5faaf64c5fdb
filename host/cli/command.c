#include "cli/command.h"

#include "base/log.h"

bool command_parse(struct usage *usage, int argc, char **argv, int *exit_code)
{
    struct collide_error err = {0};
    switch (args_parse(usage->table, usage->n, argc, argv, &usage->positionals, &err)) {
    case ARGS_OK:
        return true;
    case ARGS_HELP:
        args_print_help(stdout, usage->synopsis, usage->summary, usage->table, usage->n);
        *exit_code = EXIT_DONE;
        return false;
    case ARGS_BAD:
        break;
    }
    *exit_code = command_misused(usage, err.text);
    return false;
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
