/* What a network and a failing server do to a client. */
#include "client/client.h"
#include "client/loop_channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const uint8_t key_bytes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const struct wire_key key = {{0x0706050403020100u, 0x0f0e0d0c0b0a0908u}};
static const uint64_t items[3] = {7, 8, 9};
static const struct collide_request request = {.items = items, .n_items = 3};

/* Time-outs of 1 ms. */
static struct collide_client *client_on(struct loop_channel *loop, uint32_t n_retries, const uint8_t *tag_key)
{
    struct collide_client *client;
    const struct collide_client_options options = {
        .timeout_us = 1000, .n_retries = n_retries, .key = tag_key};
    assert_int_equal(client_create_on(&loop->channel, &options, &client, NULL), COLLIDE_OK);
    return client;
}

static struct collide_answer ask(struct collide_client *client)
{
    struct collide_answer answer;
    struct collide_error err = {0};
    if (collide_client_ask(client, &request, &answer, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return answer;
}

static void a_lost_request_is_asked_again_under_its_id(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, 3, NULL);
    loop->n_to_drop = 2;
    struct collide_answer answer = ask(client);
    assert_int_equal(answer.code, COLLIDE_ANSWER_OK);
    assert_int_equal(answer.n_askings, 3);
    assert_int_equal(loop->n_datagrams, 3);
    assert_true(answer.scores[0] == 3.5f);
    assert_in_range(answer.latency_ns, 2000000, 2000100);
    collide_client_destroy(client);
}

static void it_is_given_up_after_the_last_asking(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, 3, NULL);
    loop->drop_percent = 100;
    struct collide_answer answer = ask(client);
    assert_int_equal(answer.code, COLLIDE_ANSWER_LOST);
    assert_int_equal(answer.n_askings, 4);
    assert_int_equal(loop->n_datagrams, 4);
    assert_int_equal(answer.n_results, 0);
    loop->drop_percent = 0;
    assert_int_equal(ask(client).code, COLLIDE_ANSWER_OK);
    collide_client_destroy(client);
}

static void without_retries_it_is_lost_at_the_time_out(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, 0, NULL);
    loop->n_to_drop = 1;
    struct collide_answer answer = ask(client);
    assert_int_equal(answer.code, COLLIDE_ANSWER_LOST);
    assert_in_range(answer.latency_ns, 1000000, 1000100);
    collide_client_destroy(client);
}

static void a_late_answer_to_the_first_asking_counts_once(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, 1, NULL);
    loop->delay_ns = 1500000;
    struct collide_answer answer = ask(client);
    assert_int_equal(answer.code, COLLIDE_ANSWER_OK);
    assert_int_equal(answer.n_askings, 2);
    assert_in_range(answer.latency_ns, 1500000, 1500100);
    size_t n;
    loop_clock_advance(10000000);
    assert_int_equal(collide_client_receive(client, 0, &answer, 1, &n, NULL), COLLIDE_OK);
    assert_int_equal(n, 0);
    assert_int_equal(loop->n_replies, 0); /* it was taken, and passed over */
    collide_client_destroy(client);
}

static void an_answer_that_is_too_late_is_nobody_elses(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, 0, NULL);
    loop->delay_ns = 1500000;
    assert_int_equal(ask(client).code, COLLIDE_ANSWER_LOST);
    uint64_t first_id = loop->last_id;
    loop->delay_ns = 900000;
    struct collide_answer answer = ask(client); /* the first one's answer comes before its own */
    assert_true(loop->last_id != first_id);
    assert_int_equal(answer.code, COLLIDE_ANSWER_OK);
    assert_in_range(answer.latency_ns, 900000, 900100);
    collide_client_destroy(client);
}

static void late_answers_that_fill_the_channel_make_way(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, 0, NULL);
    loop->delay_ns = 1500000;
    loop->max_unanswered = 1;
    assert_int_equal(ask(client).code, COLLIDE_ANSWER_LOST);
    loop->delay_ns = 0;
    loop_clock_advance(1000000);
    assert_int_equal(ask(client).code, COLLIDE_ANSWER_OK);
    collide_client_destroy(client);
}

static void clients_begin_with_ids_of_their_own(void **state)
{
    (void)state;
    uint64_t ids[3];
    for (int i = 0; i < 3; i++) {
        struct loop_channel *loop = loop_channel_create(1);
        struct collide_client *client = client_on(loop, 0, NULL);
        ask(client);
        ids[i] = loop->last_id;
        collide_client_destroy(client);
    }
    assert_true(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
}

static void an_answer_of_the_wrong_length_is_none(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, 0, NULL);
    loop->n_results_short = 1;
    assert_int_equal(ask(client).code, COLLIDE_ANSWER_LOST);
    struct collide_answer answer;
    assert_int_equal(collide_client_ask(client,
                                        &(struct collide_request){.flags = COLLIDE_REQUEST_TOPK, .k = 4},
                                        &answer, NULL),
                     COLLIDE_OK);
    assert_int_equal(answer.n_results, 3); /* of top-k there may be fewer */
    collide_client_destroy(client);
}

static void a_server_of_another_version_is_told_from_silence(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, 0, NULL);
    loop->speaks_version_2 = true;
    assert_int_equal(ask(client).code, COLLIDE_ANSWER_WRONG_VERSION);
    loop->speaks_version_2 = false;
    assert_int_equal(ask(client).code, COLLIDE_ANSWER_OK);
    loop->n_to_drop = 1;
    assert_int_equal(ask(client).code, COLLIDE_ANSWER_LOST);
    collide_client_destroy(client);
}

