#include "report.h"

#include <inttypes.h>
#include <math.h>

enum { NAME_COLUMNS = 20 };

static const double quantiles[] = {0.5, 0.9, 0.99, 0.999};

static void print_us(FILE *out, double us)
{
    if (isnan(us))
        fprintf(out, " %9s", "-");
    else
        fprintf(out, " %9.1f", us);
}

static void print_header(FILE *out)
{
    static const char *const columns[] = {"requests", "per s", "mean us", "p50",
                                          "p90",      "p99",   "p99.9",   "max"};
    fprintf(out, "%-*s", NAME_COLUMNS, "");
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        fprintf(out, " %9s", columns[i]);
    fputc('\n', out);
}

static void print_row(FILE *out, const char *name, const struct load_stats *s)
{
    fprintf(out, "%-*s %9" PRIu64 " %9.0f", NAME_COLUMNS, name, s->latency_ns.n, figure_rate(s));
    print_us(out, figure_mean_us(s));
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        print_us(out, figure_quantile_us(s, quantiles[i]));
    print_us(out, figure_max_us(s));
    fputc('\n', out);
}

/* A row of what is no request answered as expected; nothing of nothing. */
static void print_figures(FILE *out, const char *name, const struct histogram *h, double unit)
{
    if (h->n == 0)
        return;
    fprintf(out, "%-*s %9" PRIu64 " %9s", NAME_COLUMNS, name, h->n, "");
    print_us(out, histogram_mean(h) * unit);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        print_us(out, figure_quantile(h, quantiles[i]) * unit);
    print_us(out, (double)h->max * unit);
    fputc('\n', out);
}

static void print_stages(FILE *out, const struct load_stats *s)
{
    static const char *const names[N_STAGES] = {[STAGE_WAIT_NS] = "  server: waiting",
                                                [STAGE_READ_NS] = "  server: reading",
                                                [STAGE_SCORE_NS] = "  server: scoring",
                                                [STAGE_TOGETHER] = "  requests together"};
    for (int stage = 0; stage < N_STAGES; stage++)
        print_figures(out, names[stage], &s->stages[stage], stage == STAGE_TOGETHER ? 1 : 1e-3);
}

static void print_repeats(FILE *out, const struct report *r)
{
    for (size_t i = 0; r->n_repeats > 1 && i < r->n_repeats; i++) {
        char name[32];
        snprintf(name, sizeof name, "  repeat %zu", i + 1);
        print_row(out, name, &r->repeats[i].sides[SIDE_MAIN]);
    }
}

static void print_spread(FILE *out, const struct report *r, const char *name, double q)
{
    struct spread s = report_spread_us(r, SIDE_MAIN, q);
    fprintf(out, "%-*s", NAME_COLUMNS, name);
    print_us(out, s.min);
    print_us(out, s.median);
    print_us(out, s.max);
    fprintf(out, "  us (min, median, max of the repeats)\n");
}

static void print_errors(FILE *out, const char *name, const struct load_stats *s)
{
    uint64_t n = load_n_errors(s);
    fprintf(out, "errors, %-*s %9" PRIu64, NAME_COLUMNS - 8, name, n);
    for (int e = 0; e < N_LOAD_ERRORS; e++)
        if (s->errors[e])
            fprintf(out, "  %s %" PRIu64, load_error_name((enum load_error)e), s->errors[e]);
    fputc('\n', out);
}

static void print_mlperf(FILE *out, const struct report *r)
{
    const struct mlperf_result *result = r->mlperf_result;
    fprintf(out, "MLPerf %s: %.1f %s, %s", mlperf_scenario_names[r->mlperf->scenario], result->value,
            result->unit, result->is_valid ? "valid" : "INVALID: too short, with errors, or over the limit");
    if (result->n_trials)
        fprintf(out, ", found in %u trials", result->n_trials);
    fprintf(out, "\n\n");
}

static void print_preamble(FILE *out, const struct report *r)
{
    fprintf(out, "%s: %s\n", r->target, r->description);
    fprintf(out, "on %s, %u CPUs, %s\n\n", r->machine.cpu, r->machine.n_cpus, r->machine.kernel);
}

void report_print_sweep_header(FILE *out, const struct report *first)
{
    print_preamble(out, first);
    print_header(out);
}

void report_print_sweep_row(FILE *out, const struct report *r)
{
    const struct load_stats *s = &r->merged->sides[SIDE_MAIN];
    char name[32];
    snprintf(name, sizeof name, "%.0f/s", r->offered_per_s);
    print_row(out, name, s);
    if (load_n_errors(s) > 0)
        print_errors(out, name, s);
    fflush(out);
}

void report_print_text(FILE *out, const struct report *r)
{
    const struct load_stats *main_side = &r->merged->sides[SIDE_MAIN];
    const struct load_stats *baseline = &r->merged->sides[SIDE_BASELINE];
    print_preamble(out, r);
    if (r->mlperf)
        print_mlperf(out, r);
    print_header(out);
    print_repeats(out, r);
    print_row(out, r->command, main_side);
    print_figures(out, "  answered otherwise", &main_side->refused_ns, 1e-3);
    print_figures(out, "  sent after due by", &main_side->late_ns, 1e-3);
    print_stages(out, main_side);
    if (r->baseline_name)
        print_row(out, r->baseline_name, baseline);
    fputc('\n', out);
    if (r->n_repeats > 1) {
        print_spread(out, r, "p50", 0.5);
        print_spread(out, r, "p99", 0.99);
    }
    if (r->baseline_name && !isnan(report_ratio(r)))
        fprintf(out, "%-*s %9.2f\n", NAME_COLUMNS, "ratio of the p50s", report_ratio(r));
    print_errors(out, r->command, main_side);
    if (r->baseline_name)
        print_errors(out, r->baseline_name, baseline);
    fprintf(out, "%-*s %9" PRIu64 "\n", NAME_COLUMNS, r->redone.name, r->redone.n);
}
