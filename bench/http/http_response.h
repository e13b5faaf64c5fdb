/* HTTP/1.1 responses read from a bounded buffer: stateless and without allocation, in the manner of
 * picohttpparser. */
#ifndef BENCH_HTTP_RESPONSE_H
#define BENCH_HTTP_RESPONSE_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

enum { HTTP_INCOMPLETE = -1, HTTP_BAD = -2 };

struct http_response {
    int status;
    bool keeps_alive; /* the connection may carry another request */
    bool is_chunked;
    const char *body; /* borrowed from the parsed bytes; with chunk sizes still in it if is_chunked */
    size_t n_body;
};

/* Parses one response, status line to end of body. Returns the bytes it takes up (out is filled in),
 * HTTP_INCOMPLETE if all n bytes are a beginning of one, or HTTP_BAD. Responses that end only when the
 * connection closes are bad. */
ptrdiff_t http_response_parse(const char *bytes, size_t n, struct http_response *out);

/* Appends the body of a parsed response, without chunk sizes. */
void http_response_append_body(const struct http_response *r, struct buffer *out);

#endif
