/* Answers and descriptions of the Open Inference Protocol, byte for byte. */
#include "model/model.h"
#include "oip_parsed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct model numbers = {.item.keys.kind = KEYS_DENSE,
                                     .user = {.n_ids = 5, .keys.kind = KEYS_STRING}};
static const struct model texts = {.item.keys.kind = KEYS_STRING};
static const uint64_t versions[] = {1, 3};

static void assert_bytes(const struct buffer *out, const char *wanted, size_t n)
{
    assert_false(out->failed);
    if (out->n_bytes != n || memcmp(out->bytes, wanted, n) != 0)
        fail_msg("printed: %.*s instead of: %s", (int)out->n_bytes, out->bytes, wanted);
}

/* Prints the answer to a request. response: what collide_score or collide_topk would have left. */
static size_t print(const char *json, const struct model *m, const struct response *response,
                    struct buffer *out)
{
    struct request request = {0};
    struct oip_form form;
    const struct oip_model model = {"shop", versions, 2, m};
    char *body = oip_accepted((struct oip_text){.json = json}, &request, &form);
    out->n_bytes = 0;
    size_t n = oip_print(&(struct oip_answer){&model, 3, &request, &form, response}, out);
    request_free(&request);
    free(body);
    return n;
}

#define USERS "{\"name\":\"user\",\"shape\":[2,1],\"datatype\":\"INT64\",\"data\":[17,18]}"

static void scores_have_the_shape_of_the_items(void **state)
{
    (void)state;
    struct buffer out = {0};
    float scores[] = {0.5f, -1e-7f, 3, 4};
    const struct response response = {.scores = scores, .counts.n_unknown = 2};
    static const char rows[] =
        "{\"model_name\":\"shop\",\"model_version\":\"3\",\"id\":\"a\\\"\",\"parameters\":{\"unknown\":2},"
        "\"outputs\":[{\"name\":\"scores\",\"datatype\":\"FP32\",\"shape\":[2,2],\"data\":[0.5,-1e-7,3,4]}]}"
        "\n";
    static const char row[] =
        "{\"model_name\":\"shop\",\"model_version\":\"3\",\"parameters\":{\"unknown\":2},"
        "\"outputs\":[{\"name\":\"scores\",\"datatype\":\"FP32\",\"shape\":[1],\"data\":[0.5]}]}\n";
    assert_int_equal(
        print("{\"id\":\"a\\\"\",\"inputs\":[" USERS
              ",{\"name\":\"items\",\"shape\":[2,2],\"datatype\":\"INT64\",\"data\":[1,2,3,4]}]}",
              &numbers, &response, &out),
        0);
    assert_bytes(&out, rows, sizeof rows - 1);
    print("{\"inputs\":[{\"name\":\"history\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[7]},"
          "{\"name\":\"items\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[1]}]}",
          &numbers, &response, &out);
    assert_bytes(&out, row, sizeof row - 1);
    buffer_free(&out);
}

static void binary_scores_follow_the_json(void **state)
{
    (void)state;
    struct buffer out = {0};
    float scores[] = {1, -2};
    static const char json[] =
        "{\"model_name\":\"shop\",\"model_version\":\"3\",\"parameters\":{\"unknown\":0},"
        "\"outputs\":[{\"name\":\"scores\",\"datatype\":\"FP32\",\"shape\":[2,1],\"parameters\":{\"binary_"
        "data_size\":8}}]}"
        "\0\0\x80\x3f\0\0\0\xc0";
    assert_int_equal(print("{\"parameters\":{\"binary_data_output\":true},\"inputs\":[" USERS
                           ",{\"name\":\"items\",\"shape\":[2,1],\"datatype\":\"INT64\",\"data\":[1,2]}]}",
                           &numbers, &(struct response){.scores = scores}, &out),
                     sizeof json - 1 - 8);
    assert_bytes(&out, json, sizeof json - 1);
    buffer_free(&out);
}

