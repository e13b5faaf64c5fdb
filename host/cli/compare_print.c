#include "cli/compare_print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

struct statistic {
    double mean, deviation; /* of one value alone NaN */
};

static const struct trial *trials_of(const struct comparison *c, size_t method)
{
    return c->trials + method * c->n_seeds;
}

static double quality_of(const struct trial *t, int quality)
{
    return t->qualities[quality];
}

static double rows_of(const struct trial *t, int unused)
{
    (void)unused;
    return (double)t->n_rows;
}

static double bytes_of(const struct trial *t, int unused)
{
    (void)unused;
    return (double)t->n_bytes;
}

static double seconds_of(const struct trial *t, int unused)
{
    (void)unused;
    return t->seconds;
}

static struct statistic over_seeds(const struct comparison *c, size_t method,
                                   double (*figure)(const struct trial *t, int quality), int quality)
{
    const struct trial *trials = trials_of(c, method);
    struct statistic s = {0.0, NAN};
    double squares = 0.0;
    for (size_t i = 0; i < c->n_seeds; i++)
        s.mean += figure(&trials[i], quality) / (double)c->n_seeds;
    for (size_t i = 0; i < c->n_seeds; i++)
        squares += pow(figure(&trials[i], quality) - s.mean, 2);
    if (c->n_seeds > 1)
        s.deviation = sqrt(squares / (double)(c->n_seeds - 1));
    return s;
}

void compare_print_text(const struct comparison *c)
{
    printf("%-*s %9s %11s", METHOD_TEXT_BYTES - 12, "method", "rows", "bytes");
    for (size_t q = 0; q < N_QUALITIES; q++)
        printf(" %9s %% %6s", quality_names[q], "+-");
    printf(" %9s\n", "seconds");
    for (size_t m = 0; m < c->methods->n; m++) {
        printf("%-*s %9.0f %11.0f", METHOD_TEXT_BYTES - 12, c->methods->items[m].text,
               over_seeds(c, m, rows_of, 0).mean, over_seeds(c, m, bytes_of, 0).mean);
        for (int q = 0; q < N_QUALITIES; q++) {
            const struct statistic s = over_seeds(c, m, quality_of, q);
            printf(" %11.3f", 100 * s.mean);
            if (isnan(s.deviation))
                printf(" %6s", "-");
            else
                printf(" %6.3f", 100 * s.deviation);
        }
        printf(" %9.1f\n", over_seeds(c, m, seconds_of, 0).mean);
    }
    printf("\nmeans over %zu seed%s; +-: the standard deviation; seconds: to learn one alone\n", c->n_seeds,
           c->n_seeds == 1 ? "" : "s");
}

void compare_print_markdown(const struct comparison *c)
{
    printf("| method | rows | bytes | Recall@10 %% | NDCG@10 %% | Recall@50 %% | seconds |\n"
           "| --- | --- | --- | --- | --- | --- | --- |\n");
    for (size_t m = 0; m < c->methods->n; m++) {
        printf("| `%s` | %.0f | %.0f |", c->methods->items[m].text, over_seeds(c, m, rows_of, 0).mean,
               over_seeds(c, m, bytes_of, 0).mean);
        for (int q = 0; q < N_QUALITIES; q++) {
            const struct statistic s = over_seeds(c, m, quality_of, q);
            printf(" %.2f", 100 * s.mean);
            if (!isnan(s.deviation))
                printf(" \xc2\xb1 %.2f", 100 * s.deviation);
            printf(" |");
        }
        printf(" %.1f |\n", over_seeds(c, m, seconds_of, 0).mean);
    }
}

static void print_statistic_json(const struct comparison *c, size_t method, int quality)
{
    const struct statistic s = over_seeds(c, method, quality_of, quality);
    printf(",\"%s\":{\"mean\":%.6f,\"deviation\":", quality_names[quality], s.mean);
    if (isnan(s.deviation))
        printf("null");
    else
        printf("%.6f", s.deviation);
    printf(",\"seeds\":[");
    for (size_t i = 0; i < c->n_seeds; i++)
        printf("%s%.6f", i ? "," : "", trials_of(c, method)[i].qualities[quality]);
    printf("]}");
}

void compare_print_json(const struct comparison *c)
{
    printf("{\"seeds\":%zu,\"methods\":[", c->n_seeds);
    for (size_t m = 0; m < c->methods->n; m++) {
        const struct trial *first = trials_of(c, m);
        printf("%s{\"method\":\"%s\",\"learned\":\"%s\",\"lookups\":%" PRIu32
               ",\"precision\":\"%s\",\"rows\":%.1f,\"bytes\":%.1f",
               m ? "," : "", c->methods->items[m].text, first->method, first->n_lookups, first->precision,
               over_seeds(c, m, rows_of, 0).mean, over_seeds(c, m, bytes_of, 0).mean);
        for (int q = 0; q < N_QUALITIES; q++)
            print_statistic_json(c, m, q);
        printf(",\"seconds\":%.3f}", over_seeds(c, m, seconds_of, 0).mean);
    }
    printf("]}\n");
}
