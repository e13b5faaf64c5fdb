/* Datagrams that a network loses, doubles, delays and breaks: with retries every request is answered, once
 * and right; without, what was lost is lost and nothing else. */
#include "transport_fixture.h"

#include "net/quiz.h"
#include "net/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t key_bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const struct wire_key key = {{0x0807060504030201, 0x100f0e0d0c0b0a09}};

/* Past AF_XDP, and past the kernel's sockets. */
static const char *const urls[] = {"udp://10.77.0.1:9000", "udp://[fd77::1]:9000", "udp://10.77.0.1:9001",
                                   "udp://[fd77::1]:9001"};
enum { N_URLS = sizeof urls / sizeof *urls, N_IN_FLIGHT = 200, MAX_TRIES = 4 };

/* Chances are such that all of a request's askings are lost once in 10^14. */
static const struct collide_client_options patient = {.timeout_us = 20000, .n_retries = 80};

/* Longer than any answer takes, unless the machine stands still; then another try tells. One request a
 * datagram, so that frames are requests. */
static const struct collide_client_options single = {.timeout_us = 1000000, .requests_per_datagram = 1};

struct setting {
    struct transport_server server;
    struct quiz quiz;
};

static int setup(void **state, const struct wire_key *with_key)
{
    static struct setting s;
    transport_server_start(
        &(struct transport_server_options){.spec = &test_service_model, .n_queues = 1, .key = with_key},
        &s.server);
    quiz_draw(&s.server.service, 1, &s.quiz);
    *state = &s;
    return 0;
}

static int setup_plain(void **state)
{
    return setup(state, NULL);
}

static int setup_keyed(void **state)
{
    return setup(state, &key);
}

static int teardown(void **state)
{
    transport_server_stop(&((struct setting *)*state)->server);
    return 0;
}

