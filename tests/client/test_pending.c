#include "base/rng.h"
#include "client/pending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>

static void ids_are_found_until_they_are_removed(void **state)
{
    (void)state;
    struct pending p;
    assert_int_equal(pending_create(&p, 3, 1000, NULL), COLLIDE_OK);
    uint64_t ids[3];
    for (int i = 0; i < 3; i++) {
        ids[i] = pending_next_id(&p);
        assert_true(pending_add(&p, 10)->id == ids[i]);
    }
    for (int i = 0; i < 3; i++)
        assert_true(pending_find(&p, ids[i])->id == ids[i]);
    pending_remove(&p, pending_find(&p, ids[1]));
    assert_null(pending_find(&p, ids[1]));
    assert_int_equal(p.n, 2);
    uint64_t again = pending_add(&p, 20)->id;
    assert_true(again != ids[1] && !pending_find(&p, ids[1]) && pending_find(&p, again));
    pending_destroy(&p);
}

static void no_id_is_zero_and_none_finds_nothing(void **state)
{
    (void)state;
    struct pending p;
    assert_int_equal(pending_create(&p, 1, UINT64_MAX >> 1, NULL), COLLIDE_OK);
    for (int i = 0; i < 4; i++) {
        struct pending_request *r = pending_add(&p, 1);
        assert_true(r->id != 0);
        assert_null(pending_find(&p, 0));
        assert_null(pending_find(&p, r->id ^ 1));
        pending_remove(&p, r);
        assert_null(pending_first(&p));
    }
    pending_destroy(&p);
}

/* Against the plainest of orders: an array that is searched. */
static void the_first_due_comes_first(void **state)
{
    (void)state;
    enum { N = 37 };
    struct pending p;
    struct rng rng = rng_seeded(1, 0);
    uint64_t ids[N], due[N], now = 0;
    size_t n = 0;
    assert_int_equal(pending_create(&p, N, rng_u64(&rng), NULL), COLLIDE_OK);
    for (int step = 0; step < 20000; step++) {
        size_t first = 0, any = n ? rng_below(&rng, n) : 0;
        for (size_t i = 1; i < n; i++)
            first = due[i] < due[first] ? i : first;
        assert_true(n ? pending_first(&p)->id == ids[first] : pending_first(&p) == NULL);
        assert_int_equal(p.n, n);
        now++;
        if (n < N && rng_below(&rng, 2)) {
            ids[n] = pending_add(&p, now)->id;
            due[n++] = now;
        } else if (n && rng_below(&rng, 2)) {
            pending_postpone(&p, pending_find(&p, ids[any]), now);
            due[any] = now;
        } else if (n) {
            pending_remove(&p, pending_find(&p, ids[any]));
            ids[any] = ids[--n];
            due[any] = due[n];
        }
    }
    pending_destroy(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_found_until_they_are_removed),
        cmocka_unit_test(no_id_is_zero_and_none_finds_nothing),
        cmocka_unit_test(the_first_due_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