/* Rows of a top-k may have fewer hits than others: the rest of a row is 0 and null. */
static void hits_are_padded_to_the_longest_row(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct collide_hit hits[6] = {
        {collide_id_number(7), 2}, {collide_id_number(UINT64_MAX), 1}, {{0}, 0}, {collide_id_number(9), 3}};
    size_t n_hits[] = {2, 1};
    const struct response response = {.hits = hits, .n_hits = n_hits};
    static const char json[] =
        "{\"model_name\":\"shop\",\"model_version\":\"3\",\"parameters\":{\"unknown\":0},\"outputs\":["
        "{\"name\":\"scores\",\"datatype\":\"FP32\",\"shape\":[2,2],\"data\":[2,1,3,null]},"
        "{\"name\":\"items\",\"datatype\":\"UINT64\",\"shape\":[2,2],\"data\":[7,18446744073709551615,9,0]},"
        "{\"name\":\"counts\",\"datatype\":\"INT32\",\"shape\":[2],\"data\":[2,1]}]}\n";
    static const char binary[] =
        "{\"model_name\":\"shop\",\"model_version\":\"3\",\"parameters\":{\"unknown\":0},\"outputs\":["
        "{\"name\":\"counts\",\"datatype\":\"INT32\",\"shape\":[2],\"parameters\":{\"binary_data_size\":8}},"
        "{\"name\":\"items\",\"datatype\":\"UINT64\",\"shape\":[2,2],\"parameters\":{\"binary_data_size\":32}"
        "}]}"
        "\2\0\0\0\1\0\0\0"
        "\7\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    print("{\"parameters\":{\"k\":3},\"inputs\":[" USERS "]}", &numbers, &response, &out);
    assert_bytes(&out, json, sizeof json - 1);
    print("{\"parameters\":{\"k\":3,\"binary_data_output\":true},\"inputs\":[" USERS
          "],\"outputs\":[{\"name\":\"counts\"},{\"name\":\"items\"}]}",
          &numbers, &response, &out);
    assert_bytes(&out, binary, sizeof binary - 1);
    buffer_free(&out);
}

static void items_are_bytes_where_the_models_are_strings(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct collide_hit hits[] = {{collide_id_text("a\"", 2), 2}, {collide_id_text("", 0), 1}};
    size_t n_hits[] = {2};
    const struct response response = {.hits = hits, .n_hits = n_hits};
    static const char user[] = "{\"name\":\"user\",\"shape\":[1],\"datatype\":\"BYTES\",\"data\":[\"u\"]}";
    char request[512];
    static const char json[] =
        "{\"model_name\":\"shop\",\"model_version\":\"3\",\"parameters\":{\"unknown\":0},\"outputs\":["
        "{\"name\":\"items\",\"datatype\":\"BYTES\",\"shape\":[2],\"data\":[\"a\\\"\",\"\"]}]}\n";
    static const char binary[] =
        "{\"model_name\":\"shop\",\"model_version\":\"3\",\"parameters\":{\"unknown\":0},\"outputs\":["
        "{\"name\":\"items\",\"datatype\":\"BYTES\",\"shape\":[2],\"parameters\":{\"binary_data_size\":10}}]}"
        "\2\0\0\0a\"\0\0\0\0";
    snprintf(request, sizeof request,
             "{\"parameters\":{\"k\":2},\"inputs\":[%s],\"outputs\":[{\"name\":\"items\"}]}", user);
    print(request, &texts, &response, &out);
    assert_bytes(&out, json, sizeof json - 1);
    snprintf(request, sizeof request,
             "{\"parameters\":{\"k\":2},\"inputs\":[%s],\"outputs\":[{\"name\":\"items\",\"parameters\":{"
             "\"binary_data\":true}}]}",
             user);
    print(request, &texts, &response, &out);
    assert_bytes(&out, binary, sizeof binary - 1);
    buffer_free(&out);
}

