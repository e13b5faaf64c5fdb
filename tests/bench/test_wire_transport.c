#include "client/client.h"
#include "client/loop_channel.h"
#include "load.h"
#include "wire_requests.h"
#include "wire_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { N_LANES = 16, N_QUERIES = 1000 };

static const struct question question = {
    .n_users = 50, .n_items = 900, .n_candidates = 8, .batch = 1, .seed = 3};

struct setup {
    uint32_t n_retries, requests_per_datagram;
    unsigned request_flags;
};

/* Runs the load over the channel, which is gone afterwards. Returns owned. */
static struct load_stats *run(struct loop_channel *channel, const struct setup *setup,
                              const struct load_settings *settings, uint64_t *n_retries)
{
    const struct collide_client_options options = {.timeout_us = 1000,
                                                   .n_retries = setup->n_retries,
                                                   .max_in_flight = N_LANES,
                                                   .requests_per_datagram = setup->requests_per_datagram};
    struct collide_client *client = NULL;
    struct wire_transport *transport = NULL;
    struct wire_requests requests;
    struct load *load = NULL;
    struct load_stats *stats = calloc(1, sizeof *stats);
    assert_non_null(stats);
    assert_int_equal(client_create_on(&channel->channel, &options, &client, NULL), COLLIDE_OK);
    assert_int_equal(wire_transport_create(client, N_LANES, CHANNEL_SPIN, &transport, NULL), COLLIDE_OK);
    assert_int_equal(wire_requests_random(&question, setup->request_flags, &requests, NULL), COLLIDE_OK);
    assert_int_equal(load_create(settings, wire_transport_of(transport), &load, NULL), COLLIDE_OK);
    struct load_messages messages = {.items = requests.items, .n = requests.n};
    load_run(load, &messages, (struct load_span){.n_queries = N_QUERIES}, stats);
    if (n_retries)
        *n_retries = wire_transport_n_retries(transport);
    load_destroy(load);
    wire_requests_free(&requests);
    wire_transport_destroy(transport);
    return stats;
}

static const struct load_settings closed = {.mode = LOAD_CLOSED};

static void every_request_is_answered_on_its_lane(void **state)
{
    (void)state;
    struct loop_channel *channel = loop_channel_create(1);
    channel->delay_ns = 20000;
    channel->jitter_ns = 30000;
    struct load_stats *s = run(channel, &(struct setup){0}, &closed, NULL);
    assert_int_equal(s->latency_ns.n, N_QUERIES);
    assert_int_equal(load_n_errors(s), 0);
    assert_true(s->latency_ns.min >= 20000);
    free(s);
}

static void an_open_loop_waits_for_what_is_due(void **state)
{
    (void)state;
    const struct load_settings open = {.mode = LOAD_OPEN, .rate = 100000, .overrun_ns = 1000000};
    struct load_stats *s = run(loop_channel_create(1), &(struct setup){0}, &open, NULL);
    assert_int_equal(s->latency_ns.n, N_QUERIES);
    free(s);
}

static void losses_are_errors_of_their_own(void **state)
{
    (void)state;
    struct loop_channel *channel = loop_channel_create(2);
    channel->drop_percent = 10;
    struct load_stats *s = run(channel, &(struct setup){.requests_per_datagram = 1}, &closed, NULL);
    assert_int_equal(s->latency_ns.n + s->errors[LOAD_ERROR_LOST], N_QUERIES);
    assert_int_equal(load_n_errors(s), s->errors[LOAD_ERROR_LOST]);
    /* Either way may lose: 10% to 19% of 1,000; five deviations of 12. */
    assert_in_range(s->errors[LOAD_ERROR_LOST], 40, 250);
    free(s);
}

static void what_is_asked_again_is_no_error_but_counted(void **state)
{
    (void)state;
    struct loop_channel *channel = loop_channel_create(2);
    uint64_t n_retries = 0;
    channel->drop_percent = 10;
    const struct setup setup = {.n_retries = 20, .requests_per_datagram = 1};
    struct load_stats *s = run(channel, &setup, &closed, &n_retries);
    assert_int_equal(s->latency_ns.n, N_QUERIES);
    assert_in_range(n_retries, 40, 500);
    free(s);
}

static void refusals_are_errors_and_no_samples(void **state)
{
    (void)state;
    struct loop_channel *channel = loop_channel_create(3);
    channel->code = WIRE_BUSY;
    struct load_stats *s = run(channel, &(struct setup){0}, &closed, NULL);
    assert_int_equal(s->errors[LOAD_ERROR_CODE], N_QUERIES);
    assert_int_equal(s->latency_ns.n, 0);
    free(s);
}

