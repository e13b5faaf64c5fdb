#include "base/rng.h"
#include "wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct wire_key key = {{0x0123456789abcdefu, 0xfedcba9876543210u}};

enum { MAX_IDS = 400 };

/* A message's fields with the arrays that they point to. */
struct sample {
    uint64_t history[MAX_IDS], items[MAX_IDS];
    float weights[MAX_IDS], scores[MAX_IDS];
    struct wire_times times;
    struct wire_request_fields request;
    struct wire_response_fields response;
};

static void random_ids(struct rng *rng, uint64_t *ids, size_t n, bool wide)
{
    for (size_t i = 0; i < n; i++)
        ids[i] = wide ? rng_u64(rng) : rng_below(rng, (uint64_t)1 << 32);
}

static void random_floats(struct rng *rng, float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] = (float)rng_normal(rng);
}

/* Few ids most of the time, so that several messages share a datagram. */
static size_t random_count(struct rng *rng)
{
    return rng_below(rng, rng_below(rng, 4) ? 12 : MAX_IDS);
}

static void random_request(struct rng *rng, struct sample *s)
{
    uint8_t kind = (uint8_t)(WIRE_SCORE + rng_below(rng, 3));
    unsigned flags = (unsigned)rng_below(rng, WIRE_ALL_FLAGS + 1) & ~(unsigned)(WIRE_IDS_64 | WIRE_WEIGHTED);
    if (kind != WIRE_TOPK)
        flags &= ~(unsigned)WIRE_EXCLUDE_SEEN;
    size_t n_history = kind == WIRE_PING ? 0 : random_count(rng),
           n_items = kind == WIRE_PING ? 0 : random_count(rng);
    bool wide = rng_below(rng, 2);
    random_ids(rng, s->history, n_history, wide);
    random_ids(rng, s->items, n_items, wide);
    random_floats(rng, s->weights, n_history);
    s->request =
        (struct wire_request_fields){.id = rng_u64(rng),
                                     .user = rng_u64(rng),
                                     .deadline_us = (uint32_t)rng_u64(rng),
                                     .model = (uint16_t)rng_u64(rng),
                                     .k = kind == WIRE_TOPK ? (uint16_t)(1 + rng_below(rng, 65535)) : 0,
                                     .kind = kind,
                                     .flags = (uint8_t)flags,
                                     .history = s->history,
                                     .items = s->items,
                                     .weights = rng_below(rng, 2) ? s->weights : NULL,
                                     .n_history = n_history,
                                     .n_items = n_items};
}

static void random_response(struct rng *rng, struct sample *s)
{
    uint8_t kind = (uint8_t)(WIRE_SCORE + rng_below(rng, 3));
    uint8_t code = rng_below(rng, 4) ? WIRE_OK : (uint8_t)rng_below(rng, N_WIRE_CODES);
    size_t n = code == WIRE_OK && kind != WIRE_PING ? random_count(rng) : 0;
    random_ids(rng, s->items, n, rng_below(rng, 2));
    random_floats(rng, s->scores, n);
    s->times = (struct wire_times){rng_u64(rng), (uint32_t)rng_u64(rng), (uint32_t)rng_u64(rng),
                                   (uint32_t)rng_u64(rng), (uint32_t)rng_u64(rng)};
    s->response = (struct wire_response_fields){.id = rng_u64(rng),
                                                .n_unknown = (uint32_t)rng_u64(rng),
                                                .kind = kind,
                                                .flags = rng_below(rng, 2) ? WIRE_SCORES_F16 : 0,
                                                .code = code,
                                                .times = rng_below(rng, 2) ? &s->times : NULL,
                                                .hits = kind == WIRE_TOPK ? s->items : NULL,
                                                .scores = s->scores,
                                                .n_results = n};
}

static void assert_ids(const struct wire_ids *got, const uint64_t *ids, size_t n, const uint8_t *datagram)
{
    assert_int_equal(got->n, n);
    assert_true((got->bytes == NULL) == (n == 0));
    for (size_t i = 0; i < n; i++)
        assert_true(wire_id(got, i) == ids[i]);
    if (n)
        assert_int_equal((got->bytes - datagram) % 4, 0);
}

