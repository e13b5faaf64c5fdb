/* What the subcommands share. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/args.h"
#include "base/exit_code.h"
#include "cli/config_file.h"
#include "collide/status.h"

int command_learn(int argc, char **argv);
int command_eval(int argc, char **argv);
int command_client(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_pareto(int argc, char **argv);
int command_convert(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_devices(int argc, char **argv);
int command_kernels(int argc, char **argv);
int command_synth(int argc, char **argv);
int command_score(int argc, char **argv);
int command_topk(int argc, char **argv);
int command_serve(int argc, char **argv);

/* A subcommand's command line. */
struct usage {
    const char *synopsis; /* "collide eval MODEL --test FILE [options]" */
    const char *summary;
    const struct arg *table;
    size_t n;
    struct args_positionals positionals;
    /* Set by command_parse. */
    struct args args;
    struct config_values config;
};

/* Reads the command line, and the file of --config, which every command has. True: go on. False: help or an
 * error has been printed, and *exit_code is what to return. */
bool command_parse(struct usage *usage, int argc, char **argv, int *exit_code);

/* Prints an error and gives EXIT_FAILED. */
int command_fail(const struct collide_error *err);

/* A usage error found after parsing: prints it and gives EXIT_USAGE. */
int command_misused(const struct usage *usage, const char *message);

/* One if any of these options (names, NULL at the end) is given: "--name why". EXIT_DONE: go on; else what to
 * return. */
int command_refuse(const struct usage *usage, const char *const *names, const char *why);

#endif
