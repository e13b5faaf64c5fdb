/* A real server on a free port of this process, and a client that speaks to it over plain sockets. */
#ifndef TESTS_HTTP_FIXTURE_H
#define TESTS_HTTP_FIXTURE_H

#include "http/server.h"
#include "support/test_service.h"

#include <stdbool.h>

struct test_server {
    struct test_service service;
    struct http_server *http; /* NULL once stopped */
    struct loader *loader;    /* for loader_start */
    unsigned short port;
};

enum { TEST_MAX_BODY = 10000 };

/* Zero means: 2 threads, 100 connections, a minute of idleness, half of one for a request, no limit of a
 * queue, the model of test_service.h, the best device. */
struct test_server_options {
    unsigned n_threads;
    unsigned max_connections;
    unsigned idle_timeout_s, request_timeout_s;
    unsigned max_queue_us;
    size_t max_body_bytes; /* 0: TEST_MAX_BODY */
    bool is_loading;       /* no model: test_service_load it later */
    const struct random_model *model;
    struct gate gate;
    struct collide_scorer_options scorer; /* cache_dir is not used */
};

void test_server_start(const struct test_server_options *options, struct test_server *out);
void test_server_stop(struct test_server *s);

/* A connection, and what has come over it but was not read yet. */
struct client {
    int fd;
    size_t n_bytes;
    char bytes[1 << 16];
};

void client_connect(const struct test_server *s, struct client *out);
void client_close(struct client *c);

/* Sends; fails the test when it cannot. */
void client_send(struct client *c, const char *text, size_t n);
void client_send_text(struct client *c, const char *text);

struct response_text {
    unsigned status;
    char headers[2048]; /* with the status line */
    char body[1 << 16];
    size_t n_body;
};

enum body_presence { BODY_FOLLOWS, BODY_LEFT_OUT }; /* left out: the answer to HEAD */

/* Reads one response off the connection. False: it ended, was reset or nothing came for 10 s. */
bool client_receive(struct client *c, enum body_presence body, struct response_text *out);

/* Whether the server closes the connection before anything more comes. */
bool client_sees_close(struct client *c);

/* Sends a request with a JSON body (NULL: none) and receives its response. */
void client_ask(struct client *c, const char *method, const char *path, const char *body,
                struct response_text *out);

/* The same over a connection of its own. */
void ask_once(const struct test_server *s, const char *method, const char *path, const char *body,
              struct response_text *out);

/* The value of a header, NULL: there is none. Valid until the thread asks again. */
const char *header_of(const struct response_text *r, const char *name);

/* Checks the status, and that the body is an error with this code. */
void assert_error(const struct response_text *r, unsigned status, const char *code);

/* Asks for made-up scores and checks each against the truth. */
void check_scoring(const struct test_server *s, struct client *c, uint64_t seed);

/* For main. */
#define RUN_SERVER_TESTS(tests)                                                                              \
    (test_service_has_device() ? cmocka_run_group_tests(tests, server_setup, server_teardown) : TEST_SKIPPED)
int server_setup(void **state); /* *state: a struct test_server with the default options */
int server_teardown(void **state);

#endif
