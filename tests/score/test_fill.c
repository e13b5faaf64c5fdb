/* Queries into slots: what fits, where queries are cut, what is counted. */
#include "score/fill.h"

#include "support/random_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N_ITEMS = 10, N_USERS = 3, ROOM = 64 };

/* A slot's memory. */
struct slot {
    device_query queries[ROOM];
    uint32_t history[ROOM];
    float weights[ROOM];
    uint32_t items[ROOM];
};

static struct collide_model *model;

static struct fill fill_of(struct slot *s)
{
    return (struct fill){.model = model,
                         .queries = s->queries,
                         .history = s->history,
                         .history_weights = s->weights,
                         .items = s->items};
}

static int open_model(void **state)
{
    (void)state;
    const struct random_model spec = {
        .seed = 1, .n_items = N_ITEMS, .n_users = N_USERS, .n_rows = 4, .dim = 2, .max_history = 5};
    model = random_model_open(&spec);
    return 0;
}

static int close_model(void **state)
{
    (void)state;
    collide_model_close(model);
    return 0;
}

static const struct collide_id IDS[] = {{.number = 4}, {.number = 77}, {.number = 0}, {.number = 9},
                                        {.number = 4}, {.number = 5},  {.number = 6}, {.number = 7}};
static const struct collide_id USER = {.number = 2}, STRANGER = {.number = 3};
static const float WEIGHTS[] = {0.5f, -2.0f};

static void a_query_becomes_dense_ids_and_ranges(void **state)
{
    (void)state;
    const struct collide_query queries[] = {
        {.user = &USER, .history = IDS, .weights = WEIGHTS, .n_history = 2, .items = IDS, .n_items = 3},
        {.user = &STRANGER, .history = IDS, .n_history = 1, .items = IDS + 3, .n_items = 1},
        {.items = IDS, .n_items = 1},
    };
    const struct fill_capacity capacity = {.n_queries = ROOM, .n_history = ROOM, .n_items = ROOM};
    struct slot s;
    struct fill fill = fill_of(&s);
    struct fill_position at = {0};
    fill_queries(&fill, queries, 3, &capacity, ROOM, &at);
    assert_int_equal(at.query, 3);
    const device_query expected[] = {
        {.user = 2, .history_begin = 0, .history_end = 2, .items_begin = 0, .items_end = 3, .n_parts = 1},
        {.user = N_USERS,
         .history_begin = 2,
         .history_end = 3,
         .items_begin = 3,
         .items_end = 4,
         .n_parts = 1},
        {.user = N_USERS,
         .history_begin = 3,
         .history_end = 3,
         .items_begin = 4,
         .items_end = 5,
         .n_parts = 1}};
    assert_memory_equal(s.queries, expected, sizeof expected);
    const uint32_t history[] = {4, N_ITEMS, 4}, items[] = {4, N_ITEMS, 0, 9, 4};
    assert_memory_equal(s.history, history, sizeof history);
    assert_memory_equal(s.items, items, sizeof items);
    const float weights[] = {0.5f, -2.0f, 1.0f};
    assert_memory_equal(s.weights, weights, sizeof weights);
    assert_int_equal(fill.used.n_scores, 5);
    assert_int_equal(fill.counts.n_lookups, 1 + 2 + 3 + 1 + 1 + 1 + 1);
    assert_int_equal(fill.counts.n_unknown, 1 + 1 + 1);
}

static void a_long_candidate_list_is_cut_and_counted_once(void **state)
{
    (void)state;
    const struct collide_query query = {
        .user = &STRANGER, .history = IDS, .n_history = 2, .items = IDS, .n_items = 8};
    const struct fill_capacity capacity = {.n_queries = ROOM, .n_history = ROOM, .n_items = ROOM};
    struct slot s;
    struct fill fill = fill_of(&s);
    struct fill_position at = {0};
    fill_queries(&fill, &query, 1, &capacity, 3, &at);
    assert_int_equal(at.query, 1);
    assert_int_equal(fill.used.n_queries, 3);
    for (uint32_t i = 0; i < 3; i++) {
        const device_query *q = &s.queries[i];
        assert_int_equal(q->items_begin, 3 * i);
        assert_int_equal(q->items_end, i < 2 ? 3 * i + 3 : 8);
        assert_int_equal(q->history_end - q->history_begin, 2);
        assert_int_equal(s.history[q->history_begin], 4);
    }
    assert_int_equal(fill.counts.n_lookups, 1 + 2 + 8);
    assert_int_equal(fill.counts.n_unknown, 1 + 1 + 1);
}

