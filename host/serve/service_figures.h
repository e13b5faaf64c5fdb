/* What GET /metrics and GET /v1/stats say of the models, their devices and datagrams. */
#ifndef SERVE_SERVICE_FIGURES_H
#define SERVE_SERVICE_FIGURES_H

#include "observe/prometheus.h"
#include "serve/service.h"

void service_print_metrics(struct service *s, struct prometheus *p);

/* [{"name": ..., "version": 1, "state": "READY", ...}, ...]: what is loaded, and models of which nothing is.
 */
void service_print_models(struct service *s, struct buffer *out);

#endif
