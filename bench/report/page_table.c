#include "page_table.h"

#include "plot/plot.h"

#include <math.h>
#include <stdbool.h>

static void print_cell(FILE *out, double value, enum unit unit)
{
    char text[32];
    if (isnan(value)) {
        fprintf(out, "<td>\xe2\x80\x93</td>");
        return;
    }
    tick_text(unit, value, text, sizeof text);
    fprintf(out, "<td>%s</td>", text);
}

/* A figure over its spread. */
static void print_spread_cell(FILE *out, double value, struct result_range range, int n_repeats)
{
    char text[32], low[32], high[32];
    if (n_repeats < 2 || isnan(range.min) || isnan(value)) {
        print_cell(out, value, UNIT_US);
        return;
    }
    tick_text(UNIT_US, value, text, sizeof text);
    tick_text(UNIT_US, range.min, low, sizeof low);
    tick_text(UNIT_US, range.max, high, sizeof high);
    fprintf(out, "<td>%s<small>%s \xe2\x80\x93 %s</small></td>", text, low, high);
}

static void print_errors_cell(FILE *out, const struct result *r)
{
    const cJSON *kind;
    if (!(r->main.n_errors > 0)) {
        fprintf(out, "<td>0</td>");
        return;
    }
    fprintf(out, "<td><span class=\"bad\">%.0f</span>", r->main.n_errors);
    cJSON_ArrayForEach (kind, r->errors)
        if (kind->valuedouble > 0)
            fprintf(out, "<small>%s %.0f</small>", kind->string, kind->valuedouble);
    fprintf(out, "</td>");
}

static void print_name_cell(FILE *out, const struct result *r)
{
    char rate[32];
    fprintf(out, "<td>");
    html_print(out, r->name);
    if (r->offered_per_s > 0) {
        tick_text(UNIT_PER_S, r->offered_per_s, rate, sizeof rate);
        fprintf(out, "<small>%s/s offered</small>", rate);
    } else if (cJSON_GetObjectItem(r->mlperf, "scenario")) {
        fprintf(out, "<small>MLPerf ");
        html_print(out, cJSON_GetStringValue(cJSON_GetObjectItem(r->mlperf, "scenario")));
        fprintf(out, "</small>");
    } else if (r->n_lanes > 1) {
        fprintf(out, "<small>%.0f in flight</small>", r->n_lanes);
    }
    fprintf(out, "</td>");
}

static void print_row(FILE *out, const struct result *r)
{
    fprintf(out, "<tr>");
    print_name_cell(out, r);
    print_cell(out, r->main.n_requests, UNIT_PER_S);
    print_cell(out, r->main.per_s, UNIT_PER_S);
    print_spread_cell(out, r->main.p50_us, r->p50_us, r->n_repeats);
    print_cell(out, r->main.p90_us, UNIT_US);
    print_spread_cell(out, r->main.p99_us, r->p99_us, r->n_repeats);
    print_cell(out, r->main.p99_9_us, UNIT_US);
    print_cell(out, r->main.max_us, UNIT_US);
    print_errors_cell(out, r);
    fprintf(out, "</tr>\n");
}

static void print_baseline_row(FILE *out, const struct result *r)
{
    fprintf(out, "<tr class=\"sub\"><td>");
    html_print(out, r->baseline_name);
    if (!isnan(r->ratio_p50))
        fprintf(out, "<small>%s takes %.2f times its median</small>", r->command, r->ratio_p50);
    fprintf(out, "</td>");
    print_cell(out, r->baseline.n_requests, UNIT_PER_S);
    print_cell(out, r->baseline.per_s, UNIT_PER_S);
    print_cell(out, r->baseline.p50_us, UNIT_US);
    print_cell(out, r->baseline.p90_us, UNIT_US);
    print_cell(out, r->baseline.p99_us, UNIT_US);
    print_cell(out, r->baseline.p99_9_us, UNIT_US);
    print_cell(out, r->baseline.max_us, UNIT_US);
    fprintf(out, "<td>%.0f</td></tr>\n", r->baseline.n_errors);
}

static void begin_table(FILE *out)
{
    fprintf(out, "<div class=\"scroll\"><table><tr><th></th><th>requests</th><th>per s</th><th>p50</th>"
                 "<th>p90</th><th>p99</th><th>p99.9</th><th>max</th><th>errors</th></tr>\n");
}

