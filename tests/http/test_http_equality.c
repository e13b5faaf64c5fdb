/* What the service answers over HTTP against the reference in double: on PoCL's caller-thread device, whose
 * engine is direct, and on its thread-pool device with the queued one. */
#include "http/http_fixture.h"
#include "random_request.h"
#include "score/error_ratios.h"
#include "score/reference.h"
#include "score/topk_truth.h"
#include "support/devices.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    N_PRECISIONS = PRECISION_I4 + 1,
    N_CONNECTIONS = 4,
    N_SCORE_REQUESTS = 1500, /* to each model */
    MIN_SCORE_REQUESTS = 10000,
    N_TOPK_REQUESTS = 84, /* to each model */
    MIN_TOPK_REQUESTS = 500,
    MAX_SCORES = 24, /* of a part */
};

#define SMALL(number) .seed = number, .n_items = 300, .n_users = 30, .n_rows = 40
#define LARGE(number) .seed = number, .n_items = 1200, .n_users = 80, .n_rows = 900, .max_history = 60

/* Each precision normalised, and with another pooling; values, sizes and mappings mixed. */
static const struct random_model MODELS[] = {
    {SMALL(1), .dim = 64, .max_history = 50, .precision = PRECISION_F32, .pooling = POOLING_NORMALISED,
     .keys = KEYS_U64, .flags = RANDOM_WEIGHTS | RANDOM_BIAS},
    {LARGE(2), .dim = 24, .precision = PRECISION_F32, .pooling = POOLING_MEAN, .values = VALUES_EXTREME,
     .flags = RANDOM_BIAS},
    {LARGE(3), .dim = 64, .precision = PRECISION_F16, .pooling = POOLING_NORMALISED, .values = VALUES_EXTREME,
     .flags = RANDOM_WEIGHTS},
    {SMALL(4), .dim = 20, .max_history = 200, .precision = PRECISION_F16, .pooling = POOLING_SUM,
     .keys = KEYS_U64, .flags = RANDOM_WEIGHTS | RANDOM_BIAS},
    {LARGE(5), .dim = 64, .precision = PRECISION_I8, .pooling = POOLING_NORMALISED, .keys = KEYS_U64,
     .scales = RANDOM_SCALES_DIM, .mapping = MAPPING_PACKED, .flags = RANDOM_WEIGHTS | RANDOM_BIAS},
    {SMALL(6), .dim = 100, .max_history = 200, .precision = PRECISION_I8, .pooling = POOLING_MEAN},
    {LARGE(7), .dim = 32, .precision = PRECISION_I4, .pooling = POOLING_NORMALISED, .n_lookups = 2,
     .flags = RANDOM_BIAS | RANDOM_USER_EMBEDDED},
};
enum { N_MODELS = sizeof MODELS / sizeof *MODELS };

enum place { IN_CALLER, IN_POOL };

/* A server with a model, and the connections that requests go over in turn. */
struct session {
    struct test_server server;
    struct client clients[N_CONNECTIONS];
    struct collide_model *model;
    const struct random_model *spec;
    struct error_ratios *ratios;
    size_t n_asked;
    char where[64];
};

/* Skips the test where PoCL has no such device. */
static unsigned find_device(enum place place)
{
    const struct platform_list *list = devices_list();
    for (unsigned i = 0; i < list->n_devices; i++)
        if (strcmp(list->devices[i].platform, "Portable Computing Language") == 0 &&
            list->devices[i].type == CL_DEVICE_TYPE_CPU &&
            list->devices[i].runs_in_caller == (place == IN_CALLER))
            return i;
    print_message("skipped: PoCL offers no device that runs kernels in %s\n",
                  place == IN_CALLER ? "the calling thread" : "a pool of threads");
    skip();
    return 0;
}

static void session_open(struct session *s, const struct random_model *spec, enum place place)
{
    char device[16];
    const char *engine = place == IN_CALLER ? "direct" : "queued";
    snprintf(device, sizeof device, "%u", find_device(place));
    s->spec = spec;
    s->n_asked = 0;
    snprintf(s->where, sizeof s->where, "%s %s, dim %u, %s", precision_name(spec->precision),
             pooling_name(spec->pooling), spec->dim, engine);
    s->model = random_model_open(spec);
    test_server_start(
        &(struct test_server_options){.model = spec, .scorer = {.device = device, .engine = engine}},
        &s->server);
    for (unsigned i = 0; i < N_CONNECTIONS; i++)
        client_connect(&s->server, &s->clients[i]);
}

