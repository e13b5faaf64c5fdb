/* What a server says about the model it serves. */
#ifndef BENCH_HTTP_MODEL_H
#define BENCH_HTTP_MODEL_H

#include "http_client.h"
#include "http_requests.h"

/* Fills in the counts of q that are needed and still 0 from what the server says of the model that is asked;
 * asked.path NULL: of its first. COLLIDE_IO if it does not
 * answer, COLLIDE_INVALID if it does not say. */
enum collide_status http_model_ask(struct http_client *client, struct http_target asked, struct question *q,
                                   struct collide_error *err);

/* The same of the server at a URL, over a connection of its own. */
enum collide_status http_model_ask_url(const char *url, struct question *q, struct collide_error *err);

#endif
