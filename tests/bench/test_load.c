#include "load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* A transport in simulated time: each answer takes service_ns, but none is given during the stall. Time moves
 * only in poll. */
enum { N_LANES = 4 };

static const uint64_t US = 1000, MS = 1000000, SECOND = 1000000000;

struct fake {
    uint64_t now_ns;
    uint64_t service_ns;
    uint64_t stall_begin_ns, stall_end_ns;
    uint64_t n_sent;
    uint64_t refuse_each; /* every so many-th request is answered with 500; 0: none */
    enum outcome outcome; /* of all requests */
    struct {
        uint64_t ready_ns; /* UINT64_MAX: idle */
        int code;
    } lanes[N_LANES];
    struct completion done[N_LANES];
};

static uint64_t fake_now_ns(void *self)
{
    return ((struct fake *)self)->now_ns;
}

static void fake_send(void *self, unsigned lane, const struct message *message)
{
    struct fake *f = self;
    assert_non_null(message->bytes);
    assert_true(f->lanes[lane].ready_ns == UINT64_MAX);
    uint64_t ready_ns = f->now_ns + f->service_ns;
    if (ready_ns >= f->stall_begin_ns && ready_ns < f->stall_end_ns)
        ready_ns = f->stall_end_ns;
    f->lanes[lane].ready_ns = ready_ns;
    f->n_sent++;
    f->lanes[lane].code = f->refuse_each && f->n_sent % f->refuse_each == 0 ? 500 : 200;
}

static size_t fake_poll(void *self, uint64_t until_ns, const struct completion **done)
{
    struct fake *f = self;
    uint64_t next_ns = until_ns;
    for (unsigned i = 0; i < N_LANES; i++)
        if (f->lanes[i].ready_ns < next_ns)
            next_ns = f->lanes[i].ready_ns;
    assert_true(next_ns != UINT64_MAX);
    if (next_ns > f->now_ns)
        f->now_ns = next_ns;
    size_t n = 0;
    for (unsigned i = 0; i < N_LANES; i++) {
        if (f->lanes[i].ready_ns > f->now_ns)
            continue;
        f->done[n++] = (struct completion){
            .lane = i, .outcome = f->outcome, .code = f->lanes[i].code, .at_ns = f->lanes[i].ready_ns};
        f->lanes[i].ready_ns = UINT64_MAX;
    }
    *done = f->done;
    return n;
}

static struct fake make_fake(uint64_t service_ns)
{
    struct fake f = {.now_ns = 17 * SECOND, .service_ns = service_ns};
    for (unsigned i = 0; i < N_LANES; i++)
        f.lanes[i].ready_ns = UINT64_MAX;
    return f;
}

/* The stall, in times since the load's start. */
static void stall(struct fake *f, uint64_t begin_ns, uint64_t end_ns)
{
    f->stall_begin_ns = f->now_ns + begin_ns;
    f->stall_end_ns = f->now_ns + end_ns;
}

static struct load_stats *run(struct fake *f, const struct load_settings *settings, uint64_t duration_ns)
{
    static const struct transport_ops ops = {.now_ns = fake_now_ns, .send = fake_send, .poll = fake_poll};
    static const struct message items[] = {{"a", 1}, {"b", 1}};
    struct load_messages messages = {.items = items, .n = 2, .expected_code = 200};
    struct load *load = NULL;
    struct load_stats *stats = calloc(1, sizeof *stats);
    assert_non_null(stats);
    assert_int_equal(load_create(settings, (struct transport){&ops, f, N_LANES}, &load, NULL), COLLIDE_OK);
    load_run(load, &messages, duration_ns, stats);
    load_destroy(load);
    return stats;
}

static uint64_t count_from(const struct histogram *h, uint64_t value)
{
    struct histogram *below = calloc(1, sizeof *below);
    assert_non_null(below);
    histogram_record(below, value);
    uint64_t n = 0, bucket = 0;
    while (below->counts[bucket] == 0)
        bucket++;
    for (; bucket < HISTOGRAM_N_BUCKETS; bucket++)
        n += h->counts[bucket];
    free(below);
    return n;
}

/* 1,000 requests, one each millisecond; answers stall from 0.5 s to 0.6 s. The request due at 0.5 s + i ms
 * waits for 100 - i ms if a lane was free, and no less if none was: all that are due during the stall are
 * slow, not just the four that were sent. */
