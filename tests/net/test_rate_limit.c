#include "net/rate_limit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

static const uint64_t S = 1000000000, START = 12345 * (uint64_t)1000000000;

static struct rate_limit *create(double per_second, double burst)
{
    struct rate_limit *r = NULL;
    const struct rate_limit_options options = {per_second, burst};
    assert_int_equal(rate_limit_create(&options, &r, NULL), COLLIDE_OK);
    return r;
}

static void a_burst_passes_then_one_by_one(void **state)
{
    (void)state;
    struct rate_limit *r = create(10, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(rate_limit_take(r, 1, START), 0);
    assert_int_equal(rate_limit_take(r, 1, START), S / 10);
    assert_int_equal(rate_limit_take(r, 1, START + S / 20), S / 20);
    assert_int_equal(rate_limit_take(r, 1, START + S / 10), 0);
    assert_int_equal(rate_limit_take(r, 1, START + S / 10), S / 10);
    rate_limit_destroy(r);
}

static void who_waits_as_told_is_let_in(void **state)
{
    (void)state;
    struct rate_limit *r = create(3, 2);
    uint64_t now = START;
    for (int i = 0; i < 1000; i++) { /* each passes in the end; all but the first two wait */
        uint64_t wait = rate_limit_take(r, 7, now);
        now += wait;
        if (wait)
            assert_int_equal(rate_limit_take(r, 7, now), 0);
        assert_true(i < 2 ? wait == 0 : wait > 0);
    }
    assert_in_range(now - START, 998 * (S / 3), 998 * (S / 3 + 1));
    rate_limit_destroy(r);
}

static void a_pause_gives_the_burst_back_and_no_more(void **state)
{
    (void)state;
    struct rate_limit *r = create(10, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(rate_limit_take(r, 1, START), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(rate_limit_take(r, 1, START + 3600 * S), 0);
    assert_true(rate_limit_take(r, 1, START + 3600 * S) > 0);
    rate_limit_destroy(r);
}

static void clients_have_an_allowance_each(void **state)
{
    (void)state;
    struct rate_limit *r = create(1, 1);
    uint64_t a = rate_limit_client_named(r, "a"), b = rate_limit_client_named(r, "b");
    assert_int_equal(rate_limit_take(r, a, START), 0);
    assert_int_equal(rate_limit_take(r, b, START), 0);
    assert_true(rate_limit_take(r, a, START) > 0);
    assert_true(rate_limit_take(r, b, START) > 0);
    rate_limit_destroy(r);
}

static void a_clock_that_steps_back_a_little_harms_nobody(void **state)
{
    (void)state;
    struct rate_limit *r = create(1, 2);
    assert_int_equal(rate_limit_take(r, 1, START), 0);
    assert_int_equal(rate_limit_take(r, 1, START - 1000), 1000);
    assert_int_equal(rate_limit_take(r, 1, START), 0);
    assert_int_equal(rate_limit_take(r, 1, START - 1000), S + 1000);
    rate_limit_destroy(r);
}

static uint64_t at(const struct rate_limit *r, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)rand())};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)rand())};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return rate_limit_client_at(r, (struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return rate_limit_client_at(r, (struct sockaddr *)&v6);
}

static void addresses_are_clients_ipv6_by_network(void **state)
{
    (void)state;
    struct rate_limit *r = create(1, 1);
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    assert_int_equal(at(r, "10.0.0.1"), at(r, "10.0.0.1"));
    assert_int_equal(at(r, "10.0.0.1"), at(r, "::ffff:10.0.0.1"));
    assert_int_not_equal(at(r, "10.0.0.1"), at(r, "10.0.0.2"));
    assert_int_equal(at(r, "2001:db8:1:2::1"), at(r, "2001:db8:1:2:3:4:5:6"));
    assert_int_not_equal(at(r, "2001:db8:1:2::1"), at(r, "2001:db8:1:3::1"));
    assert_int_equal(rate_limit_client_at(r, (struct sockaddr *)&local),
                     rate_limit_client_at(r, (struct sockaddr *)&local));
    rate_limit_destroy(r);
}

/* Were a slot given up to whoever comes next, its owner would come back to a whole allowance. */
static void a_flood_of_addresses_gives_nobody_a_fresh_start(void **state)
{
    (void)state;
    enum { N_SLOTS = 8192, BURST = 10, N_CLIENTS = 30000, N_ROUNDS = 5 };
    struct rate_limit *r = create(1, BURST);
    unsigned n_passed = 0;
    for (unsigned i = 0; i < N_ROUNDS * N_CLIENTS; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i % N_CLIENTS);
        n_passed += rate_limit_take(r, rate_limit_client_named(r, name), START) == 0;
    }
    assert_in_range(n_passed, N_CLIENTS, N_SLOTS * BURST);
    rate_limit_destroy(r);
}

enum { N_TAKES = 20000 };

struct taker {
    struct rate_limit *limit;
    unsigned n_passed;
};

static void *take_many(void *context)
{
    struct taker *t = context;
    for (int i = 0; i < N_TAKES; i++)
        t->n_passed += rate_limit_take(t->limit, 1, START) == 0;
    return NULL;
}

static void threads_share_one_allowance(void **state)
{
    (void)state;
    struct rate_limit *r = create(1, 30000);
    struct taker takers[2] = {{.limit = r}, {.limit = r}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, &takers[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(takers[0].n_passed + takers[1].n_passed, 30000);
    rate_limit_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_then_one_by_one),
        cmocka_unit_test(who_waits_as_told_is_let_in),
        cmocka_unit_test(a_pause_gives_the_burst_back_and_no_more),
        cmocka_unit_test(clients_have_an_allowance_each),
        cmocka_unit_test(a_clock_that_steps_back_a_little_harms_nobody),
        cmocka_unit_test(addresses_are_clients_ipv6_by_network),
        cmocka_unit_test(a_flood_of_addresses_gives_nobody_a_fresh_start),
        cmocka_unit_test(threads_share_one_allowance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