static void session_close(struct session *s)
{
    for (unsigned i = 0; i < N_CONNECTIONS; i++)
        client_close(&s->clients[i]);
    test_server_stop(&s->server);
    collide_model_close(s->model);
}

/* Returns owned. */
static cJSON *ask(struct session *s, const char *path, const char *body)
{
    static struct response_text response;
    client_ask(&s->clients[s->n_asked++ % N_CONNECTIONS], "POST", path, body, &response);
    if (response.status != 200)
        fail_msg("%s: %u %s to %s", s->where, response.status, response.body, body);
    cJSON *reply = cJSON_Parse(response.body);
    assert_non_null(reply);
    return reply;
}

/* The answer to a part, of how many must be the request's. */
static const cJSON *part_of(const cJSON *reply, bool is_batch, size_t n_parts, size_t i)
{
    if (!is_batch)
        return reply;
    const cJSON *responses = cJSON_GetObjectItemCaseSensitive(reply, "responses");
    assert_int_equal(cJSON_GetArraySize(responses), n_parts);
    return cJSON_GetArrayItem(responses, (int)i);
}

static const cJSON *list_of(const cJSON *object, const char *name, size_t n)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, name);
    assert_true(cJSON_IsArray(list));
    assert_int_equal(cJSON_GetArraySize(list), n);
    return list;
}

static void check_unknown(const cJSON *reply, uint64_t n_unknown)
{
    const cJSON *unknown = cJSON_GetObjectItemCaseSensitive(reply, "unknown");
    assert_true(cJSON_IsNumber(unknown));
    assert_true(unknown->valuedouble == (double)n_unknown);
}

/* Scores come in digits that read back as the very float, so nothing is added to their tolerance. */
static float score_of(const cJSON *number)
{
    assert_true(cJSON_IsNumber(number));
    return (float)number->valuedouble;
}

static void check_scores(struct session *s, const struct score_part *part, const cJSON *answer)
{
    size_t n = 0;
    for (size_t i = 0; i < part->n_queries; i++)
        n += part->queries[i].n_items;
    const cJSON *score = list_of(answer, "scores", n)->child;
    for (size_t i = 0; i < part->n_queries; i++) {
        struct reference_score truth[MAX_SCORES];
        assert_int_equal(reference_score(s->model, &part->queries[i], truth, NULL), COLLIDE_OK);
        for (size_t j = 0; j < part->queries[i].n_items; j++, score = score->next)
            error_ratios_add(s->ratios, score_of(score), truth[j].value, truth[j].tolerance, s->where);
    }
}

static void ask_for_scores(struct session *s, struct rng *rng, struct arena *arena, struct buffer *body)
{
    struct score_request request;
    random_score_request(s->spec, rng, arena, &request);
    score_request_print(&request, body);
    cJSON *reply = ask(s, "/v1/score", body->bytes);
    struct collide_counts counts = {0};
    for (size_t i = 0; i < request.n_parts; i++) {
        const struct score_part *part = &request.parts[i];
        check_scores(s, part, part_of(reply, request.is_batch, request.n_parts, i));
        for (size_t j = 0; j < part->n_queries; j++)
            if (part->queries[j].n_items > 0) /* else nothing is looked up */
                random_query_count(s->model, &part->queries[j], &counts);
    }
    check_unknown(reply, counts.n_unknown);
    cJSON_Delete(reply);
}

static struct collide_id id_of(const cJSON *value)
{
    assert_true(cJSON_IsNumber(value));
    return collide_id_number((uint64_t)value->valuedouble);
}