static void tags_tell_the_right_server(void **state)
{
    (void)state;
    const struct wire_key other = {{1, 2}};
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, 0, key_bytes);
    loop->key = &key;
    assert_int_equal(ask(client).code, COLLIDE_ANSWER_OK);
    loop->key = &other; /* does not take the request */
    assert_int_equal(ask(client).code, COLLIDE_ANSWER_LOST);
    loop->key = NULL; /* takes it, and does not tag its answer */
    unsigned n_before = loop->n_requests;
    assert_int_equal(ask(client).code, COLLIDE_ANSWER_LOST);
    assert_int_equal(loop->n_requests, n_before + 1);
    collide_client_destroy(client);
}

static void a_server_that_is_gone_is_an_error_and_can_come_back(void **state)
{
    (void)state;
    struct loop_channel *loop = loop_channel_create(1);
    struct collide_client *client = client_on(loop, 2, NULL);
    struct collide_answer answer;
    struct collide_error err = {0};
    size_t n = 99;
    loop->delay_ns = 500;
    assert_int_equal(collide_client_submit(client, &request, 1, NULL), COLLIDE_OK);
    assert_int_equal(collide_client_flush(client, NULL), COLLIDE_OK);
    loop->is_gone = true;
    assert_int_equal(collide_client_receive(client, 100, &answer, 1, &n, &err), COLLIDE_IO);
    assert_string_equal(err.text, "gone");
    assert_int_equal(collide_client_ask(client, &request, &answer, &err), COLLIDE_IO);
    loop->is_gone = false;
    assert_int_equal(ask(client).code, COLLIDE_ANSWER_OK);
    collide_client_destroy(client);
}

/* Every request is answered exactly once, rightly or as lost, whatever happens to datagrams. */
static void a_storm_loses_and_doubles_nothing(void **state)
{
    (void)state;
    enum { N = 20000, MAX_ANSWERS = 64 };
    static uint8_t n_answers[N];
    struct loop_channel *loop = loop_channel_create(7);
    struct collide_client *client = client_on(loop, 2, key_bytes);
    struct collide_answer answers[MAX_ANSWERS];
    struct rng rng = rng_seeded(8, 0);
    uint64_t n_submitted = 0, n_answered = 0, n_lost = 0, n_again = 0;
    loop->key = &key;
    loop->drop_percent = 10;
    loop->duplicate_percent = 20;
    loop->corrupt_percent = 10;
    loop->delay_ns = 100000;
    loop->jitter_ns = 1200000; /* some come later than the time-out */
    while (n_answered < N) {
        for (uint64_t burst = rng_below(&rng, 50); burst && n_submitted < N; burst--) {
            uint64_t ids[2] = {n_submitted, n_submitted + 1};
            struct collide_request pair = {.items = ids, .n_items = 2};
            if (collide_client_submit(client, &pair, n_submitted, NULL) != COLLIDE_OK)
                break;
            n_submitted++;
        }
        size_t n, max = 1 + rng_below(&rng, MAX_ANSWERS);
        assert_int_equal(
            collide_client_receive(client, (uint32_t)rng_below(&rng, 300), answers, max, &n, NULL),
            COLLIDE_OK);
        for (size_t i = 0; i < n; i++) {
            assert_true(answers[i].cookie < n_submitted);
            assert_int_equal(++n_answers[answers[i].cookie], 1);
            n_again += answers[i].n_askings > 1;
            n_lost += answers[i].code == COLLIDE_ANSWER_LOST;
            if (answers[i].code == COLLIDE_ANSWER_LOST)
                continue;
            assert_int_equal(answers[i].code, COLLIDE_ANSWER_OK);
            assert_int_equal(answers[i].n_results, 2);
            assert_true(answers[i].scores[0] == 0.5f * (float)answers[i].cookie);
            assert_true(answers[i].scores[1] == 0.5f * (float)(answers[i].cookie + 1));
        }
        n_answered += n;
    }
    assert_int_equal(n_submitted, N);
    /* A datagram's way there and back fails with about 0.9 * 0.9 * 0.9 -> 0.27, three in a row with 0.02. */
    assert_in_range(n_again, N / 10, N);
    assert_in_range(n_lost, 1, N / 10);
    collide_client_destroy(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_request_is_asked_again_under_its_id),
        cmocka_unit_test(it_is_given_up_after_the_last_asking),
        cmocka_unit_test(without_retries_it_is_lost_at_the_time_out),
        cmocka_unit_test(a_late_answer_to_the_first_asking_counts_once),
        cmocka_unit_test(an_answer_that_is_too_late_is_nobody_elses),
        cmocka_unit_test(late_answers_that_fill_the_channel_make_way),
        cmocka_unit_test(clients_begin_with_ids_of_their_own),
        cmocka_unit_test(an_answer_of_the_wrong_length_is_none),
        cmocka_unit_test(a_server_of_another_version_is_told_from_silence),
        cmocka_unit_test(tags_tell_the_right_server),
        cmocka_unit_test(a_server_that_is_gone_is_an_error_and_can_come_back),
        cmocka_unit_test(a_storm_loses_and_doubles_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