static void assert_request(const struct wire_request *got, const struct wire_request_fields *f,
                           const uint8_t *datagram)
{
    assert_true(got->id == f->id && got->user == f->user);
    assert_int_equal(got->deadline_us, f->deadline_us);
    assert_int_equal(got->model, f->model);
    assert_int_equal(got->k, f->k);
    assert_int_equal(got->kind, f->kind);
    assert_int_equal(got->flags & ~(WIRE_IDS_64 | WIRE_WEIGHTED), f->flags);
    assert_ids(&got->history, f->history, f->n_history, datagram);
    assert_ids(&got->items, f->items, f->n_items, datagram);
    assert_int_equal(got->weights != NULL, f->weights != NULL && f->n_history > 0);
    for (size_t i = 0; got->weights && i < f->n_history; i++)
        assert_true(wire_weight(got, i) == f->weights[i]);
}

static void assert_response(const struct wire_response *got, const struct wire_response_fields *f,
                            const uint8_t *datagram)
{
    assert_true(got->id == f->id);
    assert_int_equal(got->n_unknown, f->n_unknown);
    assert_int_equal(got->kind, f->kind);
    assert_int_equal(got->code, f->code);
    assert_int_equal(got->n_results, f->n_results);
    assert_int_equal(got->flags & WIRE_SCORES_F16, f->flags);
    assert_int_equal((got->flags & WIRE_TIMES) != 0, f->times != NULL);
    if (f->times)
        assert_memory_equal(&got->times, f->times, sizeof got->times);
    if (f->hits)
        assert_ids(&got->hits, f->hits, f->n_results, datagram);
    for (size_t i = 0; i < f->n_results; i++)
        assert_true(wire_score(got, i) ==
                    (f->flags ? half_to_float(half_from_float(f->scores[i])) : f->scores[i]));
}

/* Fills a datagram with random messages: those that fitted. */
static size_t fill(struct rng *rng, enum wire_side side, struct wire_writer *w, struct sample *samples,
                   size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < max; i++) {
        size_t n_before = w->n_bytes;
        enum wire_code code;
        if (side == WIRE_REQUESTS) {
            random_request(rng, &samples[n]);
            code = wire_put_request(w, &samples[n].request);
        } else {
            random_response(rng, &samples[n]);
            code = wire_put_response(w, &samples[n].response);
            assert_int_equal(code == WIRE_OK,
                             n_before + wire_response_bytes(&samples[n].response) <= WIRE_MAX_BYTES);
        }
        if (code == WIRE_OK)
            n++;
        else
            assert_true(code == WIRE_TOO_LARGE && w->n_bytes == n_before);
    }
    return n;
}

static void datagrams_of_random_fields_come_back(enum wire_side side, uint64_t seed)
{
    enum { N_DATAGRAMS = 20000, MAX_MESSAGES = 8 };
    static struct sample samples[MAX_MESSAGES];
    struct rng rng = rng_seeded(seed, 0);
    for (int i = 0; i < N_DATAGRAMS; i++) {
        uint8_t bytes[WIRE_MAX_BYTES + 8];
        struct wire_writer w;
        struct wire_reader r;
        struct wire_request request;
        struct wire_response response;
        enum wire_code code;
        const struct wire_key *tag_key = rng_below(&rng, 2) ? &key : NULL;
        memset(bytes, 0xa5, sizeof bytes);
        wire_begin(&w, bytes, sizeof bytes, side);
        size_t n = fill(&rng, side, &w, samples, 1 + rng_below(&rng, MAX_MESSAGES));
        size_t n_bytes = wire_finish(&w, tag_key);
        if (n == 0) {
            assert_int_equal(n_bytes, 0);
            continue;
        }
        assert_true(n_bytes % 8 == 0 && n_bytes <= WIRE_MAX_BYTES && bytes[n_bytes] == 0xa5);
        assert_int_equal(wire_open(bytes, n_bytes, side, tag_key, &r), WIRE_ACCEPTED);
        for (size_t j = 0; j < n; j++) {
            assert_true(side == WIRE_REQUESTS ? wire_next_request(&r, &request, &code)
                                              : wire_next_response(&r, &response, &code));
            assert_int_equal(code, WIRE_OK);
            if (side == WIRE_REQUESTS)
                assert_request(&request, &samples[j].request, bytes);
            else
                assert_response(&response, &samples[j].response, bytes);
        }
        assert_false(side == WIRE_REQUESTS ? wire_next_request(&r, &request, &code)
                                           : wire_next_response(&r, &response, &code));
    }
}

