#include "observe/durations.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static unsigned bucket_with(const struct durations *d)
{
    unsigned i = 0;
    while (i < DURATIONS_N_BUCKETS && d->counts[i] == 0)
        i++;
    return i;
}

static void a_duration_is_above_the_edge_before_and_not_above_its_own(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(3, 0);
    for (unsigned i = 0; i < 100000; i++) {
        struct durations d = {0};
        uint64_t ns = rng_u64(&rng) >> rng_below(&rng, 64);
        durations_add(&d, ns, 1);
        unsigned bucket = bucket_with(&d);
        assert_true(bucket < DURATIONS_N_BUCKETS);
        if (bucket > 0)
            assert_true(ns > durations_edge_ns(bucket - 1));
        if (bucket < DURATIONS_N_EDGES)
            assert_true(ns <= durations_edge_ns(bucket));
    }
}

static void edges_belong_to_the_bucket_below_them(void **state)
{
    (void)state;
    for (unsigned i = 0; i < DURATIONS_N_EDGES; i++) {
        struct durations d = {0};
        durations_add(&d, durations_edge_ns(i), 1);
        assert_int_equal(bucket_with(&d), i);
        d = (struct durations){0};
        durations_add(&d, durations_edge_ns(i) + 1, 1);
        assert_int_equal(bucket_with(&d), i + 1);
    }
}

static void doublings_of_a_microsecond_are_edges(void **state)
{
    (void)state;
    for (unsigned k = 0; k <= DURATIONS_DOUBLINGS; k++)
        assert_int_equal(durations_edge_ns(DURATIONS_STEPS * (k + 1) - 1), UINT64_C(1000) << k);
}

/* The quantile lies in the bucket of the exact one, whose edges are at most an eighth, or 125 ns, apart. */
static void quantiles_are_within_a_bucket_of_the_exact_ones(void **state)
{
    (void)state;
    enum { N = 10000 };
    struct durations d = {0};
    for (uint64_t i = 1; i <= N; i++)
        durations_add(&d, i * 100, 1);
    assert_int_equal(durations_n(&d), N);
    for (unsigned percent = 1; percent <= 100; percent++) {
        double exact = percent * (double)N, got = durations_quantile_ns(&d, percent / 100.0);
        assert_true(got >= exact / 1.125 - 125 && got <= exact * 1.125 + 125);
    }
}

static void nothing_has_quantiles_of_0_and_what_is_too_long_the_last_edge(void **state)
{
    (void)state;
    struct durations d = {0};
    assert_true(durations_quantile_ns(&d, 0.99) == 0);
    durations_add(&d, UINT64_MAX / 2, 1);
    assert_true(durations_quantile_ns(&d, 0.5) == (double)durations_edge_ns(DURATIONS_N_EDGES - 1));
}

static void merging_adds(void **state)
{
    (void)state;
    struct durations a = {0}, b = {0};
    durations_add(&a, 1500, 2);
    durations_add(&b, 1500, 3);
    durations_add(&b, 90, 1);
    durations_merge(&a, &b);
    assert_int_equal(durations_n(&a), 6);
    assert_int_equal(a.sum_ns, 5 * 1500 + 90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_is_above_the_edge_before_and_not_above_its_own),
        cmocka_unit_test(edges_belong_to_the_bucket_below_them),
        cmocka_unit_test(doublings_of_a_microsecond_are_edges),
        cmocka_unit_test(quantiles_are_within_a_bucket_of_the_exact_ones),
        cmocka_unit_test(nothing_has_quantiles_of_0_and_what_is_too_long_the_last_edge),
        cmocka_unit_test(merging_adds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
