#include "base/parallel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N_MAX = 1000, N_THREADS_MAX = 5 };

/* Each thread writes only its own entries, so that a race would show as a lost or doubled visit. */
struct visits {
    unsigned per_index[N_MAX];
    unsigned calls[N_THREADS_MAX];
    size_t begin[N_THREADS_MAX], end[N_THREADS_MAX];
};

static void count_visits(void *context, unsigned thread, size_t begin, size_t end)
{
    struct visits *v = context;
    v->calls[thread]++;
    v->begin[thread] = begin;
    v->end[thread] = end;
    for (size_t i = begin; i < end; i++)
        v->per_index[i]++;
}

static struct parallel *make_team(unsigned n_threads)
{
    struct parallel *team = NULL;
    struct collide_error err;
    assert_int_equal(parallel_create(n_threads, &team, &err), COLLIDE_OK);
    assert_int_equal(parallel_n_threads(team), n_threads);
    return team;
}

static void assert_covered_once(const struct visits *v, unsigned n_threads, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(v->per_index[i], 1);
    for (unsigned t = 0; t < n_threads; t++) {
        size_t share = v->end[t] - v->begin[t];
        assert_int_equal(v->calls[t], 1);
        assert_int_equal(v->begin[t], t ? v->end[t - 1] : 0);
        assert_in_range(share, n / n_threads, n / n_threads + 1);
    }
    assert_int_equal(v->end[n_threads - 1], n);
}

static void every_index_is_visited_once_in_even_shares(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 2, 4, 5, 999, N_MAX};
    for (unsigned n_threads = 1; n_threads <= N_THREADS_MAX; n_threads++) {
        struct parallel *team = make_team(n_threads);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            struct visits v = {0};
            parallel_for(team, sizes[s], count_visits, &v);
            assert_covered_once(&v, n_threads, sizes[s]);
        }
        parallel_destroy(team);
    }
}

static void many_short_loops_in_a_row_all_complete(void **state)
{
    (void)state;
    struct parallel *team = make_team(3);
    struct visits v = {0};
    for (int round = 0; round < 300; round++)
        parallel_for(team, 7, count_visits, &v);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(v.per_index[i], 300);
    parallel_destroy(team);
}

struct sums {
    double partial[N_THREADS_MAX];
};

static double term(size_t i)
{
    return 1.0 / (double)(i + 1);
}

static void add_share(void *context, unsigned thread, size_t begin, size_t end)
{
    struct sums *s = context;
    s->partial[thread] = 0;
    for (size_t i = begin; i < end; i++)
        s->partial[thread] += term(i);
}

/* The shares are those of the contract, so adding each in order by one thread must give the very same bits.
 */
static void sums_equal_the_sequential_shares_bit_for_bit(void **state)
{
    (void)state;
    enum { N_THREADS = 4 };
    struct parallel *team = make_team(N_THREADS);
    struct visits v = {0};
    struct sums s;
    parallel_for(team, N_MAX, count_visits, &v);
    parallel_for(team, N_MAX, add_share, &s);
    for (unsigned t = 0; t < N_THREADS; t++) {
        double sum = 0;
        for (size_t i = v.begin[t]; i < v.end[t]; i++)
            sum += term(i);
        assert_memory_equal(&sum, &s.partial[t], sizeof sum);
    }
    parallel_destroy(team);
}

static void team_sizes_out_of_range_are_refused(void **state)
{
    (void)state;
    struct parallel *team = NULL;
    struct collide_error err;
    assert_int_equal(parallel_create(0, &team, &err), COLLIDE_INVALID);
    assert_int_equal(parallel_create(1025, &team, &err), COLLIDE_INVALID);
    assert_null(team);
    parallel_destroy(NULL);
    assert_true(parallel_n_cpus() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_index_is_visited_once_in_even_shares),
        cmocka_unit_test(many_short_loops_in_a_row_all_complete),
        cmocka_unit_test(sums_equal_the_sequential_shares_bit_for_bit),
        cmocka_unit_test(team_sizes_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
