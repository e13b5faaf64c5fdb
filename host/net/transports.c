#include "net/transports.h"

#include "api/json_v1.h"
#include "base/error.h"
#include "base/log.h"

#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

struct transports {
    const struct service *service;
    struct xdp_server *xdp;
    struct udp_server *udp;
    struct shm_server *shm;
    const char *shm_name;
};

unsigned transports_n_threads(const struct transports_options *o)
{
    return o->xdp.n_queues + o->udp.n_threads + o->shm.n_threads;
}

/* The i-th CPU that this process may use, round and round. */
static int allowed_cpu(unsigned i)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) == 0)
        return -1;
    unsigned place = i % (unsigned)CPU_COUNT(&allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((size_t)cpu, &allowed) && place-- == 0)
            return cpu;
    return -1;
}

static enum collide_status open_all(struct transports *t, struct service *service,
                                    const struct transports_options *o, struct collide_error *err)
{
    struct xdp_options xdp = o->xdp;
    struct udp_options udp = o->udp;
    struct shm_options shm = o->shm;
    struct observer *seen = service_observer(service);
    enum collide_status status = COLLIDE_OK;
    int queue_cpus[XDP_MAX_QUEUES];
    for (unsigned i = 0; i < xdp.n_queues; i++)
        queue_cpus[i] = o->cpus ? o->cpus[i] : allowed_cpu(i);
    xdp.cpus = queue_cpus;
    xdp.poll = udp.poll = shm.poll = o->poll;
    xdp.first_worker = o->first_worker;
    udp.first_worker = xdp.first_worker + xdp.n_queues;
    shm.first_worker = udp.first_worker + udp.n_threads;
    udp.cpus = o->cpus ? o->cpus + xdp.n_queues : NULL;
    shm.cpus = o->cpus ? udp.cpus + udp.n_threads : NULL;
    observer_give_workers(seen, xdp.first_worker, xdp.n_queues, TRANSPORT_XDP);
    observer_give_workers(seen, udp.first_worker, udp.n_threads, TRANSPORT_UDP);
    observer_give_workers(seen, shm.first_worker, shm.n_threads, TRANSPORT_SHM);
    if (xdp.n_queues > 0) /* the first: it drops capabilities */
        status = xdp_server_create(service, &xdp, &t->xdp, err);
    if (status == COLLIDE_OK && udp.n_threads > 0)
        status = udp_server_create(service, &udp, &t->udp, err);
    if (status == COLLIDE_OK && shm.n_threads > 0)
        status = shm_server_create(service, &shm, &t->shm, err);
    return status;
}

enum collide_status transports_create(struct service *service, const struct transports_options *options,
                                      struct transports **out, struct collide_error *err)
{
    struct transports *t = calloc(1, sizeof *t);
    if (!t)
        return error_no_memory(err, "the transports");
    t->service = service;
    t->shm_name = options->shm.name;
    enum collide_status status = open_all(t, service, options, err);
    if (status != COLLIDE_OK) {
        transports_destroy(t);
        return status;
    }
    *out = t;
    return COLLIDE_OK;
}

void transports_destroy(struct transports *t)
{
    if (!t)
        return;
    xdp_server_destroy(t->xdp);
    udp_server_destroy(t->udp);
    shm_server_destroy(t->shm);
    free(t);
}

static void print_text(struct buffer *out, const char *name, const char *text)
{
    buffer_append_text(out, name);
    json_print_string(out, text, strlen(text));
}

