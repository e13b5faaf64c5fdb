#include "observe/prometheus.h"

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

static void print_series(struct prometheus *p, const char *suffix, const struct prometheus_label *labels,
                         const char *le)
{
    const char *before = "{";
    buffer_printf(p->out, "%s%s", p->name, suffix);
    for (; labels->name; labels++, before = ",") {
        buffer_printf(p->out, "%s%s=\"", before, labels->name);
        print_escaped(p->out, labels->value, "\\\n\"");
        buffer_append(p->out, "\"", 1);
    }
    if (le)
        buffer_printf(p->out, "%sle=\"%s\"", before, le);
    buffer_append_text(p->out, le || before[0] == ',' ? "} " : " ");
}

void prometheus_count(struct prometheus *p, const struct prometheus_label *labels, uint64_t value)
{
    print_series(p, "", labels, NULL);
    buffer_printf(p->out, "%" PRIu64 "\n", value);
}

void prometheus_value(struct prometheus *p, const struct prometheus_label *labels, double value)
{
    print_series(p, "", labels, NULL);
    buffer_printf(p->out, "%.15g\n", value);
}

void prometheus_durations(struct prometheus *p, const struct prometheus_label *labels,
                          const struct durations *d)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < DURATIONS_N_EDGES; i++) {
        char le[32];
        n += d->counts[i];
        if (i % DURATIONS_STEPS != DURATIONS_STEPS - 1)
            continue;
        snprintf(le, sizeof le, "%.10g", (double)durations_edge_ns(i) * 1e-9);
        print_series(p, "_bucket", labels, le);
        buffer_printf(p->out, "%" PRIu64 "\n", n);
    }
    n += d->counts[DURATIONS_N_EDGES];
    print_series(p, "_bucket", labels, "+Inf");
    buffer_printf(p->out, "%" PRIu64 "\n", n);
    print_series(p, "_sum", labels, NULL);
    buffer_printf(p->out, "%.15g\n", (double)d->sum_ns * 1e-9);
    print_series(p, "_count", labels, NULL);
    buffer_printf(p->out, "%" PRIu64 "\n", n);
}