static void a_server_that_is_gone_ends_all_requests(void **state)
{
    (void)state;
    struct loop_channel *channel = loop_channel_create(4);
    channel->is_gone = true;
    struct load_stats *s = run(channel, &(struct setup){0}, &closed, NULL);
    assert_int_equal(s->errors[LOAD_ERROR_CONNECTION], N_QUERIES);
    free(s);
}

static void the_servers_times_are_kept_where_asked_for(void **state)
{
    (void)state;
    struct load_stats *s = run(loop_channel_create(6), &(struct setup){0}, &closed, NULL);
    assert_int_equal(s->stages[STAGE_WAIT_NS].n, 0);
    free(s);
    s = run(loop_channel_create(6), &(struct setup){.request_flags = COLLIDE_REQUEST_TIMES}, &closed, NULL);
    const uint64_t told[N_STAGES] = {2, 3, 4, 5}; /* as the channel's server does */
    for (int stage = 0; stage < N_STAGES; stage++) {
        assert_int_equal(s->stages[stage].n, N_QUERIES);
        assert_int_equal(s->stages[stage].min, told[stage]);
        assert_int_equal(s->stages[stage].max, told[stage]);
    }
    free(s);
}

static void a_channel_with_little_room_is_waited_for(void **state)
{
    (void)state;
    struct loop_channel *channel = loop_channel_create(5);
    channel->max_unanswered = 3;
    struct load_stats *s = run(channel, &(struct setup){.requests_per_datagram = 1}, &closed, NULL);
    assert_int_equal(s->latency_ns.n, N_QUERIES);
    assert_int_equal(load_n_errors(s), 0);
    free(s);
}

static void a_request_that_no_datagram_holds_has_failed(void **state)
{
    (void)state;
    struct wire_requests requests;
    struct question large = question;
    size_t n_bytes = 0;
    assert_int_equal(wire_requests_random(&large, 0, &requests, NULL), COLLIDE_OK);
    assert_int_equal(wire_requests_datagram_bytes(&requests, &n_bytes, NULL), COLLIDE_OK);
    assert_int_equal(n_bytes, WIRE_HEADER_BYTES + WIRE_REQUEST_BYTES + 8 * 4);
    wire_requests_free(&requests);
    large.n_candidates = 1000;
    assert_int_equal(wire_requests_random(&large, 0, &requests, NULL), COLLIDE_OK);
    assert_int_equal(wire_requests_datagram_bytes(&requests, &n_bytes, NULL), COLLIDE_INVALID);
    wire_requests_free(&requests);
}

/* The client's clock stands still meanwhile: the system's tells. */
static void with_nothing_in_flight_a_sleeper_sleeps(void **state)
{
    (void)state;
    enum { WAIT_MS = 20 };
    struct collide_client *client = NULL;
    struct wire_transport *transport = NULL;
    const struct completion *done;
    struct timespec begin, end;
    struct loop_channel *channel = loop_channel_create(7);
    assert_int_equal(client_create_on(&channel->channel, &(struct collide_client_options){0}, &client, NULL),
                     COLLIDE_OK);
    assert_int_equal(wire_transport_create(client, N_LANES, CHANNEL_SLEEP, &transport, NULL), COLLIDE_OK);
    struct transport t = wire_transport_of(transport);
    uint64_t until_ns = t.ops->now_ns(t.self) + WAIT_MS * UINT64_C(1000000);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    assert_int_equal(t.ops->poll(t.self, until_ns, &done), 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    int64_t slept_ns = (end.tv_sec - begin.tv_sec) * INT64_C(1000000000) + end.tv_nsec - begin.tv_nsec;
    assert_true(slept_ns >= (WAIT_MS - 1) * INT64_C(1000000));
    wire_transport_destroy(transport);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_is_answered_on_its_lane),
        cmocka_unit_test(an_open_loop_waits_for_what_is_due),
        cmocka_unit_test(losses_are_errors_of_their_own),
        cmocka_unit_test(what_is_asked_again_is_no_error_but_counted),
        cmocka_unit_test(refusals_are_errors_and_no_samples),
        cmocka_unit_test(a_server_that_is_gone_ends_all_requests),
        cmocka_unit_test(the_servers_times_are_kept_where_asked_for),
        cmocka_unit_test(a_channel_with_little_room_is_waited_for),
        cmocka_unit_test(a_request_that_no_datagram_holds_has_failed),
        cmocka_unit_test(with_nothing_in_flight_a_sleeper_sleeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
