#include "observe/metrics.h"

#include "collide/status.h"
#include "observe/access_log.h"
#include "observe/process_figures.h"

#include <math.h>
#include <stdio.h>

static void print_totals(struct prometheus *p, const struct observer *o)
{
    prometheus_begin(p, "collide_request_duration_seconds", "histogram",
                     "From a request's first byte to its answer; a datagram's from its arrival.");
    for (enum transport_kind kind = 0; kind < N_TRANSPORT_KINDS; kind++)
        for (enum work work = 0; work < N_WORKS; work++) {
            struct durations d;
            observer_total(o, kind, work, &d);
            if (durations_n(&d) > 0)
                prometheus_durations(p,
                                     PROMETHEUS_LABELS({"transport", transport_kind_name(kind)},
                                                       {"operation", work_name(work)}),
                                     &d);
        }
}

static void print_stages(struct prometheus *p, const struct observer *o, enum transport_kind kind,
                         enum work work)
{
    for (enum stage stage = 0; stage < N_STAGES; stage++) {
        struct durations d;
        observer_stage(o, kind, work, stage, &d);
        if (durations_n(&d) > 0)
            prometheus_durations(p,
                                 PROMETHEUS_LABELS({"transport", transport_kind_name(kind)},
                                                   {"operation", work_name(work)},
                                                   {"stage", stage_name(stage)}),
                                 &d);
    }
}

static void print_all_stages(struct prometheus *p, const struct observer *o)
{
    prometheus_begin(p, "collide_stage_duration_seconds", "histogram",
                     "Where the time of score and topk requests goes.");
    for (enum transport_kind kind = 0; kind < N_TRANSPORT_KINDS; kind++)
        for (enum work work = 0; work < N_WORKS; work++)
            print_stages(p, o, kind, work);
}

static void print_answers(struct prometheus *p, const struct observer *o, const struct route_names *routes)
{
    prometheus_begin(p, "collide_http_requests_total", "counter", "HTTP requests answered.");
    for (unsigned i = 0; i < OBSERVER_N_STATUSES; i++) {
        char status[16];
        uint64_t n_other = 0;
        snprintf(status, sizeof status, observer_status(i) ? "%u" : "other", observer_status(i));
        for (unsigned route = 0; route < OBSERVER_MAX_ROUTES; route++) {
            uint64_t n = observer_answers(o, route, i);
            if (route >= routes->n)
                n_other += n;
            else if (n > 0)
                prometheus_count(p, PROMETHEUS_LABELS({"route", routes->names[route]}, {"status", status}),
                                 n);
        }
        if (n_other > 0)
            prometheus_count(p, PROMETHEUS_LABELS({"route", "other"}, {"status", status}), n_other);
    }
}

void metrics_print_observed(struct prometheus *p, const struct observer *o, const struct route_names *routes)
{
    struct observed_bytes bytes = observer_bytes(o);
    print_answers(p, o, routes);
    prometheus_begin(p, "collide_http_request_bytes_total", "counter", "Bytes of HTTP request bodies.");
    prometheus_count(p, PROMETHEUS_NO_LABELS, bytes.n_in);
    prometheus_begin(p, "collide_http_response_bytes_total", "counter", "Bytes of HTTP response bodies.");
    prometheus_count(p, PROMETHEUS_NO_LABELS, bytes.n_out);
    print_totals(p, o);
    print_all_stages(p, o);
    if (observer_access_log(o)) {
        prometheus_begin(p, "collide_access_log_dropped_total", "counter",
                         "Lines of the access log that were not written: too many at once, a stuck reader or "
                         "a full disk.");
        prometheus_count(p, PROMETHEUS_NO_LABELS, access_log_n_dropped(observer_access_log(o)));
    }
}

static void print_figure(struct prometheus *p, const char *name, const char *type, const char *help,
                         double value)
{
    if (!isfinite(value))
        return;
    prometheus_begin(p, name, type, help);
    prometheus_value(p, PROMETHEUS_NO_LABELS, value);
}

void metrics_print_process(struct prometheus *p, const struct observer *o)
{
    struct process_figures f;
    process_figures_read(&f);
    prometheus_begin(p, "collide_build_info", "gauge", "1; the label says what runs.");
    prometheus_count(p, PROMETHEUS_LABELS({"version", collide_version()}), 1);
    print_figure(p, "process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.",
                 observer_created_s(o));
    print_figure(p, "process_cpu_seconds_total", "counter", "CPU time, user's and system's together.",
                 f.cpu_seconds);
    print_figure(p, "process_resident_memory_bytes", "gauge", "Memory that is resident.", f.resident_bytes);
    print_figure(p, "process_virtual_memory_bytes", "gauge", "Memory that is mapped.", f.virtual_bytes);
    print_figure(p, "process_open_fds", "gauge", "File descriptors that are open.", f.n_open_fds);
    print_figure(p, "process_max_fds", "gauge", "File descriptors that may be open.", f.max_fds);
    print_figure(p, "process_threads", "gauge", "Threads.", f.n_threads);
}
