#include "percentiles.h"
#include "report.h"

#include <inttypes.h>
#include <math.h>

enum { TICKS_PER_HALF = 5 };

static const char *const side_names[N_SIDES] = {[SIDE_MAIN] = "main", [SIDE_BASELINE] = "baseline"};

void report_print_csv_header(FILE *out)
{
    fprintf(out, "command,target,side,repeat,offered_per_s,n_requests,requests_per_s,mean_us,p50_us,p90_us,"
                 "p99_us,p99_9_us,max_us,n_errors\n");
}

/* What is not known is empty. */
static void print_field(FILE *out, double value)
{
    if (isnan(value))
        fputc(',', out);
    else
        fprintf(out, ",%.10g", value);
}

/* As RFC 4180 quotes it. */
static void print_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void print_line(FILE *out, const struct report *r, enum side side, const char *repeat,
                       const struct measured *m)
{
    const struct load_stats *s = &m->sides[side];
    fprintf(out, "%s,", r->command);
    print_quoted(out, r->target);
    fprintf(out, ",%s,%s", side_names[side], repeat);
    print_field(out, r->offered_per_s);
    fprintf(out, ",%" PRIu64, s->latency_ns.n);
    print_field(out, figure_rate(s));
    print_field(out, figure_mean_us(s));
    print_field(out, figure_quantile_us(s, 0.5));
    print_field(out, figure_quantile_us(s, 0.9));
    print_field(out, figure_quantile_us(s, 0.99));
    print_field(out, figure_quantile_us(s, 0.999));
    print_field(out, figure_max_us(s));
    fprintf(out, ",%" PRIu64 "\n", load_n_errors(s));
}

void report_print_csv(FILE *out, const struct report *r)
{
    for (enum side side = SIDE_MAIN; side < (r->baseline_name ? N_SIDES : SIDE_BASELINE); side++) {
        char repeat[24];
        for (size_t i = 0; i < r->n_repeats; i++) {
            snprintf(repeat, sizeof repeat, "%zu", i + 1);
            print_line(out, r, side, repeat, &r->repeats[i]);
        }
        print_line(out, r, side, "all", r->merged);
    }
}

void report_print_hgrm(FILE *out, const struct load_stats *s)
{
    const struct histogram *h = &s->latency_ns;
    struct percentiles percentiles = percentiles_of(h, TICKS_PER_HALF);
    struct percentile p;
    fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    while (percentiles_next(&percentiles, &p)) {
        fprintf(out, "%12.3f %2.12f %10" PRIu64, (double)p.value * 1e-3, p.quantile,
                histogram_count_to(h, p.value));
        if (p.quantile < 1)
            fprintf(out, " %14.2f", 1 / (1 - p.quantile));
        fputc('\n', out);
    }
    fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", histogram_mean(h) * 1e-3,
            histogram_deviation(h) * 1e-3);
    fprintf(out, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n", (double)h->max * 1e-3, h->n);
    fprintf(out, "#[Buckets = %12d, SubBuckets     = %12d]\n", HISTOGRAM_N_BUCKETS >> HISTOGRAM_STEP_BITS,
            1 << HISTOGRAM_STEP_BITS);
}
