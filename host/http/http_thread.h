/* A thread of the HTTP server: libmicrohttpd with its own connections and a worker of the service. Nothing on
 * a request's way is shared with other threads. */
#ifndef HTTP_THREAD_H
#define HTTP_THREAD_H

#include "http/admission.h"
#include "http/server.h"

struct http_thread;

/* Starts. The listener is the caller's: each thread has its own of it. Copies the door, borrows the rest.
 * Returns owned. */
enum collide_status http_thread_create(const struct http_context *context, const struct http_options *options,
                                       const struct http_door *door, struct http_thread **out,
                                       struct collide_error *err);

/* Accepts no more connections, soon. */
void http_thread_quiesce(struct http_thread *t);

/* Requests whose first line has come and whose answer has not gone. */
unsigned http_thread_n_begun(const struct http_thread *t);

/* Cuts off what is left. NULL is fine. */
void http_thread_destroy(struct http_thread *t);

#endif
