#include "client/client.h"
#include "client/loop_channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct collide_client_options plain = {.timeout_us = 1000};
static const uint64_t items[3] = {7, 8, 2000}, history[2] = {10, 20};
static const float weights[2] = {1.0f, 0.25f};

static struct collide_client *client_on(struct loop_channel *loop,
                                        const struct collide_client_options *options)
{
    struct collide_client *client;
    struct collide_error err = {0};
    if (client_create_on(&loop->channel, options, &client, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return client;
}

static void submit(struct collide_client *client, const struct collide_request *request, uint64_t cookie)
{
    struct collide_error err = {0};
    if (collide_client_submit(client, request, cookie, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

static size_t receive(struct collide_client *client, uint32_t wait_us, struct collide_answer *answers,
                      size_t max)
{
    struct collide_error err = {0};
    size_t n = 99;
    if (collide_client_receive(client, wait_us, answers, max, &n, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return n;
}

static void an_ask_brings_scores(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, &plain);
    struct collide_answer answer;
    struct collide_request request = {.flags = COLLIDE_REQUEST_HAS_USER,
                                      .user = 42,
                                      .history = history,
                                      .weights = weights,
                                      .items = items,
                                      .n_history = 2,
                                      .n_items = 3};
    loop->delay_ns = 5000;
    assert_int_equal(collide_client_ask(client, &request, &answer, NULL), COLLIDE_OK);
    assert_int_equal(answer.code, COLLIDE_ANSWER_OK);
    assert_int_equal(answer.n_results, 3);
    assert_int_equal(answer.n_unknown, 1);
    assert_int_equal(answer.n_askings, 1);
    assert_null(answer.items);
    for (size_t i = 0; i < 3; i++)
        assert_true(answer.scores[i] == 42 + 10 + 0.25f * 20 + 0.5f * (float)items[i]);
    assert_in_range(answer.latency_ns, 5000, 5010);
    assert_int_equal(answer.times.n_together, 0);
    collide_client_destroy(client);
}

static void an_ask_reads_the_clock_twice(void **state)
{
    (void)state;
    struct collide_client *client = client_on(loop_channel_create(1), &plain);
    struct collide_answer answer;
    struct collide_request request = {.items = items, .n_items = 3};
    unsigned n_before = loop_clock_reads();
    assert_int_equal(collide_client_ask(client, &request, &answer, NULL), COLLIDE_OK);
    assert_int_equal(loop_clock_reads() - n_before, 2);
    collide_client_destroy(client);
}

static void topk_brings_hits_and_times_and_halves(void **state)
{
    (void)state;
    struct collide_client *client = client_on(loop_channel_create(1), &plain);
    struct collide_answer answer;
    struct collide_request request = {.flags = COLLIDE_REQUEST_TOPK | COLLIDE_REQUEST_SCORES_F16 |
                                               COLLIDE_REQUEST_TIMES | COLLIDE_REQUEST_EXCLUDE_SEEN,
                                      .k = 5};
    assert_int_equal(collide_client_ask(client, &request, &answer, NULL), COLLIDE_OK);
    assert_int_equal(answer.n_results, 5);
    for (size_t i = 0; i < 5; i++)
        assert_true(answer.items[i] == 5 - i && answer.scores[i] == 0.5f * (float)(5 - i));
    assert_int_equal(answer.times.wait_ns, 2);
    assert_int_equal(answer.times.read_ns, 3);
    assert_int_equal(answer.times.score_ns, 4);
    assert_int_equal(answer.times.n_together, 5);
    collide_client_destroy(client);
}

static void a_ping_is_answered(void **state)
{
    (void)state;
    struct collide_client *client = client_on(loop_channel_create(1), &plain);
    struct collide_answer answer;
    struct collide_request request = {.flags = COLLIDE_REQUEST_PING, .items = items, .n_items = 3};
    assert_int_equal(collide_client_ask(client, &request, &answer, NULL), COLLIDE_OK);
    assert_int_equal(answer.code, COLLIDE_ANSWER_OK);
    assert_int_equal(answer.n_results, 0);
    collide_client_destroy(client);
}

static void every_code_reaches_the_caller(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, &plain);
    struct collide_answer answer;
    struct collide_request request = {.items = items, .n_items = 3};
    for (uint8_t code = WIRE_MALFORMED; code < N_WIRE_CODES; code++) {
        loop->code = code;
        assert_int_equal(collide_client_ask(client, &request, &answer, NULL), COLLIDE_OK);
        assert_int_equal(answer.code, code);
        assert_int_equal(answer.n_results, 0);
        assert_string_equal(collide_answer_name(answer.code), wire_code_name((enum wire_code)code));
    }
    loop->code = 200;
    assert_int_equal(collide_client_ask(client, &request, &answer, NULL), COLLIDE_OK);
    assert_int_equal(answer.code, COLLIDE_ANSWER_FAILED);
    assert_string_equal(collide_answer_name(COLLIDE_ANSWER_LOST), "lost");
    assert_string_equal(collide_answer_name((enum collide_answer_code)77), "unknown");
    collide_client_destroy(client);
}

static void requests_share_a_datagram_until_flushed(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, &plain);
    struct collide_answer answers[20];
    struct collide_request request = {.items = items, .n_items = 3};
    for (uint64_t i = 0; i < 10; i++)
        submit(client, &request, 100 + i);
    assert_int_equal(loop->n_datagrams, 0);
    assert_int_equal(collide_client_flush(client, NULL), COLLIDE_OK);
    assert_int_equal(loop->n_datagrams, 1);
    assert_int_equal(loop->n_requests, 10);
    assert_int_equal(receive(client, 1000, answers, 20), 10);
    for (uint64_t i = 0; i < 10; i++)
        assert_true(answers[i].cookie == 100 + i && answers[i].scores[0] == 3.5f);
    collide_client_destroy(client);
}

static void a_datagram_with_all_it_may_hold_is_sent_at_once(void **state)
{
    (void)state;
    struct collide_client_options four = plain;
    four.requests_per_datagram = 4;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, &four);
    struct collide_answer answers[10];
    struct collide_request request = {.items = items, .n_items = 3};
    for (uint64_t i = 0; i < 10; i++)
        submit(client, &request, i);
    assert_int_equal(loop->n_datagrams, 2);
    assert_int_equal(receive(client, 1000, answers, 10), 10);
    assert_int_equal(loop->n_datagrams, 3);
    assert_int_equal(loop->n_flushes, 1);
    collide_client_destroy(client);
}

static void a_full_datagram_makes_way_for_the_next(void **state)
{
    (void)state;
    uint64_t many[300] = {0};
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, &plain);
    struct collide_answer answers[10];
    struct collide_request request = {.items = many, .n_items = 300};
    for (uint64_t i = 0; i < 5; i++)
        submit(client, &request, i);
    assert_int_equal(loop->n_datagrams, 4);
    assert_int_equal(receive(client, 1000, answers, 10), 5);
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(answers[i].n_results, 300);
    collide_client_destroy(client);
}

/* The server answers a datagram with one: answers that do not fit it would come as too_large. */
static void requests_whose_answers_would_not_fit_do_not_share(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, &plain);
    struct collide_answer answers[10];
    struct collide_request request = {.flags = COLLIDE_REQUEST_TOPK, .k = 100};
    for (uint64_t i = 0; i < 3; i++)
        submit(client, &request, i);
    request.k = 175;
    submit(client, &request, 3);
    assert_int_equal(receive(client, 1000, answers, 10), 4);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(answers[i].code, COLLIDE_ANSWER_OK);
    collide_client_destroy(client);
}

static void answers_of_one_datagram_can_be_received_one_by_one(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, &plain);
    struct collide_answer answer;
    for (uint64_t i = 0; i < 30; i++)
        submit(client, &(struct collide_request){.items = &i, .n_items = 1}, i);
    for (uint64_t i = 0; i < 30; i++) {
        assert_int_equal(receive(client, 1000, &answer, 1), 1);
        assert_true(answer.cookie == i && answer.scores[0] == 0.5f * (float)i);
        submit(client, &(struct collide_request){.items = &i, .n_items = 1}, 100 + i);
    }
    assert_int_equal(loop->n_requests, 59); /* the last one still waits for company */
    collide_client_destroy(client);
}

