/* What the service has seen, for machines and for people; docs/OBSERVING.md. */
#include "http/endpoint.h"
#include "http/router.h"
#include "observe/page.h"
#include "observe/stats.h"
#include "serve/service_figures.h"

/* Names of all routes, by router_place. */
struct all_names {
    const char *names[OBSERVER_MAX_ROUTES];
    struct route_names routes;
};

static void collect_names(struct all_names *out)
{
    size_t n_tables;
    const struct http_routes *const *tables = router_tables(&n_tables);
    unsigned n = 0;
    for (size_t i = 0; i < n_tables; i++)
        for (size_t k = 0; k < tables[i]->n && n < OBSERVER_MAX_ROUTES; k++)
            out->names[n++] = tables[i]->routes[k].pattern;
    out->routes = (struct route_names){out->names, n};
}

static void metrics(const struct http_context *c, const struct http_request *request,
                    struct http_reply *reply)
{
    struct prometheus p = {.out = &reply->body};
    struct all_names all;
    (void)request;
    collect_names(&all);
    reply->content_type = PROMETHEUS_CONTENT_TYPE;
    metrics_print_observed(&p, service_observer(c->service), &all.routes);
    service_print_metrics(c->service, &p);
    transports_print_metrics(c->transports, &p);
    metrics_print_process(&p, service_observer(c->service));
}

static void stats(const struct http_context *c, const struct http_request *request, struct http_reply *reply)
{
    struct all_names all;
    (void)request;
    collect_names(&all);
    http_reply_header(reply, "Cache-Control", "no-store");
    buffer_append_text(&reply->body, "{");
    stats_print_observed(service_observer(c->service), &all.routes, &reply->body);
    buffer_append_text(&reply->body, ",\n\"models\":");
    service_print_models(c->service, &reply->body);
    buffer_append_text(&reply->body, "}\n");
}

static void slow(const struct http_context *c, const struct http_request *request, struct http_reply *reply)
{
    (void)request;
    http_reply_header(reply, "Cache-Control", "no-store");
    observer_print_slow(service_observer(c->service), &reply->body);
}

static void page(const struct http_context *c, const struct http_request *request, struct http_reply *reply)
{
    (void)c;
    (void)request;
    reply->content_type = "text/html; charset=utf-8";
    http_reply_header(reply, "Cache-Control", "no-cache");
    http_reply_header(reply, "X-Content-Type-Options", "nosniff");
    http_reply_header(reply, "X-Frame-Options", "DENY");
    http_reply_header(reply, "Referrer-Policy", "no-referrer");
    buffer_append(&reply->body, page_html, page_html_bytes);
}

static const struct http_route routes[] = {
    {"GET", "/", page, HTTP_IS_OPEN, NULL},
    {"GET", "/metrics", metrics, HTTP_IS_ADMIN, NULL},
    {"GET", "/v1/stats", stats, 0, NULL},
    {"GET", "/debug/slow", slow, HTTP_IS_ADMIN, NULL},
};

const struct http_routes observe_endpoints = {routes, sizeof routes / sizeof routes[0]};
