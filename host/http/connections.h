/* A thread's open connections, and until when each may take for what it is at: a client that sends a byte now
 * and then is as late as one that sends none.
 *
 * It also sees who has left. libmicrohttpd 0.9.75 with epoll does not, where the last bytes and the end came
 * at once, and would keep the connection until it times out. */
#ifndef HTTP_CONNECTIONS_H
#define HTTP_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct tls_identity;

enum http_phase { HTTP_RESTS, HTTP_ASKS, HTTP_IS_ANSWERED, HTTP_IS_PUT_OFF };

struct http_connection {
    struct http_connection *next, *previous;
    int fd;
    enum http_phase phase;
    bool seemed_to_leave;          /* at the last sweep */
    struct tls_identity *identity; /* of HTTPS, whoever serves it; else NULL */
    uint64_t begun_ns;             /* the request's first line was there */
    uint64_t due_ns;               /* both of clock_now_ns */
};

struct http_connections {
    struct http_connection *first, *free;
    uint64_t idle_ns;    /* from one request's end to the next one's first line */
    uint64_t request_ns; /* from a request's first line until its answer has gone; where that is put off, from
                            when it is there */
    uint64_t sweep_due_ns, seen_ns; /* when it was last looked whether to sweep */
};

/* NULL: out of memory. */
struct http_connection *http_connections_add(struct http_connections *all, int fd, uint64_t now_ns);
void http_connections_remove(struct http_connections *all, struct http_connection *c);

/* A request's first line has come, all of it has come, its answer is put off, its answer has gone. */
void http_connection_enter(const struct http_connections *all, struct http_connection *c,
                           enum http_phase phase, uint64_t now_ns);

/* Every turn of the thread. Shuts down those that are late, or have left with a request half sent, now and
 * then: whoever serves them then sees their end. For how long the thread itself stood still is nobody's
 * fault. */
void http_connections_sweep(struct http_connections *all, uint64_t now_ns);

/* Frees the memory of removed ones. */
void http_connections_free(struct http_connections *all);

#endif
