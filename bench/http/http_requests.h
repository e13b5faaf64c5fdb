/* The requests of a load, written out before the clock starts. */
#ifndef BENCH_HTTP_REQUESTS_H
#define BENCH_HTTP_REQUESTS_H

#include "base/buffer.h"
#include "collide/status.h"
#include "question.h"
#include "transport.h"

struct http_requests {
    struct message *items; /* (n), owned; borrows from bytes */
    size_t n;
    struct buffer bytes;
};

/* What requests are written in: see docs/HTTP.md. */
enum http_protocol { HTTP_V1, HTTP_V2, HTTP_V2_BINARY };

/* Where requests go. */
struct http_target {
    const char *authority; /* the Host header */
    const char *path;
    enum http_protocol protocol; /* of random ones */
};

void http_requests_free(struct http_requests *r);

/* question_n_requests POSTs; a batch above 1 stands in an array, "requests", or in the rows of tensors.
 * Returns owned, as the others do. */
enum collide_status http_requests_random(struct http_target target, const struct question *question,
                                         struct http_requests *out, struct collide_error *err);

/* One POST per line of a file, which are JSON bodies; empty lines are skipped. */
enum collide_status http_requests_from_file(struct http_target target, const char *file,
                                            struct http_requests *out, struct collide_error *err);

/* A single GET. */
enum collide_status http_requests_get(struct http_target target, struct http_requests *out,
                                      struct collide_error *err);

#endif
