/* Random requests whose right answers are known, from the library on the same model; and asking them through
 * a client, with every answer checked. */
#ifndef TESTS_NET_QUIZ_H
#define TESTS_NET_QUIZ_H

#include "collide/client.h"
#include "support/test_service.h"

#include <pthread.h>
#include <stdatomic.h>

enum { QUIZ_QUESTIONS = 400, QUIZ_MAX_IDS = 24 };

struct quiz_question {
    struct collide_request request;
    uint64_t history[QUIZ_MAX_IDS], items[QUIZ_MAX_IDS];
    float scores[QUIZ_MAX_IDS]; /* (request.n_items) */
};

struct quiz {
    struct quiz_question questions[QUIZ_QUESTIONS];
};

/* Of test_service_model. Uses t's lane, not its service. */
void quiz_draw(const struct test_service *t, uint64_t seed, struct quiz *out);

/* What became of the questions asked so far: each is answered once, or wrong says why not. */
struct quiz_report {
    uint64_t n_asked;
    uint64_t n_right, n_lost, n_busy; /* n_busy: COLLIDE_ANSWER_BUSY */
    uint64_t n_askings;               /* of those that were right */
    struct collide_error wrong;       /* the first thing that was; no text: nothing */
};

/* Asks all questions once, so many at a time, and waits for their answers. Any thread. False: see
 * report->wrong.text. */
bool quiz_ask(const struct quiz *q, struct collide_client *client, size_t n_in_flight,
              struct quiz_report *report);

/* The same, and fails the test if anything is wrong. */
void quiz_ask_well(const struct quiz *q, struct collide_client *client, size_t n_in_flight,
                   struct quiz_report *report);

/* Asks all the while, in a thread of its own. */
struct quiz_load {
    const struct quiz *quiz;
    struct collide_client *client;
    size_t n_in_flight;
    struct quiz_report report; /* of the thread until the stop */
    atomic_uint_least64_t n_rounds;
    atomic_bool is_to_stop;
    pthread_t thread;
};

void quiz_load_start(struct quiz_load *load);

/* Until as many rounds more have ended as would have begun after the call. */
void quiz_load_await_rounds(struct quiz_load *load, uint64_t n_rounds);

/* Fails the test if anything is wrong. */
void quiz_load_stop(struct quiz_load *load);

#endif
