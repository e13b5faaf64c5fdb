/* The requests of a load, written out before the clock starts. */
#ifndef BENCH_HTTP_REQUESTS_H
#define BENCH_HTTP_REQUESTS_H

#include "base/buffer.h"
#include "collide/status.h"
#include "transport.h"

struct http_requests {
    struct message *items; /* (n), owned; borrows from bytes */
    size_t n;
    struct buffer bytes;
};

/* Where requests go. */
struct http_target {
    const char *authority; /* the Host header */
    const char *path;
};

/* What random requests ask; ids are drawn uniformly. */
struct http_question {
    uint64_t n_users, n_items; /* ids are below these; both above 0 */
    uint64_t n_candidates;     /* per query, unless topk */
    uint64_t topk;             /* above 0: ask for the k best of all items instead */
    uint64_t batch;            /* queries per request; above 1 they stand in an array, "requests" */
    uint64_t seed;
};

void http_requests_free(struct http_requests *r);

/* Several hundred POSTs, fewer if they are very large. Returns owned, as the others do. */
enum collide_status http_requests_random(struct http_target target, const struct http_question *question,
                                         struct http_requests *out, struct collide_error *err);

/* One POST per line of a file, which are JSON bodies; empty lines are skipped. */
enum collide_status http_requests_from_file(struct http_target target, const char *file,
                                            struct http_requests *out, struct collide_error *err);

/* A single GET. */
enum collide_status http_requests_get(struct http_target target, struct http_requests *out,
                                      struct collide_error *err);

#endif
