#include "base/dispatch.h"

#include "base/dispatch_help.h"
#include "base/exit_code.h"
#include "base/file.h"
#include "base/log.h"
#include "base/spelling.h"

#include <stdio.h>
#include <string.h>

static int unknown_command(const struct dispatch *d, const char *name)
{
    struct spelling meant = spelling_of(name);
    for (size_t i = 0; i < d->n_commands; i++)
        spelling_offer(&meant, d->commands[i].name);
    if (meant.closest)
        log_error("there is no command \"%s\"; did you mean \"%s\"?", name, meant.closest);
    else
        log_error("there is no command \"%s\"; see `%s --help`", name, d->program);
    return EXIT_USAGE;
}

static const struct subcommand *find_command(const struct dispatch *d, const char *name)
{
    for (size_t i = 0; i < d->n_commands; i++)
        if (strcmp(name, d->commands[i].name) == 0)
            return &d->commands[i];
    return NULL;
}

static int run_command(const struct dispatch *d, const struct subcommand *command, int argc, char **argv)
{
    enum help_form form;
    char name[128];
    if (argc != 1 || !help_form_of(argv[0], &form))
        return command->run(argc, argv);
    snprintf(name, sizeof name, "%s %s", d->program, command->name);
    dispatch_help_begin(stdout, form, name, command->summary);
    int exit_code = command->run(argc, argv);
    dispatch_help_end(stdout, form);
    return exit_code;
}

int dispatch_run(const struct dispatch *d, int argc, char **argv)
{
    static char help[] = "--help";
    enum help_form form;
    if (argc < 1) {
        dispatch_print_help(stderr, HELP_TEXT, d);
        return EXIT_USAGE;
    }
    if (strcmp(argv[0], "help") == 0) { /* the same as --help behind the rest */
        memmove(argv, argv + 1, (size_t)(argc - 1) * sizeof argv[0]);
        argv[argc - 1] = help;
    }
    if (help_form_of(argv[0], &form)) {
        dispatch_print_help(stdout, form, d);
        return EXIT_DONE;
    }
    const struct subcommand *command = find_command(d, argv[0]);
    return command ? run_command(d, command, argc - 1, argv + 1) : unknown_command(d, argv[0]);
}

int dispatch_main(const struct dispatch *d, int argc, char **argv)
{
    int exit_code = EXIT_DONE;
    enum help_form form = HELP_TEXT;
    bool is_help = argc > 1 && help_form_of(argv[1], &form);
    struct collide_error err;
    log_set_level(LOG_INFO);
    if (is_help)
        dispatch_help_begin(stdout, form, d->program, d->about);
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        printf("%s %s\n", d->program, collide_version());
    else
        exit_code = dispatch_run(d, argc - 1, argv + 1);
    if (is_help)
        dispatch_help_end(stdout, form);
    if (file_flush(stdout, "standard output", &err) == COLLIDE_OK)
        return exit_code;
    log_error("%s", err.text);
    return exit_code == EXIT_DONE ? EXIT_FAILED : exit_code;
}
