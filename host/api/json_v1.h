/* The JSON of /v1: pure translation, no I/O.
 *
 *   score  {"user": 17, "items": [3, 5]}              -> {"scores": [...], "unknown": 0}
 *          {"users": [17, 18], "items": [3, 5]}       -> one score a pair
 *          {"history": [...], "items": [...]}         with "weights", and with a user if you like
 *          {"features": {"country": ["DE"]}, ...}     ids of the model's features, beside those or alone
 *   topk   {"user": 17, "k": 20}                      -> {"items": [...], "scores": [...], "unknown": 0}
 *          or a history or features; with "exclude": [...] and "exclude_seen": true
 *   both   "timeout_us": 5000, after which nobody waits for the answer any more; of a batch, the least counts
 *          {"requests": [{...}, {...}]}               -> {"responses": [{...}, {...}], "unknown": 0}
 *
 * Ids are integers below 2^53 or strings; larger integers come as strings, since JSON's numbers are doubles
 * to most programs. A field that is not known is an error: it is more often a slip than an extension. */
#ifndef API_JSON_V1_H
#define API_JSON_V1_H

#include "api/request.h"
#include "base/buffer.h"

/* Reads a request as its text comes. It lies in the request's arena, until the request's next parse. */
struct json_v1_reader;

/* Borrows limits and out. NULL: out of memory. */
struct json_v1_reader *json_v1_begin(enum request_kind kind, const struct request_limits *limits,
                                     struct request *out);

/* Reads on. COLLIDE_OK: all is well so far, and with the last text the request is whole. COLLIDE_INVALID says
 * what is wrong and how it should look; then the request has no parts, and the reader is gone. Ids borrow
 * from the request, and from the last text. */
enum collide_status json_v1_read(struct json_v1_reader *r, const struct request_text *text, size_t *n_read,
                                 struct collide_error *err);

/* Both, of a text that is all there. */
enum collide_status json_v1_parse(enum request_kind kind, const char *text, size_t n_bytes,
                                  const struct request_limits *limits, struct request *out,
                                  struct collide_error *err);

void json_v1_print(const struct request *request, const struct response *response, struct buffer *out);

/* The code of an error as clients see it, such as "bad_request"; static. */
const char *json_v1_code(enum collide_status status);

/* {"error": {"code": ..., "message": ...}} */
void json_v1_print_error(const char *code, const char *message, struct buffer *out);

/* A JSON string with its quotes. What is not UTF-8 comes as U+FFFD. */
void json_print_string(struct buffer *out, const char *text, size_t n_bytes);

/* A JSON list of numbers that read back as the same floats; null for what is not finite. */
void json_print_floats(struct buffer *out, const float *values, size_t n);

#endif
