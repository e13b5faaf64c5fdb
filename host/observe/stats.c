#include "observe/stats.h"

#include "api/json_v1.h"
#include "observe/process_figures.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void print_edges(struct buffer *out)
{
    buffer_append_text(out, ",\"edges_us\":[");
    for (unsigned i = 0; i < DURATIONS_N_EDGES; i++) {
        uint64_t ns = durations_edge_ns(i);
        buffer_printf(out, "%s%" PRIu64, i ? "," : "", ns / 1000);
        if (ns % 1000 > 0)
            buffer_printf(out, ".%03" PRIu64, ns % 1000);
    }
    buffer_append_text(out, "],\n");
}

static void print_durations(const struct durations *d, struct buffer *out)
{
    const char *before = "";
    buffer_printf(out, "\"n\":%" PRIu64 ",\"sum_us\":%.1f,\"p50_us\":%.3f,\"p99_us\":%.3f,\"p999_us\":%.3f",
                  durations_n(d), (double)d->sum_ns * 1e-3, durations_quantile_ns(d, 0.5) * 1e-3,
                  durations_quantile_ns(d, 0.99) * 1e-3, durations_quantile_ns(d, 0.999) * 1e-3);
    buffer_append_text(out, ",\"counts\":[");
    for (unsigned i = 0; i < DURATIONS_N_BUCKETS; i++) {
        if (d->counts[i] == 0)
            continue;
        buffer_printf(out, "%s[%u,%" PRIu64 "]", before, i, d->counts[i]);
        before = ",";
    }
    buffer_append_text(out, "]");
}

static void print_stages(const struct observer *o, enum transport_kind kind, enum work work,
                         struct buffer *out)
{
    struct durations d;
    buffer_append_text(out, ",\n\"stages\":{");
    for (enum stage stage = 0; stage < N_STAGES; stage++) {
        observer_stage(o, kind, work, stage, &d);
        buffer_printf(out, "%s\"%s\":{", stage ? ",\n" : "", stage_name(stage));
        print_durations(&d, out);
        buffer_append_text(out, "}");
    }
    buffer_append_text(out, "}");
}

static void print_all_durations(const struct observer *o, struct buffer *out)
{
    const char *before = "";
    struct durations d;
    buffer_append_text(out, "\"durations\":[");
    for (enum transport_kind kind = 0; kind < N_TRANSPORT_KINDS; kind++)
        for (enum work work = 0; work < N_WORKS; work++) {
            observer_total(o, kind, work, &d);
            if (durations_n(&d) == 0)
                continue;
            buffer_printf(out, "%s{\"transport\":\"%s\",\"operation\":\"%s\",", before,
                          transport_kind_name(kind), work_name(work));
            print_durations(&d, out);
            if (work < N_STAGED_WORKS)
                print_stages(o, kind, work, out);
            buffer_append_text(out, "}");
            before = ",\n";
        }
    buffer_append_text(out, "],\n");
}

static void print_answers(const struct observer *o, const struct route_names *routes, struct buffer *out)
{
    const char *before = "";
    buffer_append_text(out, "\"http\":[");
    for (unsigned route = 0; route < OBSERVER_MAX_ROUTES; route++)
        for (unsigned i = 0; i < OBSERVER_N_STATUSES; i++) {
            const char *name = route < routes->n ? routes->names[route] : "other";
            uint64_t n = observer_answers(o, route, i);
            if (n == 0)
                continue;
            buffer_printf(out, "%s{\"route\":", before);
            json_print_string(out, name, strlen(name));
            buffer_printf(out, ",\"status\":%u,\"n\":%" PRIu64 "}", observer_status(i), n);
            before = ",";
        }
    buffer_append_text(out, "],\n");
}

static void print_figure(const char *name, double value, struct buffer *out)
{
    if (isfinite(value))
        buffer_printf(out, "\"%s\":%.15g,", name, value);
}

static void print_process(struct buffer *out)
{
    struct process_figures f;
    process_figures_read(&f);
    buffer_append_text(out, "\"process\":{");
    print_figure("resident_bytes", f.resident_bytes, out);
    print_figure("open_fds", f.n_open_fds, out);
    print_figure("threads", f.n_threads, out);
    buffer_printf(out, "\"cpu_s\":%.3f}", f.cpu_seconds);
}

void stats_print_observed(const struct observer *o, const struct route_names *routes, struct buffer *out)
{
    buffer_printf(out, "\"age_s\":%.6f", observer_age_s(o));
    print_edges(out);
    print_all_durations(o, out);
    print_answers(o, routes, out);
    print_process(out);
}
