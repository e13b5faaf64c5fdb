#include "base/file.h"
#include "base/log.h"
#include "base/spelling.h"
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
    {"learn", "learn a model from an interaction log", command_learn},
    {"eval", "measure a model's recall and NDCG on held-out interactions", command_eval},
    {"inspect", "show what a model file holds and check it", command_inspect},
    {"score", "score items for users", command_score},
    {"topk", "find the best items for a user", command_topk},
    {"serve", "answer scoring requests over HTTP", command_serve},
    {"devices", "list OpenCL devices and their launch latency", command_devices},
    {"synth", "make up an interaction log", command_synth},
};

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(FILE *out)
{
    fprintf(out, "collide %s: learned-hash compressed embeddings\n\nusage: collide COMMAND [options]\n\n",
            collide_version());
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n`collide COMMAND --help` shows a command's options.\n");
}

static int unknown_command(const char *name)
{
    struct spelling meant = spelling_of(name);
    for (size_t i = 0; i < N_COMMANDS; i++)
        spelling_offer(&meant, commands[i].name);
    if (meant.closest)
        log_error("there is no command \"%s\"; did you mean \"%s\"?", name, meant.closest);
    else
        log_error("there is no command \"%s\"; see `collide --help`", name);
    return EXIT_USAGE;
}

/* What was printed must have arrived: a full disk is a failure, too. */
static int check_output(int exit_code)
{
    struct collide_error err;
    if (file_flush(stdout, "standard output", &err) == COLLIDE_OK)
        return exit_code;
    log_error("%s", err.text);
    return exit_code == EXIT_DONE ? EXIT_FAILED : exit_code;
}

int main(int argc, char **argv)
{
    log_set_level(LOG_INFO);
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return check_output(EXIT_DONE);
    }
    if (strcmp(name, "--version") == 0) {
        printf("collide %s\n", collide_version());
        return check_output(EXIT_DONE);
    }
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0)
            return check_output(commands[i].run(argc - 2, argv + 2));
    return unknown_command(name);
}
