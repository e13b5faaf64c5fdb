/* How many requests a client may make: so many a second, and so many at once after a pause. Clients are
 * numbers made of their name or address, in a table of fixed size: when more than it holds are busy at once,
 * some share an allowance. From any thread; nothing is allocated after creation. */
#ifndef NET_RATE_LIMIT_H
#define NET_RATE_LIMIT_H

#include "collide/status.h"

#include <stdint.h>
#include <sys/socket.h>

struct rate_limit_options {
    double per_second; /* above 0 */
    double burst;      /* at least 1 */
};

struct rate_limit;

/* Returns owned. */
enum collide_status rate_limit_create(const struct rate_limit_options *options, struct rate_limit **out,
                                      struct collide_error *err);
void rate_limit_destroy(struct rate_limit *r);

/* Who asks: a key's name; or where from, an IPv6 network of 64 bits and all that come by Unix sockets being
 * one each. */
uint64_t rate_limit_client_named(const struct rate_limit *r, const char *name);
uint64_t rate_limit_client_at(const struct rate_limit *r, const struct sockaddr *address);

/* Takes one request from the client's allowance. 0; or, with nothing taken, the ns until there would be one.
 * now_ns never goes back by much. */
uint64_t rate_limit_take(struct rate_limit *r, uint64_t client, uint64_t now_ns);

#endif
