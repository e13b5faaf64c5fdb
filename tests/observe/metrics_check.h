/* Whether a text is what a strict reader of Prometheus' text format 0.0.4 takes. */
#ifndef TEST_METRICS_CHECK_H
#define TEST_METRICS_CHECK_H

#include <stddef.h>

/* Fails the test with the line that is wrong: families have a help and a type, once and before their samples,
 * which stand together; counters end in _total; no series comes twice; buckets are cumulative, in order, and
 * the last, +Inf, is the count. */
void check_metrics(const char *text, size_t n_bytes);

/* The value of a series as it stands in the text, such as "up{job=\"a\"}"; fails where it is not there. */
double metric(const char *text, size_t n_bytes, const char *series);

#endif
