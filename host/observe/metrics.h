/* What GET /metrics says of the process and of what was observed; docs/OBSERVING.md lists it. */
#ifndef OBSERVE_METRICS_H
#define OBSERVE_METRICS_H

#include "observe/observer.h"
#include "observe/prometheus.h"

/* Names of routes, for observed_answer.route. */
struct route_names {
    const char *const *names; /* (n), borrowed */
    unsigned n;               /* route n and above are "other" */
};

void metrics_print_observed(struct prometheus *p, const struct observer *o, const struct route_names *routes);

/* Figures that cannot be had are left out. */
void metrics_print_process(struct prometheus *p, const struct observer *o);

#endif
