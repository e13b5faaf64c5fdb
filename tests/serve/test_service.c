#include "support/test_service.h"

#include <cjson/cJSON.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N_ITEMS = 100, BODY_BYTES = 64 + 8 * N_ITEMS };

static const struct model_choice first_model;

/* The reply, terminated, in out. */
static enum collide_status ask(struct test_service *t, unsigned worker, enum request_kind kind,
                               const char *body, struct buffer *out)
{
    out->n_bytes = 0;
    enum collide_status status = test_service_answer(t, worker, kind, body, out);
    buffer_append(out, "", 1);
    assert_false(out->failed);
    return status;
}

static void scores_are_the_library_s_to_the_last_bit(void **state)
{
    struct test_service *t = *state;
    struct buffer reply = {0};
    uint64_t user, items[N_ITEMS];
    char body[BODY_BYTES];
    for (uint64_t seed = 0; seed < 50; seed++) {
        size_t n = seed * 2 + 1;
        test_service_request(seed, n, &user, items, body);
        assert_int_equal(ask(t, seed % 2, REQUEST_SCORE, body, &reply), COLLIDE_OK);
        test_service_check_scores(t, reply.bytes, user, items, n);
    }
    buffer_free(&reply);
}

static void topk_is_the_library_s(void **state)
{
    struct test_service *t = *state;
    struct buffer reply = {0};
    enum { K = 25 };
    struct collide_id user = collide_id_number(3), excluded = collide_id_number(17);
    const struct collide_topk_query query = {.query = {.user = &user},
                                             .k = K,
                                             .exclude = &excluded,
                                             .n_exclude = 1,
                                             .flags = COLLIDE_TOPK_EXCLUDE_SEEN};
    struct collide_hit hits[K];
    size_t n_hits;
    assert_int_equal(collide_topk(t->lane, &query, 1, hits, &n_hits, NULL, NULL), COLLIDE_OK);
    assert_int_equal(n_hits, K);
    assert_int_equal(ask(t, 0, REQUEST_TOPK,
                         "{\"user\": 3, \"k\": 25, \"exclude\": [17], \"exclude_seen\": true}", &reply),
                     COLLIDE_OK);
    cJSON *document = cJSON_Parse(reply.bytes);
    const cJSON *items = cJSON_GetObjectItem(document, "items"),
                *scores = cJSON_GetObjectItem(document, "scores");
    assert_int_equal(cJSON_GetArraySize(items), K);
    assert_int_equal(cJSON_GetArraySize(scores), K);
    for (int i = 0; i < K; i++) {
        assert_true(cJSON_GetArrayItem(items, i)->valuedouble == (double)hits[i].item.number);
        assert_true((float)cJSON_GetArrayItem(scores, i)->valuedouble == hits[i].score);
    }
    cJSON_Delete(document);
    buffer_free(&reply);
}

/* Queries of a batch go to the library in one call; answers are those of each alone. */
static void topk_parts_are_answered_as_alone(void **state)
{
    struct test_service *t = *state;
    struct buffer reply = {0}, alone = {0};
    static const char *const parts[] = {"{\"user\": 1, \"k\": 3}", "{\"history\": [4, 5], \"k\": 500}", "{}",
                                        "{\"user\": 9999, \"k\": 1}",
                                        "{\"user\": 2, \"exclude_seen\": true}"};
    enum { N = sizeof parts / sizeof *parts };
    char body[256];
    snprintf(body, sizeof body, "{\"requests\": [%s, %s, %s, %s, %s]}", parts[0], parts[1], parts[2],
             parts[3], parts[4]);
    assert_int_equal(ask(t, 0, REQUEST_TOPK, body, &reply), COLLIDE_OK);
    cJSON *document = cJSON_Parse(reply.bytes);
    const cJSON *responses = cJSON_GetObjectItem(document, "responses");
    assert_int_equal(cJSON_GetArraySize(responses), N);
    for (int i = 0; i < N; i++) {
        ask(t, 1, REQUEST_TOPK, parts[i], &alone);
        cJSON *wanted = cJSON_Parse(alone.bytes);
        cJSON_DeleteItemFromObject(wanted, "unknown");
        assert_true(cJSON_Compare(cJSON_GetArrayItem(responses, i), wanted, 1));
        cJSON_Delete(wanted);
    }
    cJSON_Delete(document);
    buffer_free(&reply);
    buffer_free(&alone);
}