static void print_xdp_counts(struct buffer *out, const struct xdp_server *x)
{
    struct xdp_counts c;
    xdp_server_counts(x, &c);
    buffer_printf(out,
                  ",\"xdp_frames\":{\"received\":%" PRIu64 ",\"sent\":%" PRIu64
                  ",\"dropped_fragments\":%" PRIu64 ",\"dropped_malformed\":%" PRIu64 ",\"rx_other\":%" PRIu64
                  ",\"rx_fill_empty\":%" PRIu64 ",\"rx_invalid\":%" PRIu64 ",\"frames\":%" PRIu64
                  ",\"frames_found\":%" PRIu64 "}",
                  c.n_received, c.n_sent, c.n_dropped_fragments, c.n_dropped_malformed, c.n_rx_other,
                  c.n_rx_fill_empty, c.n_rx_invalid, c.n_frames, c.n_frames_found);
}

void transports_describe(const struct transports *t, struct buffer *out)
{
    struct burst_counts c;
    service_burst_counts(t->service, &c);
    buffer_printf(out,
                  "{\"datagrams\":%" PRIu64 ",\"bursts\":%" PRIu64 ",\"not_ours\":%" PRIu64
                  ",\"other_version\":%" PRIu64 ",\"bad_tag\":%" PRIu64 ",\"requests\":{",
                  c.n_datagrams, c.n_bursts, c.n_not_ours, c.n_other_version, c.n_bad_tag);
    for (enum wire_code code = WIRE_OK; code < N_WIRE_CODES; code++)
        buffer_printf(out, "%s\"%s\":%" PRIu64, code ? "," : "", wire_code_name(code), c.n_requests[code]);
    buffer_append_text(out, "}");
    if (t->xdp) {
        print_text(out, ",\"xdp\":", xdp_server_description(t->xdp));
        print_xdp_counts(out, t->xdp);
    }
    if (t->udp) {
        struct udp_counts udp;
        udp_server_counts(t->udp, &udp);
        print_text(out, ",\"udp\":", udp_server_address(t->udp));
        buffer_printf(out, ",\"udp_datagrams\":{\"dropped\":%" PRIu64 ",\"not_sent\":%" PRIu64 "}",
                      udp.n_dropped, udp.n_not_sent);
    }
    if (t->shm)
        print_text(out, ",\"shm\":", t->shm_name);
    buffer_append_text(out, "}\n");
}

static void print_udp_metrics(const struct udp_server *u, struct prometheus *p)
{
    struct udp_counts c;
    udp_server_counts(u, &c);
    prometheus_begin(p, "collide_udp_dropped_total", "counter", "Datagrams that the system had no room for.");
    prometheus_count(p, PROMETHEUS_NO_LABELS, c.n_dropped);
    prometheus_begin(p, "collide_udp_not_sent_total", "counter", "Answers that the system did not take.");
    prometheus_count(p, PROMETHEUS_NO_LABELS, c.n_not_sent);
}

static void print_xdp_metrics(const struct xdp_server *x, struct prometheus *p)
{
    struct xdp_counts c;
    xdp_server_counts(x, &c);
    const struct {
        const char *event;
        uint64_t n;
    } events[] = {{"received", c.n_received},
                  {"sent", c.n_sent},
                  {"dropped_fragments", c.n_dropped_fragments},
                  {"dropped_malformed", c.n_dropped_malformed},
                  {"rx_other", c.n_rx_other},
                  {"rx_fill_empty", c.n_rx_fill_empty},
                  {"rx_invalid", c.n_rx_invalid}};
    prometheus_begin(p, "collide_xdp_frames_total", "counter", "Frames of AF_XDP, by what became of them.");
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        prometheus_count(p, PROMETHEUS_LABELS({"event", events[i].event}), events[i].n);
}

void transports_print_metrics(const struct transports *t, struct prometheus *p)
{
    if (t && t->udp)
        print_udp_metrics(t->udp, p);
    if (t && t->xdp)
        print_xdp_metrics(t->xdp, p);
}

void transports_log(const struct transports *t)
{
    if (t->xdp)
        log_info("AF_XDP on %s", xdp_server_description(t->xdp));
    if (t->udp)
        log_info("UDP on %s", udp_server_address(t->udp));
    if (t->shm)
        log_info("shared memory \"%s\"", t->shm_name);
}
