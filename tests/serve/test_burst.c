/* Datagrams in, answers in their place, against the library's own scores. */
#include "serve/burst.h"

#include "base/clock.h"
#include "base/rng.h"
#include "support/test_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { FRAME_BYTES = 2048, MAX_IDS = 40 };

static const struct wire_key key = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}};

/* Frames as a transport has them. */
struct frames {
    uint8_t *memory; /* (BURST_MAX * FRAME_BYTES), page-aligned */
    struct datagram burst[BURST_MAX];
    size_t n;
    bool is_shared; /* the memory is the service's */
};

static struct frames *frames_create(void)
{
    struct frames *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->memory = aligned_alloc(4096, (size_t)BURST_MAX * FRAME_BYTES);
    assert_non_null(f->memory);
    return f;
}

static void frames_destroy(struct frames *f)
{
    if (!f->is_shared)
        free(f->memory);
    free(f);
}

static struct wire_writer begin_datagram(struct frames *f)
{
    struct wire_writer w;
    struct datagram *d = &f->burst[f->n];
    *d = (struct datagram){.bytes = f->memory + f->n++ * FRAME_BYTES + 4, .capacity = WIRE_MAX_BYTES};
    wire_begin(&w, d->bytes, d->capacity, WIRE_REQUESTS);
    return w;
}

static void end_datagram(struct frames *f, struct wire_writer *w, const struct wire_key *with_key)
{
    f->burst[f->n - 1].n_bytes = (uint32_t)wire_finish(w, with_key);
}

/* A request and what it asks, as the library takes it. */
struct asked {
    struct wire_request_fields fields;
    uint64_t history[MAX_IDS], items[MAX_IDS];
    float weights[MAX_IDS];
};

static void draw(struct rng *rng, uint64_t id, struct asked *a)
{
    *a = (struct asked){.fields = {.id = id, .kind = WIRE_SCORE}};
    struct wire_request_fields *f = &a->fields;
    f->n_items = rng_below(rng, MAX_IDS);
    f->n_history = rng_below(rng, MAX_IDS);
    f->user = rng_below(rng, test_service_model.n_users + 2);
    f->flags = rng_below(rng, 2) || f->n_history == 0 ? WIRE_HAS_USER : 0;
    for (size_t i = 0; i < f->n_items; i++)
        a->items[i] = rng_below(rng, test_service_model.n_items + 5);
    for (size_t i = 0; i < f->n_history; i++) {
        a->history[i] = rng_below(rng, test_service_model.n_items + 5);
        a->weights[i] = (float)rng_below(rng, 100) / 10.0f - 3.0f;
    }
    if (f->n_items > 0 && rng_below(rng, 4) == 0)
        a->items[0] = UINT64_MAX - rng_below(rng, 9); /* ids of 8 bytes */
    f->history = a->history;
    f->items = a->items;
    f->weights = rng_below(rng, 2) ? a->weights : NULL;
}

/* The library's scores of what was asked. */
static void library_scores(const struct test_service *t, const struct asked *a, float *scores,
                           struct collide_counts *counts)
{
    struct collide_error err = {0};
    struct collide_id user = collide_id_number(a->fields.user), history[MAX_IDS], items[MAX_IDS];
    for (size_t i = 0; i < MAX_IDS; i++) {
        history[i] = collide_id_number(a->history[i]);
        items[i] = collide_id_number(a->items[i]);
    }
    const struct collide_query query = {.user = a->fields.flags & WIRE_HAS_USER ? &user : NULL,
                                        .history = history,
                                        .weights = a->fields.weights,
                                        .n_history = a->fields.n_history,
                                        .items = items,
                                        .n_items = a->fields.n_items};
    assert_int_equal(collide_score(t->lane, &query, 1, scores, counts, &err), COLLIDE_OK);
}

