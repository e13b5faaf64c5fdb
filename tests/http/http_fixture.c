#include "http/http_fixture.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000, N_CANDIDATES = 20 };

static void ignore_start(void *context, const struct collide_error *err)
{
    (void)context;
    (void)err;
}

void test_server_start(const struct test_server_options *options, struct test_server *out)
{
    struct collide_error err = {0};
    struct listener listener;
    struct http_options http = {
        .listener = &listener,
        .gate = options->gate,
        .n_threads = options->n_threads ? options->n_threads : 2,
        .max_body_bytes = options->max_body_bytes ? options->max_body_bytes : TEST_MAX_BODY,
        .max_connections = options->max_connections ? options->max_connections : 100,
        .poll = POLL_SLEEP,
        .request_timeout_s = options->request_timeout_s ? options->request_timeout_s : 30,
        .max_queue_us = options->max_queue_us ? options->max_queue_us : 10000000,
        .idle_timeout_s = options->idle_timeout_s ? options->idle_timeout_s : 60,
    };
    signal(SIGPIPE, SIG_IGN);
    if (listener_open("127.0.0.1:0", &listener, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    test_service_create_on(options->model ? options->model : &test_service_model, &options->scorer,
                           options->n_threads ? options->n_threads : 2, &out->service);
    if (!options->is_loading)
        test_service_load(&out->service);
    const struct loader_options loading = {.service = out->service.service, .started = ignore_start};
    if (loader_create(&loading, &out->loader, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    http.loader = out->loader;
    if (http_server_create(out->service.service, &http, &out->http, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    out->port = (unsigned short)atoi(strrchr(http_server_url(out->http), ':') + 1);
}

void test_server_stop(struct test_server *s)
{
    service_drain(s->service.service);
    loader_stop(s->loader);
    http_server_destroy(s->http, 5);
    loader_destroy(s->loader);
    test_service_destroy(&s->service);
}

void client_connect(const struct test_server *s, struct client *out)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(s->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    out->n_bytes = 0;
    out->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(out->fd >= 0);
    assert_int_equal(connect(out->fd, (struct sockaddr *)&to, sizeof to), 0);
    int one = 1; /* requests are sent piece by piece, and pieces must not wait for one another */
    assert_int_equal(setsockopt(out->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), 0);
}

void client_close(struct client *c)
{
    close(c->fd);
    c->fd = -1;
}

void client_send(struct client *c, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = send(c->fd, text, n, MSG_NOSIGNAL);
        assert_true(done > 0);
        text += done;
        n -= (size_t)done;
    }
}

void client_send_text(struct client *c, const char *text)
{
    client_send(c, text, strlen(text));
}

/* Takes in what comes next. False: nothing came. */
static bool receive_more(struct client *c)
{
    struct pollfd readable = {.fd = c->fd, .events = POLLIN};
    if (poll(&readable, 1, PATIENCE_MS) != 1 || c->n_bytes + 1 >= sizeof c->bytes)
        return false;
    ssize_t n = recv(c->fd, c->bytes + c->n_bytes, sizeof c->bytes - 1 - c->n_bytes, 0);
    if (n <= 0)
        return false;
    c->n_bytes += (size_t)n;
    c->bytes[c->n_bytes] = '\0';
    return true;
}

static void forget(struct client *c, size_t n)
{
    c->n_bytes -= n;
    memmove(c->bytes, c->bytes + n, c->n_bytes + 1);
}

bool client_receive(struct client *c, enum body_presence body, struct response_text *out)
{
    const char *end = NULL;
    c->bytes[c->n_bytes] = '\0';
    while (!(end = strstr(c->bytes, "\r\n\r\n")))
        if (!receive_more(c))
            return false;
    size_t n_headers = (size_t)(end - c->bytes) + 4;
    snprintf(out->headers, sizeof out->headers, "%.*s", (int)n_headers, c->bytes);
    assert_int_equal(sscanf(out->headers, "HTTP/1.1 %u ", &out->status), 1);
    const char *length = header_of(out, "Content-Length");
    out->n_body = length && body == BODY_FOLLOWS ? strtoul(length, NULL, 10) : 0;
    assert_in_range(out->n_body, 0, sizeof out->body - 1);
    while (c->n_bytes < n_headers + out->n_body)
        if (!receive_more(c))
            return false;
    memcpy(out->body, c->bytes + n_headers, out->n_body);
    out->body[out->n_body] = '\0';
    forget(c, n_headers + out->n_body);
    return true;
}

bool client_sees_close(struct client *c)
{
    struct pollfd readable = {.fd = c->fd, .events = POLLIN};
    char byte;
    return c->n_bytes == 0 && poll(&readable, 1, PATIENCE_MS) == 1 && recv(c->fd, &byte, 1, 0) <= 0;
}

void client_ask(struct client *c, const char *method, const char *path, const char *body,
                struct response_text *out)
{
    char head[512];
    snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: test\r\n", method, path);
    client_send_text(c, head);
    if (body) {
        snprintf(head, sizeof head, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                 strlen(body));
        client_send_text(c, head);
    }
    client_send_text(c, "\r\n");
    client_send_text(c, body ? body : "");
    if (!client_receive(c, strcmp(method, "HEAD") == 0 ? BODY_LEFT_OUT : BODY_FOLLOWS, out))
        fail_msg("no answer to %s %s", method, path);
}

void ask_once(const struct test_server *s, const char *method, const char *path, const char *body,
              struct response_text *out)
{
    struct client c;
    client_connect(s, &c);
    client_ask(&c, method, path, body, out);
    client_close(&c);
}

const char *header_of(const struct response_text *r, const char *name)
{
    static _Thread_local char value[256];
    size_t n = strlen(name);
    for (const char *line = strstr(r->headers, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
            line += n + 1 + strspn(line + n + 1, " ");
            snprintf(value, sizeof value, "%.*s", (int)strcspn(line, "\r"), line);
            return value;
        }
    }
    return NULL;
}

void assert_error(const struct response_text *r, unsigned status, const char *code)
{
    char wanted[128];
    snprintf(wanted, sizeof wanted, "{\"error\":{\"code\":\"%s\",\"message\":\"", code);
    if (r->status != status || strncmp(r->body, wanted, strlen(wanted)) != 0)
        fail_msg("%u %s instead of %u %s", r->status, r->body, status, code);
    assert_string_equal(header_of(r, "Content-Type"), "application/json");
}

void check_scoring(const struct test_server *s, struct client *c, uint64_t seed)
{
    struct response_text response;
    uint64_t user, items[N_CANDIDATES];
    char body[64 + 8 * N_CANDIDATES];
    test_service_request(seed, N_CANDIDATES, &user, items, body);
    client_ask(c, "POST", "/v1/score", body, &response);
    assert_int_equal(response.status, 200);
    test_service_check_scores(&s->service, response.body, user, items, N_CANDIDATES);
}

int server_setup(void **state)
{
    static struct test_server server;
    test_server_start(&(struct test_server_options){.n_threads = 2}, &server);
    *state = &server;
    return 0;
}

int server_teardown(void **state)
{
    test_server_stop(*state);
    return 0;
}
