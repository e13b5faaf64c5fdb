/* The text format 0.0.4 of Prometheus.
 *
 *     # HELP collide_http_requests_total HTTP requests answered.
 *     # TYPE collide_http_requests_total counter
 *     collide_http_requests_total{route="/v1/score",status="200"} 17
 *
 * A family is begun, then its samples follow, then the next family. */
#ifndef OBSERVE_PROMETHEUS_H
#define OBSERVE_PROMETHEUS_H

#include "base/buffer.h"
#include "observe/durations.h"

#define PROMETHEUS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct prometheus_label {
    const char *name;
    const char *value; /* any text */
};

enum { PROMETHEUS_MAX_LABELS = 6 };

/* A list that ends with a label without a name. */
#define PROMETHEUS_LABELS(...) ((const struct prometheus_label[PROMETHEUS_MAX_LABELS + 1]){__VA_ARGS__})
#define PROMETHEUS_NO_LABELS   PROMETHEUS_LABELS({0})

struct prometheus {
    struct buffer *out;
    const char *name; /* of the family */
};

/* type: "counter", "gauge" or "histogram"; name is borrowed until the next. */
void prometheus_begin(struct prometheus *p, const char *name, const char *type, const char *help);

void prometheus_count(struct prometheus *p, const struct prometheus_label *labels, uint64_t value);
void prometheus_value(struct prometheus *p, const struct prometheus_label *labels, double value);

/* In seconds, with an edge at every doubling of a microsecond. */
void prometheus_durations(struct prometheus *p, const struct prometheus_label *labels,
                          const struct durations *d);

#endif