/* The answers of one datagram. */
static size_t read_answers(const struct datagram *d, const struct wire_key *with_key,
                           struct wire_response *out, size_t max)
{
    struct wire_reader reader;
    enum wire_code code;
    size_t n = 0;
    assert_int_equal(wire_open(d->bytes, d->n_reply_bytes, WIRE_RESPONSES, with_key, &reader), WIRE_ACCEPTED);
    while (n < max && wire_next_response(&reader, &out[n], &code)) {
        assert_int_equal(code, WIRE_OK);
        n++;
    }
    return n;
}

static void check_scores(const struct test_service *t, const struct asked *a, const struct wire_response *r)
{
    float truth[MAX_IDS];
    struct collide_counts counts = {0};
    library_scores(t, a, truth, &counts);
    assert_int_equal(r->code, WIRE_OK);
    assert_int_equal(r->id, a->fields.id);
    assert_int_equal(r->n_results, a->fields.n_items);
    /* Without candidates nothing is scored, and no ids are looked up. */
    if (a->fields.n_items > 0)
        assert_int_equal(r->n_unknown, counts.n_unknown);
    for (size_t i = 0; i < r->n_results; i++)
        assert_true(wire_score(r, i) == truth[i]);
}

/* Bursts of many sizes, several requests a datagram; with memory that the device shares, and without. */
static void check_bursts(bool is_shared)
{
    struct test_service t;
    struct frames *f = frames_create();
    struct rng rng = rng_seeded(4, is_shared);
    static struct asked asked[BURST_MAX * 3];
    test_service_create(&test_service_model, 1, &t);
    f->is_shared = is_shared;
    if (is_shared)
        service_share_memory(t.service, 0, f->memory, (size_t)BURST_MAX * FRAME_BYTES);
    test_service_load(&t);
    for (unsigned round = 0; round < 200; round++) {
        size_t n = 1 + rng_below(&rng, round % 2 ? BURST_MAX : 3), n_asked = 0, checked = 0;
        for (f->n = 0; f->n < n;) {
            struct wire_writer w = begin_datagram(f);
            for (size_t k = 1 + rng_below(&rng, 3); k > 0; k--) {
                draw(&rng, rng_u64(&rng), &asked[n_asked]);
                if (wire_put_request(&w, &asked[n_asked].fields) == WIRE_OK)
                    n_asked++;
            }
            end_datagram(f, &w, NULL);
        }
        service_answer_burst(t.service, 0, f->burst, f->n);
        for (size_t i = 0; i < f->n; i++) {
            struct wire_response answers[4];
            size_t n_answers = read_answers(&f->burst[i], NULL, answers, 4);
            for (size_t k = 0; k < n_answers; k++)
                check_scores(&t, &asked[checked++], &answers[k]);
        }
        assert_int_equal(checked, n_asked);
    }
    test_service_destroy(&t);
    frames_destroy(f);
}

static void scores_are_the_library_s_to_the_last_bit(void **state)
{
    (void)state;
    check_bursts(false);
}

static void ids_are_read_where_the_datagrams_lie(void **state)
{
    (void)state;
    check_bursts(true);
}

static int setup(void **state)
{
    static struct test_service service;
    test_service_create(&test_service_model, 2, &service);
    *state = &service;
    return 0;
}

static int teardown(void **state)
{
    test_service_destroy(*state);
    return 0;
}

/* One request in one datagram; its answer. */
static struct wire_response ask(struct test_service *t, struct frames *f,
                                const struct wire_request_fields *fields)
{
    struct wire_response answer[1] = {{0}};
    f->n = 0;
    struct wire_writer w = begin_datagram(f);
    assert_int_equal(wire_put_request(&w, fields), WIRE_OK);
    end_datagram(f, &w, NULL);
    service_answer_burst(t->service, 1, f->burst, 1);
    assert_int_equal(read_answers(f->burst, NULL, answer, 1), 1);
    return answer[0];
}

