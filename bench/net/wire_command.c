#include "base/error.h"
#include "channel_xdp.h"
#include "client/client.h"
#include "commands.h"
#include "echo_transport.h"
#include "http_model.h"
#include "load_kinds.h"
#include "transport/key_file.h"
#include "wire_requests.h"
#include "wire_transport.h"

#include <stdio.h>
#include <string.h>

enum baseline { BASELINE_NONE, BASELINE_PING };

static const char *const baseline_names[] = {[BASELINE_NONE] = "none", [BASELINE_PING] = "ping", NULL};

/* Makes a channel to the server that the arguments name, or to an echo. */
typedef enum collide_status create_channel(char *const *arguments, enum channel_wait wait,
                                           struct channel **out, struct collide_error *err);

/* A run over datagrams and all it owns. */
struct wire_run {
    const struct wire_make *make;
    int baseline; /* enum baseline */
    const char *echo_address, *echo_interface;
    const char *http_url;
    const char *key_file;
    uint64_t n_retries;
    uint64_t requests_per_datagram;
    bool times;
    bool is_echo; /* the main side is */
    char target[320];
    struct wire_transport *transport;
    struct echo_transport *echoes[N_SIDES];
    struct wire_requests requests[N_SIDES];
};

/* What differs between the ways that datagrams go. */
struct wire_make {
    const char *name;
    const char *arguments;
    size_t n_arguments;
    const char *summary;
    create_channel *create_channel;
    bool has_echo;       /* there is a bare echo of it */
    bool has_interfaces; /* the first argument is a network interface */
};

static size_t fill_table(void *self, struct load_options *o, struct arg *table)
{
    struct wire_run *run = self;
    const struct arg own[] = {
        {"http", '\0', ARG_TEXT, &run->http_url, .group = "Requests", .value_name = "URL",
         .help = "the same server over HTTP, to ask how many users and items there are"},
        {"key", '\0', ARG_TEXT, &run->key_file, .group = "Requests", .value_name = "FILE",
         .default_text = "none", .help = "of the server's, to tag datagrams with"},
        {"per-datagram", '\0', ARG_U64, &run->requests_per_datagram, .max = UINT16_MAX, .group = "Load",
         .default_text = "as many as fit", .help = "requests that may share a datagram"},
        {"retries", '\0', ARG_U64, &run->n_retries, .max = 1000, .group = "Load",
         .help = "ask again so often before a request is lost, each time for --timeout"},
        {"baseline", 'b', ARG_CHOICE, &run->baseline, .choices = baseline_names, .group = "Load",
         .help = "measure pings too, datagrams that are answered without scoring, in turn with the requests, "
                 "and print the ratio"},
        {"times", '\0', ARG_FLAG, &run->times, .group = "Output",
         .help = "show where the server's time went too, by its own clock: waiting, reading, scoring"},
    };
    const struct arg echoes[] = {
        {"echo", '\0', ARG_FLAG, &run->is_echo, .group = "Requests",
         .help = "there is a `collide-bench echo`, no server: measure datagrams of the same size to it"},
        {"baseline-address", '\0', ARG_TEXT, &run->echo_address, .group = "Load", .value_name = "HOST:PORT",
         .help = "measure datagrams of the same size to a `collide-bench echo` there instead of pings"},
    };
    const struct arg interface = {"baseline-interface",
                                  '\0',
                                  ARG_TEXT,
                                  &run->echo_interface,
                                  .group = "Load",
                                  .value_name = "IFACE[:QUEUE]",
                                  .help = "where that echo is reached"};
    size_t n = sizeof own / sizeof own[0];
    (void)o;
    memcpy(table, own, sizeof own);
    if (run->make->has_echo) {
        memcpy(table + n, echoes, sizeof echoes);
        n += sizeof echoes / sizeof echoes[0];
    }
    if (run->make->has_interfaces)
        table[n++] = interface;
    return n;
}

static enum collide_status check(const struct wire_run *run, const struct question *q,
                                 struct collide_error *err)
{
    if (run->echo_address && run->baseline != BASELINE_NONE)
        return error_set(err, COLLIDE_INVALID, "--baseline ping or --baseline-address: one of the two");
    if (run->is_echo && (run->baseline != BASELINE_NONE || run->times))
        return error_set(err, COLLIDE_INVALID, "an echo answers no pings, and tells no times");
    if (run->make->has_interfaces && !run->echo_address != !run->echo_interface)
        return error_set(err, COLLIDE_INVALID, "--baseline-address and --baseline-interface go together");
    if (q->topk > UINT16_MAX)
        return error_set(err, COLLIDE_INVALID, "--topk: no datagram holds %llu answers",
                         (unsigned long long)q->topk);
    return COLLIDE_OK;
}

