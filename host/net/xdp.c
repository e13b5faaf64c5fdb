#include "net/xdp.h"

#include "base/error.h"
#include "base/log.h"
#include "net/capabilities.h"
#include "wire/wire.h"
#include "xdp/frame.h"
#include "xdp/interface.h"
#include "xdp/redirect.h"
#include "xdp/xdp_socket.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One huge page of frames: bursts to come, in memory that caches hold. */
enum {
    N_FRAMES = 1024,
    MIN_MTU = WIRE_MAX_BYTES + FRAME_UDP_IPV6_BYTES,
    CENSUS_PAUSE_NS = 1000000,
    MAX_PAUSES = 150
};

struct queue {
    struct burst_port port;
    struct xdp_socket *socket;
    struct burst_loop *loop;
    struct frame frames[BURST_MAX]; /* of the burst in hand */
    atomic_bool census_due;
    _Atomic uint32_t n_found; /* frames, by the last census */
    _Atomic uint64_t n_received, n_sent, n_dropped_fragments, n_dropped_malformed;
};

struct xdp_server {
    struct redirect *redirect;
    struct queue *queues; /* (n_queues) */
    unsigned n_queues;
    char description[512];
};

/* Of counters that one thread alone changes. */
static void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static void take_census(struct queue *q)
{
    struct xdp_census census;
    xdp_socket_census(q->socket, &census);
    atomic_store_explicit(&q->n_found, xdp_census_found(&census), memory_order_relaxed);
    atomic_store_explicit(&q->census_due, false, memory_order_release);
}

static void refuse(struct queue *q, const struct xdp_frame *frame, enum frame_refusal refusal)
{
    count(refusal == FRAME_FRAGMENT ? &q->n_dropped_fragments : &q->n_dropped_malformed, 1);
    xdp_socket_release(q->socket, frame->bytes);
}

static size_t receive(struct burst_port *port, struct datagram *burst, size_t max)
{
    struct queue *q = (struct queue *)port;
    struct xdp_frame received[BURST_MAX];
    size_t n = xdp_socket_receive(q->socket, received, max), n_taken = 0;
    if (atomic_load_explicit(&q->census_due, memory_order_relaxed))
        take_census(q);
    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        struct frame *frame = &q->frames[n_taken];
        enum frame_refusal refusal = frame_read(received[i].bytes, received[i].n_bytes, frame);
        if (refusal != FRAME_ACCEPTED) {
            refuse(q, &received[i], refusal);
            continue;
        }
        burst[n_taken++] = (struct datagram){
            .bytes = frame->payload,
            .n_bytes = frame->n_payload,
            .capacity = WIRE_MAX_BYTES,
            .arrived_ns = received[i].arrived_ns,
        };
    }
    count(&q->n_received, n);
    if (n_taken == 0)
        xdp_socket_flush(q->socket);
    return n_taken;
}

static void send_answers(struct burst_port *port, struct datagram *burst, size_t n)
{
    struct queue *q = (struct queue *)port;
    size_t n_sent = 0;
    for (size_t i = 0; i < n; i++) {
        struct frame *frame = &q->frames[i];
        if (burst[i].n_reply_bytes == 0) {
            xdp_socket_release(q->socket, frame->bytes);
            continue;
        }
        frame_turn(frame, burst[i].n_reply_bytes);
        xdp_socket_queue(q->socket, frame->bytes, frame->n_bytes);
        n_sent++;
    }
    xdp_socket_flush(q->socket);
    count(&q->n_sent, n_sent);
}

static void wait_for_frames(struct burst_port *port, unsigned timeout_ms)
{
    xdp_socket_wait(((struct queue *)port)->socket, timeout_ms);
}

static const struct burst_port_make queue_make = {receive, send_answers, wait_for_frames};