/* Keys are left to the device, with all that has them; texts are not, since no text is a number. */
static void items_with_keys_are_left_to_the_device(void **state)
{
    (void)state;
    static const struct collide_id history[] = {{.number = 4}, {.text = "4", .n_bytes = 1}, {.number = 77}};
    const struct collide_query query = {.history = history, .n_history = 3, .items = IDS, .n_items = 3};
    const struct fill_capacity capacity = {.n_queries = ROOM, .n_history = ROOM, .n_items = ROOM};
    uint64_t history_keys[ROOM], item_keys[ROOM];
    struct slot s;
    struct fill fill = fill_of(&s);
    struct fill_position at = {0};
    fill.history_keys = history_keys;
    fill.item_keys = item_keys;
    fill_queries(&fill, &query, 1, &capacity, 2, &at);
    const uint32_t by_key[] = {ID_BY_KEY, ID_BY_KEY, ID_BY_KEY};
    assert_memory_equal(s.items, by_key, sizeof by_key);
    assert_true(s.history[0] == ID_BY_KEY && s.history[2] == ID_BY_KEY);
    assert_true(s.history[1] != ID_BY_KEY);
    assert_true(history_keys[0] == 4 && history_keys[2] == 77);
    assert_true(item_keys[0] == 4 && item_keys[1] == 77 && item_keys[2] == 0);
    assert_int_equal(fill.counts.n_lookups, 3 + 3);
    /* As a device that finds 4 and 0 leaves them; the query was cut in two, its history is there twice. */
    for (size_t i = 0; i < 6; i++)
        s.history[i] = i % 3 == 0 ? 4 : N_ITEMS;
    s.items[0] = 4, s.items[1] = N_ITEMS, s.items[2] = 0;
    assert_int_equal(fill.used.n_queries, 2);
    assert_int_equal(fill_count_unknown(&fill, 0, 1), 2 + 1);
    assert_int_equal(fill_count_unknown(&fill, 1, 2), 0);
}

/* 4, 77, 0 and what only 64 bits hold. */
static const uint32_t SHORT_NUMBERS[] = {4, 77, 0, UINT32_MAX};
static const uint64_t LONG_NUMBERS[] = {4, 77, 0, (uint64_t)1 << 32 | 4};

static void numbers_are_looked_up_as_ids(void **state)
{
    (void)state;
    const struct fill_capacity capacity = {.n_queries = ROOM, .n_history = ROOM, .n_items = ROOM};
    const struct collide_query queries[] = {{.user = &USER,
                                             .history_numbers = SHORT_NUMBERS,
                                             .weights = WEIGHTS,
                                             .n_history = 2,
                                             .item_numbers = SHORT_NUMBERS,
                                             .n_items = 4,
                                             .number_bytes = 4},
                                            {.history_numbers = LONG_NUMBERS,
                                             .n_history = 4,
                                             .item_numbers = LONG_NUMBERS,
                                             .n_items = 4,
                                             .number_bytes = 8}};
    struct slot s;
    struct fill fill = fill_of(&s);
    struct fill_position at = {0};
    fill_queries(&fill, queries, 2, &capacity, 3, &at); /* lists are cut after 3 */
    const uint32_t history[] = {4, N_ITEMS, 4, N_ITEMS, 4, N_ITEMS, 0, N_ITEMS, 4, N_ITEMS, 0, N_ITEMS},
                   items[] = {4, N_ITEMS, 0, N_ITEMS, 4, N_ITEMS, 0, N_ITEMS};
    const float weights[] = {0.5f, -2.0f, 0.5f, -2.0f, 1.0f, 1.0f};
    assert_int_equal(fill.used.n_queries, 4);
    assert_memory_equal(s.history, history, sizeof history);
    assert_memory_equal(s.items, items, sizeof items);
    assert_memory_equal(s.weights, weights, sizeof weights);
    assert_int_equal(fill.counts.n_lookups, 1 + 2 + 4 + 4 + 4);
    assert_int_equal(fill.counts.n_unknown, 1 + 2 + 2 + 2);
    assert_int_equal(fill_count_unknown(&fill, 0, 4), 0);
}

