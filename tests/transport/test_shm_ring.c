#include "transport/shm_ring.h"

#include "base/rng.h"
#include "base/spin.h"
#include "transport/shm_socket.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_MESSAGES = 1000000, N_SLEEPS = 100000, LOST_WAKE_UP_MS = 20000 };

/* Message i, of both directions: its length and bytes follow from the seed. One in 16 may be large. */
static size_t make_message(uint64_t seed, uint64_t i, uint8_t *bytes)
{
    struct rng rng = rng_seeded(seed, i);
    size_t n = 1 + rng_below(&rng, rng_below(&rng, 16) ? 120 : WIRE_MAX_BYTES);
    for (size_t k = 0; k < n; k += 8) {
        uint64_t word = rng_u64(&rng);
        memcpy(bytes + k, &word, n - k < 8 ? n - k : 8);
    }
    return n;
}

static bool is_message(uint64_t seed, uint64_t i, const uint8_t *bytes, size_t n)
{
    uint8_t wanted[WIRE_MAX_BYTES];
    return make_message(seed, i, wanted) == n && memcmp(bytes, wanted, n) == 0;
}

struct exchange {
    struct shm_ring *ring;
    uint64_t n_messages, first;
    int bells[2];        /* of the client, of the server */
    atomic_uint n_wrong; /* requests */
    atomic_uint n_overslept;
};

enum { REQUESTS = 1, ANSWERS = 2 }; /* seeds */

static void exchange_create(struct exchange *x, uint64_t n_messages, uint64_t first)
{
    *x = (struct exchange){.n_messages = n_messages, .first = first};
    x->ring = aligned_alloc(_Alignof(struct shm_ring), sizeof *x->ring);
    assert_non_null(x->ring);
    memset(x->ring, 0, sizeof *x->ring);
    for (uint64_t t = first; t < first + SHM_SLOTS; t++)
        x->ring->slots[t % SHM_SLOTS].turn = (uint32_t)(t / SHM_SLOTS) * 2;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, x->bells), 0);
}

static void exchange_destroy(struct exchange *x)
{
    close(x->bells[0]);
    close(x->bells[1]);
    free(x->ring);
}

/* Looks closely, for the moment when something comes; now and then lets others have the CPU. */
static void look_again(unsigned *n_looks)
{
    if (++*n_looks % 512)
        spin_pause();
    else
        sched_yield();
}

static void count_if(bool wrong, atomic_uint *counter)
{
    if (wrong)
        atomic_fetch_add(counter, 1);
}

static void answer_next(struct exchange *x, struct shm_server_end *end)
{
    uint8_t bytes[WIRE_MAX_BYTES];
    uint32_t n_bytes;
    uint64_t ticket = end->n_taken;
    for (unsigned n = 0; !shm_ring_take(end, bytes, &n_bytes);)
        look_again(&n);
    count_if(!is_message(REQUESTS, ticket, bytes, n_bytes), &x->n_wrong);
    shm_ring_answer(end, ticket, bytes, (uint32_t)make_message(ANSWERS, ticket, bytes));
}

static void *serve(void *context)
{
    struct exchange *x = context;
    struct shm_server_end end = {.ring = x->ring, .n_taken = x->first};
    for (uint64_t i = 0; i < x->n_messages; i++)
        answer_next(x, &end);
    return NULL;
}

static void submit_next(struct shm_client_end *end)
{
    uint8_t bytes[WIRE_MAX_BYTES];
    shm_ring_submit(end, bytes, make_message(REQUESTS, end->n_submitted, bytes));
}

/* Collects one; waits for it. */
static void collect_next(struct shm_client_end *end)
{
    const uint8_t *bytes;
    size_t n_bytes;
    uint64_t ticket = end->n_collected;
    for (unsigned n = 0; !shm_ring_collect(end, &bytes, &n_bytes);)
        look_again(&n);
    assert_true(is_message(ANSWERS, ticket, bytes, n_bytes));
}

/* Every other time one, when the other end is looking at its slot; else up to a full ring. */
static uint64_t run_length(struct rng *rng)
{
    return rng_below(rng, 2) ? 1 : rng_below(rng, SHM_SLOTS);
}