static void features_are_scored_as_the_library_scores_them(void **state)
{
    (void)state;
    struct test_service t;
    struct buffer reply = {0};
    struct random_model spec = test_service_model;
    spec.n_features = 2;
    spec.n_feature_ids = 9;
    test_service_create(&spec, 1, &t);
    test_service_load(&t);
    const struct collide_id history = random_model_key(&spec, 5),
                            items[] = {random_model_key(&spec, 3), random_model_key(&spec, 4)};
    const struct collide_id countries[] = {random_model_key(&spec, 2), collide_id_text("nowhere", 7)};
    const struct collide_feature country = {.name = random_model_feature(0),
                                            .n_bytes = strlen(random_model_feature(0)),
                                            .ids = countries,
                                            .n_ids = 2};
    const struct collide_query query = {.history = &history,
                                        .n_history = 1,
                                        .features = &country,
                                        .n_features = 1,
                                        .items = items,
                                        .n_items = 2};
    float scores[2];
    struct collide_counts counts;
    assert_int_equal(collide_score(t.lane, &query, 1, scores, &counts, NULL), COLLIDE_OK);
    assert_int_equal(counts.n_unknown, 1);
    assert_int_equal(
        ask(&t, 0, REQUEST_SCORE,
            "{\"history\": [5], \"features\": {\"country\": [2, \"nowhere\"]}, \"items\": [3, 4]}", &reply),
        COLLIDE_OK);
    cJSON *document = cJSON_Parse(reply.bytes);
    for (int i = 0; i < 2; i++)
        assert_true((float)cJSON_GetArrayItem(cJSON_GetObjectItem(document, "scores"), i)->valuedouble ==
                    scores[i]);
    assert_int_equal(cJSON_GetObjectItem(document, "unknown")->valueint, 1);
    cJSON_Delete(document);
    /* Without the feature it is another bag. */
    float without[2];
    const struct collide_query plain = {.history = &history, .n_history = 1, .items = items, .n_items = 2};
    assert_int_equal(collide_score(t.lane, &plain, 1, without, NULL, NULL), COLLIDE_OK);
    assert_true(without[0] != scores[0] || without[1] != scores[1]);
    assert_int_equal(ask(&t, 0, REQUEST_TOPK, "{\"features\": {\"device\": [1]}, \"k\": 2}", &reply),
                     COLLIDE_OK);
    assert_int_equal(ask(&t, 0, REQUEST_TOPK, "{\"features\": {\"planet\": [1]}, \"k\": 2}", &reply),
                     COLLIDE_INVALID);
    assert_non_null(strstr(reply.bytes, "this model has no feature \\\"planet\\\""));
    reply.n_bytes = 0;
    assert_int_equal(service_describe(t.service, &first_model, &reply), COLLIDE_OK);
    buffer_append(&reply, "", 1);
    assert_non_null(strstr(reply.bytes, "\"features\":{\"country\":{\"count\":9,"));
    buffer_free(&reply);
    test_service_destroy(&t);
}

static void unknown_ids_are_counted(void **state)
{
    struct test_service *t = *state;
    struct buffer reply = {0};
    assert_int_equal(ask(t, 0, REQUEST_SCORE, "{\"user\": 99999, \"items\": [1, \"no\", 2, 500]}", &reply),
                     COLLIDE_OK);
    assert_non_null(strstr(reply.bytes, "\"unknown\":3}"));
    assert_int_equal(ask(t, 0, REQUEST_TOPK,
                         "{\"requests\": [{\"user\": 50}, {}, {\"history\": [1, 7777], \"k\": 1}]}", &reply),
                     COLLIDE_OK);
    assert_non_null(strstr(reply.bytes, "\"unknown\":2}"));
    buffer_free(&reply);
}

static void wrong_requests_get_an_error_s_body(void **state)
{
    struct test_service *t = *state;
    struct buffer reply = {0};
    assert_int_equal(ask(t, 0, REQUEST_SCORE, "{\"user\": 1}", &reply), COLLIDE_INVALID);
    assert_string_equal(reply.bytes,
                        "{\"error\":{\"code\":\"bad_request\",\"message\":\"\\\"items\\\", the list of "
                        "what to score, is missing\"}}\n");
    buffer_free(&reply);
}

