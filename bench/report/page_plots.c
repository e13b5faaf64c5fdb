#include "page_plots.h"

#include "base/error.h"
#include "plot/plot.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Series in the making, with room for all points that the results can give. */
struct drawing {
    struct plot_series series[PLOT_SERIES_MAX];
    size_t n_series;
    struct plot_point *points; /* owned */
    size_t n_points;
    struct plot_point low, high; /* of all points */
};

static enum collide_status drawing_begin(const struct results *r, struct drawing *d,
                                         struct collide_error *err)
{
    size_t n = 1;
    for (size_t i = 0; i < r->n; i++)
        n += 2 + r->items[i].n_points;
    *d = (struct drawing){
        .points = calloc(n, sizeof *d->points), .low = {INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY}};
    return d->points ? COLLIDE_OK : error_no_memory(err, "a plot");
}

static void add_point(struct drawing *d, struct plot_series *s, double x, double y)
{
    if (isnan(x) || isnan(y) || x <= 0 || y <= 0)
        return;
    d->points[d->n_points++] = (struct plot_point){x, y};
    s->n++;
    d->low = (struct plot_point){fmin(d->low.x, x), fmin(d->low.y, y)};
    d->high = (struct plot_point){fmax(d->high.x, x), fmax(d->high.y, y)};
}

static struct plot_series begin_series(const struct drawing *d, const struct result *of, enum plot_line line,
                                       const char *label)
{
    return (struct plot_series){
        .label = label, .colour = of->series, .line = line, .points = d->points + d->n_points};
}

static void end_series(struct drawing *d, const struct plot_series *s)
{
    if (s->n > 0 && d->n_series < PLOT_SERIES_MAX)
        d->series[d->n_series++] = *s;
}

static void print_section(FILE *out, const char *heading, const char *note)
{
    fprintf(out, "<h2>%s</h2>\n<p class=\"note\">%s</p>\n", heading, note);
}

static void print_both_sizes(FILE *out, struct plot *p)
{
    axis_round(&p->x);
    axis_round(&p->y);
    plot_print(out, p, PLOT_WIDE);
    plot_print(out, p, PLOT_NARROW);
}

static void draw_sweep(struct drawing *d, const struct result *items, size_t n)
{
    struct plot_series p50 = begin_series(d, items, PLOT_SOLID, items->name);
    for (size_t i = 0; i < n; i++)
        add_point(d, &p50, items[i].offered_per_s, items[i].main.p50_us);
    struct plot_series p99 = begin_series(d, items, PLOT_DASHED, NULL);
    for (size_t i = 0; i < n; i++)
        add_point(d, &p99, items[i].offered_per_s, items[i].main.p99_us);
    end_series(d, &p50);
    end_series(d, &p99);
}

enum collide_status page_print_load_plot(FILE *out, const struct results *r, struct collide_error *err)
{
    struct drawing d;
    enum collide_status status = drawing_begin(r, &d, err);
    for (unsigned group = 0; group < r->n_groups && status == COLLIDE_OK; group++) {
        size_t n;
        const struct result *items = results_group(r, group, &n);
        if (n > 1)
            draw_sweep(&d, items, n);
    }
    if (status == COLLIDE_OK && d.n_series > 0) {
        struct plot plot = {
            .description = "Latency against the offered rate",
            .x = {"requests per second, offered", SCALE_LOG, UNIT_PER_S, d.low.x, d.high.x},
            .y = {"latency, from when a request was due", SCALE_LOG, UNIT_US, d.low.y, d.high.y},
            .series = d.series,
            .n_series = d.n_series};
        print_section(out, "Latency under load",
                      "Solid: the median. Dashed: the 99th percentile. Requests fall due whether or not the "
                      "server keeps up, and wait from then on.");
        print_both_sizes(out, &plot);
    }
    free(d.points);
    return status;
}

static double distance_to_half(const struct result *of, const struct result *highest)
{
    return fabs(of->offered_per_s - highest->offered_per_s / 2);
}

/* The first single measurement of a series, or of the first sweep the result at about half the highest rate.
 */
static const struct result *representative(const struct results *r, unsigned series)
{
    const struct result *best = NULL;
    for (unsigned group = 0; group < r->n_groups; group++) {
        size_t n;
        const struct result *items = results_group(r, group, &n);
        if (items->series != series)
            continue;
        if (n == 1)
            return items;
        for (size_t i = 0; i < n && (!best || best->group == group); i++)
            if (!best || distance_to_half(&items[i], &items[n - 1]) < distance_to_half(best, &items[n - 1]))
                best = &items[i];
    }
    return best;
}

