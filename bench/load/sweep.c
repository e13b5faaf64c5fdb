#include "sweep.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* rates: (ARG_LIST_MAX) */
static enum collide_status choose_rates(struct experiment *e, double *rates, size_t *n,
                                        struct collide_error *err)
{
    const struct arg_u64_list *given = &e->options->sweep_rates;
    double capacity = 0;
    *n = given->n ? given->n : (size_t)e->options->sweep_steps;
    for (size_t i = 0; i < given->n; i++)
        rates[i] = (double)given->items[i];
    if (given->n)
        return COLLIDE_OK;
    enum collide_status status = experiment_find_capacity(e, &capacity, err);
    if (status == COLLIDE_OK && capacity < (double)*n)
        return error_set(err, COLLIDE_INVALID, "%s answers %.0f requests a second: nothing to sweep",
                         e->subject->target, capacity);
    for (size_t i = 0; i < *n && status == COLLIDE_OK; i++)
        rates[i] = capacity * (double)(i + 1) / (double)*n;
    return status;
}

static bool is_over_limit(const struct experiment *e)
{
    const struct load_stats *s = &e->measured[e->options->repeats].sides[SIDE_MAIN];
    return e->options->limit_us > 0 && figure_quantile_us(s, 0.99) > e->options->limit_us;
}

enum collide_status sweep_run(struct experiment *e, const struct sweep_sink *sink, struct collide_error *err)
{
    double rates[ARG_LIST_MAX];
    char description[256];
    size_t n = 0;
    enum collide_status status = choose_rates(e, rates, &n, err);
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++) {
        e->options->rate = rates[i];
        status = experiment_measure(e, err);
        if (status != COLLIDE_OK)
            break;
        struct report report = experiment_report(e, description, sizeof description);
        sink->take(sink->context, &report);
        if (is_over_limit(e))
            break;
    }
    return status;
}
