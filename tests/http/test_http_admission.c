/* Keys and rates over a real connection; what is logged of them. */
#include "base/log.h"
#include "http/http_fixture.h"
#include "support/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define READER_KEY "reader-key-0123456789"
#define ADMIN_KEY  "admin-key-0123456789ab"
#define WRONG_KEY  "wrong-key-0123456789"
#define BODY       "{\"user\": 1, \"items\": [1]}"

static struct api_keys *make_keys(const struct scratch *folder)
{
    char path[2 * SCRATCH_PATH_BYTES];
    struct api_keys *keys = NULL;
    scratch_path(folder, "keys", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("reader:" READER_KEY "\nops:" ADMIN_KEY ":admin\n", file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(api_keys_create(path, &keys, NULL), COLLIDE_OK);
    return keys;
}

/* header: with its line end, or "". */
static void ask_with(const struct test_server *s, const char *request_line, const char *header,
                     const char *body, struct response_text *out)
{
    struct client c;
    char text[1024];
    snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: test\r\n%sContent-Length: %zu\r\n\r\n%s", request_line,
             header, strlen(body), body);
    client_connect(s, &c);
    client_send_text(&c, text);
    assert_true(client_receive(&c, BODY_FOLLOWS, out));
    client_close(&c);
}

static void ask_all_ways(const struct test_server *s)
{
    struct response_text r;
    ask_with(s, "POST /v1/score", "", BODY, &r);
    assert_error(&r, 401, "unauthorized");
    assert_string_equal(header_of(&r, "WWW-Authenticate"), "Bearer realm=\"collide\"");
    ask_with(s, "POST /v1/score", "Authorization: Bearer " WRONG_KEY "\r\n", BODY, &r);
    assert_error(&r, 401, "unauthorized");
    ask_with(s, "POST /v1/score", "Authorization: Bearer " READER_KEY "\r\n", BODY, &r);
    assert_int_equal(r.status, 200);
    ask_with(s, "POST /v1/score", "X-API-Key: " READER_KEY "\r\n", BODY, &r);
    assert_int_equal(r.status, 200);
    ask_with(s, "GET /metrics", "X-API-Key: " READER_KEY "\r\n", "", &r);
    assert_error(&r, 403, "forbidden");
    ask_with(s, "GET /metrics", "X-API-Key: " ADMIN_KEY "\r\n", "", &r);
    assert_int_equal(r.status, 200);
    ask_with(s, "GET /healthz", "", "", &r);
    assert_int_equal(r.status, 200);
}

static void keys_are_asked_for_and_never_logged(void **state)
{
    static char log[1 << 16];
    struct scratch folder;
    struct test_server s;
    char path[2 * SCRATCH_PATH_BYTES];
    (void)state;
    scratch_create(&folder);
    scratch_path(&folder, "log", path);
    struct api_keys *keys = make_keys(&folder);
    int stderr_fd = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(stderr_fd >= 0 && fd >= 0);
    dup2(fd, STDERR_FILENO);
    log_set_level(LOG_DEBUG);
    test_server_start(&(struct test_server_options){.gate.keys = keys}, &s);
    ask_all_ways(&s);
    /* A request that libmicrohttpd itself complains of. */
    struct response_text r;
    ask_with(&s, "POST /v1/score HTTP/1.1\r\nX-API-Key: " READER_KEY "\r\nContent-Length: x", "", "", &r);
    log_debug("the log is written");
    test_server_stop(&s);
    log_set_level(LOG_NONE);
    dup2(stderr_fd, STDERR_FILENO);
    close(stderr_fd);
    ssize_t n = pread(fd, log, sizeof log - 1, 0);
    close(fd);
    assert_true(n > 0);
    assert_non_null(strstr(log, "the log is written"));
    assert_null(strstr(log, READER_KEY));
    assert_null(strstr(log, ADMIN_KEY));
    assert_null(strstr(log, WRONG_KEY));
    api_keys_destroy(keys);
    scratch_destroy(&folder);
}

static void clients_that_ask_too_often_are_told_when_to_come_back(void **state)
{
    const struct rate_limit_options rate = {.per_second = 1.0 / 3600, .burst = 2};
    struct rate_limit *limit;
    struct test_server s;
    struct response_text r;
    (void)state;
    assert_int_equal(rate_limit_create(&rate, &limit, NULL), COLLIDE_OK);
    test_server_start(&(struct test_server_options){.gate.rate = limit}, &s);
    for (int i = 0; i < 2; i++) {
        ask_once(&s, "POST", "/v1/score", BODY, &r);
        assert_int_equal(r.status, 200);
    }
    ask_once(&s, "POST", "/v1/score", BODY, &r);
    assert_error(&r, 429, "too_many_requests");
    int seconds = 0;
    assert_int_equal(sscanf(header_of(&r, "Retry-After"), "%d", &seconds), 1);
    assert_in_range(seconds, 1, 3600);
    ask_once(&s, "GET", "/readyz", NULL, &r);
    assert_int_equal(r.status, 200);
    ask_once(&s, "GET", "/no/such/path", NULL, &r);
    assert_error(&r, 429, "too_many_requests");
    ask_once(&s, "DELETE", "/v1/score", NULL, &r);
    assert_error(&r, 429, "too_many_requests");
    test_server_stop(&s);
    rate_limit_destroy(limit);
}

static void pages_of_other_sites_change_nothing(void **state)
{
    struct test_server s;
    struct response_text r;
    (void)state;
    test_server_start(&(struct test_server_options){.n_threads = 1}, &s);
    ask_with(&s, "POST /v2/repository/models/m/unload", "Origin: http://elsewhere\r\n", "", &r);
    assert_int_equal(r.status, 403);
    assert_non_null(strstr(r.body, "a page of another site may not ask this"));
    ask_with(&s, "POST /v2/repository/models/m/unload", "Origin: null\r\n", "", &r);
    assert_int_equal(r.status, 403);
    ask_with(&s, "GET /metrics", "Origin: http://TEST\r\n", "", &r);
    assert_int_equal(r.status, 200);
    ask_with(&s, "POST /v1/score", "Origin: http://elsewhere\r\n", BODY, &r);
    assert_int_equal(r.status, 200);
    test_server_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_asked_for_and_never_logged),
        cmocka_unit_test(pages_of_other_sites_change_nothing),
        cmocka_unit_test(clients_that_ask_too_often_are_told_when_to_come_back),
    };
    return RUN_SERVER_TESTS(tests);
}