static void an_open_loop_charges_a_stall_to_all_requests_due_during_it(void **state)
{
    (void)state;
    struct fake f = make_fake(10 * US);
    stall(&f, 500 * MS, 600 * MS);
    struct load_settings settings = {.mode = LOAD_OPEN, .rate = 1000, .overrun_ns = SECOND};
    struct load_stats *s = run(&f, &settings, SECOND);
    assert_int_equal(s->latency_ns.n, 1000);
    assert_int_equal(s->latency_ns.max, 100 * MS);
    assert_int_equal(count_from(&s->latency_ns, 900 * US), 100);
    assert_int_equal(s->latency_ns.min, 10 * US);
    assert_int_equal(load_n_errors(s), 0);
    /* The mean: 900 fast ones and 1 to 100 ms, plus the draining of the backlog, 25 rounds of 10 us at most.
     */
    double least = (900 * 0.01 + 5050) / 1000, mean = histogram_mean(&s->latency_ns) / 1e6;
    assert_true(mean >= least - 0.001 && mean <= least + 0.1 * 0.25 + 0.001);
    free(s);
}

static void a_closed_loop_sees_the_stall_once_per_lane(void **state)
{
    (void)state;
    struct fake f = make_fake(1 * MS);
    stall(&f, 500 * MS, 600 * MS);
    struct load_settings settings = {.mode = LOAD_CLOSED};
    struct load_stats *s = run(&f, &settings, SECOND);
    assert_int_equal(count_from(&s->latency_ns, 2 * MS), N_LANES);
    /* 499 rounds before the stall, one that lasts through it, and 400 after. */
    assert_int_equal(s->latency_ns.n, 900 * N_LANES);
    assert_int_equal(s->elapsed_ns, SECOND);
    free(s);
}

/* Four lanes of 10 ms answer 400 requests a second. Of 1,000 due in the second, those that find no lane until
 * half a second after its end are given up, and counted. */
static void what_cannot_be_sent_in_time_is_counted_as_unsent(void **state)
{
    (void)state;
    struct fake f = make_fake(10 * MS);
    struct load_settings settings = {.mode = LOAD_OPEN, .rate = 1000, .overrun_ns = SECOND / 2};
    struct load_stats *s = run(&f, &settings, SECOND);
    assert_int_equal(s->latency_ns.n + s->errors[LOAD_ERROR_UNSENT], 1000);
    assert_in_range(s->latency_ns.n, 600 - N_LANES, 600 + 2 * N_LANES);
    assert_int_equal(s->latency_ns.n, f.n_sent);
    free(s);
}

static void poisson_arrivals_offer_the_rate(void **state)
{
    (void)state;
    struct fake f = make_fake(1 * US);
    struct load_settings settings = {
        .mode = LOAD_OPEN, .arrivals = ARRIVALS_POISSON, .rate = 10000, .seed = 3, .overrun_ns = SECOND};
    struct load_stats *s = run(&f, &settings, SECOND);
    /* A Poisson count of mean 10,000 has standard deviation 100. */
    assert_in_range(s->latency_ns.n, 9500, 10500);
    free(s);
}

static void unexpected_answers_are_errors_and_not_samples(void **state)
{
    (void)state;
    struct fake f = make_fake(1 * MS);
    f.refuse_each = 10;
    struct load_settings settings = {.mode = LOAD_CLOSED};
    struct load_stats *s = run(&f, &settings, SECOND);
    assert_int_equal(f.n_sent, 4000);
    assert_int_equal(s->errors[LOAD_ERROR_CODE], 400);
    assert_int_equal(s->latency_ns.n, 3600);
    free(s);
}

static void failures_are_counted_by_kind(void **state)
{
    (void)state;
    const enum load_error errors[] = {[OUTCOME_CONNECTION] = LOAD_ERROR_CONNECTION,
                                      [OUTCOME_TIMEOUT] = LOAD_ERROR_TIMEOUT,
                                      [OUTCOME_MALFORMED] = LOAD_ERROR_MALFORMED};
    for (int outcome = OUTCOME_CONNECTION; outcome <= OUTCOME_MALFORMED; outcome++) {
        struct fake f = make_fake(1 * MS);
        f.outcome = (enum outcome)outcome;
        struct load_settings settings = {.mode = LOAD_OPEN, .rate = 100};
        struct load_stats *s = run(&f, &settings, SECOND);
        assert_int_equal(s->errors[errors[outcome]], 100);
        assert_int_equal(load_n_errors(s), 100);
        assert_int_equal(s->latency_ns.n, 0);
        free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_loop_charges_a_stall_to_all_requests_due_during_it),
        cmocka_unit_test(a_closed_loop_sees_the_stall_once_per_lane),
        cmocka_unit_test(what_cannot_be_sent_in_time_is_counted_as_unsent),
        cmocka_unit_test(poisson_arrivals_offer_the_rate),
        cmocka_unit_test(unexpected_answers_are_errors_and_not_samples),
        cmocka_unit_test(failures_are_counted_by_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