static void errors_are_one_text(void **state)
{
    (void)state;
    struct buffer out = {0};
    oip_print_error("no \"x\"", &out);
    assert_bytes(&out, "{\"error\":\"no \\\"x\\\"\"}\n", 21);
    buffer_free(&out);
}

static void a_model_lists_its_tensors(void **state)
{
    (void)state;
    struct buffer out = {0};
    const struct feature features[] = {{.name = "country", .space.keys.kind = KEYS_STRING}};
    struct model m = numbers;
    m.features = features;
    m.n_features = 1;
    const struct oip_model model = {"shop", versions, 2, &m};
    static const char metadata[] =
        "{\"name\":\"shop\",\"versions\":[\"1\",\"3\"],\"platform\":\"collide\",\"inputs\":["
        "{\"name\":\"user\",\"datatype\":\"BYTES\",\"shape\":[-1,1]},"
        "{\"name\":\"items\",\"datatype\":\"UINT64\",\"shape\":[-1,-1]},"
        "{\"name\":\"history\",\"datatype\":\"UINT64\",\"shape\":[-1,-1]},"
        "{\"name\":\"history_lengths\",\"datatype\":\"INT32\",\"shape\":[-1,1]},"
        "{\"name\":\"weights\",\"datatype\":\"FP32\",\"shape\":[-1,-1]},"
        "{\"name\":\"exclude\",\"datatype\":\"UINT64\",\"shape\":[-1,-1]},"
        "{\"name\":\"features.country\",\"datatype\":\"BYTES\",\"shape\":[-1,-1]}],\"outputs\":["
        "{\"name\":\"scores\",\"datatype\":\"FP32\",\"shape\":[-1,-1]},"
        "{\"name\":\"items\",\"datatype\":\"UINT64\",\"shape\":[-1,-1]},"
        "{\"name\":\"counts\",\"datatype\":\"INT32\",\"shape\":[-1]}]}\n";
    oip_print_model(&model, &out);
    assert_bytes(&out, metadata, sizeof metadata - 1);
    static const char config[] =
        "{\"name\":\"shop\",\"platform\":\"collide\",\"backend\":\"collide\",\"max_batch_size\":0,\"input\":["
        "{\"name\":\"items\",\"data_type\":\"TYPE_STRING\",\"dims\":[-1,-1],\"optional\":true},"
        "{\"name\":\"history\",\"data_type\":\"TYPE_STRING\",\"dims\":[-1,-1],\"optional\":true},"
        "{\"name\":\"history_lengths\",\"data_type\":\"TYPE_INT32\",\"dims\":[-1,1],\"optional\":true},"
        "{\"name\":\"weights\",\"data_type\":\"TYPE_FP32\",\"dims\":[-1,-1],\"optional\":true},"
        "{\"name\":\"exclude\",\"data_type\":\"TYPE_STRING\",\"dims\":[-1,-1],\"optional\":true}],\"output\":"
        "["
        "{\"name\":\"scores\",\"data_type\":\"TYPE_FP32\",\"dims\":[-1,-1]},"
        "{\"name\":\"items\",\"data_type\":\"TYPE_STRING\",\"dims\":[-1,-1]},"
        "{\"name\":\"counts\",\"data_type\":\"TYPE_INT32\",\"dims\":[-1]}]}\n";
    out.n_bytes = 0;
    oip_print_config(&(struct oip_model){"shop", versions, 2, &texts}, &out);
    assert_bytes(&out, config, sizeof config - 1);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_have_the_shape_of_the_items),
        cmocka_unit_test(binary_scores_follow_the_json),
        cmocka_unit_test(hits_are_padded_to_the_longest_row),
        cmocka_unit_test(items_are_bytes_where_the_models_are_strings),
        cmocka_unit_test(errors_are_one_text),
        cmocka_unit_test(a_model_lists_its_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
