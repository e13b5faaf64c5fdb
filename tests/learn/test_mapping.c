#include "base/log.h"
#include "learn/map/id_mapping.h"
#include "learn_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Items 0..6; item 3 is the most frequent one (4 users), then 1 (3), then 0 and 5 (2 each). */
static const int lists[] = {3, 1, 0, -1, 3, 1, 5, -1, 3, 1, 2, -1, 3, 0, 4, 5, -1, 6, -1, -2};
enum { N_ITEMS = 7, DIM = 2 };

static void map(enum learn_method method, uint32_t n_rows, const float *teacher,
                uint32_t row_of_item[N_ITEMS])
{
    struct corpus corpus;
    struct id_mapping m;
    struct parallel *team = fixture_team(1);
    fixture_corpus(lists, &corpus);
    struct mapping_problem p = {.n_ids = corpus.n_items,
                                .dense_ids = corpus.dense_ids,
                                .counts = corpus.counts,
                                .n_rows = n_rows,
                                .dim = DIM,
                                .vectors = teacher,
                                .seed = 1,
                                .team = team};
    assert_int_equal(id_mapping_create(method, &p, &m, NULL), COLLIDE_OK);
    assert_int_equal(m.n_ids, N_ITEMS);
    assert_int_equal(m.n_rows, n_rows);
    assert_int_equal(m.n_lookups, 1);
    assert_int_equal(m.width, DIM);
    assert_int_equal(m.kind, mapping_method(method)->kind);
    assert_true((m.rows != NULL) == (mapping_method(method)->teacher == TEACHER_NEEDED));
    memcpy(row_of_item, m.rows_of, N_ITEMS * sizeof *row_of_item);
    id_mapping_free(&m);
    corpus_free(&corpus);
    parallel_destroy(team);
}

static void modulo_folds_dense_ids(void **state)
{
    (void)state;
    const uint32_t expected[N_ITEMS] = {0, 1, 2, 0, 1, 2, 0};
    uint32_t rows[N_ITEMS];
    map(LEARN_MODULO, 3, NULL, rows);
    assert_memory_equal(rows, expected, sizeof rows);
}

static void frequency_gives_half_of_the_rows_to_the_most_frequent(void **state)
{
    (void)state;
    const uint32_t expected[N_ITEMS] = {2 + 0 % 3, 1, 2 + 2 % 3, 0, 2 + 4 % 3, 2 + 5 % 3, 2 + 6 % 3};
    uint32_t rows[N_ITEMS];
    map(LEARN_FREQUENCY, 5, NULL, rows);
    assert_memory_equal(rows, expected, sizeof rows);
}

static void one_row_takes_everything(void **state)
{
    (void)state;
    static const float teacher[N_ITEMS * DIM] = {1.0f};
    const uint32_t expected[N_ITEMS] = {0};
    const enum learn_method methods[] = {LEARN_LHF, LEARN_MODULO, LEARN_FREQUENCY};
    for (int i = 0; i < 3; i++) {
        uint32_t rows[N_ITEMS];
        map(methods[i], 1, teacher, rows);
        assert_memory_equal(rows, expected, sizeof rows);
    }
}

static void lhf_puts_items_with_the_same_vector_into_one_row(void **state)
{
    (void)state;
    static const float teacher[N_ITEMS][DIM] = {{1, 0}, {0, 1}, {1, 0}, {0, 1}, {-1, 0}, {-1, 0}, {0, 1}};
    uint32_t rows[N_ITEMS];
    map(LEARN_LHF, 3, &teacher[0][0], rows);
    assert_int_equal(rows[0], rows[2]);
    assert_int_equal(rows[1], rows[3]);
    assert_int_equal(rows[1], rows[6]);
    assert_int_equal(rows[4], rows[5]);
    assert_true(rows[0] != rows[1] && rows[1] != rows[4] && rows[0] != rows[4]);
}

static void methods_have_names_of_their_own(void **state)
{
    (void)state;
    for (int m = 0; m < LEARN_N_METHODS; m++)
        for (int other = 0; other < m; other++)
            assert_string_not_equal(learn_method_name((enum learn_method)m),
                                    learn_method_name((enum learn_method)other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modulo_folds_dense_ids),
        cmocka_unit_test(frequency_gives_half_of_the_rows_to_the_most_frequent),
        cmocka_unit_test(one_row_takes_everything),
        cmocka_unit_test(lhf_puts_items_with_the_same_vector_into_one_row),
        cmocka_unit_test(methods_have_names_of_their_own),
    };
    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