static void requests_are_refused_one_by_one_with_a_code(void **state)
{
    struct test_service *t = *state;
    struct frames *f = frames_create();
    static const uint64_t items[300] = {1, 2, 3};
    const struct wire_request_fields good = {
        .id = 7, .kind = WIRE_SCORE, .flags = WIRE_HAS_USER, .user = 3, .items = items, .n_items = 3};
    struct wire_request_fields other_model = good, far = good, ping = good, long_history = good;
    assert_int_equal(ask(t, f, &good).code, WIRE_BUSY);
    test_service_load(t);
    assert_int_equal(ask(t, f, &good).code, WIRE_OK);
    other_model.model = 1;
    assert_int_equal(ask(t, f, &other_model).code, WIRE_UNKNOWN_MODEL);
    far.kind = WIRE_TOPK;
    far.k = 400;
    far.n_items = 0;
    assert_int_equal(ask(t, f, &far).code, WIRE_TOO_LARGE);
    long_history.history = items;
    long_history.n_history = 250; /* the service takes 200 */
    assert_int_equal(ask(t, f, &long_history).code, WIRE_TOO_LARGE);
    ping.kind = WIRE_PING;
    ping.n_items = 0;
    struct wire_response pong = ask(t, f, &ping);
    assert_int_equal(pong.code, WIRE_OK);
    assert_int_equal(pong.n_results, 0);
    frames_destroy(f);
}

static void expired_requests_are_not_scored(void **state)
{
    struct test_service *t = *state;
    struct frames *f = frames_create();
    static const uint64_t items[] = {1};
    struct wire_request_fields fields = {.kind = WIRE_SCORE,
                                         .flags = WIRE_HAS_USER | WIRE_TIMES,
                                         .items = items,
                                         .n_items = 1,
                                         .deadline_us = 1000000};
    struct wire_response answers[2];
    for (unsigned i = 0; i < 2; i++) {
        f->n = 0;
        struct wire_writer w = begin_datagram(f);
        wire_put_request(&w, &fields);
        end_datagram(f, &w, NULL);
        f->burst[0].arrived_ns = clock_now_ns() - (i == 0 ? 2000000000 : 1000000);
        service_answer_burst(t->service, 1, f->burst, 1);
        assert_int_equal(read_answers(f->burst, NULL, answers, 2), 1);
        assert_int_equal(answers[0].code, i == 0 ? WIRE_EXPIRED : WIRE_OK);
    }
    assert_in_range(answers[0].times.wait_ns, 1000000, 900000000);
    assert_int_equal(answers[0].times.n_together, 1);
    frames_destroy(f);
}

static void topk_is_the_library_s(void **state)
{
    struct test_service *t = *state;
    struct frames *f = frames_create();
    static const uint64_t exclude[] = {17};
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
    const struct wire_request_fields fields = {.kind = WIRE_TOPK,
                                               .flags = WIRE_HAS_USER | WIRE_EXCLUDE_SEEN,
                                               .user = 3,
                                               .k = K,
                                               .items = exclude,
                                               .n_items = 1};
    struct wire_response r = ask(t, f, &fields);
    assert_int_equal(r.code, WIRE_OK);
    assert_int_equal(r.n_results, n_hits);
    for (size_t i = 0; i < n_hits; i++) {
        assert_int_equal(wire_id(&r.hits, i), hits[i].item.number);
        assert_true(wire_score(&r, i) == hits[i].score);
    }
    frames_destroy(f);
}

