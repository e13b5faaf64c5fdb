/* What GET /v1/stats says of what was observed: the same figures as /metrics, as JSON and with finer edges,
 * for pages that draw them. Everything counts from the start; who wants rates subtracts. */
#ifndef OBSERVE_STATS_H
#define OBSERVE_STATS_H

#include "observe/metrics.h"

/* Members of an object, without its braces:
 *
 *     "age_s": 12.3, "edges_us": [0.125, ...],
 *     "durations": [{"transport": "http", "operation": "score", "n": 17, "sum_us": 530.1, "p50_us": 30.9,
 *                    "p99_us": 44.0, "p999_us": 44.0, "counts": [[44, 9], [45, 8]],
 *                    "stages": {"read": {"n": 17, ...}, ...}}, ...],
 *     "http": [{"route": "/v1/score", "status": 200, "n": 17}, ...],
 *     "process": {"cpu_s": 0.4, "resident_bytes": 81920000, "open_fds": 12, "threads": 5}
 *
 * counts: [i, n]: n were no longer than edges_us[i], and longer than the one before. */
void stats_print_observed(const struct observer *o, const struct route_names *routes, struct buffer *out);

#endif
