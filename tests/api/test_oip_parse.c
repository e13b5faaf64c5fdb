/* Inference requests that are accepted, and what becomes of them. */
#include "oip_parsed.h"
#include "parsed.h"
#include "score/query_ids.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct parsed {
    struct request request;
    struct oip_form form;
    char *body;
};

static void parse(struct parsed *p, const char *json, const void *binary, size_t n_binary)
{
    free(p->body);
    p->body = oip_accepted((struct oip_text){json, binary, n_binary}, &p->request, &p->form);
}

static void parsed_free(struct parsed *p)
{
    request_free(&p->request);
    free(p->body);
}

static void a_user_and_items_make_one_query(void **state)
{
    (void)state;
    struct parsed p = {0};
    parse(&p,
          "{\"id\":\"a\\\"b\",\"inputs\":[{\"name\":\"user\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":["
          "17]},"
          "{\"name\":\"items\",\"shape\":[3],\"datatype\":\"UINT64\",\"data\":[3,18446744073709551615,5]}]}",
          NULL, 0);
    const struct collide_query *q = &p.request.queries[0];
    assert_int_equal(p.request.kind, REQUEST_SCORE);
    assert_int_equal(p.request.n_parts, 1);
    assert_int_equal(p.request.n_queries, 1);
    assert_int_equal(p.request.n_results, 3);
    assert_id_number(*q->user, 17);
    assert_int_equal(q->n_items, 3);
    assert_id_number(query_item(q, 1), UINT64_MAX);
    assert_id_number(query_item(q, 2), 5);
    assert_int_equal(q->n_history, 0);
    assert_false(p.form.has_rows);
    assert_memory_equal(p.form.id.bytes, "a\"b", 3);
    assert_int_equal(p.form.n_outputs, 1);
    assert_int_equal(p.form.outputs[0].output, OIP_SCORES);
    assert_false(p.form.outputs[0].is_binary);
    parsed_free(&p);
}

static void rows_make_a_query_each_from_nested_or_flat_lists(void **state)
{
    (void)state;
    struct parsed p = {0};
    static const char *const data[] = {"[[1,2],[3,4]]", "[1,2,3,4]"};
    for (size_t i = 0; i < 2; i++) {
        char json[512];
        snprintf(json, sizeof json,
                 "{\"inputs\":[{\"name\":\"items\",\"shape\":[2,2],\"datatype\":\"INT32\",\"data\":%s},"
                 "{\"name\":\"user\",\"shape\":[2,1],\"datatype\":\"BYTES\",\"data\":[[\"a\"],[\"b\\n\"]]}]}",
                 data[i]);
        parse(&p, json, NULL, 0);
        assert_int_equal(p.request.n_queries, 2);
        assert_int_equal(p.request.n_results, 4);
        assert_id_text(*p.request.queries[0].user, "a", 1);
        assert_id_text(*p.request.queries[1].user, "b\n", 2);
        assert_id_number(query_item(&p.request.queries[0], 1), 2);
        assert_id_number(query_item(&p.request.queries[1], 0), 3);
        assert_true(p.form.has_rows);
    }
    parsed_free(&p);
}

static void fields_come_in_any_order(void **state)
{
    (void)state;
    struct parsed p = {0};
    parse(&p,
          "{\"parameters\":{\"timeout\":1500,\"priority\":[{}],\"binary_data_output\":true},"
          "\"outputs\":[{\"parameters\":{},\"name\":\"scores\"}],"
          "\"inputs\":[{\"data\":[7,8],\"shape\":[2],\"datatype\":\"INT64\",\"name\":\"items\"},"
          "{\"data\":[\"eve\"],\"parameters\":{\"note\":1},\"datatype\":\"BYTES\",\"name\":\"user\","
          "\"shape\":[1]}]}",
          NULL, 0);
    assert_id_number(query_item(&p.request.queries[0], 1), 8);
    assert_id_text(*p.request.queries[0].user, "eve", 3);
    assert_int_equal(p.request.timeout_us, 1500);
    assert_true(p.form.outputs[0].is_binary);
    assert_null(p.form.id.bytes);
    parsed_free(&p);
}

static void histories_have_lengths_and_weights(void **state)
{
    (void)state;
    struct parsed p = {0};
    parse(&p,
          "{\"inputs\":[{\"name\":\"history\",\"shape\":[2,3],\"datatype\":\"INT64\",\"data\":[1,2,3,4,5,6]},"
          "{\"name\":\"history_lengths\",\"shape\":[2],\"datatype\":\"INT32\",\"data\":[0,2]},"
          "{\"name\":\"weights\",\"shape\":[2,3],\"datatype\":\"FP32\",\"data\":[1,1,1,0.5,-2e1,0]},"
          "{\"name\":\"items\",\"shape\":[2,1],\"datatype\":\"BYTES\",\"data\":[\"x\",\"y\"]}]}",
          NULL, 0);
    const struct collide_query *q = p.request.queries;
    assert_int_equal(q[0].n_history, 0);
    assert_int_equal(q[1].n_history, 2);
    assert_id_number(query_history(&q[1], 1), 5);
    assert_true(q[1].weights[0] == 0.5f && q[1].weights[1] == -20.0f);
    assert_id_text(query_item(&q[1], 0), "y", 1);
    assert_null(q[0].user);
    parsed_free(&p);
}

static void features_go_by_their_names(void **state)
{
    (void)state;
    struct parsed p = {0};
    parse(&p,
          "{\"inputs\":[{\"name\":\"features.country\",\"shape\":[2,1],\"datatype\":\"BYTES\",\"data\":["
          "\"DE\",\"NL\"]},"
          "{\"name\":\"items\",\"shape\":[2,1],\"datatype\":\"INT64\",\"data\":[1,2]},"
          "{\"name\":\"features.site\",\"shape\":[2,2],\"datatype\":\"INT64\",\"data\":[1,2,3,4]}]}",
          NULL, 0);
    const struct collide_query *q = &p.request.queries[1];
    assert_int_equal(q->n_features, 2);
    assert_int_equal(q->features[0].n_bytes, 7);
    assert_memory_equal(q->features[0].name, "country", 7);
    assert_int_equal(q->features[0].n_ids, 1);
    assert_id_text(q->features[0].ids[0], "NL", 2);
    assert_int_equal(q->features[1].n_ids, 2);
    assert_id_number(q->features[1].ids[1], 4);
    parsed_free(&p);
}

static void k_asks_for_the_best(void **state)
{
    (void)state;
    struct parsed p = {0};
    parse(&p,
          "{\"parameters\":{\"k\":20,\"exclude_seen\":true},\"inputs\":["
          "{\"name\":\"user\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[17,18]},"
          "{\"name\":\"exclude\",\"shape\":[2,2],\"datatype\":\"INT32\",\"data\":[1,2,3,4]}],"
          "\"outputs\":[{\"name\":\"counts\"},{\"name\":\"items\",\"parameters\":{\"binary_data\":true}}]}",
          NULL, 0);
    const struct collide_topk_query *q = &p.request.topk[1];
    assert_int_equal(p.request.kind, REQUEST_TOPK);
    assert_int_equal(p.request.n_results, 40);
    assert_id_number(*q->query.user, 18);
    assert_int_equal(q->k, 20);
    assert_int_equal(q->flags, COLLIDE_TOPK_EXCLUDE_SEEN);
    assert_int_equal(q->n_exclude, 2);
    assert_id_number(q->exclude[1], 4);
    assert_int_equal(p.form.n_outputs, 2);
    assert_int_equal(p.form.outputs[0].output, OIP_COUNTS);
    assert_false(p.form.outputs[0].is_binary);
    assert_true(p.form.outputs[1].is_binary);
    parsed_free(&p);
}

/* The binary half of a request by tritonclient; the JSON is padded so that the numbers lie anywhere. */
static void binary_integers_are_read_wherever_they_lie(void **state)
{
    (void)state;
    struct parsed p = {0};
    struct {
        uint64_t user, items[3];
    } binary = {17, {3, INT64_MAX, 5}};
    for (int blanks = 1; blanks <= 8; blanks++) {
        char json[512];
        snprintf(json, sizeof json,
                 "{\"inputs\":[{\"name\":\"user\",\"shape\":[1,1],\"datatype\":\"INT64\","
                 "\"parameters\":{\"binary_data_size\":8}},{\"name\":\"items\",\"shape\":[1,3],"
                 "\"datatype\":\"INT64\",\"parameters\":{\"binary_data_size\":24}}]}%*s",
                 blanks, "");
        parse(&p, json, &binary, sizeof binary);
        const struct collide_query *q = &p.request.queries[0];
        assert_id_number(*q->user, 17);
        assert_int_equal((uintptr_t)q->item_numbers % 4, 0);
        assert_int_equal(q->number_bytes, 8);
        assert_id_number(query_item(q, 1), INT64_MAX);
        assert_id_number(query_item(q, 2), 5);
    }
    parsed_free(&p);
}

static void binary_texts_have_their_lengths_before_them(void **state)
{
    (void)state;
    struct parsed p = {0};
    static const char binary[] = "\3\0\0\0a\0b\0\0\0\0\1\0\0\0x\1\0\0\0y";
    parse(&p,
          "{\"inputs\":[{\"name\":\"user\",\"shape\":[2,1],\"datatype\":\"BYTES\",\"parameters\":{\"binary_"
          "data_size\":11}},"
          "{\"name\":\"items\",\"shape\":[2,1],\"datatype\":\"BYTES\",\"parameters\":{\"binary_data_size\":"
          "10}}]}",
          binary, sizeof binary - 1);
    assert_id_text(*p.request.queries[0].user, "a\0b", 3);
    assert_id_text(*p.request.queries[1].user, "", 0);
    assert_id_text(query_item(&p.request.queries[1], 0), "y", 1);
    parsed_free(&p);
}

/* A query has one size for both of its lists' numbers. */
static void integers_of_two_sizes_meet_in_a_query(void **state)
{
    (void)state;
    struct parsed p = {0};
    struct {
        uint64_t items[2];
        uint32_t history[2];
    } binary = {{7, 9}, {3, UINT32_MAX}};
    parse(&p,
          "{\"inputs\":[{\"name\":\"items\",\"shape\":[2],\"datatype\":\"UINT64\",\"parameters\":{\"binary_"
          "data_size\":16}},"
          "{\"name\":\"history\",\"shape\":[2],\"datatype\":\"UINT32\",\"parameters\":{\"binary_data_size\":"
          "8}}]}",
          &binary, sizeof binary);
    const struct collide_query *q = &p.request.queries[0];
    assert_int_equal(q->number_bytes, 8);
    assert_id_number(query_item(q, 1), 9);
    assert_id_number(query_history(q, 1), UINT32_MAX);
    parsed_free(&p);
}

static void nothing_to_score_is_a_request(void **state)
{
    (void)state;
    struct parsed p = {0};
    parse(&p,
          "{\"inputs\":[{\"name\":\"user\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[1]},"
          "{\"name\":\"items\",\"shape\":[0],\"datatype\":\"INT64\",\"data\":[]}]}",
          NULL, 0);
    assert_int_equal(p.request.n_queries, 1);
    assert_int_equal(p.request.n_results, 0);
    parse(&p,
          "{\"inputs\":[{\"name\":\"user\",\"shape\":[0],\"datatype\":\"BYTES\",\"parameters\":{\"binary_"
          "data_size\":0}},"
          "{\"name\":\"items\",\"shape\":[0,5],\"datatype\":\"INT64\",\"data\":[]}]}",
          NULL, 0);
    assert_int_equal(p.request.n_queries, 0);
    parsed_free(&p);
}

/* Nothing is allocated once the arena is warm. */
static void a_warm_request_allocates_nothing(void **state)
{
    (void)state;
    static const char json[] =
        "{\"inputs\":[{\"name\":\"user\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[1]},"
        "{\"name\":\"history\",\"shape\":[4],\"datatype\":\"INT64\",\"data\":[1,2,3,4]},"
        "{\"name\":\"items\",\"shape\":[2],\"datatype\":\"BYTES\",\"data\":[\"a\\n\",\"b\"]}]}";
    const struct oip_body body = {json, sizeof json - 1, sizeof json - 1};
    struct request request = {0};
    struct oip_form form;
    size_t used = 0;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(oip_parse(&body, &parsed_limits, &request, &form, NULL), COLLIDE_OK);
        if (i == 2)
            used = mallinfo2().uordblks;
    }
    assert_int_equal(mallinfo2().uordblks, used);
    request_free(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_and_items_make_one_query),
        cmocka_unit_test(rows_make_a_query_each_from_nested_or_flat_lists),
        cmocka_unit_test(fields_come_in_any_order),
        cmocka_unit_test(histories_have_lengths_and_weights),
        cmocka_unit_test(features_go_by_their_names),
        cmocka_unit_test(k_asks_for_the_best),
        cmocka_unit_test(binary_integers_are_read_wherever_they_lie),
        cmocka_unit_test(binary_texts_have_their_lengths_before_them),
        cmocka_unit_test(integers_of_two_sizes_meet_in_a_query),
        cmocka_unit_test(nothing_to_score_is_a_request),
        cmocka_unit_test(a_warm_request_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