static void exchange_messages(uint64_t n_messages, uint64_t first)
{
    struct exchange x;
    struct rng rng = rng_seeded(7, first);
    pthread_t server;
    exchange_create(&x, n_messages, first);
    assert_int_equal(pthread_create(&server, NULL, serve, &x), 0);
    struct shm_client_end end = {.ring = x.ring, .n_submitted = first, .n_collected = first};
    while (end.n_collected < first + n_messages) {
        for (uint64_t n = run_length(&rng); n > 0 && !shm_ring_is_full(&end); n--)
            if (end.n_submitted < first + n_messages)
                submit_next(&end);
        for (uint64_t n = run_length(&rng); n > 0 && end.n_collected < end.n_submitted; n--)
            collect_next(&end);
    }
    pthread_join(server, NULL);
    assert_int_equal(x.n_wrong, 0);
    exchange_destroy(&x);
}

static void a_million_random_messages_arrive_unchanged_and_in_order(void **state)
{
    (void)state;
    exchange_messages(N_MESSAGES, 0);
}

/* 2^31 laps of the slots: the turn word starts anew at 0. */
static void turns_wrap_around(void **state)
{
    (void)state;
    exchange_messages(1000, (UINT64_C(1) << 31) * SHM_SLOTS - 500);
}

static void hold_one(struct shm_ring *ring, struct shm_client_end *client, struct shm_server_end *server)
{
    memset(ring, 0, sizeof *ring);
    *client = (struct shm_client_end){.ring = ring};
    *server = (struct shm_server_end){.ring = ring};
}

static void the_slot_of_the_last_answer_is_kept(void **state)
{
    (void)state;
    static struct shm_ring ring;
    struct shm_client_end client;
    struct shm_server_end server;
    uint8_t bytes[WIRE_MAX_BYTES];
    const uint8_t *answer;
    size_t n_answer;
    uint32_t n;
    hold_one(&ring, &client, &server);
    for (int lap = 0; lap < 3; lap++) {
        while (!shm_ring_is_full(&client))
            submit_next(&client);
        assert_int_equal(client.n_submitted - client.n_collected, SHM_MAX_IN_FLIGHT);
        assert_true(shm_ring_take(&server, bytes, &n));
        shm_ring_answer(&server, server.n_taken - 1, (const uint8_t *)"kept", 4);
        assert_true(shm_ring_collect(&client, &answer, &n_answer));
        submit_next(&client);
        assert_true(shm_ring_is_full(&client));
        assert_int_equal(n_answer, 4);
        assert_memory_equal(answer, "kept", 4);
    }
}

static void answers_in_any_order_are_collected_in_that_of_requests(void **state)
{
    (void)state;
    static struct shm_ring ring;
    struct shm_client_end client;
    struct shm_server_end server;
    uint8_t bytes[WIRE_MAX_BYTES];
    const uint8_t *answer;
    size_t n_answer;
    uint32_t n;
    hold_one(&ring, &client, &server);
    for (int i = 0; i < 3; i++)
        submit_next(&client);
    while (shm_ring_take(&server, bytes, &n))
        ;
    shm_ring_answer(&server, 2, (const uint8_t *)"ccc", 3);
    shm_ring_answer(&server, 1, bytes, 0);
    assert_false(shm_ring_collect(&client, &answer, &n_answer));
    shm_ring_answer(&server, 0, (const uint8_t *)"a", 1);
    static const size_t wanted[] = {1, 0, 3};
    for (int i = 0; i < 3; i++) {
        assert_true(shm_ring_collect(&client, &answer, &n_answer));
        assert_int_equal(n_answer, wanted[i]);
    }
    assert_false(shm_ring_collect(&client, &answer, &n_answer));
}

static void lengths_beyond_a_datagram_are_cut(void **state)
{
    (void)state;
    static struct shm_ring ring;
    static const uint32_t lengths[] = {WIRE_MAX_BYTES + 1, 0x80000000u, UINT32_MAX};
    struct shm_client_end client;
    struct shm_server_end server;
    uint8_t bytes[WIRE_MAX_BYTES];
    uint32_t n;
    hold_one(&ring, &client, &server);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        submit_next(&client);
        ring.slots[i].n_bytes = lengths[i];
        assert_true(shm_ring_take(&server, bytes, &n));
        assert_int_equal(n, WIRE_MAX_BYTES);
    }
}