static void end_table(FILE *out)
{
    fprintf(out, "</table></div>\n");
}

static void print_row_and_baseline(FILE *out, const struct result *r)
{
    print_row(out, r);
    if (r->baseline_name)
        print_baseline_row(out, r);
}

/* Single measurements, which are groups of one, side by side in a table. */
static void print_singles(FILE *out, const struct results *r)
{
    size_t n;
    bool is_begun = false;
    for (unsigned group = 0; group < r->n_groups; group++) {
        const struct result *one = results_group(r, group, &n);
        if (n > 1)
            continue;
        if (!is_begun)
            begin_table(out);
        is_begun = true;
        print_row_and_baseline(out, one);
    }
    if (is_begun)
        end_table(out);
}

static void print_sweep(FILE *out, const struct result *items, size_t n)
{
    fprintf(out, "<details><summary>");
    html_print(out, items->name);
    fprintf(out, " <span class=\"soft\">at %zu rates</span></summary>\n", n);
    begin_table(out);
    for (size_t i = 0; i < n; i++)
        print_row_and_baseline(out, &items[i]);
    end_table(out);
    fprintf(out, "</details>\n");
}

void page_print_table(FILE *out, const struct results *r)
{
    fprintf(out, "<h2>All results</h2>\n<p class=\"note\">Small figures: the least and the most of the "
                 "repeats. A percentile that fewer than ten samples lie beyond is not known.</p>\n");
    print_singles(out, r);
    for (unsigned group = 0; group < r->n_groups; group++) {
        size_t n;
        const struct result *items = results_group(r, group, &n);
        if (n > 1)
            print_sweep(out, items, n);
    }
}

void page_print_stages(FILE *out, const struct results *r)
{
    size_t first = 0;
    while (first < r->n && isnan(r->items[first].score_us))
        first++;
    if (first == r->n)
        return;
    fprintf(out,
            "<h2>Where the server\xe2\x80\x99s time went</h2>\n<p class=\"note\">Medians by the server\xe2"
            "\x80\x99s own clock, beside the client\xe2\x80\x99s.</p>\n<div class=\"scroll\"><table><tr>"
            "<th></th><th>client, p50</th><th>waiting</th><th>reading</th><th>scoring</th><th>requests "
            "together</th></tr>\n");
    for (size_t i = first; i < r->n; i++) {
        const struct result *one = &r->items[i];
        if (isnan(one->score_us))
            continue;
        fprintf(out, "<tr>");
        print_name_cell(out, one);
        print_cell(out, one->main.p50_us, UNIT_US);
        print_cell(out, one->wait_us, UNIT_US);
        print_cell(out, one->read_us, UNIT_US);
        print_cell(out, one->score_us, UNIT_US);
        print_cell(out, one->n_together, UNIT_PER_S);
        fprintf(out, "</tr>\n");
    }
    fprintf(out, "</table></div>\n");
}

static void print_settings(FILE *out, const cJSON *settings)
{
    const cJSON *setting;
    cJSON_ArrayForEach (setting, settings) {
        char value[32] = "";
        if (cJSON_IsNull(setting) || cJSON_IsFalse(setting))
            continue;
        if (cJSON_IsNumber(setting))
            snprintf(value, sizeof value, "%.10g", setting->valuedouble);
        fprintf(out, " --");
        html_print(out, setting->string);
        fputs(cJSON_IsTrue(setting) ? "" : " ", out);
        html_print(out, cJSON_IsString(setting) ? setting->valuestring : value);
    }
}

void page_print_details(FILE *out, const struct results *r)
{
    fprintf(out, "<h2>How it was measured</h2>\n");
    for (size_t i = 0; i < r->n; i++) {
        const struct result *one = &r->items[i];
        if (i > 0 && one->group == r->items[i - 1].group)
            continue;
        fprintf(out, "<details><summary>");
        html_print(out, one->name);
        fprintf(out, " <span class=\"soft\">");
        html_print(out, one->description ? one->description : "");
        fprintf(out, "</span></summary>\n<p><code>");
        html_print(out, one->target);
        print_settings(out, one->settings);
        fprintf(out, "</code></p></details>\n");
    }
}