static void draw_distribution(struct drawing *d, const struct result *of)
{
    struct plot_series s = begin_series(d, of, PLOT_SOLID, of->name);
    for (size_t i = 0; i < of->n_points; i++) {
        double tail = 1 / (1 - of->points[i].quantile);
        add_point(d, &s, fmin(tail, fmax(of->main.n_requests, 1)), of->points[i].us);
    }
    end_series(d, &s);
}

enum collide_status page_print_distribution_plot(FILE *out, const struct results *r,
                                                 struct collide_error *err)
{
    struct drawing d;
    enum collide_status status = drawing_begin(r, &d, err);
    for (unsigned series = 0; series < r->n_series && status == COLLIDE_OK; series++)
        draw_distribution(&d, representative(r, series));
    if (status == COLLIDE_OK && d.n_series > 0) {
        struct plot plot = {.description = "Latency by percentile",
                            .x = {"percentile", SCALE_TAIL, UNIT_PERCENTILE, 1, fmax(d.high.x, 10)},
                            .y = {"latency", SCALE_LOG, UNIT_US, d.low.y, d.high.y},
                            .series = d.series,
                            .n_series = d.n_series};
        print_section(
            out, "Latency by percentile",
            "Each line ends at its slowest request. Of several results of one name the first is drawn; "
            "what was only swept, at about half its highest rate.");
        print_both_sizes(out, &plot);
    }
    free(d.points);
    return status;
}

/* Bars over the best that each series has in any of its results. */
struct contest {
    const char *heading, *note;
    double (*figure)(const struct result *r);
    enum unit unit;
    int (*compare)(const void *a, const void *b); /* of bars: the better first */
};

enum { TEXT_BYTES = 24 };

static double throughput_of(const struct result *r)
{
    return r->main.per_s;
}

static double median_of(const struct result *r)
{
    return r->main.p50_us;
}

static int more_first(const void *a, const void *b)
{
    double x = ((const struct bar *)a)->value, y = ((const struct bar *)b)->value;
    return (x < y) - (x > y);
}

static int less_first(const void *a, const void *b)
{
    return more_first(b, a);
}

static void fill_bars(const struct contest *c, const struct results *r, struct bar *bars,
                      char (*texts)[TEXT_BYTES])
{
    for (size_t i = 0; i < r->n; i++) {
        const struct result *one = &r->items[i];
        struct bar bar = {
            .label = one->name, .text = texts[one->series], .value = c->figure(one), .colour = one->series};
        if (isnan(bar.value) || (bars[bar.colour].label && c->compare(&bar, &bars[bar.colour]) >= 0))
            continue;
        bars[bar.colour] = bar;
        tick_text(c->unit, bar.value, texts[bar.colour], TEXT_BYTES);
    }
}

static enum collide_status print_contest(FILE *out, const struct contest *c, const struct results *r,
                                         struct collide_error *err)
{
    struct bar *bars = calloc(r->n_series, sizeof *bars);
    char(*texts)[TEXT_BYTES] = calloc(r->n_series, sizeof *texts);
    enum collide_status status = bars && texts ? COLLIDE_OK : error_no_memory(err, "the bars");
    if (status == COLLIDE_OK) {
        size_t n = 0;
        fill_bars(c, r, bars, texts);
        for (unsigned i = 0; i < r->n_series; i++)
            if (bars[i].label)
                bars[n++] = bars[i];
        qsort(bars, n, sizeof *bars, c->compare);
        print_section(out, c->heading, c->note);
        bars_print(out, c->heading, bars, n, PLOT_WIDE);
        bars_print(out, c->heading, bars, n, PLOT_NARROW);
    }
    free(texts);
    free(bars);
    return status;
}

enum collide_status page_print_bars(FILE *out, const struct results *r, struct collide_error *err)
{
    static const struct contest contests[] = {
        {"Median latency", "The least median of each in any of its results.", median_of, UNIT_US, less_first},
        {"Requests per second", "The most that each answered in any of its results.", throughput_of,
         UNIT_PER_S, more_first},
    };
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < sizeof contests / sizeof contests[0] && status == COLLIDE_OK; i++)
        status = print_contest(out, &contests[i], r, err);
    return status;
}
