/* What is accepted, and what becomes of it. */
#include "parsed.h"
#include "score/query_ids.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void a_user_and_items_make_one_query(void **state)
{
    (void)state;
    struct request r = {0};
    parse_accepted(REQUEST_SCORE, "{\"user\": 17, \"items\": [3, \"x\", 5]}", &r);
    assert_false(r.is_batch);
    assert_int_equal(r.n_parts, 1);
    assert_int_equal(r.n_queries, 1);
    const struct collide_query *q = &r.queries[0];
    assert_id_number(*q->user, 17);
    assert_int_equal(q->n_history, 0);
    assert_null(q->weights);
    assert_int_equal(q->n_items, 3);
    assert_id_number(query_item(q, 0), 3);
    assert_id_text(query_item(q, 1), "x", 1);
    assert_id_number(query_item(q, 2), 5);
    request_free(&r);
}

static void items_are_numbers_until_one_is_text(void **state)
{
    (void)state;
    enum { N = 200 };
    for (unsigned text_at = 0; text_at <= N; text_at += 25) {
        char body[8 * N] = "{\"user\": 1, \"items\": [";
        size_t n = strlen(body);
        for (unsigned i = 0; i < N; i++)
            n += (size_t)snprintf(body + n, sizeof body - n, i == text_at ? "%s\"x%u\"" : "%s%u",
                                  i ? "," : "", i);
        strcpy(body + n, "]}");
        struct request r = {0};
        parse_accepted(REQUEST_SCORE, body, &r);
        const struct collide_query *q = &r.queries[0];
        assert_int_equal(q->n_items, N);
        assert_int_equal(q->number_bytes, 8);
        assert_true((q->items == NULL) == (text_at == N) && (q->item_numbers == NULL) == (text_at < N));
        for (unsigned i = 0; i < N; i++)
            if (i == text_at)
                assert_non_null(query_item(q, i).text);
            else
                assert_id_number(query_item(q, i), i);
        request_free(&r);
    }
}

static void users_and_items_make_pairs(void **state)
{
    (void)state;
    struct request r = {0};
    parse_accepted(REQUEST_SCORE, "{\"items\": [3, 5], \"users\": [17, \"eve\"]}", &r);
    assert_int_equal(r.n_parts, 1);
    assert_int_equal(r.n_queries, 2);
    assert_id_number(*r.queries[0].user, 17);
    assert_id_text(*r.queries[1].user, "eve", 3);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(r.queries[i].n_items, 1);
        assert_int_equal(r.queries[i].n_history, 0);
    }
    assert_id_number(query_item(&r.queries[1], 0), 5);
    request_free(&r);
}

static void a_history_comes_with_weights_and_a_user(void **state)
{
    (void)state;
    struct request r = {0};
    parse_accepted(REQUEST_SCORE,
                   "{\"weights\": [1, -0.5, 1e6], \"history\": [1, 2, 3], \"user\": \"u\", \"items\": []}",
                   &r);
    const struct collide_query *q = &r.queries[0];
    assert_id_text(*q->user, "u", 1);
    assert_int_equal(q->n_history, 3);
    assert_id_number(query_history(q, 2), 3);
    assert_true(q->weights[0] == 1.0f && q->weights[1] == -0.5f && q->weights[2] == 1e6f);
    assert_int_equal(q->n_items, 0);
    parse_accepted(REQUEST_SCORE, "{\"history\": [], \"weights\": [], \"items\": [1]}", &r);
    assert_null(r.queries[0].user);
    assert_int_equal(r.queries[0].n_history, 0);
    request_free(&r);
}