/* Only the model knows that users without histories cannot be scored: the parts around such a one can. */
static void a_batch_survives_what_only_the_model_refuses(void **state)
{
    (void)state;
    struct test_service t;
    struct buffer reply = {0};
    struct random_model spec = test_service_model;
    spec.n_users = 0;
    test_service_create(&spec, 1, &t);
    test_service_load(&t);
    assert_int_equal(ask(&t, 0, REQUEST_SCORE, "{\"user\": 1, \"items\": [1]}", &reply), COLLIDE_INVALID);
    assert_int_equal(ask(&t, 0, REQUEST_TOPK, "{\"user\": 1}", &reply), COLLIDE_INVALID);
    static const char parts[] = "{\"history\": [1, 2], %s}, {\"user\": 1, %s}, {}, {\"history\": [1, 2], %s}";
    static const char *const fields[] = {"\"items\": [3, 4]", "\"k\": 3"};
    for (enum request_kind kind = REQUEST_SCORE; kind <= REQUEST_TOPK; kind++) {
        char inner[256], body[300];
        snprintf(inner, sizeof inner, parts, fields[kind], fields[kind], fields[kind]);
        snprintf(body, sizeof body, "{\"requests\": [%s]}", inner);
        assert_int_equal(ask(&t, 0, kind, body, &reply), COLLIDE_OK);
        cJSON *document = cJSON_Parse(reply.bytes);
        const cJSON *responses = cJSON_GetObjectItem(document, "responses");
        assert_int_equal(cJSON_GetArraySize(responses), 4);
        assert_true(cJSON_Compare(cJSON_GetArrayItem(responses, 0), cJSON_GetArrayItem(responses, 3), 1));
        assert_true(cJSON_HasObjectItem(cJSON_GetArrayItem(responses, 0), "scores"));
        assert_true(cJSON_HasObjectItem(cJSON_GetArrayItem(responses, 1), "error"));
        assert_true(cJSON_HasObjectItem(cJSON_GetArrayItem(responses, 2), "error"));
        cJSON_Delete(document);
    }
    buffer_free(&reply);
    test_service_destroy(&t);
}

static void nothing_is_answered_before_the_model_is_there(void **state)
{
    (void)state;
    struct test_service t;
    struct buffer reply = {0};
    test_service_create(&test_service_model, 1, &t);
    assert_int_equal(service_state(t.service), SERVICE_LOADING);
    assert_int_equal(ask(&t, 0, REQUEST_SCORE, "{\"user\": 1, \"items\": [1]}", &reply), COLLIDE_BUSY);
    assert_non_null(strstr(reply.bytes, "\"unavailable\""));
    reply.n_bytes = 0;
    assert_int_equal(service_describe(t.service, &first_model, &reply), COLLIDE_BUSY);
    service_drain(t.service);
    assert_int_equal(service_state(t.service), SERVICE_DRAINING);
    assert_int_equal(ask(&t, 0, REQUEST_TOPK, "{\"user\": 1}", &reply), COLLIDE_BUSY);
    assert_int_equal(service_models_load(t.service, NULL, t.model_path, NULL, NULL),
                     COLLIDE_BUSY); /* not worth it any more */
    assert_int_equal(service_state(t.service), SERVICE_DRAINING);
    assert_int_equal(ask(&t, 0, REQUEST_SCORE, "{\"user\": 1, \"items\": [1]}", &reply), COLLIDE_BUSY);
    buffer_free(&reply);
    test_service_destroy(&t);
}

static void a_model_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct service *service;
    struct collide_error err = {0};
    const struct service_options options = {.n_workers = 1};
    assert_int_equal(service_create(&options, &service, &err), COLLIDE_OK);
    assert_int_equal(service_models_load(service, NULL, "/nowhere/at.all", NULL, &err), COLLIDE_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nowhere/at.all"));
    assert_int_equal(service_state(service), SERVICE_LOADING);
    service_destroy(service);
}