static void numbers_go_to_the_device_as_keys(void **state)
{
    (void)state;
    const struct fill_capacity capacity = {.n_queries = ROOM, .n_history = ROOM, .n_items = ROOM};
    const struct random_model spec = {.seed = 3, .n_items = N_ITEMS, .n_rows = 4, .dim = 2, .keys = KEYS_U64};
    struct collide_model *keyed = random_model_open(&spec);
    const struct collide_query query = {.item_numbers = LONG_NUMBERS, .n_items = 4, .number_bytes = 8};
    uint64_t history_keys[ROOM], item_keys[ROOM];
    struct slot s;
    struct fill fill = fill_of(&s);
    struct fill_position at = {0};
    fill.model = keyed;
    fill.history_keys = history_keys;
    fill.item_keys = item_keys;
    fill_queries(&fill, &query, 1, &capacity, ROOM, &at);
    const uint32_t by_key[] = {ID_BY_KEY, ID_BY_KEY, ID_BY_KEY, ID_BY_KEY};
    assert_memory_equal(s.items, by_key, sizeof by_key);
    assert_memory_equal(item_keys, LONG_NUMBERS, sizeof LONG_NUMBERS);
    assert_true(fill.counts.n_lookups == 4 && fill.counts.n_unknown == 0);
    collide_model_close(keyed);
}

static void numbers_in_shared_memory_stay_where_they_are(void **state)
{
    (void)state;
    enum { N_SHARED = 64 }; /* words; another one lies beside them */
    static uint32_t shared[N_SHARED + 1];
    const struct fill_capacity capacity = {.n_queries = ROOM, .n_history = ROOM, .n_items = ROOM};
    const struct collide_query queries[] = {{.user = &STRANGER,
                                             .history_numbers = shared + 3,
                                             .weights = WEIGHTS,
                                             .n_history = 2,
                                             .item_numbers = shared + 10,
                                             .n_items = 4,
                                             .number_bytes = 8},
                                            {.history_numbers = shared + 60,
                                             .n_history = 4,
                                             .item_numbers = shared + 61,
                                             .n_items = 4, /* one too many */
                                             .number_bytes = 4}};
    struct slot s;
    memset(&s, 0x55, sizeof s);
    const struct slot before = s;
    struct fill fill = fill_of(&s);
    struct fill_position at = {0};
    fill.shared = shared;
    fill.n_shared_bytes = 4 * N_SHARED;
    fill_queries(&fill, queries, 2, &capacity, 3, &at);
    assert_int_equal(fill.used.n_queries, 4); /* both are cut */
    for (int i = 0; i < 2; i++) {
        const device_query *q = &s.queries[i];
        assert_true(q->history_numbers == 3 && q->n_history_numbers == 2);
        assert_int_equal(q->item_numbers, 10 + 2 * 3 * i);
        assert_int_equal(q->n_item_numbers, i ? 1 : 3);
        assert_true(q->flags & QUERY_LONG_NUMBERS);
    }
    assert_true(s.queries[2].history_numbers == 60 && s.queries[2].n_history_numbers == 4);
    assert_false(s.queries[2].flags & QUERY_LONG_NUMBERS);
    assert_int_equal(s.queries[2].n_item_numbers, 3);
    assert_int_equal(s.queries[3].n_item_numbers, 0);
    assert_memory_equal(s.history, before.history, sizeof s.history);
    assert_memory_equal(s.items, before.items, 7 * sizeof s.items[0]);
    assert_int_equal(s.items[7], 0); /* what lies beside shared memory is copied */
    assert_true(s.weights[0] == 0.5f && s.weights[3] == -2.0f && s.weights[4] == 1.0f);
    assert_int_equal(fill.counts.n_lookups, 1 + 2 + 4 + 4 + 4);
    assert_int_equal(fill.counts.n_unknown, 1); /* the user; items are counted when they are found */
}

