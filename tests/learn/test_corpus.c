#include "learn/train/corpus.h"
#include "learn_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct corpus corpus_of(const struct interactions *log)
{
    struct corpus c;
    assert_int_equal(corpus_create(log, 2, &c, NULL), COLLIDE_OK);
    return c;
}

static void histories_of_which_all_take_part_are_the_logs(void **state)
{
    (void)state;
    struct interactions log;
    fixture_log("0 0\n0 2\n1 1\n1 2\n", &log);
    struct corpus c = corpus_of(&log);
    assert_ptr_equal(c.histories.values, log.histories.values);
    assert_int_equal(c.histories.n_rows, 2);
    corpus_free(&c);
    assert_int_equal(log.histories.values[3], 2);
    interactions_free(&log);
}

/* User 1 has one item, item 1 no user. */
static void others_are_renumbered(void **state)
{
    (void)state;
    struct interactions log;
    fixture_log("0 0\n0 2\n1 2\n2 2\n2 3\n", &log);
    struct corpus c = corpus_of(&log);
    assert_int_equal(c.n_items, 3);
    assert_memory_equal(c.dense_ids, ((uint32_t[]){0, 2, 3}), 3 * sizeof(uint32_t));
    assert_memory_equal(c.counts, ((uint32_t[]){1, 3, 1}), 3 * sizeof(uint32_t));
    assert_int_equal(c.histories.n_rows, 2);
    assert_memory_equal(c.dense_users, ((uint32_t[]){0, 2}), 2 * sizeof(uint32_t));
    assert_memory_equal(c.histories.offsets, ((uint64_t[]){0, 2, 4}), 3 * sizeof(uint64_t));
    assert_memory_equal(c.histories.values, ((uint32_t[]){0, 1, 1, 2}), 4 * sizeof(uint32_t));
    corpus_free(&c);
    interactions_free(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histories_of_which_all_take_part_are_the_logs),
        cmocka_unit_test(others_are_renumbered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
