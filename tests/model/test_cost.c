/* What looking ids up costs, against lines and bytes counted by hand. */
#include "model/cost.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* 1,000 ids, 100 rows of 64 i8 values, stored mapping, one lookup. */
static struct model plain_model(void)
{
    return (struct model){
        .dim = 64,
        .rows = {.n = 100, .width = 64, .precision = PRECISION_I8, .scaling = SCALING_DIM},
        .mapping = {.kind = MAPPING_STORED, .n_lookups = 1},
        .item = {.n_ids = 1000},
    };
}

static void assert_cost(struct lookup_cost cost, double lines, double bytes)
{
    if (cost.lines != lines || cost.bytes != bytes)
        fail_msg("%.6f lines and %.6f bytes, not %.6f and %.6f", cost.lines, cost.bytes, lines, bytes);
}

static void rows_touch_as_many_lines_as_their_places_give_on_average(void **state)
{
    static const struct {
        enum precision precision;
        uint32_t width;
        double lines, bytes;
    } cases[] = {
        {PRECISION_I8, 64, 1.0, 64},          /* a line each */
        {PRECISION_F32, 64, 4.0, 256},        /* four each */
        {PRECISION_F16, 24, 6.0 / 4, 48},     /* in 3 lines 4 rows: 1, 2, 2, 1 */
        {PRECISION_F32, 24, 4.0 / 2, 96},     /* in 3 lines 2 rows: 2, 2 */
        {PRECISION_I4, 32, 1.0, 16},          /* four a line */
        {PRECISION_I3, 64, 10.0 / 8, 24},     /* in 3 lines 8 rows, cut by 2 of the lines' ends */
        {PRECISION_I2, 64, 1.0, 16},          /* four a line */
        {PRECISION_I8, 40, 12.0 / 8, 40},     /* in 5 lines 8 rows, cut by 4 of the lines' ends */
        {PRECISION_I8, 7, (64.0 + 6) / 64, 7} /* in 7 lines 64 rows, cut by 6 of the lines' ends */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model m = plain_model();
        m.rows.precision = cases[i].precision;
        m.rows.width = cases[i].width;
        assert_cost(cost_of_rows(&m), cases[i].lines, cases[i].bytes);
        m.mapping.n_lookups = 3;
        assert_cost(cost_of_rows(&m), 3 * cases[i].lines, 3 * cases[i].bytes);
    }
}

static void scales_of_rows_are_a_line_each_and_those_of_dimensions_none(void **state)
{
    static const double lines[] = {
        [SCALING_NONE] = 0, [SCALING_ROW] = 2, [SCALING_ROW_OFFSET] = 2, [SCALING_DIM] = 0};
    (void)state;
    for (enum scaling scaling = SCALING_NONE; scaling <= SCALING_DIM; scaling++) {
        struct model m = plain_model();
        m.rows.scaling = scaling;
        m.mapping.n_lookups = 2;
        assert_cost(cost_of_scales(&m), lines[scaling], 4 * lines[scaling]);
    }
}

static void stored_entries_of_an_id_stand_together(void **state)
{
    struct model m = plain_model();
    (void)state;
    assert_cost(cost_of_mapping(&m), 1.0, 4);
    m.mapping.n_lookups = 16;
    assert_cost(cost_of_mapping(&m), 1.0, 64);
    m.mapping.n_lookups = 3; /* in 3 lines 16 ids, cut by 2 of the lines' ends */
    assert_cost(cost_of_mapping(&m), 18.0 / 16, 12);
}

static void a_computed_mapping_costs_nothing(void **state)
{
    struct model m = plain_model();
    (void)state;
    for (m.mapping.kind = MAPPING_HASHED; m.mapping.kind <= MAPPING_QUOTIENT; m.mapping.kind++) {
        assert_cost(cost_of_mapping(&m), 0.0, 0);
        assert_int_equal(bytes_of_mapping(&m), 0);
    }
}

/* The word behind an entry's is read too: it is in the next line for entries that begin in a line's last
 * word. */
static void packed_entries_are_read_as_two_words(void **state)
{
    struct model m = plain_model();
    (void)state;
    m.mapping.kind = MAPPING_PACKED;
    m.mapping.bits = 32; /* 16 a line, the last of which needs the next line */
    assert_cost(cost_of_mapping(&m), 17.0 / 16, 4);
    m.mapping.bits = 8; /* 64 a line, of which 4 */
    assert_cost(cost_of_mapping(&m), 68.0 / 64, 1);
    m.mapping.bits = 24; /* in 3 lines 64, begun in a last word: bytes 60, 63; 126; 189 */
    assert_cost(cost_of_mapping(&m), 68.0 / 64, 3);
    m.mapping.bits = 16;
    m.mapping.n_lookups = 4; /* 8 ids a line, the last one's last two entries begin in its last word */
    assert_cost(cost_of_mapping(&m), 9.0 / 8, 8);
}