static void turns_that_are_none_are_waited_for(void **state)
{
    (void)state;
    static struct shm_ring ring;
    static const uint32_t turns[] = {2, 3, 64, UINT32_MAX, 0x80000001u};
    struct shm_client_end client;
    struct shm_server_end server;
    uint8_t bytes[WIRE_MAX_BYTES];
    uint32_t n;
    hold_one(&ring, &client, &server);
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++) {
        ring.slots[0].turn = turns[i];
        assert_false(shm_ring_take(&server, bytes, &n));
    }
    ring.slots[0].turn = 1;
    assert_true(shm_ring_take(&server, bytes, &n));
}

/* How often an end looks before it lies down: about as long as the other takes to submit, so that it often
 * does so just then. */
static uint64_t n_looks_awake(struct rng *rng)
{
    return rng_below(rng, 64);
}

/* Sleeps for as long as nothing has come; true: nothing has woken it. */
static bool doze(struct shm_sleeper *me, int bell, bool has_come)
{
    struct pollfd readable = {.fd = bell, .events = POLLIN};
    int n = has_come ? 1 : poll(&readable, 1, LOST_WAKE_UP_MS);
    shm_sleeper_get_up(me);
    shm_bell_hear(bell);
    return n == 0;
}

static void *serve_sleepily(void *context)
{
    struct exchange *x = context;
    struct shm_server_end end = {.ring = x->ring};
    struct rng rng = rng_seeded(9, 0);
    for (uint64_t i = 0; i < x->n_messages; i++) {
        for (uint64_t n = n_looks_awake(&rng); n > 0 && !shm_ring_has_request(&end); n--)
            spin_pause();
        while (!shm_ring_has_request(&end) && !atomic_load(&x->n_overslept)) {
            shm_sleeper_lie_down(&x->ring->server);
            count_if(doze(&x->ring->server, x->bells[1], shm_ring_has_request(&end)), &x->n_overslept);
        }
        if (atomic_load(&x->n_overslept))
            break;
        answer_next(x, &end);
        if (shm_sleeper_needs_bell(&x->ring->client))
            shm_bell_ring(x->bells[1]);
    }
    return NULL;
}

static void no_wake_up_is_lost(void **state)
{
    (void)state;
    struct exchange x;
    struct rng rng = rng_seeded(8, 0);
    pthread_t server;
    exchange_create(&x, N_SLEEPS, 0);
    shm_sleeper_set(&x.ring->server, SHM_AWAKE);
    shm_sleeper_set(&x.ring->client, SHM_AWAKE);
    assert_int_equal(pthread_create(&server, NULL, serve_sleepily, &x), 0);
    struct shm_client_end end = {.ring = x.ring};
    while (end.n_collected < N_SLEEPS && !atomic_load(&x.n_overslept)) {
        if (end.n_submitted < N_SLEEPS)
            submit_next(&end);
        if (shm_sleeper_needs_bell(&x.ring->server))
            shm_bell_ring(x.bells[0]);
        for (uint64_t n = n_looks_awake(&rng); n > 0 && !shm_ring_has_answer(&end); n--)
            spin_pause();
        while (!shm_ring_has_answer(&end) && !atomic_load(&x.n_overslept)) {
            shm_sleeper_lie_down(&x.ring->client);
            count_if(doze(&x.ring->client, x.bells[0], shm_ring_has_answer(&end)), &x.n_overslept);
        }
        if (!atomic_load(&x.n_overslept))
            collect_next(&end);
    }
    pthread_join(server, NULL);
    assert_int_equal(x.n_overslept, 0);
    assert_int_equal(x.n_wrong, 0);
    exchange_destroy(&x);
}

static void who_never_sleeps_is_never_rung(void **state)
{
    (void)state;
    struct shm_sleeper s = {0};
    assert_false(shm_sleeper_needs_bell(&s));
    shm_sleeper_set(&s, SHM_AWAKE);
    assert_false(shm_sleeper_needs_bell(&s));
    shm_sleeper_lie_down(&s);
    assert_true(shm_sleeper_needs_bell(&s));
    assert_false(shm_sleeper_needs_bell(&s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_random_messages_arrive_unchanged_and_in_order),
        cmocka_unit_test(turns_wrap_around),
        cmocka_unit_test(the_slot_of_the_last_answer_is_kept),
        cmocka_unit_test(answers_in_any_order_are_collected_in_that_of_requests),
        cmocka_unit_test(lengths_beyond_a_datagram_are_cut),
        cmocka_unit_test(turns_that_are_none_are_waited_for),
        cmocka_unit_test(no_wake_up_is_lost),
        cmocka_unit_test(who_never_sleeps_is_never_rung),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