static void topk_takes_a_length_and_exclusions(void **state)
{
    (void)state;
    struct request r = {0};
    parse_accepted(REQUEST_TOPK, "{\"user\": 17, \"k\": 20, \"exclude\": [1, 2], \"exclude_seen\": true}",
                   &r);
    const struct collide_topk_query *q = &r.topk[0];
    assert_int_equal(r.n_queries, 1);
    assert_int_equal(r.n_results, 20);
    assert_id_number(*q->query.user, 17);
    assert_int_equal(q->k, 20);
    assert_int_equal(q->n_exclude, 2);
    assert_id_number(q->exclude[1], 2);
    assert_int_equal(q->flags, COLLIDE_TOPK_EXCLUDE_SEEN);
    parse_accepted(REQUEST_TOPK, "{\"history\": [4], \"weights\": [2], \"exclude_seen\": false}", &r);
    q = &r.topk[0];
    assert_null(q->query.user);
    assert_int_equal(q->query.n_history, 1);
    assert_true(q->query.weights[0] == 2.0f);
    assert_int_equal(q->k, 10);
    assert_int_equal(q->n_exclude, 0);
    assert_int_equal(q->flags, 0);
    request_free(&r);
}

static void a_batch_keeps_its_parts_apart(void **state)
{
    (void)state;
    struct request r = {0};
    parse_accepted(REQUEST_SCORE,
                   "{\"requests\": [{\"user\": 1, \"items\": [10]}, {\"users\": [2, 3], \"items\": [20, 30]},"
                   "{\"history\": [4], \"items\": [40, 41]}]}",
                   &r);
    assert_true(r.is_batch);
    assert_int_equal(r.n_parts, 3);
    assert_int_equal(r.n_queries, 4);
    assert_int_equal(r.parts[1].first_query, 1);
    assert_int_equal(r.parts[1].n_queries, 2);
    assert_int_equal(r.parts[2].first_query, 3);
    assert_int_equal(request_part_n_scores(&r, &r.parts[0]), 1);
    assert_int_equal(request_part_n_scores(&r, &r.parts[1]), 2);
    assert_int_equal(request_part_n_scores(&r, &r.parts[2]), 2);
    assert_int_equal(r.parts[2].first_result, 3);
    assert_int_equal(r.n_results, 5);
    assert_id_number(query_item(&r.queries[3], 1), 41);
    parse_accepted(REQUEST_TOPK, " { \"requests\" : [ ] } ", &r);
    assert_true(r.is_batch);
    assert_int_equal(r.n_parts, 0);
    request_free(&r);
}

static void a_wrong_part_leaves_its_neighbours_alone(void **state)
{
    (void)state;
    static const char *const wrong[] = {"17",
                                        "null",
                                        "{}",
                                        "{\"user\": [[[{\"a\": \"}]\"}]]], \"items\": [1]}",
                                        "{\"user\": 1, \"itmes\": {\"deep\": [1, {\"x\": 2}]}, \"k\": 3}",
                                        "{\"user\": 1, \"items\": [1, 2, -3, 4]}",
                                        "{\"user\": 1, \"items\": [1], \"items\": [2]}",
                                        "{\"requests\": []}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct request r = {0};
        char text[512];
        snprintf(text, sizeof text,
                 "{\"requests\": [{\"user\": 1, \"items\": [10]}, %s, {\"user\": 2, \"items\": [20]}]}",
                 wrong[i]);
        parse_accepted(REQUEST_SCORE, text, &r);
        assert_int_equal(r.n_parts, 3);
        assert_int_equal(r.n_queries, 2);
        assert_int_equal(r.parts[0].error.status, COLLIDE_OK);
        assert_int_equal(r.parts[1].error.status, COLLIDE_INVALID);
        assert_true(r.parts[1].error.text[0] != '\0');
        assert_int_equal(r.parts[1].n_queries, 0);
        assert_int_equal(r.parts[2].error.status, COLLIDE_OK);
        assert_int_equal(r.parts[2].first_query, 1);
        assert_id_number(*r.queries[1].user, 2);
        request_free(&r);
    }
}

