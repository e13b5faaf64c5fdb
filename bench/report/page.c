#include "page.h"

#include "page_plots.h"
#include "page_table.h"
#include "plot/plot.h"
#include "style.h"

#include <math.h>
#include <string.h>

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Each machine once. */
static void print_machines(FILE *out, const struct results *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct result *one = &r->items[i];
        size_t before = 0;
        while (before < i && !(same_text(r->items[before].cpu, one->cpu) &&
                               same_text(r->items[before].kernel, one->kernel)))
            before++;
        if (before < i || !one->cpu)
            continue;
        fprintf(out, "<p class=\"soft\">");
        html_print(out, one->cpu);
        if (!isnan(one->n_cpus))
            fprintf(out, ", %.0f CPU%s", one->n_cpus, one->n_cpus == 1 ? "" : "s");
        fprintf(out, ", ");
        html_print(out, one->kernel ? one->kernel : "");
        fprintf(out, ", collide ");
        html_print(out, one->version ? one->version : "");
        fprintf(out, "</p>\n");
    }
}

static void print_head(FILE *out, const char *title)
{
    fprintf(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                 "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
    html_print(out, title);
    fprintf(out, "</title>\n<style>\n%s</style></head>\n<body><main>\n<h1>", page_style);
    html_print(out, title);
    fprintf(out, "</h1>\n");
}

enum collide_status page_print(FILE *out, const char *title, const struct results *results,
                               struct collide_error *err)
{
    print_head(out, title ? title : "collide: latency and throughput");
    print_machines(out, results);
    enum collide_status status = page_print_bars(out, results, err);
    if (status == COLLIDE_OK)
        status = page_print_load_plot(out, results, err);
    if (status == COLLIDE_OK)
        status = page_print_distribution_plot(out, results, err);
    page_print_table(out, results);
    page_print_stages(out, results);
    page_print_details(out, results);
    fprintf(out, "</main></body></html>\n");
    return status;
}