/* n top-k requests in one datagram, whose answers are longer than they. */
/* Its last stage ends when it has been handed over, and the stages are all of it. */
static void bursts_are_observed_once_they_are_sent(void **state)
{
    struct test_service *t = *state;
    struct frames *f = frames_create();
    static const uint64_t items[] = {1, 2};
    const struct wire_request_fields fields = {
        .kind = WIRE_SCORE, .flags = WIRE_HAS_USER | WIRE_TIMES, .items = items, .n_items = 2};
    const struct observer *o = service_observer(t->service);
    const enum transport_kind kind = observer_kind(o, 1);
    struct durations before, unsent, total, stage;
    uint64_t stages_ns[N_STAGES], all_stages_ns = 0;
    observer_total(o, kind, WORK_SCORE, &before);
    for (enum stage s = 0; s < N_STAGES; s++) {
        observer_stage(o, kind, WORK_SCORE, s, &stage);
        stages_ns[s] = stage.sum_ns;
    }
    struct wire_response answer = ask(t, f, &fields);
    observer_total(o, kind, WORK_SCORE, &unsent);
    assert_int_equal(durations_n(&unsent), durations_n(&before));
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    service_burst_sent(t->service, 1, f->burst, 1);
    observer_total(o, kind, WORK_SCORE, &total);
    assert_int_equal(durations_n(&total), durations_n(&before) + 1);
    for (enum stage s = 0; s < N_STAGES; s++) {
        observer_stage(o, kind, WORK_SCORE, s, &stage);
        stages_ns[s] = stage.sum_ns - stages_ns[s];
        all_stages_ns += stages_ns[s];
    }
    assert_int_equal(all_stages_ns, total.sum_ns - before.sum_ns);
    assert_true(stages_ns[STAGE_PRINT] >= 2000000);
    assert_true(stages_ns[STAGE_PARSE] > 0 && stages_ns[STAGE_KERNEL] > stages_ns[STAGE_PARSE]);
    assert_true(answer.times.read_ns > 0 && answer.times.score_ns > answer.times.read_ns);
    frames_destroy(f);
}

static void ask_topk(struct test_service *t, struct frames *f, size_t n, struct wire_response *answers)
{
    const struct wire_request_fields fields = {
        .kind = WIRE_TOPK, .flags = WIRE_HAS_USER, .user = 3, .k = 100};
    f->n = 0;
    struct wire_writer w = begin_datagram(f);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(wire_put_request(&w, &fields), WIRE_OK);
    end_datagram(f, &w, NULL);
    service_answer_burst(t->service, 1, f->burst, 1);
    assert_int_equal(read_answers(f->burst, NULL, answers, n), n);
}

/* Answers that do not fit say so, and none is missing. */
static void every_request_is_answered_however_full_the_datagram(void **state)
{
    struct test_service *t = *state;
    struct frames *f = frames_create();
    enum { N = 44 };
    struct wire_response answers[N];
    ask_topk(t, f, 2, answers);
    assert_int_equal(answers[0].code, WIRE_OK);
    assert_int_equal(answers[0].n_results, 100);
    assert_int_equal(answers[1].code, WIRE_TOO_LARGE);
    ask_topk(t, f, N, answers);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(answers[i].code, WIRE_TOO_LARGE); /* each one's room belongs to those behind it */
    frames_destroy(f);
}

/* Models by their numbers, in one datagram. */
static void requests_choose_models_by_number(void **state)
{
    (void)state;
    struct test_service first, second;
    struct frames *f = frames_create();
    struct random_model other = test_service_model;
    struct collide_error err = {0};
    static struct asked asked[4];
    struct wire_response answers[4];
    struct rng rng = rng_seeded(3, 1);
    other.seed++;
    test_service_create(&test_service_model, 1, &first);
    test_service_create(&other, 1, &second);
    assert_int_equal(service_models_load(first.service, "first", first.model_path, NULL, &err), COLLIDE_OK);
    assert_int_equal(service_models_load(first.service, "second", second.model_path, NULL, &err), COLLIDE_OK);
    for (unsigned round = 0; round < 20; round++) {
        f->n = 0;
        struct wire_writer w = begin_datagram(f);
        for (unsigned i = 0; i < 4; i++) {
            draw(&rng, i, &asked[i]);
            asked[i].fields.model = i < 2 ? (uint16_t)(1 - i) : i == 2 ? 1 : 2;
            asked[i].fields.n_items = 1 + asked[i].fields.n_items % 10;
            asked[i].fields.n_history %= 10;
            assert_int_equal(wire_put_request(&w, &asked[i].fields), WIRE_OK);
        }
        end_datagram(f, &w, NULL);
        service_answer_burst(first.service, 0, f->burst, 1);
        assert_int_equal(read_answers(f->burst, NULL, answers, 4), 4);
        check_scores(&second, &asked[0], &answers[0]);
        check_scores(&first, &asked[1], &answers[1]);
        check_scores(&second, &asked[2], &answers[2]);
        assert_int_equal(answers[3].code, WIRE_UNKNOWN_MODEL);
    }
    test_service_destroy(&first);
    test_service_destroy(&second);
    frames_destroy(f);
}