static enum collide_status ask_model(const struct wire_run *run, struct question *q,
                                     struct collide_error *err)
{
    if (run->http_url)
        return http_model_ask_url(run->http_url, q, err);
    if ((q->n_history == 0 && q->n_users == 0) || (question_n_ids(q) > 0 && q->n_items == 0))
        return error_set(err, COLLIDE_INVALID,
                         "datagrams do not tell the model's size: give --users and --items, or --http URL of "
                         "the same server");
    return COLLIDE_OK;
}

static enum collide_status make_requests(struct wire_run *run, const struct question *q,
                                         struct collide_error *err)
{
    unsigned flags = run->times ? COLLIDE_REQUEST_TIMES : 0;
    enum collide_status status = wire_requests_random(q, flags, &run->requests[SIDE_MAIN], err);
    return status == COLLIDE_OK ? wire_requests_ping(&run->requests[SIDE_BASELINE], err) : status;
}

static enum channel_wait wait_of(const struct load_options *o)
{
    return o->wait == LOAD_WAIT_SPIN ? CHANNEL_SPIN : CHANNEL_SLEEP;
}

static enum collide_status create_channel_for(const struct wire_run *run, const struct load_options *o,
                                              char *const *arguments, struct channel **out,
                                              struct collide_error *err)
{
    return run->make->create_channel(arguments, wait_of(o), out, err);
}

static enum collide_status connect_client(struct wire_run *run, const struct load_options *o,
                                          char *const *arguments, struct collide_error *err)
{
    uint8_t key[KEY_BYTES];
    const struct collide_client_options options = {
        .key = run->key_file ? key : NULL,
        .timeout_us = (uint32_t)(o->timeout_s * 1e6 < UINT32_MAX ? o->timeout_s * 1e6 : UINT32_MAX),
        .n_retries = (uint32_t)run->n_retries,
        .max_in_flight = (uint32_t)o->n_lanes,
        .requests_per_datagram = (uint32_t)run->requests_per_datagram};
    struct channel *channel = NULL;
    struct collide_client *client = NULL;
    size_t n_bytes;
    enum collide_status status = wire_requests_datagram_bytes(&run->requests[SIDE_MAIN], &n_bytes, err);
    if (status == COLLIDE_OK && run->key_file)
        status = key_file_read(run->key_file, key, err);
    if (status == COLLIDE_OK)
        status = create_channel_for(run, o, arguments, &channel, err);
    if (status == COLLIDE_OK)
        status = client_create_on(channel, &options, &client, err);
    if (status == COLLIDE_OK)
        status = wire_transport_create(client, (unsigned)o->n_lanes, wait_of(o), &run->transport, err);
    return status;
}

static enum collide_status connect_echo(struct wire_run *run, const struct load_options *o,
                                        char *const *arguments, struct echo_transport **out,
                                        struct collide_error *err)
{
    struct echo_settings settings = {.n_lanes = (unsigned)o->n_lanes, .timeout_ns = ns_of(o->timeout_s)};
    struct channel *channel = NULL;
    enum collide_status status =
        wire_requests_datagram_bytes(&run->requests[SIDE_MAIN], &settings.n_bytes, err);
    if (status == COLLIDE_OK)
        status = create_channel_for(run, o, arguments, &channel, err);
    return status == COLLIDE_OK ? echo_transport_create(channel, &settings, out, err) : status;
}

static enum collide_status connect_sides(struct wire_run *run, const struct load_options *o,
                                         char *const *arguments, struct collide_error *err)
{
    char interface[64], address[256];
    char *echo_arguments[] = {interface, address};
    snprintf(interface, sizeof interface, "%s", run->echo_interface ? run->echo_interface : "");
    snprintf(address, sizeof address, "%s", run->echo_address ? run->echo_address : "");
    enum collide_status status = run->is_echo ? connect_echo(run, o, arguments, &run->echoes[SIDE_MAIN], err)
                                              : connect_client(run, o, arguments, err);
    if (status == COLLIDE_OK && run->echo_address)
        status = connect_echo(run, o, echo_arguments + !run->make->has_interfaces,
                              &run->echoes[SIDE_BASELINE], err);
    return status;
}

static void fill_subject(struct wire_run *run, struct subject *out)
{
    out->target = run->target;
    for (int side = 0; side < N_SIDES; side++)
        out->sides[side] =
            (struct subject_side){.transport = run->echoes[side] ? echo_transport_of(run->echoes[side])
                                               : run->transport  ? wire_transport_of(run->transport)
                                                                 : (struct transport){0},
                                  .messages = {.items = run->requests[side].items,
                                               .n = run->requests[side].n,
                                               .expected_code = COLLIDE_ANSWER_OK}};
    out->sides[SIDE_BASELINE].name = run->echoes[SIDE_BASELINE]       ? "bare echo"
                                     : run->baseline == BASELINE_PING ? "ping"
                                                                      : NULL;
}

