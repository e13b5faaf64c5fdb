#include "serve/service_figures.h"

#include "api/json_v1.h"
#include "serve/models.h"
#include "serve/worker.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Of all workers of one transport. */
static struct burst_counts counts_of(const struct service *s, enum transport_kind kind)
{
    struct burst_counts all = {0};
    for (unsigned i = 0; i < s->options.n_workers; i++)
        if (observer_kind(s->observer, i) == kind)
            service_worker_burst_counts(s, i, &all);
    return all;
}

static void print_datagrams(const struct service *s, struct prometheus *p)
{
    prometheus_begin(p, "collide_datagrams_total", "counter", "Datagrams received.");
    for (enum transport_kind kind = TRANSPORT_UDP; kind < N_TRANSPORT_KINDS; kind++)
        if (observer_has(s->observer, kind))
            prometheus_count(p, PROMETHEUS_LABELS({"transport", transport_kind_name(kind)}),
                             counts_of(s, kind).n_datagrams);
    prometheus_begin(p, "collide_datagram_bursts_total", "counter",
                     "Bursts that they came in: what shares a launch.");
    for (enum transport_kind kind = TRANSPORT_UDP; kind < N_TRANSPORT_KINDS; kind++)
        if (observer_has(s->observer, kind))
            prometheus_count(p, PROMETHEUS_LABELS({"transport", transport_kind_name(kind)}),
                             counts_of(s, kind).n_bursts);
    prometheus_begin(p, "collide_datagrams_refused_total", "counter", "Datagrams that are no requests.");
    for (enum transport_kind kind = TRANSPORT_UDP; kind < N_TRANSPORT_KINDS; kind++) {
        const struct burst_counts c = counts_of(s, kind);
        const uint64_t n[] = {c.n_not_ours, c.n_other_version, c.n_bad_tag};
        static const char *const reasons[] = {"not_ours", "other_version", "bad_tag"};
        for (unsigned i = 0; i < 3 && observer_has(s->observer, kind); i++)
            prometheus_count(
                p, PROMETHEUS_LABELS({"transport", transport_kind_name(kind)}, {"reason", reasons[i]}), n[i]);
    }
}

static void print_datagram_requests(const struct service *s, struct prometheus *p)
{
    prometheus_begin(p, "collide_datagram_requests_total", "counter",
                     "Requests in datagrams, by the code of their answer.");
    for (enum transport_kind kind = TRANSPORT_UDP; kind < N_TRANSPORT_KINDS; kind++) {
        const struct burst_counts c = counts_of(s, kind);
        for (enum wire_code code = 0; code < N_WIRE_CODES && observer_has(s->observer, kind); code++)
            prometheus_count(
                p,
                PROMETHEUS_LABELS({"transport", transport_kind_name(kind)}, {"code", wire_code_name(code)}),
                c.n_requests[code]);
    }
}

/* A figure of each model or of each version that is loaded. */
struct model_family {
    const char *name, *type, *help;
    size_t offset; /* of a uint64_t in struct model_report */
};

static const struct model_family of_models[] = {
    {"collide_model_requests_total", "counter", "Requests, by model.",
     offsetof(struct model_report, all_counts.n_requests)},
    {"collide_model_lookups_total", "counter", "Ids looked up, stored histories not counted.",
     offsetof(struct model_report, all_counts.n_lookups)},
    {"collide_model_unknown_ids_total", "counter", "Ids among them that the model does not know.",
     offsetof(struct model_report, all_counts.n_unknown)},
    {"collide_model_loads_total", "counter", "Versions loaded.", offsetof(struct model_report, n_loads)},
    {"collide_model_load_failures_total", "counter", "Loads that failed.",
     offsetof(struct model_report, n_failures)},
    {"collide_model_swaps_total", "counter", "Loads in place of another version.",
     offsetof(struct model_report, n_swaps)},
};

static const struct model_family of_versions[] = {
    {"collide_model_resident_bytes", "gauge", "Of the file, and of what is copied from it for devices.",
     offsetof(struct model_report, resident_bytes)},
};

struct family_context {
    struct prometheus *p;
    size_t offset;
};

static uint64_t value_at(const struct model_report *r, size_t offset)
{
    uint64_t value;
    memcpy(&value, (const char *)r + offset, sizeof value);
    return value;
}

static void print_of_model(void *context, const struct model_report *r)
{
    const struct family_context *f = context;
    if (r->is_served || r->version == 0) /* once a model */
        prometheus_count(f->p, PROMETHEUS_LABELS({"model", r->name}), value_at(r, f->offset));
}

static void print_of_version(void *context, const struct model_report *r)
{
    const struct family_context *f = context;
    char version[24];
    snprintf(version, sizeof version, "%" PRIu64, r->version);
    if (r->version > 0)
        prometheus_count(f->p, PROMETHEUS_LABELS({"model", r->name}, {"version", version}),
                         value_at(r, f->offset));
}

static void print_info(void *context, const struct model_report *r)
{
    struct prometheus *p = context;
    struct collide_scorer_info info = {.device = "", .platform = "", .engine = ""};
    char version[24] = "";
    if (r->scorer)
        collide_scorer_info(r->scorer, &info);
    if (r->version > 0)
        snprintf(version, sizeof version, "%" PRIu64, r->version);
    prometheus_count(p,
                     PROMETHEUS_LABELS({"model", r->name}, {"version", version},
                                       {"state", model_state_name(r->state)}, {"device", info.device},
                                       {"platform", info.platform}, {"engine", info.engine}),
                     1);
}

static void print_families(struct service *s, struct prometheus *p, const struct model_family *families,
                           size_t n, model_visit *print)
{
    for (size_t i = 0; i < n; i++) {
        struct family_context f = {p, families[i].offset};
        prometheus_begin(p, families[i].name, families[i].type, families[i].help);
        service_models_each(s, print, &f);
    }
}

void service_print_metrics(struct service *s, struct prometheus *p)
{
    print_families(s, p, of_models, sizeof of_models / sizeof of_models[0], print_of_model);
    print_families(s, p, of_versions, sizeof of_versions / sizeof of_versions[0], print_of_version);
    prometheus_begin(p, "collide_model_info", "gauge", "1; the labels say what is there and where it runs.");
    service_models_each(s, print_info, p);
    print_datagrams(s, p);
    print_datagram_requests(s, p);
}

struct list_context {
    struct buffer *out;
    const char *before;
};

static void print_model(void *context, const struct model_report *r)
{
    struct list_context *list = context;
    buffer_printf(list->out, "%s{\"name\":", list->before);
    json_print_string(list->out, r->name, strlen(r->name));
    buffer_printf(list->out,
                  ",\"version\":%" PRIu64 ",\"state\":\"%s\",\"served\":%s,\"requests\":%" PRIu64
                  ",\"lookups\":%" PRIu64 ",\"unknown\":%" PRIu64 ",\"swaps\":%" PRIu64
                  ",\"resident_bytes\":%" PRIu64 ",\"reason\":",
                  r->version, model_state_name(r->state), r->is_served ? "true" : "false",
                  r->counts.n_requests, r->counts.n_lookups, r->counts.n_unknown, r->n_swaps,
                  r->resident_bytes);
    json_print_string(list->out, r->reason, strlen(r->reason));
    buffer_append_text(list->out, "}");
    list->before = ",\n";
}

void service_print_models(struct service *s, struct buffer *out)
{
    struct list_context list = {out, "["};
    service_models_each(s, print_model, &list);
    buffer_append_text(out, list.before[0] == '[' ? "[]" : "]");
}
