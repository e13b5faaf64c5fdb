/* The same random requests over HTTP, AF_XDP with IPv4 and IPv6, UDP and shared memory: the same scores to
 * the last bit, the same hits, the same counts of unknown ids. */
#include "transport_fixture.h"

#include "base/half.h"
#include "base/rng.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_IDS = 24, N_BATCHES = 60, BATCH = 20, N_TOPK = 60 };

#define SIZES .n_items = 400, .n_users = 30, .n_rows = 60, .max_history = 40

static const struct random_model MODELS[] = {
    {.seed = 1,
     SIZES,
     .dim = 64,
     .precision = PRECISION_I8,
     .pooling = POOLING_NORMALISED,
     .flags = RANDOM_WEIGHTS | RANDOM_BIAS},
    {.seed = 2,
     SIZES,
     .dim = 24,
     .precision = PRECISION_F32,
     .pooling = POOLING_MEAN,
     .keys = KEYS_U64,
     .flags = RANDOM_BIAS},
    {.seed = 3,
     SIZES,
     .dim = 32,
     .precision = PRECISION_F16,
     .pooling = POOLING_SUM,
     .n_lookups = 2,
     .flags = RANDOM_BIAS | RANDOM_USER_EMBEDDED},
};

/* A request, its lists, and what HTTP answered. */
struct asked {
    struct collide_request request;
    uint64_t history[MAX_IDS], items[MAX_IDS];
    float weights[MAX_IDS];
    float scores[MAX_IDS];
    uint64_t hits[MAX_IDS];
    size_t n_results;
    uint32_t n_unknown;
};

static uint64_t draw_id(const struct random_model *spec, struct rng *rng, uint32_t n)
{
    return rng_below(rng, 12) == 0 ? rng_u64(rng) >> rng_below(rng, 60)
                                   : random_model_key(spec, rng_below(rng, n)).number;
}

static void draw(const struct random_model *spec, struct rng *rng, struct asked *a)
{
    struct collide_request *r = &a->request;
    *a = (struct asked){.request = {.history = a->history, .items = a->items}};
    r->n_items = rng_below(rng, MAX_IDS);
    r->n_history = rng_below(rng, MAX_IDS);
    r->user = draw_id(spec, rng, spec->n_users);
    r->flags = rng_below(rng, 2) || r->n_history == 0 ? COLLIDE_REQUEST_HAS_USER : 0;
    r->weights = rng_below(rng, 2) ? a->weights : NULL;
    for (size_t i = 0; i < MAX_IDS; i++) {
        a->items[i] = draw_id(spec, rng, spec->n_items);
        a->history[i] = draw_id(spec, rng, spec->n_items);
        a->weights[i] = (float)rng_below(rng, 64) / 8.0f - 2.0f;
    }
}

static void print_ids(struct buffer *out, const char *name, const uint64_t *ids, size_t n)
{
    buffer_printf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < n; i++)
        buffer_printf(out, "%s\"%" PRIu64 "\"", i ? "," : "", ids[i]);
    buffer_append_text(out, "]");
}

static void print_json(const struct asked *a, struct buffer *out)
{
    const struct collide_request *r = &a->request;
    bool is_topk = r->flags & COLLIDE_REQUEST_TOPK;
    out->n_bytes = 0;
    buffer_append_text(out, "{");
    if (is_topk)
        buffer_printf(out, "\"k\":%u,\"exclude_seen\":%s", r->k,
                      r->flags & COLLIDE_REQUEST_EXCLUDE_SEEN ? "true" : "false");
    print_ids(out, is_topk ? "exclude" : "items", r->items, r->n_items);
    if (!is_topk)
        memmove(out->bytes + 1, out->bytes + 2, --out->n_bytes - 1); /* the first comma */
    if (r->flags & COLLIDE_REQUEST_HAS_USER)
        buffer_printf(out, ",\"user\":\"%" PRIu64 "\"", r->user);
    if (r->n_history > 0 || !(r->flags & COLLIDE_REQUEST_HAS_USER))
        print_ids(out, "history", r->history, r->n_history);
    if (r->n_history > 0 && r->weights) {
        buffer_append_text(out, ",\"weights\":[");
        for (size_t i = 0; i < r->n_history; i++)
            buffer_printf(out, "%s%.9g", i ? "," : "", (double)r->weights[i]);
        buffer_append_text(out, "]");
    }
    buffer_append(out, "}", 2);
}

/* What HTTP answers is what is expected of the others. */
static void ask_http(struct client *http, struct asked *a, struct buffer *body)
{
    static struct response_text reply;
    bool is_topk = a->request.flags & COLLIDE_REQUEST_TOPK;
    print_json(a, body);
    client_ask(http, "POST", is_topk ? "/v1/topk" : "/v1/score", body->bytes, &reply);
    if (reply.status != 200)
        fail_msg("%u %s to %s", reply.status, reply.body, body->bytes);
    cJSON *document = cJSON_Parse(reply.body);
    const cJSON *scores = cJSON_GetObjectItem(document, "scores"),
                *items = cJSON_GetObjectItem(document, "items");
    a->n_results = (size_t)cJSON_GetArraySize(scores);
    a->n_unknown = (uint32_t)cJSON_GetObjectItem(document, "unknown")->valuedouble;
    for (size_t i = 0; i < a->n_results; i++) {
        a->scores[i] = (float)cJSON_GetArrayItem(scores, (int)i)->valuedouble;
        if (is_topk) {
            const cJSON *id = cJSON_GetArrayItem(items, (int)i);
            a->hits[i] = cJSON_IsString(id) ? strtoull(id->valuestring, NULL, 10) : (uint64_t)id->valuedouble;
        }
    }
    cJSON_Delete(document);
}

