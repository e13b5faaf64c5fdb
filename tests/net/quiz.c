#include "net/quiz.h"

#include "base/error.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_AT_ONCE = 64, WAIT_US = 100000, POLL_US = 1000, N_POLLS = 30000 };

static void draw(struct rng *rng, struct quiz_question *out)
{
    *out = (struct quiz_question){.request = {.history = out->history, .items = out->items}};
    struct collide_request *r = &out->request;
    r->n_items = 1 + rng_below(rng, QUIZ_MAX_IDS);
    r->n_history = rng_below(rng, QUIZ_MAX_IDS);
    r->user = rng_below(rng, test_service_model.n_users);
    r->flags = rng_below(rng, 2) || r->n_history == 0 ? COLLIDE_REQUEST_HAS_USER : 0;
    for (size_t i = 0; i < QUIZ_MAX_IDS; i++) {
        out->items[i] = rng_below(rng, test_service_model.n_items);
        out->history[i] = rng_below(rng, test_service_model.n_items);
    }
}

static void answer(const struct test_service *t, struct quiz_question *q)
{
    struct collide_error err = {0};
    struct collide_id user = collide_id_number(q->request.user), history[QUIZ_MAX_IDS], items[QUIZ_MAX_IDS];
    for (size_t i = 0; i < QUIZ_MAX_IDS; i++) {
        history[i] = collide_id_number(q->history[i]);
        items[i] = collide_id_number(q->items[i]);
    }
    const struct collide_query query = {.user = q->request.flags & COLLIDE_REQUEST_HAS_USER ? &user : NULL,
                                        .history = history,
                                        .n_history = q->request.n_history,
                                        .items = items,
                                        .n_items = q->request.n_items};
    if (collide_score(t->lane, &query, 1, q->scores, NULL, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

void quiz_draw(const struct test_service *t, uint64_t seed, struct quiz *out)
{
    struct rng rng = rng_seeded(seed, 21);
    for (size_t i = 0; i < QUIZ_QUESTIONS; i++) {
        draw(&rng, &out->questions[i]);
        answer(t, &out->questions[i]);
    }
}

/* One round of a quiz. Cookies go on from round to round, so that a late answer is told from a new one. */
struct round {
    const struct quiz *quiz;
    struct quiz_report *report;
    uint64_t first_cookie;
    size_t n_submitted, n_answered;
    bool is_answered[QUIZ_QUESTIONS];
};

static bool is_right(const struct quiz_question *q, const struct collide_answer *a)
{
    return a->n_results == q->request.n_items && a->n_unknown == 0 &&
           memcmp(a->scores, q->scores, a->n_results * sizeof *a->scores) == 0;
}

static void check(struct round *r, const struct collide_answer *a)
{
    struct quiz_report *report = r->report;
    uint64_t i = a->cookie - r->first_cookie;
    r->n_answered++;
    if (i >= r->n_submitted || r->is_answered[i]) {
        error_set(&report->wrong, COLLIDE_IO, "an answer too many");
        return;
    }
    r->is_answered[i] = true;
    if (a->code == COLLIDE_ANSWER_LOST)
        report->n_lost++;
    else if (a->code == COLLIDE_ANSWER_BUSY)
        report->n_busy++;
    else if (a->code == COLLIDE_ANSWER_OK && is_right(&r->quiz->questions[i], a))
        report->n_right++;
    else
        error_set(&report->wrong, COLLIDE_IO, "question %zu: %s, and not what the library says", (size_t)i,
                  collide_answer_name(a->code));
    report->n_askings += a->code == COLLIDE_ANSWER_OK ? a->n_askings : 0;
}

static void submit_up_to(struct round *r, struct collide_client *client, size_t n_in_flight)
{
    struct collide_error err;
    while (r->n_submitted < QUIZ_QUESTIONS && r->n_submitted < r->n_answered + n_in_flight) {
        const struct collide_request *request = &r->quiz->questions[r->n_submitted].request;
        enum collide_status status =
            collide_client_submit(client, request, r->first_cookie + r->n_submitted, &err);
        if (status != COLLIDE_OK && status != COLLIDE_BUSY)
            r->report->wrong = err;
        if (status != COLLIDE_OK)
            return;
        r->n_submitted++;
    }
}

bool quiz_ask(const struct quiz *q, struct collide_client *client, size_t n_in_flight,
              struct quiz_report *report)
{
    struct round r = {.quiz = q, .report = report, .first_cookie = report->n_asked};
    struct collide_answer answers[N_AT_ONCE];
    while (r.n_answered < QUIZ_QUESTIONS && !report->wrong.text[0]) {
        size_t n = 0;
        submit_up_to(&r, client, n_in_flight);
        (void)collide_client_receive(client, WAIT_US, answers, N_AT_ONCE, &n, &report->wrong);
        for (size_t i = 0; i < n; i++)
            check(&r, &answers[i]);
    }
    report->n_asked += r.n_submitted;
    return !report->wrong.text[0];
}

void quiz_ask_well(const struct quiz *q, struct collide_client *client, size_t n_in_flight,
                   struct quiz_report *report)
{
    if (!quiz_ask(q, client, n_in_flight, report))
        fail_msg("%s", report->wrong.text);
}

static void *load_run(void *context)
{
    struct quiz_load *l = context;
    while (!atomic_load(&l->is_to_stop) && quiz_ask(l->quiz, l->client, l->n_in_flight, &l->report))
        atomic_fetch_add(&l->n_rounds, 1);
    atomic_store(&l->is_to_stop, true);
    return NULL;
}

void quiz_load_start(struct quiz_load *l)
{
    assert_int_equal(pthread_create(&l->thread, NULL, load_run, l), 0);
}

void quiz_load_await_rounds(struct quiz_load *l, uint64_t n_rounds)
{
    uint64_t goal = atomic_load(&l->n_rounds) + n_rounds + 1;
    for (int i = 0; i < N_POLLS && atomic_load(&l->n_rounds) < goal && !atomic_load(&l->is_to_stop); i++)
        usleep(POLL_US);
    assert_true(atomic_load(&l->n_rounds) >= goal || atomic_load(&l->is_to_stop));
}

void quiz_load_stop(struct quiz_load *l)
{
    atomic_store(&l->is_to_stop, true);
    pthread_join(l->thread, NULL);
    if (l->report.wrong.text[0])
        fail_msg("%s", l->report.wrong.text);
}