static void check_hits(struct session *s, const struct collide_topk_query *query, const cJSON *answer)
{
    static struct topk_truth truth;
    static struct collide_hit hits[TOPK_TRUTH_MAX_ITEMS];
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(answer, "items");
    size_t n = (size_t)cJSON_GetArraySize(items);
    assert_in_range(n, 0, TOPK_TRUTH_MAX_ITEMS);
    const cJSON *item = list_of(answer, "items", n)->child, *score = list_of(answer, "scores", n)->child;
    for (size_t i = 0; i < n; i++, item = item->next, score = score->next)
        hits[i] = (struct collide_hit){.item = id_of(item), .score = score_of(score)};
    topk_truth_find(s->model, query, &truth);
    topk_truth_check(&truth, s->model, hits, n, s->where);
}

static void ask_for_the_best(struct session *s, struct rng *rng, struct arena *arena, struct buffer *body)
{
    struct topk_request request;
    random_topk_request(s->spec, rng, arena, &request);
    topk_request_print(&request, body);
    cJSON *reply = ask(s, "/v1/topk", body->bytes);
    struct collide_counts counts = {0};
    for (size_t i = 0; i < request.n_parts; i++) {
        check_hits(s, &request.parts[i], part_of(reply, request.is_batch, request.n_parts, i));
        random_query_count(s->model, &request.parts[i].query, &counts);
    }
    check_unknown(reply, counts.n_unknown);
    cJSON_Delete(reply);
}

typedef void (*ask_fn)(struct session *s, struct rng *rng, struct arena *arena, struct buffer *body);

/* ratios: (N_PRECISIONS). Returns how many requests were answered. */
static size_t ask_all(enum place place, ask_fn ask_one, size_t n_requests, struct error_ratios *ratios)
{
    static struct session s;
    struct arena arena = {0};
    struct buffer body = {0};
    size_t n_asked = 0;
    for (unsigned i = 0; i < N_MODELS; i++) {
        struct rng rng = rng_seeded(MODELS[i].seed, 11);
        session_open(&s, &MODELS[i], place);
        s.ratios = &ratios[MODELS[i].precision];
        while (s.n_asked < n_requests) {
            ask_one(&s, &rng, &arena, &body);
            arena_reset(&arena);
        }
        n_asked += s.n_asked;
        session_close(&s);
    }
    buffer_free(&body);
    arena_free(&arena);
    return n_asked;
}

static void check_all_scores(enum place place)
{
    struct error_ratios ratios[N_PRECISIONS] = {0};
    assert_in_range(ask_all(place, ask_for_scores, N_SCORE_REQUESTS, ratios), MIN_SCORE_REQUESTS, SIZE_MAX);
    for (unsigned i = 0; i < N_PRECISIONS; i++) {
        struct error_ratios *r = &ratios[i];
        print_message("    %-3s  %zu scores exact, %zu off: by %.4f of the tolerance in the median, %.4f at "
                      "most\n",
                      precision_name(i), r->n_exact, r->values.n_bytes / sizeof(double),
                      error_ratios_median(r), r->largest);
        assert_true(r->largest > 0.02); /* a tolerance that errors never come near would prove nothing */
        error_ratios_free(r);
    }
}

static void check_all_hits(enum place place)
{
    struct error_ratios unused[N_PRECISIONS] = {0};
    assert_in_range(ask_all(place, ask_for_the_best, N_TOPK_REQUESTS, unused), MIN_TOPK_REQUESTS, SIZE_MAX);
}

static void scores_of_the_direct_engine_are_the_references(void **state)
{
    (void)state;
    check_all_scores(IN_CALLER);
}

static void scores_of_the_queued_engine_are_the_references(void **state)
{
    (void)state;
    check_all_scores(IN_POOL);
}

static void hits_of_the_direct_engine_are_the_best(void **state)
{
    (void)state;
    check_all_hits(IN_CALLER);
}

static void hits_of_the_queued_engine_are_the_best(void **state)
{
    (void)state;
    check_all_hits(IN_POOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_of_the_direct_engine_are_the_references),
        cmocka_unit_test(scores_of_the_queued_engine_are_the_references),
        cmocka_unit_test(hits_of_the_direct_engine_are_the_best),
        cmocka_unit_test(hits_of_the_queued_engine_are_the_best),
    };
    return test_service_has_device() ? cmocka_run_group_tests(tests, NULL, NULL) : TEST_SKIPPED;
}