static void what_is_not_ours_gets_no_answer(void **state)
{
    struct test_service *t = *state;
    struct frames *f = frames_create();
    struct rng rng = rng_seeded(9, 9);
    struct burst_counts before, after;
    f->n = 0;
    for (size_t i = 0; i < BURST_MAX; i++) {
        struct wire_writer w = begin_datagram(f);
        end_datagram(f, &w, NULL);
        f->burst[i].n_bytes = (uint32_t)rng_below(&rng, WIRE_MAX_BYTES + 1);
        for (size_t k = 0; k < WIRE_MAX_BYTES; k++)
            f->burst[i].bytes[k] = (uint8_t)rng_u64(&rng);
    }
    service_burst_counts(t->service, &before);
    service_answer_burst(t->service, 1, f->burst, f->n);
    service_burst_counts(t->service, &after);
    for (size_t i = 0; i < f->n; i++)
        assert_int_equal(f->burst[i].n_reply_bytes, 0);
    assert_int_equal(after.n_not_ours - before.n_not_ours, BURST_MAX);
    assert_int_equal(after.n_datagrams - before.n_datagrams, BURST_MAX);
    frames_destroy(f);
}

static void without_the_key_s_tag_nothing_is_answered(void **state)
{
    (void)state;
    struct test_service t;
    struct frames *f = frames_create();
    struct wire_response answer[1];
    const struct wire_request_fields fields = {.kind = WIRE_PING};
    const struct service_options options = {
        .limits = {.max_parts = 1, .max_items = 1, .max_history = 1}, .key = &key, .n_workers = 1};
    struct collide_error err = {0};
    test_service_create(&test_service_model, 1, &t);
    service_destroy(t.service);
    assert_int_equal(service_create(&options, &t.service, &err), COLLIDE_OK);
    for (f->n = 0; f->n < 2;) {
        struct wire_writer w = begin_datagram(f);
        wire_put_request(&w, &fields);
        end_datagram(f, &w, f->n == 1 ? &key : NULL);
    }
    service_answer_burst(t.service, 0, f->burst, 2);
    assert_int_equal(f->burst[1].n_reply_bytes, 0);
    assert_int_equal(read_answers(&f->burst[0], &key, answer, 1), 1);
    test_service_destroy(&t);
    frames_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_refused_one_by_one_with_a_code), /* the first: it loads the model */
        cmocka_unit_test(expired_requests_are_not_scored),
        cmocka_unit_test(bursts_are_observed_once_they_are_sent),
        cmocka_unit_test(topk_is_the_library_s),
        cmocka_unit_test(requests_choose_models_by_number),
        cmocka_unit_test(every_request_is_answered_however_full_the_datagram),
        cmocka_unit_test(what_is_not_ours_gets_no_answer),
        cmocka_unit_test(scores_are_the_library_s_to_the_last_bit),
        cmocka_unit_test(ids_are_read_where_the_datagrams_lie),
        cmocka_unit_test(without_the_key_s_tag_nothing_is_answered),
    };
    return test_service_has_device() ? cmocka_run_group_tests(tests, setup, teardown) : TEST_SKIPPED;
}