static struct collide_client *connect_to(const char *url, const struct collide_client_options *options)
{
    struct collide_client_options to = *options;
    struct collide_client *client = NULL;
    struct collide_error err = {0};
    to.url = url;
    if (collide_client_create(&to, &client, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return client;
}

/* Asks through the relay. */
static void ask_through(const struct setting *s, const char *url, const struct relay_faults *faults,
                        const struct collide_client_options *options, struct relay_counts *counts,
                        struct quiz_report *report)
{
    static struct relay relay;
    *report = (struct quiz_report){0};
    relay_create(&s->server.veth, faults, &relay);
    relay_enter(&relay);
    struct collide_client *client = connect_to(url, options);
    veth_enter(&s->server.veth, VETH_FAR);
    quiz_ask_well(&s->quiz, client, N_IN_FLIGHT, report);
    collide_client_destroy(client);
    relay_destroy(&relay);
    *counts = relay.counts;
    assert_true(counts->n_frames > 0);
}

static void with_retries_every_request_is_answered_once_and_right(void **state)
{
    static const struct relay_faults faults = {.loss = 20, .doubling = 20, .delay = 20, .seed = 1};
    struct relay_counts counts;
    struct quiz_report report;
    for (size_t u = 0; u < N_URLS; u++) {
        ask_through(*state, urls[u], &faults, &patient, &counts, &report);
        assert_int_equal(report.n_right, QUIZ_QUESTIONS);
        assert_true(report.n_askings > QUIZ_QUESTIONS);
        assert_true(counts.n_lost > 0 && counts.n_doubled > 0 && counts.n_delayed > 0);
    }
    transport_server_check_frames();
}

static void without_retries_what_was_lost_is_lost_and_nothing_else(void **state)
{
    static const struct relay_faults faults = {.loss = 20, .seed = 2};
    struct relay_counts counts;
    struct quiz_report report;
    for (size_t u = 0; u < N_URLS; u++) {
        unsigned n_tries = 0;
        do {
            ask_through(*state, urls[u], &faults, &single, &counts, &report);
            assert_int_equal(report.n_right, QUIZ_QUESTIONS - report.n_lost);
            assert_true(counts.n_lost > 0 && report.n_lost >= counts.n_lost);
        } while (report.n_lost > counts.n_lost && ++n_tries < MAX_TRIES);
        assert_int_equal(report.n_lost, counts.n_lost);
    }
    transport_server_check_frames();
}

static void what_comes_twice_or_late_is_answered_once_without_retries(void **state)
{
    static const struct relay_faults faults = {.doubling = 30, .delay = 30, .seed = 3};
    struct relay_counts counts;
    struct quiz_report report;
    for (size_t u = 0; u < N_URLS; u++) {
        unsigned n_tries = 0;
        do
            ask_through(*state, urls[u], &faults, &single, &counts, &report);
        while (report.n_right < QUIZ_QUESTIONS && ++n_tries < MAX_TRIES);
        assert_int_equal(report.n_right, QUIZ_QUESTIONS);
        assert_true(counts.n_doubled > 0 && counts.n_delayed > 0);
    }
    transport_server_check_frames();
}

static void a_broken_bit_never_makes_a_wrong_answer(void **state)
{
    static const struct relay_faults faults = {.damage = 40, .kind_of_damage = DAMAGE_BIT, .seed = 4};
    struct relay_counts counts;
    struct quiz_report report;
    uint64_t n_malformed = transport_server_count("dropped_malformed");
    for (size_t u = 0; u < N_URLS; u++) {
        ask_through(*state, urls[u], &faults, &patient, &counts, &report);
        assert_int_equal(report.n_right, QUIZ_QUESTIONS);
        assert_true(counts.n_damaged > 0 && report.n_askings > QUIZ_QUESTIONS);
    }
    assert_true(transport_server_count("dropped_malformed") > n_malformed);
    transport_server_check_frames();
}

/* Where no checksum tells. */
static void with_a_key_forged_bytes_never_make_a_wrong_answer(void **state)
{
    static const struct relay_faults faults = {.damage = 40, .kind_of_damage = DAMAGE_FORGED, .seed = 5};
    struct collide_client_options keyed = patient;
    struct relay_counts counts;
    struct quiz_report report;
    keyed.key = key_bytes;
    for (size_t u = 0; u < N_URLS; u++) {
        uint64_t n_bad_tags = transport_server_count("bad_tag");
        ask_through(*state, urls[u], &faults, &keyed, &counts, &report);
        assert_int_equal(report.n_right, QUIZ_QUESTIONS);
        assert_true(counts.n_damaged > 0 && report.n_askings > QUIZ_QUESTIONS);
        assert_true(transport_server_count("bad_tag") > n_bad_tags);
    }
    transport_server_check_frames();
}

/* Of requests only: AF_XDP's answers pass no queueing discipline. */
static void the_faults_of_netem_are_survived(void **state)
{
    struct setting *s = *state;
    struct quiz_report report;
    if (veth_run(&s->server.veth, VETH_FAR,
                 "tc qdisc add dev " VETH_INTERFACE " root netem delay 2ms reorder 25%% loss 10%% "
                 "duplicate 10%% corrupt 5%% 2>/dev/null") != 0) {
        print_message("skipped: this kernel has no netem (sch_netem)\n");
        skip();
    }
    for (size_t u = 0; u < N_URLS; u++) {
        struct collide_client *client = connect_to(urls[u], &patient);
        report = (struct quiz_report){0};
        quiz_ask_well(&s->quiz, client, N_IN_FLIGHT, &report);
        assert_int_equal(report.n_right, QUIZ_QUESTIONS);
        assert_true(report.n_askings > QUIZ_QUESTIONS);
        collide_client_destroy(client);
    }
    assert_int_equal(veth_run(&s->server.veth, VETH_FAR, "tc qdisc del dev " VETH_INTERFACE " root"), 0);
    transport_server_check_frames();
}

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(with_retries_every_request_is_answered_once_and_right),
        cmocka_unit_test(without_retries_what_was_lost_is_lost_and_nothing_else),
        cmocka_unit_test(what_comes_twice_or_late_is_answered_once_without_retries),
        cmocka_unit_test(a_broken_bit_never_makes_a_wrong_answer),
        cmocka_unit_test(the_faults_of_netem_are_survived),
    };
    const struct CMUnitTest keyed[] = {
        cmocka_unit_test(with_a_key_forged_bytes_never_make_a_wrong_answer),
    };
    veth_require();
    if (!test_service_has_device())
        return TEST_SKIPPED;
    int n_failed = cmocka_run_group_tests(plain, setup_plain, teardown);
    return n_failed + cmocka_run_group_tests(keyed, setup_keyed, teardown);
}