enum collide_status xdp_interface_parse(char *text, struct xdp_options *out, struct collide_error *err)
{
    enum collide_status status = interface_parse(text, out->queues, XDP_MAX_QUEUES, &out->n_queues, err);
    if (status == COLLIDE_OK)
        out->interface = text;
    return status;
}

static enum collide_status check_interface(const struct xdp_options *o, struct collide_error *err)
{
    struct interface found;
    enum collide_status status = interface_find(o->interface, &found, err);
    if (status != COLLIDE_OK)
        return status;
    if (found.mtu < MIN_MTU)
        return error_set(
            err, COLLIDE_UNSUPPORTED,
            "answers take up to %d bytes, and the MTU of %s is %u: `ip link set dev %s mtu 1500`", MIN_MTU,
            o->interface, found.mtu, o->interface);
    for (unsigned i = 0; i < o->n_queues; i++)
        if (o->queues[i] >= found.n_queues)
            return error_set(err, COLLIDE_INVALID, "%s has no queue %u: it has %u, see `ethtool -l %s`",
                             o->interface, o->queues[i], found.n_queues, o->interface);
    if (o->n_queues < found.n_queues)
        log_warning(
            "%s has %u queues, of which %u are served: requests that come by others go to the kernel; name "
            "them all, or `ethtool -L %s combined %u`",
            o->interface, found.n_queues, o->n_queues, o->interface, o->n_queues);
    return COLLIDE_OK;
}

static enum collide_status open_queue(struct xdp_server *x, struct service *service,
                                      const struct xdp_options *o, unsigned i, struct collide_error *err)
{
    struct queue *q = &x->queues[i];
    q->port.make = &queue_make;
    uint8_t *memory = xdp_memory_allocate(N_FRAMES);
    if (!memory)
        return error_no_memory(err, "frames");
    service_share_memory(service, o->first_worker + i, memory, N_FRAMES * XDP_FRAME_BYTES);
    const struct xdp_socket_options options = {
        .interface = o->interface,
        .queue = o->queues[i],
        .memory = memory,
        .n_frames = N_FRAMES,
        .n_receive = N_FRAMES,
        .busy_poll_us = o->busy_poll_us,
    };
    enum collide_status status = xdp_socket_create(&options, &q->socket, err);
    return status == COLLIDE_OK ? redirect_to_socket(x->redirect, o->queues[i], xdp_socket_fd(q->socket), err)
                                : status;
}

static enum collide_status start_queue(struct xdp_server *x, struct service *service,
                                       const struct xdp_options *o, unsigned i, struct collide_error *err)
{
    const struct burst_loop_options options = {
        .service = service,
        .worker = o->first_worker + i,
        .poll = o->poll,
        .cpu = o->cpus ? o->cpus[i] : -1,
    };
    return burst_loop_start(&x->queues[i].port, &options, &x->queues[i].loop, err);
}

/* "veth0, queues 0 and 1, native, copied" */
static void describe(struct xdp_server *x, const struct xdp_options *o)
{
    size_t n = (size_t)snprintf(x->description, sizeof x->description, "%s, queue%s", o->interface,
                                o->n_queues > 1 ? "s" : "");
    bool is_zero_copy = true;
    for (unsigned i = 0; i < o->n_queues; i++)
        is_zero_copy = is_zero_copy && xdp_socket_is_zero_copy(x->queues[i].socket);
    for (unsigned i = 0; i < o->n_queues; i++)
        n += (size_t)snprintf(x->description + n, sizeof x->description - n, "%s%u",
                              i == 0                ? " "
                              : i + 1 < o->n_queues ? ", "
                                                    : " and ",
                              o->queues[i]);
    snprintf(x->description + n, sizeof x->description - n, ", %s, %s",
             redirect_mode(x->redirect) == REDIRECT_NATIVE ? "native" : "generic",
             is_zero_copy ? "zero-copy" : "copied");
}