static void weights_and_biases_cost_a_line_where_there_are_any(void **state)
{
    static const float values[1001];
    static const struct feature country = {.name = "country", .space = {.n_ids = 5}};
    struct model m = plain_model();
    (void)state;
    assert_cost(cost_of_weight(&m), 0.0, 0);
    assert_cost(cost_of_bias(&m), 0.0, 0);
    m.item.weights = m.bias = values;
    assert_cost(cost_of_weight(&m), 1.0, 4);
    assert_cost(cost_of_bias(&m), 1.0, 4);
    m.item.weights = NULL;
    m.features = &country;
    m.n_features = 1;
    assert_cost(cost_of_weight(&m), 1.0, 4);
}

/* Of models of one space the code, as a packed entry; several spaces have values an id again. */
static void classes_cost_their_code(void **state)
{
    static const uint32_t words[1];
    static const float values[4];
    static const struct feature country = {.name = "country", .space = {.n_ids = 5}};
    struct model m = plain_model();
    (void)state;
    m.item.classes = (struct id_classes){words, 2, values, values};
    assert_cost(cost_of_weight(&m), 272.0 / 256, 0.25); /* 256 a line, of which 16 begin in its last word */
    assert_cost(cost_of_bias(&m), 272.0 / 256, 0.25);
    m.features = &country;
    m.n_features = 1;
    assert_cost(cost_of_weight(&m), 1.0, 4);
    assert_cost(cost_of_bias(&m), 1.0, 4);
}

static void weights_of_lookups_stand_together(void **state)
{
    static const float values[3 * 1001];
    struct model m = plain_model();
    (void)state;
    assert_cost(cost_of_lookup_weights(&m), 0.0, 0);
    m.item.lookup_weights = values;
    m.mapping.n_lookups = 3; /* in 3 lines 16 ids, cut by 2 of the lines' ends */
    assert_cost(cost_of_lookup_weights(&m), 18.0 / 16, 12);
    assert_cost(cost_of_embedding(&m), 2 * 18.0 / 16 + 3, 24 + 3 * 64);
}

static void an_embedding_costs_its_mapping_its_rows_and_their_scales(void **state)
{
    struct model m = plain_model();
    (void)state;
    assert_cost(cost_of_embedding(&m), 2.0, 4 + 64);
    m.rows.scaling = SCALING_ROW;
    m.mapping.n_lookups = 2;
    assert_cost(cost_of_embedding(&m), 1.0 + 2 * (1.0 + 1.0), 8 + 2 * (64 + 4));
}

/* 1,001 items of one row, 3,003 users of two. */
static void costs_are_averages_over_the_ids_of_all_spaces(void **state)
{
    struct model m = plain_model();
    (void)state;
    m.mapping.n_lookups = 2;
    m.item.n_lookups = 1;
    m.user = (struct space){.n_ids = 3002, .n_lookups = 2};
    m.user_is_embedded = true;
    assert_cost(cost_of_rows(&m), 1.75, 1.75 * 64);
    assert_cost(cost_of_mapping(&m), 1.0, 0.25 * 4 + 0.75 * 8);
    assert_int_equal(bytes_of_mapping(&m), (1001 + 2 * 3003) * 4);
    m.user_is_embedded = false;
    assert_cost(cost_of_rows(&m), 1.0, 64);
}

static void tables_take_the_bytes_of_their_entries(void **state)
{
    static const struct feature country = {.name = "country", .space = {.n_ids = 5}};
    struct model m = plain_model();
    (void)state;
    assert_int_equal(bytes_of_rows(&m), 100 * 64 + 64 * 4);
    m.rows.scaling = SCALING_ROW_OFFSET;
    assert_int_equal(bytes_of_rows(&m), 100 * (64 + 4));
    m.rows.n = UINT32_MAX;
    assert_true(bytes_of_rows(&m) == (uint64_t)UINT32_MAX * 68);
    m.features = &country;
    m.n_features = 1;
    m.user.n_ids = 50; /* not embedded */
    assert_int_equal(bytes_of_mapping(&m), (1001 + 6) * 4);
    m.user_is_embedded = true;
    m.mapping.n_lookups = 2;
    assert_int_equal(bytes_of_mapping(&m), 2 * (1001 + 6 + 51) * 4);
    m.mapping.kind = MAPPING_PACKED;
    m.mapping.bits = 7; /* 2,002, 12 and 102 entries: 438, 3 and 23 words, and one more each */
    assert_int_equal(bytes_of_mapping(&m), (439 + 4 + 24) * 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_touch_as_many_lines_as_their_places_give_on_average),
        cmocka_unit_test(scales_of_rows_are_a_line_each_and_those_of_dimensions_none),
        cmocka_unit_test(stored_entries_of_an_id_stand_together),
        cmocka_unit_test(a_computed_mapping_costs_nothing),
        cmocka_unit_test(packed_entries_are_read_as_two_words),
        cmocka_unit_test(weights_and_biases_cost_a_line_where_there_are_any),
        cmocka_unit_test(classes_cost_their_code),
        cmocka_unit_test(weights_of_lookups_stand_together),
        cmocka_unit_test(an_embedding_costs_its_mapping_its_rows_and_their_scales),
        cmocka_unit_test(costs_are_averages_over_the_ids_of_all_spaces),
        cmocka_unit_test(tables_take_the_bytes_of_their_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