static void more_answers_than_one_call_has_room_for_come_with_the_next(void **state)
{
    (void)state;
    enum { N = 150 };
    uint64_t many[300] = {0};
    struct collide_client *client = client_on(loop_channel_create(1), &plain);
    static struct collide_answer answers[N];
    struct collide_request request = {.items = many, .n_items = 300};
    size_t n = 0;
    for (uint64_t i = 0; i < N; i++)
        submit(client, &request, i);
    for (size_t n_got; n < N; n += n_got) {
        n_got = receive(client, 1000, answers, N);
        assert_true(n_got > 0);
        for (size_t i = 0; i < n_got; i++)
            assert_true(answers[i].cookie == n + i && answers[i].n_results == 300 &&
                        answers[i].scores[299] == 0);
    }
    collide_client_destroy(client);
}

static void nothing_in_flight_is_not_waited_for(void **state)
{
    (void)state;
    struct collide_client *client = client_on(loop_channel_create(1), &plain);
    struct collide_answer answer;
    assert_int_equal(receive(client, UINT32_MAX, &answer, 1), 0);
    assert_int_equal(receive(client, 0, &answer, 1), 0);
    collide_client_destroy(client);
}

static void waiting_ends_when_it_is_told_to(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, &plain);
    struct collide_answer answer;
    loop->delay_ns = 500000;
    submit(client, &(struct collide_request){.items = items, .n_items = 1}, 1);
    assert_int_equal(receive(client, 0, &answer, 1), 0);
    assert_int_equal(receive(client, 100, &answer, 1), 0);
    assert_int_equal(receive(client, 400, &answer, 1), 1);
    assert_in_range(answer.latency_ns, 500000, 500010);
    collide_client_destroy(client);
}

