/* A thread's open connections, and until when each may take for what it is at: a client that sends a byte now
 * and then is as late as one that sends none. */
#ifndef HTTP_CONNECTIONS_H
#define HTTP_CONNECTIONS_H

#include <stdint.h>

struct http_connection {
    struct http_connection *next, *previous;
    int fd;
    uint64_t due_ns; /* of clock_now_ns */
};

struct http_connections {
    struct http_connection *first, *free;
    uint64_t idle_ns;    /* from one request's end to the next one's first line */
    uint64_t request_ns; /* from a request's first line until its answer has gone */
    uint64_t sweep_due_ns;
};

/* NULL: out of memory. */
struct http_connection *http_connections_add(struct http_connections *all, int fd);
void http_connections_remove(struct http_connections *all, struct http_connection *c);

/* A request's first line has come; its answer has gone. */
void http_connection_begin(const struct http_connections *all, struct http_connection *c);
void http_connection_rest(const struct http_connections *all, struct http_connection *c);

/* Shuts down those that are late, now and then: whoever serves them sees their end. */
void http_connections_sweep(struct http_connections *all);

/* Frees the memory of removed ones. */
void http_connections_free(struct http_connections *all);

#endif
