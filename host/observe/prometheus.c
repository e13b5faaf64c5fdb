#include "observe/prometheus.h"

#include "base/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* In help texts quotes stand for themselves. */
static void print_escaped(struct buffer *out, const char *text, const char *escaped)
{
    for (size_t n; *text; text += n) {
        n = strcspn(text, escaped);
        buffer_append(out, text, n);
        if (text[n] == '\0')
            continue;
        buffer_append(out, (char[]){'\\', text[n] == '\n' ? 'n' : text[n]}, 2);
        n++;
    }
}

void prometheus_begin(struct prometheus *p, const char *name, const char *type, const char *help)
{
    p->name = name;
    buffer_printf(p->out, "# HELP %s ", name);
    print_escaped(p->out, help, "\\\n");
    buffer_printf(p->out, "\n# TYPE %s %s\n", name, type);
}

/* The braces are open in any case; returns what comes before a further label. */
static const char *open_series(struct prometheus *p, const char *suffix,
                               const struct prometheus_label *labels)
{
    const char *before = "{";
    buffer_append_text(p->out, p->name);
    buffer_append_text(p->out, suffix);
    for (; labels->name; labels++, before = ",") {
        buffer_append_text(p->out, before);
        buffer_append_text(p->out, labels->name);
        buffer_append(p->out, "=\"", 2);
        print_escaped(p->out, labels->value, "\\\n\"");
        buffer_append(p->out, "\"", 1);
    }
    return before;
}

static void print_series(struct prometheus *p, const char *suffix, const struct prometheus_label *labels)
{
    buffer_append_text(p->out, open_series(p, suffix, labels)[0] == ',' ? "} " : " ");
}

static void print_u64(struct buffer *out, uint64_t value)
{
    char *to = buffer_reserve(out, NUMBER_MAX_CHARS + 1);
    if (!to)
        return;
    size_t n = number_print_u64(to, value);
    to[n] = '\n';
    out->n_bytes += n + 1;
}

void prometheus_count(struct prometheus *p, const struct prometheus_label *labels, uint64_t value)
{
    print_series(p, "", labels);
    print_u64(p->out, value);
}

void prometheus_value(struct prometheus *p, const struct prometheus_label *labels, double value)
{
    print_series(p, "", labels);
    buffer_printf(p->out, "%.15g\n", value);
}

/* What the lines of a series begin with is made once: a scrape has hundreds of them, and whoever answers it
 * answers requests, too. */
struct bucket_lines {
    struct buffer *out;
    size_t begin, n_bytes; /* of the first one's beginning in out */
};

static void print_bucket(struct bucket_lines *lines, const char *le, uint64_t n)
{
    struct buffer *out = lines->out;
    if (out->n_bytes > lines->begin + lines->n_bytes) {
        char *to = buffer_reserve(out, lines->n_bytes);
        if (!to)
            return;
        memcpy(to, out->bytes + lines->begin, lines->n_bytes);
        out->n_bytes += lines->n_bytes;
    }
    buffer_append_text(out, le);
    buffer_append(out, "\"} ", 3);
    print_u64(out, n);
}

static void print_buckets(struct prometheus *p, const struct prometheus_label *labels,
                          const struct durations *d)
{
    struct bucket_lines lines = {.out = p->out, .begin = p->out->n_bytes};
    uint64_t n = 0;
    buffer_append_text(p->out, open_series(p, "_bucket", labels));
    buffer_append_text(p->out, "le=\"");
    lines.n_bytes = p->out->n_bytes - lines.begin;
    for (unsigned i = 0; i < DURATIONS_N_EDGES; i++) {
        char le[48];
        uint64_t us = durations_edge_ns(i) / 1000;
        n += d->counts[i];
        if (i % DURATIONS_STEPS != DURATIONS_STEPS - 1)
            continue;
        snprintf(le, sizeof le, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
        print_bucket(&lines, le, n);
    }
    print_bucket(&lines, "+Inf", n + d->counts[DURATIONS_N_EDGES]);
}

void prometheus_durations(struct prometheus *p, const struct prometheus_label *labels,
                          const struct durations *d)
{
    print_buckets(p, labels, d);
    print_series(p, "_sum", labels);
    buffer_printf(p->out, "%.15g\n", (double)d->sum_ns * 1e-9);
    print_series(p, "_count", labels);
    print_u64(p->out, durations_n(d));
}