static void a_full_client_is_busy(void **state)
{
    (void)state;
    struct collide_client_options two = plain;
    two.max_in_flight = 2;
    struct collide_client *client = client_on(loop_channel_create(1), &two);
    struct collide_answer answer;
    struct collide_request request = {.items = items, .n_items = 3};
    submit(client, &request, 1);
    submit(client, &request, 2);
    assert_int_equal(collide_client_submit(client, &request, 3, NULL), COLLIDE_BUSY);
    assert_int_equal(collide_client_ask(client, &request, &answer, NULL), COLLIDE_INVALID);
    assert_int_equal(receive(client, 1000, &answer, 1), 1);
    submit(client, &request, 3);
    collide_client_destroy(client);
}

static void a_full_channel_is_busy(void **state)
{
    (void)state;
    struct collide_client_options single = plain;
    single.requests_per_datagram = 1;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, &single);
    struct collide_answer answers[2];
    struct collide_request request = {.items = items, .n_items = 3};
    loop->max_unanswered = 2;
    submit(client, &request, 1);
    submit(client, &request, 2);
    assert_int_equal(collide_client_submit(client, &request, 3, NULL), COLLIDE_BUSY);
    assert_int_equal(receive(client, 1000, answers, 2), 2);
    submit(client, &request, 3);
    collide_client_destroy(client);
}

static void no_more_datagrams_are_unanswered_than_the_channel_allows(void **state)
{
    (void)state;
    struct collide_client_options single = plain;
    single.requests_per_datagram = 1;
    single.n_retries = 1;
    struct loop_channel *loop = loop_channel_create(1);
    loop->channel.max_in_flight = 2;
    struct collide_client *client = client_on(loop, &single);
    struct collide_answer answers[2];
    struct collide_request request = {.items = items, .n_items = 3};
    for (unsigned n_lost = 0; n_lost <= 4; n_lost += 2) { /* at 4 the second askings too */
        loop->n_to_drop = n_lost;
        submit(client, &request, 1);
        submit(client, &request, 2);
        assert_int_equal(collide_client_submit(client, &request, 3, NULL), COLLIDE_BUSY);
        for (size_t n = 0; n < 2;)
            n += receive(client, 10000, answers, 2);
        assert_int_equal(answers[0].code, n_lost < 4 ? COLLIDE_ANSWER_OK : COLLIDE_ANSWER_LOST);
    }
    submit(client, &request, 1);
    collide_client_destroy(client);
}