static void check(const struct asked *a, const struct collide_answer *answer, const char *where)
{
    if (answer->code != COLLIDE_ANSWER_OK)
        fail_msg("%s: %s", where, collide_answer_name(answer->code));
    assert_int_equal(answer->n_results, a->n_results);
    assert_int_equal(answer->n_unknown, a->n_unknown);
    for (size_t i = 0; i < a->n_results; i++) {
        bool is_half = a->request.flags & COLLIDE_REQUEST_SCORES_F16;
        float expected = is_half ? half_to_float(half_from_float(a->scores[i])) : a->scores[i];
        if (answer->scores[i] != expected)
            fail_msg("%s: score %zu is %.9g, over HTTP %.9g", where, i, (double)answer->scores[i],
                     (double)expected);
        if (a->request.flags & COLLIDE_REQUEST_TOPK)
            assert_int_equal(answer->items[i], a->hits[i]);
    }
}

/* All of a batch in flight at once, several requests a datagram. */
static void ask_together(struct collide_client *client, const struct asked *asked, size_t n,
                         const char *where)
{
    struct collide_error err = {0};
    struct collide_answer answers[BATCH];
    size_t n_answered = 0, n_new;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(collide_client_submit(client, &asked[i].request, i, &err), COLLIDE_OK);
    while (n_answered < n) {
        assert_int_equal(collide_client_receive(client, 100000, answers, BATCH, &n_new, &err), COLLIDE_OK);
        for (size_t i = 0; i < n_new; i++)
            check(&asked[answers[i].cookie], &answers[i], where);
        n_answered += n_new;
    }
}

static const char *const URLS[] = {"udp://10.77.0.1:9000", "udp://[fd77::1]:9000", "udp://10.77.0.1:9001",
                                   "udp://[fd77::1]:9001", NULL};
enum { N_URLS = sizeof URLS / sizeof *URLS };

struct session {
    struct transport_server server;
    struct client http;
    struct collide_client *clients[N_URLS];
    struct buffer body;
    struct rng rng;
};

static void ask_everywhere(struct session *s, struct asked *asked, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ask_http(&s->http, &asked[i], &s->body);
    for (size_t u = 0; u < N_URLS; u++)
        ask_together(s->clients[u], asked, n, URLS[u] ? URLS[u] : "shared memory");
}

static void check_scores(struct session *s)
{
    static struct asked asked[BATCH];
    for (size_t batch = 0; batch < N_BATCHES; batch++) {
        for (size_t i = 0; i < BATCH; i++) {
            draw(s->server.options.spec, &s->rng, &asked[i]);
            if (rng_below(&s->rng, 4) == 0)
                asked[i].request.flags |= COLLIDE_REQUEST_SCORES_F16;
        }
        ask_everywhere(s, asked, BATCH);
    }
}

static void check_topk(struct session *s)
{
    static struct asked asked;
    for (size_t i = 0; i < N_TOPK; i++) {
        draw(s->server.options.spec, &s->rng, &asked);
        asked.request.flags |=
            COLLIDE_REQUEST_TOPK | (rng_below(&s->rng, 2) ? COLLIDE_REQUEST_EXCLUDE_SEEN : 0);
        asked.request.k = (uint16_t)(1 + rng_below(&s->rng, MAX_IDS));
        ask_everywhere(s, &asked, 1);
    }
}

static void check_model(const struct random_model *spec, unsigned n_queues)
{
    static struct session s;
    s = (struct session){.rng = rng_seeded(spec->seed, n_queues)};
    transport_server_start(&(struct transport_server_options){.spec = spec, .n_queues = n_queues}, &s.server);
    transport_server_connect_http(&s.http);
    for (size_t u = 0; u < N_URLS; u++)
        s.clients[u] = transport_server_connect(&s.server, URLS[u]);
    check_scores(&s);
    check_topk(&s);
    for (size_t u = 0; u < N_URLS; u++)
        collide_client_destroy(s.clients[u]);
    client_close(&s.http);
    buffer_free(&s.body);
    transport_server_stop(&s.server);
}

static void dense_ids_agree(void **state)
{
    (void)state;
    check_model(&MODELS[0], 1);
}

static void keys_of_64_bits_agree(void **state)
{
    (void)state;
    check_model(&MODELS[1], 1);
}

static void several_lookups_and_embedded_users_agree_over_two_queues(void **state)
{
    (void)state;
    check_model(&MODELS[2], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_ids_agree),
        cmocka_unit_test(keys_of_64_bits_agree),
        cmocka_unit_test(several_lookups_and_embedded_users_agree_over_two_queues),
    };
    veth_require();
    return test_service_has_device() ? cmocka_run_group_tests(tests, NULL, NULL) : TEST_SKIPPED;
}
