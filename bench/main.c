#include "base/file.h"
#include "base/log.h"
#include "base/spelling.h"
#include "collide/status.h"
#include "commands.h"

#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"http", "latency and throughput of a server over HTTP", bench_http},
    {"kernel", "remap + embedding-bag on a device, beside plain scalar C", bench_kernel},
};

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(void)
{
    printf(
        "Usage: collide-bench COMMAND [options]\n\nMeasures collide; --help after a command says more.\n\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-8s %s\n", commands[i].name, commands[i].summary);
    printf("\nExit status: %d all well, %d errors during the run, %d wrong usage, %d server unreachable.\n",
           BENCH_OK, BENCH_ERRORS, BENCH_USAGE, BENCH_UNREACHABLE);
}

static int unknown_command(const char *name)
{
    struct spelling meant = spelling_of(name);
    for (size_t i = 0; i < N_COMMANDS; i++)
        spelling_offer(&meant, commands[i].name);
    if (meant.closest)
        log_error("there is no command \"%s\"; did you mean \"%s\"?", name, meant.closest);
    else
        log_error("there is no command \"%s\"; see `collide-bench --help`", name);
    return BENCH_USAGE;
}

/* What was printed must have arrived: a full disk is a failure, too. */
static int check_output(int exit_status)
{
    struct collide_error err;
    if (file_flush(stdout, "standard output", &err) == COLLIDE_OK)
        return exit_status;
    log_error("%s", err.text);
    return exit_status == BENCH_OK ? BENCH_ERRORS : exit_status;
}

int main(int argc, char **argv)
{
    log_set_level(LOG_INFO);
    const char *name = argc > 1 ? argv[1] : "--help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help();
        return check_output(argc > 1 ? BENCH_OK : BENCH_USAGE);
    }
    if (strcmp(name, "--version") == 0) {
        printf("collide-bench %s\n", collide_version());
        return check_output(BENCH_OK);
    }
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0)
            return check_output(commands[i].run(argc - 2, argv + 2));
    return unknown_command(name);
}