static enum collide_status open_server(struct xdp_server *x, struct service *service,
                                       const struct xdp_options *o, struct collide_error *err)
{
    const struct redirect_options attach = {
        .interface = o->interface,
        .port = o->port,
        .mode = REDIRECT_BEST,
        .flags = REDIRECT_STAMPS_ARRIVAL,
    };
    enum collide_status status = check_interface(o, err);
    if (status == COLLIDE_OK)
        status = capabilities_require(err);
    if (status == COLLIDE_OK)
        status = redirect_create(&attach, &x->redirect, err);
    for (unsigned i = 0; status == COLLIDE_OK && i < o->n_queues; i++)
        status = open_queue(x, service, o, i, err);
    if (status == COLLIDE_OK)
        status = capabilities_drop(err);
    if (status == COLLIDE_OK)
        describe(x, o);
    for (unsigned i = 0; status == COLLIDE_OK && i < o->n_queues; i++)
        status = start_queue(x, service, o, i, err);
    return status;
}

enum collide_status xdp_server_create(struct service *service, const struct xdp_options *options,
                                      struct xdp_server **out, struct collide_error *err)
{
    struct xdp_server *x = calloc(1, sizeof *x);
    struct queue *queues = calloc(options->n_queues, sizeof *queues);
    if (!x || !queues) {
        free(x);
        free(queues);
        return error_no_memory(err, "an AF_XDP server");
    }
    x->queues = queues;
    x->n_queues = options->n_queues;
    enum collide_status status = open_server(x, service, options, err);
    if (status != COLLIDE_OK) {
        xdp_server_destroy(x);
        return status;
    }
    *out = x;
    return COLLIDE_OK;
}

const char *xdp_server_description(const struct xdp_server *x)
{
    return x->description;
}

void xdp_server_destroy(struct xdp_server *x)
{
    if (!x)
        return;
    redirect_destroy(x->redirect);
    for (unsigned i = 0; i < x->n_queues; i++)
        burst_loop_stop(x->queues[i].loop);
    for (unsigned i = 0; i < x->n_queues; i++)
        xdp_socket_destroy(x->queues[i].socket);
    free(x->queues);
    free(x);
}

/* The threads that have the frames count them, between two bursts: they wake that often. */
static void take_all_censuses(const struct xdp_server *x)
{
    for (unsigned i = 0; i < x->n_queues; i++)
        atomic_store(&x->queues[i].census_due, true);
    for (unsigned i = 0, n_pauses = 0; i < x->n_queues; i++)
        while (atomic_load_explicit(&x->queues[i].census_due, memory_order_acquire) &&
               n_pauses++ < MAX_PAUSES)
            nanosleep(&(struct timespec){.tv_nsec = CENSUS_PAUSE_NS}, NULL);
}

static void add_counts(struct queue *q, struct xdp_counts *sum)
{
    struct xdp_drops drops;
    xdp_socket_drops(q->socket, &drops);
    sum->n_received += atomic_load(&q->n_received);
    sum->n_sent += atomic_load(&q->n_sent);
    sum->n_dropped_fragments += atomic_load(&q->n_dropped_fragments);
    sum->n_dropped_malformed += atomic_load(&q->n_dropped_malformed);
    sum->n_rx_other += drops.n_rx_other;
    sum->n_rx_fill_empty += drops.n_rx_fill_empty;
    sum->n_rx_invalid += drops.n_rx_invalid;
    if (atomic_load_explicit(&q->census_due, memory_order_acquire))
        return; /* its thread is busy with a long burst */
    sum->n_frames += N_FRAMES;
    sum->n_frames_found += atomic_load(&q->n_found);
}

void xdp_server_counts(const struct xdp_server *x, struct xdp_counts *out)
{
    *out = (struct xdp_counts){.n_dropped_fragments = redirect_n_fragments(x->redirect)};
    take_all_censuses(x);
    for (unsigned i = 0; i < x->n_queues; i++)
        add_counts(&x->queues[i], out);
}