static void the_description_says_what_is_served(void **state)
{
    struct test_service *t = *state;
    struct buffer reply = {0};
    assert_int_equal(service_describe(t->service, &first_model, &reply), COLLIDE_OK);
    cJSON *document = cJSON_ParseWithLength(reply.bytes, reply.n_bytes);
    assert_string_equal(cJSON_GetObjectItem(document, "name")->valuestring, "tiny.model");
    assert_int_equal(cJSON_GetObjectItem(document, "items")->valueint, 500);
    assert_int_equal(cJSON_GetObjectItem(document, "users")->valueint, 50);
    assert_int_equal(cJSON_GetObjectItem(document, "rows")->valueint, 60);
    assert_int_equal(cJSON_GetObjectItem(document, "dim")->valueint, 16);
    assert_string_equal(cJSON_GetObjectItem(document, "precision")->valuestring, "i8");
    assert_string_equal(cJSON_GetObjectItem(document, "version")->valuestring, collide_version());
    assert_int_equal(cJSON_GetObjectItem(document, "model_version")->valueint, 1);
    assert_int_equal(cJSON_GetObjectItem(document, "devices")->valueint, 1);
    struct collide_scorer_info info;
    collide_scorer_info(t->scorer, &info);
    assert_string_equal(cJSON_GetObjectItem(document, "form")->valuestring, info.form);
    assert_string_equal(cJSON_GetObjectItem(document, "kernels")->valuestring, "source"); /* the scorer's */
    const cJSON *tables = cJSON_GetObjectItem(document, "tables");
    assert_true(cJSON_GetObjectItem(tables, "bytes")->valuedouble == (double)info.table_bytes);
    assert_true(cJSON_GetObjectItem(tables, "in_place_bytes")->valuedouble <= (double)info.table_bytes);
    cJSON_Delete(document);
    buffer_free(&reply);
}

/* What one worker's thread asks for. */
struct asker {
    struct test_service *service;
    unsigned worker;
    char first[1 << 14]; /* the reply to compare all others with */
    bool is_steady;
};

static void *ask_again_and_again(void *context)
{
    struct asker *a = context;
    struct buffer reply = {0};
    uint64_t user, items[N_ITEMS];
    char body[BODY_BYTES];
    test_service_request(a->worker + 10, N_ITEMS, &user, items, body);
    a->is_steady = true;
    for (int i = 0; i < 300; i++) {
        reply.n_bytes = 0;
        test_service_answer(a->service, a->worker, REQUEST_SCORE, body, &reply);
        buffer_append(&reply, "", 1);
        if (i == 0)
            snprintf(a->first, sizeof a->first, "%s", reply.bytes);
        a->is_steady = a->is_steady && strcmp(a->first, reply.bytes) == 0;
    }
    buffer_free(&reply);
    return NULL;
}

static void workers_answer_side_by_side(void **state)
{
    static struct asker askers[2];
    pthread_t threads[2];
    for (unsigned i = 0; i < 2; i++) {
        askers[i] = (struct asker){.service = *state, .worker = i};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_again_and_again, &askers[i]), 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        uint64_t user, items[N_ITEMS];
        char body[BODY_BYTES];
        pthread_join(threads[i], NULL);
        assert_true(askers[i].is_steady);
        test_service_request(i + 10, N_ITEMS, &user, items, body);
        test_service_check_scores(*state, askers[i].first, user, items, N_ITEMS);
    }
}

static void a_warm_worker_allocates_nothing_more(void **state)
{
    struct test_service *t = *state;
    struct buffer reply = {0};
    size_t warm = 0;
    for (int i = 0; i < 5000; i++) {
        uint64_t user, items[N_ITEMS];
        char body[BODY_BYTES];
        test_service_request((uint64_t)i, N_ITEMS, &user, items, body);
        ask(t, 0, REQUEST_SCORE, body, &reply);
        ask(t, 0, REQUEST_TOPK, "{\"user\": 1, \"k\": 100}", &reply);
        ask(t, 0, REQUEST_TOPK, "{\"user\": 1, \"k\":", &reply);
        if (i == 1000)
            warm = mallinfo2().uordblks;
    }
    /* PoCL keeps a little of its own. */
    assert_in_range(mallinfo2().uordblks, 0, warm + 16384);
    buffer_free(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_the_library_s_to_the_last_bit),
        cmocka_unit_test(topk_is_the_library_s),
        cmocka_unit_test(topk_parts_are_answered_as_alone),
        cmocka_unit_test(features_are_scored_as_the_library_scores_them),
        cmocka_unit_test(unknown_ids_are_counted),
        cmocka_unit_test(wrong_requests_get_an_error_s_body),
        cmocka_unit_test(a_batch_survives_what_only_the_model_refuses),
        cmocka_unit_test(nothing_is_answered_before_the_model_is_there),
        cmocka_unit_test(a_model_that_is_not_there_is_an_error),
        cmocka_unit_test(the_description_says_what_is_served),
        cmocka_unit_test(workers_answer_side_by_side),
        cmocka_unit_test(a_warm_worker_allocates_nothing_more),
    };
    return test_service_has_device()
               ? cmocka_run_group_tests(tests, test_service_setup, test_service_teardown)
               : TEST_SKIPPED;
}
