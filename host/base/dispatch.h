/* A program made of subcommands: its main. */
#ifndef BASE_DISPATCH_H
#define BASE_DISPATCH_H

#include <stddef.h>

struct subcommand {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv); /* without the names up to its own; gives an enum exit_code */
};

struct dispatch {
    const char *program;
    const char *about; /* one line beside the program's name */
    const struct subcommand *commands;
    size_t n_commands;
};

/* Runs the command that the arguments (none of them the program's name) begin with, or prints help, of `help
 * COMMAND`, too. argv may be changed. A command may be made of commands itself: its run then calls this. */
int dispatch_run(const struct dispatch *d, int argc, char **argv);

/* A main: the same, or prints the version. Messages go to stderr from here on; standard output that could not
 * be written is a failure. Gives main's result. */
int dispatch_main(const struct dispatch *d, int argc, char **argv);

#endif
