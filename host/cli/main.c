#include "base/dispatch.h"
#include "cli/command.h"

#include <signal.h>

static const struct subcommand commands[] = {
    {"learn", "learn a model from an interaction log", command_learn},
    {"eval", "measure a model's recall and NDCG on held-out interactions", command_eval},
    {"compare", "measure several methods on one log, over several seeds", command_compare},
    {"pareto", "find the best model under each of several budgets", command_pareto},
    {"convert", "store a model in another shape", command_convert},
    {"inspect", "show what a model file holds and check it", command_inspect},
    {"score", "score items for users", command_score},
    {"topk", "find the best items for a user", command_topk},
    {"serve", "answer scoring requests over HTTP", command_serve},
    {"client", "ask a server, over HTTP, UDP or shared memory", command_client},
    {"devices", "list OpenCL devices and their launch latency", command_devices},
    {"kernels", "build device binaries, or show what one holds", command_kernels},
    {"synth", "make up an interaction log", command_synth},
};

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like others */
    const struct dispatch collide = {.program = "collide",
                                     .about = "learned-hash compressed embeddings",
                                     .commands = commands,
                                     .n_commands = sizeof commands / sizeof commands[0]};
    return dispatch_main(&collide, argc, argv);
}
