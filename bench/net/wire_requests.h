/* The requests of a load over datagrams, drawn before the clock starts. */
#ifndef BENCH_WIRE_REQUESTS_H
#define BENCH_WIRE_REQUESTS_H

#include "collide/client.h"
#include "question.h"
#include "transport.h"

struct wire_requests {
    struct message *items;            /* (n), owned; each is one of the requests */
    struct collide_request *requests; /* (n), owned; borrow from ids */
    uint64_t *ids;                    /* owned */
    size_t n;
};

void wire_requests_free(struct wire_requests *r);

/* flags: COLLIDE_REQUEST_TIMES or what else is asked of all. Returns owned, as the other does. */
enum collide_status wire_requests_random(const struct question *question, unsigned flags,
                                         struct wire_requests *out, struct collide_error *err);

/* A single ping. */
enum collide_status wire_requests_ping(struct wire_requests *out, struct collide_error *err);

/* Bytes of a datagram with the first request alone; COLLIDE_INVALID if none holds it. */
enum collide_status wire_requests_datagram_bytes(const struct wire_requests *r, size_t *n_bytes,
                                                 struct collide_error *err);

#endif