static void a_topk_query_has_its_numbers_looked_up_here(void **state)
{
    (void)state;
    static uint32_t shared[] = {4, 77, 0, UINT32_MAX};
    const struct collide_topk_query query = {
        .query = {.history_numbers = shared, .n_history = 4, .number_bytes = 4}, .k = 2};
    struct slot s;
    struct fill fill = fill_of(&s);
    fill.shared = shared;
    fill.n_shared_bytes = sizeof shared;
    fill_topk(&fill, &query, 1);
    const uint32_t history[] = {4, N_ITEMS, 0, N_ITEMS};
    assert_memory_equal(s.history, history, sizeof history);
    assert_int_equal(s.queries[0].n_history_numbers, 0);
    assert_true(fill.counts.n_lookups == 4 && fill.counts.n_unknown == 2);
    assert_ptr_equal(fill.shared, shared);
}

static void numbers_of_other_widths_are_refused(void **state)
{
    (void)state;
    static const unsigned widths[] = {0, 1, 2, 3, 5, 16};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        const struct collide_query query = {
            .item_numbers = SHORT_NUMBERS, .n_items = 1, .number_bytes = widths[i]};
        struct collide_error err = {0};
        assert_int_equal(fill_check(model, &query, 5, &err), COLLIDE_INVALID);
        assert_non_null(strstr(err.text, "query 5"));
    }
}

static void a_topk_query_has_room_for_the_hits_of_each_part(void **state)
{
    (void)state;
    enum { N_PARTS = 3 };
    const struct collide_topk_query queries[] = {
        {.query = {.history = IDS, .n_history = 2}, .k = 4, .exclude = IDS + 1, .n_exclude = 3},
        {.query = {.user = &USER}, .k = 1000, .flags = COLLIDE_TOPK_EXCLUDE_SEEN}};
    uint64_t keys[ROOM] = {0};
    struct slot s;
    struct fill fill = fill_of(&s);
    fill.history_keys = fill.item_keys = keys;
    fill_topk(&fill, &queries[0], N_PARTS);
    fill_topk(&fill, &queries[1], N_PARTS);
    const uint32_t history[] = {4, N_ITEMS}, left_out[] = {N_ITEMS, 0, 9};
    assert_memory_equal(s.history, history, sizeof history); /* looked up here, keys or not */
    assert_memory_equal(s.items, left_out, sizeof left_out);
    assert_true(s.queries[0].k == 4 && s.queries[0].scores_begin == 0 && s.queries[0].flags == 0);
    assert_true(s.queries[1].k == N_ITEMS && s.queries[1].scores_begin == 4 * N_PARTS * 2);
    assert_int_equal(s.queries[1].flags, QUERY_EXCLUDE_SEEN);
    assert_int_equal(fill.used.n_scores, (4 + N_ITEMS) * N_PARTS * 2);
    assert_int_equal(fill.counts.n_lookups, 2 + 1);
    assert_int_equal(fill.counts.n_unknown, 1);
}

/* Fills slot after slot until all is placed. Returns how many slots it took. */
static size_t fill_all(const struct collide_query *queries, size_t n, const struct fill_capacity *capacity,
                       size_t max_items, size_t *n_items, struct collide_counts *counts)
{
    struct fill_position at = {0};
    size_t n_slots = 0;
    *n_items = 0;
    *counts = (struct collide_counts){0};
    for (; at.query < n; n_slots++) {
        struct slot s;
        struct fill fill = fill_of(&s);
        struct fill_position before = at;
        fill_queries(&fill, queries, n, capacity, max_items, &at);
        assert_true(at.query != before.query || at.item != before.item);
        assert_true(fill.used.n_queries <= capacity->n_queries);
        assert_true(fill.used.n_history <= capacity->n_history);
        assert_true(fill.used.n_items <= capacity->n_items);
        *n_items += fill.used.n_items;
        counts->n_lookups += fill.counts.n_lookups;
        counts->n_unknown += fill.counts.n_unknown;
    }
    return n_slots;
}

