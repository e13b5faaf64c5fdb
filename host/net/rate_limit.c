#include "net/rate_limit.h"

#include "base/error.h"
#include "wire/siphash.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* An allowance is kept as the time at which it is whole again (the generic cell rate algorithm, ITU-T I.371):
 * in one number, and one that has passed is as good as a client that never came. */
struct slot {
    uint64_t client;
    uint64_t whole_at_ns;
};

enum { N_SETS = 1024, N_WAYS = 8 };

struct set {
    _Alignas(64) pthread_mutex_t lock;
    struct slot slots[N_WAYS];
};

struct rate_limit {
    struct set sets[N_SETS];
    uint64_t key[2]; /* nobody chooses addresses that share a set */
    uint64_t interval_ns, tolerance_ns;
};

enum collide_status rate_limit_create(const struct rate_limit_options *options, struct rate_limit **out,
                                      struct collide_error *err)
{
    struct rate_limit *r = aligned_alloc(_Alignof(struct rate_limit), sizeof *r);
    if (!r)
        return error_no_memory(err, "the rate limit's table");
    memset(r, 0, sizeof *r);
    if (getrandom(r->key, sizeof r->key, 0) != sizeof r->key) {
        int failed = errno;
        free(r);
        return error_set_errno(err, COLLIDE_IO, failed, "no random numbers for the rate limit");
    }
    for (size_t i = 0; i < N_SETS; i++)
        pthread_mutex_init(&r->sets[i].lock, NULL);
    r->interval_ns = (uint64_t)(1e9 / options->per_second);
    r->tolerance_ns = (uint64_t)((options->burst - 1) * (1e9 / options->per_second));
    *out = r;
    return COLLIDE_OK;
}

void rate_limit_destroy(struct rate_limit *r)
{
    for (size_t i = 0; r && i < N_SETS; i++)
        pthread_mutex_destroy(&r->sets[i].lock);
    free(r);
}

uint64_t rate_limit_client_named(const struct rate_limit *r, const char *name)
{
    return siphash(r->key, name, strlen(name));
}

uint64_t rate_limit_client_at(const struct rate_limit *r, const struct sockaddr *address)
{
    struct {
        uint8_t family, bytes[8];
    } from = {.family = (uint8_t)address->sa_family};
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    if (address->sa_family == AF_INET) {
        memcpy(from.bytes, &((const struct sockaddr_in *)address)->sin_addr, 4);
    } else if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        from.family = AF_INET;
        memcpy(from.bytes, &v6->sin6_addr.s6_addr[12], 4);
    } else if (address->sa_family == AF_INET6) {
        memcpy(from.bytes, &v6->sin6_addr, 8);
    }
    return siphash(r->key, &from, sizeof from);
}

/* The client's slot; else, for it, the one whose allowance is whole soonest. If that is yet to come the two
 * clients share it: a table full of them gives nobody a fresh start. */
static struct slot *find(struct set *set, uint64_t client)
{
    struct slot *best = &set->slots[0];
    for (size_t i = 0; i < N_WAYS; i++) {
        struct slot *s = &set->slots[i];
        if (s->client == client)
            return s;
        if (s->whole_at_ns < best->whole_at_ns)
            best = s;
    }
    best->client = client;
    return best;
}

uint64_t rate_limit_take(struct rate_limit *r, uint64_t client, uint64_t now_ns)
{
    struct set *set = &r->sets[client % N_SETS];
    uint64_t wait_ns = 0;
    pthread_mutex_lock(&set->lock);
    struct slot *s = find(set, client);
    uint64_t whole_at_ns = s->whole_at_ns > now_ns ? s->whole_at_ns : now_ns;
    if (whole_at_ns - now_ns > r->tolerance_ns)
        wait_ns = whole_at_ns - now_ns - r->tolerance_ns;
    else
        s->whole_at_ns = whole_at_ns + r->interval_ns;
    pthread_mutex_unlock(&set->lock);
    return wait_ns;
}
