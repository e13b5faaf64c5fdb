#include "learn/hold_out.h"
#include "learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct synth_options made_up = {.n_users = 500,
                                             .n_items = 300,
                                             .n_interactions = 9000,
                                             .n_clusters = 10,
                                             .zipf_exponent = 1.1,
                                             .taste = 0.5,
                                             .seed = 3};

static void split(const struct interactions *log, double share, uint64_t seed, struct hold_out *out)
{
    struct collide_error err = {0};
    if (hold_out_split(log, share, seed, out, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

static uint64_t n_values(const struct csr *c)
{
    return c->offsets[c->n_rows];
}

/* Each interaction is in one of both; walks both rows in step with the log's, which all increase. */
static void assert_partition(const struct csr *all, const struct hold_out *h)
{
    assert_int_equal(h->train.n_rows, all->n_rows);
    assert_int_equal(h->held_out.n_rows, all->n_rows);
    for (uint32_t u = 0; u < all->n_rows; u++) {
        uint64_t t = h->train.offsets[u], o = h->held_out.offsets[u];
        for (uint64_t k = all->offsets[u]; k < all->offsets[u + 1]; k++) {
            bool is_in_train = t < h->train.offsets[u + 1] && h->train.values[t] == all->values[k];
            bool is_held_out = o < h->held_out.offsets[u + 1] && h->held_out.values[o] == all->values[k];
            assert_true(is_in_train != is_held_out);
            t += is_in_train;
            o += is_held_out;
        }
        assert_int_equal(t, h->train.offsets[u + 1]);
        assert_int_equal(o, h->held_out.offsets[u + 1]);
    }
}

static void interactions_are_shared_out(void **state)
{
    (void)state;
    struct interactions log;
    struct csr unused;
    fixture_synth(&made_up, &log, &unused);
    const double shares[] = {0.01, 0.1, 0.5};
    for (int i = 0; i < 3; i++) {
        struct hold_out h;
        split(&log, shares[i], 7, &h);
        assert_partition(&log.histories, &h);
        const double n = (double)n_values(&log.histories), n_out = (double)n_values(&h.held_out);
        /* Five deviations of the binomial above; below, what must stay takes a few of them more. */
        const double deviation = sqrt(n * shares[i] * (1.0 - shares[i]));
        assert_true(n_out < n * shares[i] + 5.0 * deviation);
        assert_true(n_out > 0.85 * n * shares[i] - 5.0 * deviation);
        hold_out_free(&h);
    }
    csr_free(&unused);
    interactions_free(&log);
}

static void users_and_items_stay_in_training(void **state)
{
    (void)state;
    struct interactions log;
    struct csr unused;
    struct hold_out h;
    fixture_synth(&made_up, &log, &unused);
    split(&log, 0.5, 7, &h);
    uint32_t *counts = calloc(log.items.n_ids, sizeof *counts), *all = calloc(log.items.n_ids, sizeof *all);
    interactions_count_items(&log, all);
    for (uint64_t k = 0; k < n_values(&h.train); k++)
        counts[h.train.values[k]]++;
    for (uint32_t i = 0; i < log.items.n_ids; i++)
        assert_true((counts[i] > 0) == (all[i] > 0));
    for (uint32_t u = 0; u < log.users.n_ids; u++) {
        const uint64_t n = log.histories.offsets[u + 1] - log.histories.offsets[u];
        const uint64_t n_left = h.train.offsets[u + 1] - h.train.offsets[u];
        assert_true(n < HOLD_OUT_MIN_ITEMS ? n_left == n : n_left >= 2);
    }
    free(counts);
    free(all);
    hold_out_free(&h);
    csr_free(&unused);
    interactions_free(&log);
}

static bool is_same(const struct csr *a, const struct csr *b)
{
    return n_values(a) == n_values(b) &&
           memcmp(a->offsets, b->offsets, (a->n_rows + 1ull) * sizeof *a->offsets) == 0 &&
           memcmp(a->values, b->values, n_values(a) * sizeof *a->values) == 0;
}

static void the_seed_decides(void **state)
{
    (void)state;
    struct interactions log;
    struct csr unused;
    struct hold_out first, second, other;
    fixture_synth(&made_up, &log, &unused);
    split(&log, 0.2, 7, &first);
    split(&log, 0.2, 7, &second);
    split(&log, 0.2, 8, &other);
    assert_true(is_same(&first.train, &second.train) && is_same(&first.held_out, &second.held_out));
    assert_false(is_same(&first.held_out, &other.held_out));
    hold_out_free(&first);
    hold_out_free(&second);
    hold_out_free(&other);
    csr_free(&unused);
    interactions_free(&log);
}

static void logs_without_any_to_spare_are_refused(void **state)
{
    (void)state;
    static const char *const logs[] = {"0 0\n0 1\n1 0\n1 1\n", "0 0\n0 1\n0 2\n0 3\n0 4\n0 5\n"};
    for (int i = 0; i < 2; i++) {
        struct interactions log;
        struct hold_out h;
        struct collide_error err = {0};
        fixture_log(logs[i], &log);
        assert_int_equal(hold_out_split(&log, 0.5, 1, &h, &err), COLLIDE_INVALID);
        assert_non_null(strstr(err.text, "held out is none"));
        interactions_free(&log);
    }
}

/* Users 1, 2, 4, 5 and 7 have something. */
static void samples_have_whole_rows_of_few_users(void **state)
{
    (void)state;
    uint64_t offsets[] = {0, 0, 2, 3, 3, 4, 6, 6, 7};
    uint32_t values[] = {10, 11, 20, 40, 50, 51, 70};
    const struct csr all = {.n_rows = 8, .offsets = offsets, .values = values};
    static const struct {
        uint64_t n_users;
        unsigned rows; /* a bit for each that is in it */
    } cases[] = {{100, 0xb6}, {5, 0xb6}, {4, 0x92}, {3, 0x92}, {2, 0x22}, {1, 0x02}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct csr sample;
        assert_int_equal(hold_out_sample(&all, cases[i].n_users, &sample, NULL), COLLIDE_OK);
        assert_int_equal(sample.n_rows, 8);
        for (uint32_t u = 0; u < 8; u++) {
            const uint64_t n = cases[i].rows >> u & 1 ? offsets[u + 1] - offsets[u] : 0;
            assert_int_equal(sample.offsets[u + 1] - sample.offsets[u], n);
            assert_memory_equal(sample.values + sample.offsets[u], values + offsets[u], n * sizeof *values);
        }
        csr_free(&sample);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interactions_are_shared_out),
        cmocka_unit_test(users_and_items_stay_in_training),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(logs_without_any_to_spare_are_refused),
        cmocka_unit_test(samples_have_whole_rows_of_few_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