static void what_does_not_fit_waits_for_the_next_slot(void **state)
{
    (void)state;
    struct collide_query queries[20];
    for (size_t i = 0; i < 20; i++)
        queries[i] = (struct collide_query){
            .history = IDS, .n_history = i % 5, .items = IDS, .n_items = i % 7}; /* some have none */
    struct collide_counts expected = {0}, counts;
    size_t n_expected = 0, n_items;
    for (size_t i = 0; i < 20; i++)
        n_expected += queries[i].n_items;
    const struct fill_capacity ample = {.n_queries = ROOM, .n_history = ROOM, .n_items = ROOM};
    fill_all(queries, 20, &ample, ROOM, &n_items, &expected);
    assert_int_equal(n_items, n_expected);
    for (size_t n = 1; n <= 8; n++) {
        const struct fill_capacity tight[] = {{.n_queries = n, .n_history = ROOM, .n_items = ROOM},
                                              {.n_queries = ROOM, .n_history = 4, .n_items = ROOM},
                                              {.n_queries = ROOM, .n_history = ROOM, .n_items = n}};
        for (int i = 0; i < 3; i++) {
            size_t n_slots = fill_all(queries, 20, &tight[i], n, &n_items, &counts);
            assert_true(n_slots > 1);
            assert_int_equal(n_items, n_expected);
            assert_int_equal(counts.n_lookups, expected.n_lookups);
            assert_int_equal(counts.n_unknown, expected.n_unknown);
        }
    }
}

static void weights_that_are_no_sound_numbers_are_refused(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY, 1.0001e6f, -2e6f};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const float weights[] = {1.0f, bad[i]};
        const struct collide_query query = {.history = IDS, .weights = weights, .n_history = 2};
        struct collide_error err = {0};
        assert_int_equal(fill_check(model, &query, 17, &err), COLLIDE_INVALID);
        assert_non_null(strstr(err.text, "query 17"));
        assert_non_null(strstr(err.text, "weight 1"));
    }
    const float good[] = {COLLIDE_MAX_WEIGHT, -COLLIDE_MAX_WEIGHT};
    const struct collide_query query = {.history = IDS, .weights = good, .n_history = 2};
    assert_int_equal(fill_check(model, &query, 0, NULL), COLLIDE_OK);
}

static void a_user_alone_needs_a_model_with_histories(void **state)
{
    (void)state;
    const struct random_model spec = {.seed = 1, .n_items = N_ITEMS, .n_rows = 4, .dim = 2};
    struct collide_model *without = random_model_open(&spec);
    const struct collide_query alone = {.user = &USER},
                               with = {.user = &USER, .history = IDS, .n_history = 1};
    assert_int_equal(fill_check(without, &alone, 0, NULL), COLLIDE_INVALID);
    assert_int_equal(fill_check(without, &with, 0, NULL), COLLIDE_OK);
    assert_int_equal(fill_check(model, &alone, 0, NULL), COLLIDE_OK);
    collide_model_close(without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_becomes_dense_ids_and_ranges),
        cmocka_unit_test(a_long_candidate_list_is_cut_and_counted_once),
        cmocka_unit_test(items_with_keys_are_left_to_the_device),
        cmocka_unit_test(numbers_are_looked_up_as_ids),
        cmocka_unit_test(numbers_go_to_the_device_as_keys),
        cmocka_unit_test(numbers_in_shared_memory_stay_where_they_are),
        cmocka_unit_test(a_topk_query_has_its_numbers_looked_up_here),
        cmocka_unit_test(numbers_of_other_widths_are_refused),
        cmocka_unit_test(a_topk_query_has_room_for_the_hits_of_each_part),
        cmocka_unit_test(what_does_not_fit_waits_for_the_next_slot),
        cmocka_unit_test(weights_that_are_no_sound_numbers_are_refused),
        cmocka_unit_test(a_user_alone_needs_a_model_with_histories),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