static void what_cannot_be_asked_is_refused(void **state)
{
    (void)state;
    uint64_t many[400] = {0}, wide[175] = {[0] = (uint64_t)1 << 32};
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, &plain);
    const struct collide_request requests[] = {
        {.flags = 1u << 20, .items = items, .n_items = 1},
        {.flags = COLLIDE_REQUEST_TOPK | COLLIDE_REQUEST_PING, .k = 1},
        {.flags = COLLIDE_REQUEST_TOPK},
        {.flags = COLLIDE_REQUEST_EXCLUDE_SEEN, .items = items, .n_items = 1},
        {.items = many, .n_items = 349},
        {.items = many, .n_items = SIZE_MAX},
        {.items = wide, .n_items = 175},
        {.history = many, .n_history = SIZE_MAX / 4},
        {.flags = COLLIDE_REQUEST_TIMES, .items = many, .n_items = 345},
        {.flags = COLLIDE_REQUEST_TOPK, .k = 176},
        {.flags = COLLIDE_REQUEST_TOPK | COLLIDE_REQUEST_SCORES_F16, .k = 65535},
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct collide_error err = {0};
        assert_int_equal(collide_client_submit(client, &requests[i], 0, &err), COLLIDE_INVALID);
        assert_true(err.status == COLLIDE_INVALID && err.text[0]);
    }
    submit(client, &(struct collide_request){.items = many, .n_items = 348}, 1);
    assert_int_equal(collide_client_flush(client, NULL), COLLIDE_OK);
    assert_int_equal(loop->n_requests, 1);
    collide_client_destroy(client);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    struct collide_client *client;
    struct collide_error err = {0};
    const struct collide_client_options many = {.max_in_flight = UINT32_MAX}, flags = {.flags = 128},
                                        no_url = {.url = NULL}, other = {.url = "http://localhost:80"};
    assert_int_equal(client_create_on(&loop_channel_create(1)->channel, &many, &client, &err),
                     COLLIDE_INVALID);
    assert_int_equal(client_create_on(&loop_channel_create(1)->channel, &flags, &client, &err),
                     COLLIDE_INVALID);
    assert_int_equal(collide_client_create(&no_url, &client, &err), COLLIDE_INVALID);
    assert_int_equal(collide_client_create(&other, &client, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "http://localhost:80"));
    collide_client_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ask_brings_scores),
        cmocka_unit_test(an_ask_reads_the_clock_twice),
        cmocka_unit_test(topk_brings_hits_and_times_and_halves),
        cmocka_unit_test(a_ping_is_answered),
        cmocka_unit_test(every_code_reaches_the_caller),
        cmocka_unit_test(requests_share_a_datagram_until_flushed),
        cmocka_unit_test(a_datagram_with_all_it_may_hold_is_sent_at_once),
        cmocka_unit_test(a_full_datagram_makes_way_for_the_next),
        cmocka_unit_test(requests_whose_answers_would_not_fit_do_not_share),
        cmocka_unit_test(answers_of_one_datagram_can_be_received_one_by_one),
        cmocka_unit_test(more_answers_than_one_call_has_room_for_come_with_the_next),
        cmocka_unit_test(nothing_in_flight_is_not_waited_for),
        cmocka_unit_test(waiting_ends_when_it_is_told_to),
        cmocka_unit_test(a_full_client_is_busy),
        cmocka_unit_test(a_full_channel_is_busy),
        cmocka_unit_test(no_more_datagrams_are_unanswered_than_the_channel_allows),
        cmocka_unit_test(what_cannot_be_asked_is_refused),
        cmocka_unit_test(wrong_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