static enum collide_status open_wire(void *self, struct load_options *o, char **arguments,
                                     struct subject *out, struct collide_error *err)
{
    struct wire_run *run = self;
    snprintf(run->target, sizeof run->target, "%s://%s%s%s", run->make->name, arguments[0],
             run->make->n_arguments > 1 ? "/" : "", run->make->n_arguments > 1 ? arguments[1] : "");
    enum collide_status status = check(run, &o->question, err);
    if (status == COLLIDE_OK)
        status = ask_model(run, &o->question, err);
    if (status == COLLIDE_OK)
        status = make_requests(run, &o->question, err);
    if (status == COLLIDE_OK)
        status = connect_sides(run, o, arguments, err);
    if (status == COLLIDE_OK)
        fill_subject(run, out);
    return status;
}

static struct report_redone redone(const void *self)
{
    const struct wire_run *run = self;
    return (struct report_redone){"retries", run->transport ? wire_transport_n_retries(run->transport) : 0};
}

static void close_wire(void *self)
{
    struct wire_run *run = self;
    wire_transport_destroy(run->transport);
    for (int side = 0; side < N_SIDES; side++) {
        echo_transport_destroy(run->echoes[side]);
        wire_requests_free(&run->requests[side]);
    }
}

static int load_wire(const struct wire_make *make, enum load_action action, int argc, char **argv)
{
    struct wire_run run = {.make = make};
    const struct load_kind kind = {.name = make->name,
                                   .arguments = make->arguments,
                                   .n_arguments = make->n_arguments,
                                   .summary = make->summary,
                                   .lanes = {.name = "depth",
                                             .short_name = 'c',
                                             .help = "requests in flight, at most",
                                             .n_open = 256,
                                             .n_max = 65536},
                                   .timeout_s = 0.1,
                                   .self = &run,
                                   .fill_table = fill_table,
                                   .open = open_wire,
                                   .redone = redone,
                                   .close = close_wire};
    return load_command(&kind, action, argc, argv);
}

static enum collide_status create_udp(char *const *arguments, enum channel_wait wait, struct channel **out,
                                      struct collide_error *err)
{
    return channel_udp_create(arguments[0], wait, out, err);
}

static enum collide_status create_shm(char *const *arguments, enum channel_wait wait, struct channel **out,
                                      struct collide_error *err)
{
    return channel_shm_create(arguments[0], wait, out, err);
}

static enum collide_status create_xdp(char *const *arguments, enum channel_wait wait, struct channel **out,
                                      struct collide_error *err)
{
    return channel_xdp_create(arguments[0], arguments[1], wait, out, err);
}

int load_udp(enum load_action action, int argc, char **argv)
{
    static const struct wire_make make = {
        .name = "udp",
        .arguments = "HOST:PORT",
        .n_arguments = 1,
        .summary = "Sends requests to `collide serve --udp` as datagrams and prints how long the answers "
                   "took. A percentile is printed only if at least ten samples lie beyond it.",
        .create_channel = create_udp,
        .has_echo = true};
    return load_wire(&make, action, argc, argv);
}

int load_xdp(enum load_action action, int argc, char **argv)
{
    static const struct wire_make make = {
        .name = "xdp",
        .arguments = "IFACE[:QUEUE] HOST:PORT",
        .n_arguments = 2,
        .summary = "Sends requests to `collide serve --xdp` or `--udp` as datagrams through AF_XDP on this "
                   "machine's IFACE, past the kernel's network stack on this side too, and prints how long "
                   "the answers took. A percentile is printed only if at least ten samples lie beyond it.",
        .create_channel = create_xdp,
        .has_echo = true,
        .has_interfaces = true};
    return load_wire(&make, action, argc, argv);
}

int load_shm(enum load_action action, int argc, char **argv)
{
    static const struct wire_make make = {
        .name = "shm",
        .arguments = "NAME",
        .n_arguments = 1,
        .summary = "Sends requests to `collide serve --shm NAME` through shared memory and prints how long "
                   "the answers took. A percentile is printed only if at least ten samples lie beyond it.",
        .create_channel = create_shm};
    return load_wire(&make, action, argc, argv);
}

int bench_udp(int argc, char **argv)
{
    return load_udp(LOAD_MEASURE, argc, argv);
}

int bench_xdp(int argc, char **argv)
{
    return load_xdp(LOAD_MEASURE, argc, argv);
}

int bench_shm(int argc, char **argv)
{
    return load_shm(LOAD_MEASURE, argc, argv);
}
