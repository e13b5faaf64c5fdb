/* `collide client`: a server is asked, over whatever transport. */
#include "base/dispatch.h"
#include "cli/ask_server.h"
#include "cli/command.h"

#include <string.h>

struct client_flags {
    struct request_flags request;
    struct server_options server;
    bool json;
};

#define SERVER_GROUP "Server"

static struct arg server_arg(struct client_flags *flags)
{
    return (struct arg){.name = "server",
                        .short_name = 's',
                        .type = ARG_TEXT,
                        .target = &flags->server.address,
                        .value_name = "ADDRESS",
                        .group = SERVER_GROUP,
                        .help = "http://HOST:PORT, https://HOST:PORT or unix:PATH; or datagrams to "
                                "udp:HOST:PORT or shm:NAME, as `collide serve` opens them"};
}

static struct arg model_name_arg(struct client_flags *flags)
{
    return (struct arg){.name = "model",
                        .short_name = 'm',
                        .type = ARG_TEXT,
                        .target = &flags->server.model,
                        .value_name = "NAME",
                        .default_text = "the server's first",
                        .group = SERVER_GROUP,
                        .help = "which of its models; over datagrams the number"};
}

static struct arg model_version_arg(struct client_flags *flags)
{
    return (struct arg){.name = "model-version",
                        .type = ARG_TEXT,
                        .target = &flags->server.version,
                        .value_name = "VERSION",
                        .default_text = "the one that is served",
                        .group = SERVER_GROUP,
                        .help = "which version of --model, over HTTP"};
}

static struct arg key_arg(struct client_flags *flags)
{
    return (struct arg){.name = "key",
                        .type = ARG_TEXT,
                        .target = &flags->server.key,
                        .value_name = "FILE",
                        .default_text = "none",
                        .group = SERVER_GROUP,
                        .help = "HTTP: the API key is the file's first line; datagrams: the file that the "
                                "server has as --key"};
}

static struct arg ca_arg(struct client_flags *flags)
{
    return (struct arg){.name = "ca",
                        .type = ARG_TEXT,
                        .target = &flags->server.ca,
                        .value_name = "FILE",
                        .default_text = "the system's",
                        .group = SERVER_GROUP,
                        .help = "certificates (PEM) that vouch for an https server"};
}

static struct arg timeout_arg(struct client_flags *flags)
{
    return (struct arg){.name = "timeout-ms",
                        .type = ARG_U64,
                        .target = &flags->server.timeout_ms,
                        .min = 1,
                        .max = 3600 * 1000,
                        .value_name = "MILLISECONDS",
                        .group = SERVER_GROUP,
                        .help = "how long to wait for an answer"};
}

static struct arg json_arg(struct client_flags *flags)
{
    return (struct arg){.name = "json",
                        .short_name = 'j',
                        .type = ARG_FLAG,
                        .target = &flags->json,
                        .group = SERVER_GROUP,
                        .help = "the answer as HTTP has it, in place of lines of an item, a tab and its "
                                "score; requests from standard input are always answered so"};
}

#define SERVER_ARGS(flags)                                                                                   \
    server_arg(flags), model_name_arg(flags), model_version_arg(flags), key_arg(flags), ca_arg(flags),       \
        timeout_arg(flags), json_arg(flags)

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static enum collide_status ask(const struct client_flags *f, enum request_kind kind,
                               struct collide_error *err)
{
    const bool is_datagrams =
        starts_with(f->server.address, "udp:") || starts_with(f->server.address, "shm:");
    struct asker asker;
    enum collide_status status =
        is_datagrams ? ask_datagrams_open(&f->server, &asker, err) : ask_http_open(&f->server, &asker, err);
    if (status == COLLIDE_OK)
        status = ask_requests(&asker, kind, &f->request, f->json ? ASK_JSON : ASK_TEXT, err);
    is_datagrams ? ask_datagrams_close(&asker) : ask_http_close(&asker);
    return status;
}

static int run(struct usage *usage, const struct client_flags *f, enum request_kind kind)
{
    static const char *const schemes[] = {"http://", "https://", "unix:", "udp:", "shm:"};
    struct collide_error err = {0};
    bool is_known = false;
    if (!f->server.address)
        return command_misused(usage, "--server ADDRESS is missing");
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        is_known |= starts_with(f->server.address, schemes[i]);
    if (!is_known)
        return command_misused(usage,
                               "--server: an address begins with http://, https://, unix:, udp: or shm:");
    if (f->server.ca && !starts_with(f->server.address, "https://"))
        return command_misused(usage, "--ca goes with an https:// server");
    if (f->server.version && !f->server.model)
        return command_misused(usage, "--model-version goes with --model");
    if (ask(f, kind, &err) == COLLIDE_OK)
        return EXIT_DONE;
    command_fail(&err);
    return err.status == COLLIDE_NOT_FOUND ? EXIT_UNREACHABLE : EXIT_FAILED;
}

static int command_client_score(int argc, char **argv)
{
    struct client_flags flags = {.server = {.timeout_ms = 5000}};
    const struct arg table[] = {SERVER_ARGS(&flags), SCORE_REQUEST_ARGS(&flags.request)};
    struct usage usage = {
        "collide client score --server ADDRESS [--user ID] --items ID,... | < requests.ndjson",
        "Has a server score items for a user, a history or both.", table, sizeof table / sizeof table[0],
        .positionals = {0, 0, NULL}};
    int exit_code;
    return command_parse(&usage, argc, argv, &exit_code) ? run(&usage, &flags, REQUEST_SCORE) : exit_code;
}

static int command_client_topk(int argc, char **argv)
{
    struct client_flags flags = {.server = {.timeout_ms = 5000}};
    const struct arg table[] = {SERVER_ARGS(&flags), TOPK_REQUEST_ARGS(&flags.request)};
    struct usage usage = {"collide client topk --server ADDRESS [--user ID] [-k N] | < requests.ndjson",
                          "Has a server find the best items for a user, a history or both.", table,
                          sizeof table / sizeof table[0], .positionals = {0, 0, NULL}};
    int exit_code;
    return command_parse(&usage, argc, argv, &exit_code) ? run(&usage, &flags, REQUEST_TOPK) : exit_code;
}

int command_client(int argc, char **argv)
{
    static const struct subcommand commands[] = {
        {"score", "have a server score items", command_client_score},
        {"topk", "have a server find the best items", command_client_topk},
    };
    const struct dispatch client = {.program = "collide client",
                                    .about = "asks a server, over HTTP, UDP or shared memory",
                                    .commands = commands,
                                    .n_commands = sizeof commands / sizeof commands[0]};
    return dispatch_run(&client, argc, argv);
}