static void ids_are_exact_up_to_2_to_53_and_as_strings_beyond(void **state)
{
    (void)state;
    struct request r = {0};
    parse_accepted(
        REQUEST_SCORE,
        "{\"user\": 0, \"items\": [9007199254740991, \"9007199254740992\", \"18446744073709551615\","
        "1e3, 17.0, 1.5e1]}",
        &r);
    const struct collide_id *items = r.queries[0].items;
    assert_id_number(items[0], 9007199254740991u);
    assert_id_text(items[1], "9007199254740992", 16);
    assert_id_text(items[2], "18446744073709551615", 20);
    assert_id_number(items[3], 1000);
    assert_id_number(items[4], 17);
    assert_id_number(items[5], 15);
    request_free(&r);
}

static void strings_come_without_escapes_and_whole(void **state)
{
    (void)state;
    struct request r = {0};
    parse_accepted(REQUEST_SCORE,
                   "{\"us\\u0065r\": \"a\\u0000b\", \"items\": [\"\", \"\\\"\\\\\\/\", \"\\u00e9\xc3\xa9\","
                   "\"\\ud83d\\ude00\", \"\xff\"]}",
                   &r);
    const struct collide_id *items = r.queries[0].items;
    assert_id_text(*r.queries[0].user, "a\0b", 3);
    assert_id_text(items[0], "", 0);
    assert_id_text(items[1], "\"\\/", 3);
    assert_id_text(items[2], "\xc3\xa9\xc3\xa9", 4);
    assert_id_text(items[3], "\xf0\x9f\x98\x80", 4);
    assert_id_text(items[4], "\xff", 1);
    request_free(&r);
}

static void long_lists_are_whole_and_in_order(void **state)
{
    (void)state;
    enum { N = 1000 };
    char text[8 * N] = "{\"user\": 1, \"items\": [0";
    size_t n = strlen(text);
    for (int i = 1; i < N; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, ",%d", i);
    strcpy(text + n, "]}");
    struct request r = {0};
    parse_accepted(REQUEST_SCORE, text, &r);
    assert_int_equal(r.queries[0].n_items, N);
    for (unsigned i = 0; i < N; i++)
        assert_id_number(query_item(&r.queries[0], i), i);
    request_free(&r);
}

static void a_request_is_reused_without_growth(void **state)
{
    (void)state;
    static const char *const texts[] = {"{\"user\": 17, \"items\": [3, 5, \"a\\nb\"]}",
                                        "{\"requests\": [{\"user\": 1, \"items\": [1]}, {}, 3]}",
                                        "{\"users\": [1, 2, 3], \"items\": [1, 2, 3]}",
                                        "{\"user\": 17, \"items\": [3, 5", "[]"};
    struct request r = {0};
    struct collide_error err;
    size_t before = 0;
    for (int i = 0; i < 50000; i++) {
        const char *text = texts[i % 5];
        if (json_v1_parse(REQUEST_SCORE, text, strlen(text), &parsed_limits, &r, &err) == COLLIDE_OK) {
            struct response response;
            assert_int_equal(response_allocate(&r, &response, &err), COLLIDE_OK);
        }
        if (i == 100)
            before = mallinfo2().uordblks;
    }
    assert_int_equal(mallinfo2().uordblks, before);
    request_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_and_items_make_one_query),
        cmocka_unit_test(items_are_numbers_until_one_is_text),
        cmocka_unit_test(users_and_items_make_pairs),
        cmocka_unit_test(a_history_comes_with_weights_and_a_user),
        cmocka_unit_test(topk_takes_a_length_and_exclusions),
        cmocka_unit_test(a_batch_keeps_its_parts_apart),
        cmocka_unit_test(a_wrong_part_leaves_its_neighbours_alone),
        cmocka_unit_test(ids_are_exact_up_to_2_to_53_and_as_strings_beyond),
        cmocka_unit_test(strings_come_without_escapes_and_whole),
        cmocka_unit_test(long_lists_are_whole_and_in_order),
        cmocka_unit_test(a_request_is_reused_without_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
