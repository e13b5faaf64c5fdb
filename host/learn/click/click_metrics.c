#include "learn/click/click_metrics.h"

#include "base/error.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

struct judged {
    float logit;
    uint8_t is_click;
};

static int smaller_logit_first(const void *a, const void *b)
{
    const struct judged *x = a, *y = b;
    return (x->logit > y->logit) - (x->logit < y->logit);
}

/* ln(1 + exp(-z)) for a click, without overflow; the sign of z turned for the others. */
double click_log_loss(double logit, uint8_t is_click)
{
    double z = is_click ? logit : -logit;
    return log1p(exp(-fabs(z))) + (z < 0.0 ? -z : 0.0);
}

/* judged is sorted. Each click beats the others below its group of equals, and half of those in it. */
static double area(const struct judged *judged, size_t n, size_t n_clicks)
{
    double n_won = 0.0, n_others_below = 0.0;
    for (size_t begin = 0, end; begin < n; begin = end) {
        double clicks = judged[begin].is_click;
        for (end = begin + 1; end < n && judged[end].logit == judged[begin].logit; end++)
            clicks += judged[end].is_click;
        double others = (double)(end - begin) - clicks;
        n_won += clicks * (n_others_below + 0.5 * others);
        n_others_below += others;
    }
    return n_won / ((double)n_clicks * (double)(n - n_clicks));
}

enum collide_status click_quality_measure(const float *logits, const uint8_t *is_click, size_t n,
                                          struct click_quality *out, struct collide_error *err)
{
    struct judged *judged = malloc(n * sizeof *judged);
    if (!judged)
        return error_no_memory(err, "the measuring of clicks");
    double loss = 0.0;
    size_t n_clicks = 0;
    for (size_t i = 0; i < n; i++) {
        judged[i] = (struct judged){logits[i], is_click[i]};
        loss += click_log_loss((double)logits[i], is_click[i]);
        n_clicks += is_click[i];
    }
    qsort(judged, n, sizeof *judged, smaller_logit_first);
    double p = (double)n_clicks / (double)n;
    bool has_both = n_clicks > 0 && n_clicks < n;
    *out = (struct click_quality){.n = n,
                                  .base_rate = p,
                                  .log_loss = loss / (double)n,
                                  .normalised_entropy = NAN,
                                  .auc = has_both ? area(judged, n, n_clicks) : NAN};
    if (has_both)
        out->normalised_entropy = out->log_loss / -(p * log(p) + (1.0 - p) * log1p(-p));
    free(judged);
    return COLLIDE_OK;
}
