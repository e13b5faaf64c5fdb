#include "net/echo_client.h"

#include "base/clock.h"
#include "base/rng.h"
#include "wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void make_bytes(uint64_t i, uint8_t *bytes, size_t n_bytes)
{
    struct rng rng = rng_seeded(11, i);
    assert_in_range(n_bytes, 8, WIRE_MAX_BYTES);
    for (size_t k = 0; k < n_bytes; k++)
        bytes[k] = (uint8_t)rng_u64(&rng);
    bytes[0] = 1;
}

static uint64_t in_ms(unsigned ms)
{
    return clock_now_ns() + ms * UINT64_C(1000000);
}

void echo_send(struct channel *c, uint64_t i, size_t n_bytes)
{
    struct collide_error err;
    uint8_t *room = c->make->reserve(c);
    assert_non_null(room);
    make_bytes(i, room, n_bytes);
    if (c->make->send(c, n_bytes, &err) != COLLIDE_OK || c->make->flush(c, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

void echo_receive(struct channel *c, uint64_t i, size_t n_bytes)
{
    struct collide_error err;
    uint8_t wanted[WIRE_MAX_BYTES];
    const uint8_t *bytes;
    size_t n;
    if (c->make->receive(c, in_ms(ECHO_WAIT_MS), &bytes, &n, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    assert_non_null(bytes);
    assert_int_equal(n, n_bytes);
    make_bytes(i, wanted, n_bytes);
    for (size_t k = 0; k < n_bytes; k++)
        wanted[k] ^= 0xff;
    assert_memory_equal(bytes, wanted, n_bytes);
}

static size_t bytes_of(uint64_t i)
{
    struct rng rng = rng_seeded(12, i);
    return 8 + rng_below(&rng, rng_below(&rng, 8) ? 200 : WIRE_MAX_BYTES - 7);
}

void echo_many(struct channel *c, uint64_t n, size_t depth)
{
    uint64_t n_sent = 0;
    for (uint64_t i = 0; i < n; i++) {
        for (; n_sent < n && n_sent < i + depth; n_sent++)
            echo_send(c, n_sent, bytes_of(n_sent));
        echo_receive(c, i, bytes_of(i));
    }
}

bool echo_sees_end(struct channel *c, struct collide_error *err)
{
    const uint8_t *bytes;
    size_t n;
    uint64_t until_ns = in_ms(ECHO_WAIT_MS);
    while (clock_now_ns() < until_ns)
        if (c->make->receive(c, in_ms(100), &bytes, &n, err) == COLLIDE_IO)
            return true;
    return false;
}