static void requests_of_random_fields_come_back(void **state)
{
    (void)state;
    datagrams_of_random_fields_come_back(WIRE_REQUESTS, 1);
}

static void responses_of_random_fields_come_back(void **state)
{
    (void)state;
    datagrams_of_random_fields_come_back(WIRE_RESPONSES, 2);
}

static size_t put_one_request(const struct wire_request_fields *fields)
{
    uint8_t bytes[WIRE_MAX_BYTES];
    struct wire_writer w;
    wire_begin(&w, bytes, sizeof bytes, WIRE_REQUESTS);
    return wire_put_request(&w, fields) == WIRE_OK ? w.n_bytes - WIRE_HEADER_BYTES : 0;
}

static void a_score_response_is_never_longer_than_its_request(void **state)
{
    (void)state;
    uint64_t items[MAX_IDS] = {0};
    float scores[MAX_IDS] = {0};
    for (size_t n = 0; n < MAX_IDS; n++) {
        struct wire_request_fields request = {.kind = WIRE_SCORE, .items = items, .n_items = n};
        struct wire_response_fields response = {.kind = WIRE_SCORE, .scores = scores, .n_results = n};
        size_t n_bytes = put_one_request(&request);
        if (n_bytes)
            assert_true(wire_response_bytes(&response) <= n_bytes);
    }
}

/* (1448 - 24 - 32) / 4 = 348 ids of 4 bytes; / 8 = 174 of 8. */
static void a_datagram_holds_what_the_document_says(void **state)
{
    (void)state;
    uint64_t items[MAX_IDS] = {0};
    struct wire_request_fields request = {.kind = WIRE_SCORE, .items = items, .n_items = 348};
    assert_int_equal(put_one_request(&request), 1424);
    request.n_items = 349;
    assert_int_equal(put_one_request(&request), 0);
    items[0] = (uint64_t)1 << 32;
    assert_int_equal(put_one_request(&request), 0);
    request.n_items = 174;
    assert_int_equal(put_one_request(&request), 1424);
    request.n_items = SIZE_MAX / 8 + 2;
    assert_int_equal(put_one_request(&request), 0);
}

static void stage_times_can_cost_a_response_its_fit(void **state)
{
    (void)state;
    uint8_t bytes[WIRE_MAX_BYTES];
    static const float scores[348];
    static const struct wire_times times;
    struct wire_response_fields response = {
        .kind = WIRE_SCORE, .scores = scores, .n_results = 348, .times = &times};
    struct wire_writer w;
    wire_begin(&w, bytes, sizeof bytes, WIRE_RESPONSES);
    assert_int_equal(wire_put_response(&w, &response), WIRE_TOO_LARGE);
    response.times = NULL;
    assert_int_equal(wire_put_response(&w, &response), WIRE_OK);
}

static void a_copied_message_is_the_same_message(void **state)
{
    (void)state;
    static const uint64_t items[3] = {5, 6, 7};
    uint8_t first[WIRE_MAX_BYTES], second[WIRE_MAX_BYTES];
    struct wire_writer w;
    wire_begin(&w, first, sizeof first, WIRE_REQUESTS);
    assert_int_equal(
        wire_put_request(
            &w, &(struct wire_request_fields){.id = 9, .kind = WIRE_SCORE, .items = items, .n_items = 3}),
        WIRE_OK);
    size_t n_bytes = wire_finish(&w, &key);
    wire_begin(&w, second, sizeof second, WIRE_REQUESTS);
    assert_int_equal(wire_put_copy(&w, first + WIRE_HEADER_BYTES, n_bytes - WIRE_HEADER_BYTES), WIRE_OK);
    assert_int_equal(wire_finish(&w, &key), n_bytes);
    assert_memory_equal(first, second, n_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_random_fields_come_back),
        cmocka_unit_test(responses_of_random_fields_come_back),
        cmocka_unit_test(a_score_response_is_never_longer_than_its_request),
        cmocka_unit_test(a_datagram_holds_what_the_document_says),
        cmocka_unit_test(stage_times_can_cost_a_response_its_fit),
        cmocka_unit_test(a_copied_message_is_the_same_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
