#include "http_requests.h"
#include "http_url.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct http_target target = {"127.0.0.1:8080", "/v1/score", HTTP_V1};

/* The body, checked against the headers before it. Returns owned. */
static cJSON *body_of(const struct message *m)
{
    char *text = strndup(m->bytes, m->n_bytes);
    assert_non_null(text);
    assert_ptr_equal(strstr(text, "POST /v1/score HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"), text);
    const char *length = strstr(text, "\r\nContent-Length: ");
    const char *body = strstr(text, "\r\n\r\n");
    assert_non_null(length);
    assert_non_null(body);
    assert_int_equal(atol(length + strlen("\r\nContent-Length: ")), strlen(body + 4));
    cJSON *json = cJSON_Parse(body + 4);
    assert_non_null(json);
    free(text);
    return json;
}

static void assert_query(const cJSON *query, const struct question *q)
{
    const cJSON *item, *items = cJSON_GetObjectItem(query, "items");
    assert_in_range((uint64_t)cJSON_GetObjectItem(query, "user")->valuedouble, 0, q->n_users - 1);
    assert_int_equal(cJSON_GetArraySize(items), q->n_candidates);
    cJSON_ArrayForEach (item, items)
        assert_in_range((uint64_t)item->valuedouble, 0, q->n_items - 1);
}

static void random_requests_ask_for_ids_in_range(void **state)
{
    (void)state;
    const struct question q = {.n_users = 3, .n_items = 50, .n_candidates = 7, .batch = 1, .seed = 1};
    struct http_requests r;
    assert_int_equal(http_requests_random(target, &q, &r, NULL), COLLIDE_OK);
    assert_in_range(r.n, 200, 1000);
    for (size_t i = 0; i < r.n; i++) {
        cJSON *body = body_of(&r.items[i]);
        assert_query(body, &q);
        cJSON_Delete(body);
    }
    assert_memory_not_equal(r.items[0].bytes, r.items[1].bytes, r.items[0].n_bytes);
    http_requests_free(&r);
}

static void batches_hold_many_queries(void **state)
{
    (void)state;
    const struct question q = {.n_users = 3, .n_items = 50, .n_candidates = 7, .batch = 5, .seed = 1};
    struct http_requests r;
    assert_int_equal(http_requests_random(target, &q, &r, NULL), COLLIDE_OK);
    cJSON *body = body_of(&r.items[0]);
    const cJSON *query, *queries = cJSON_GetObjectItem(body, "requests");
    assert_int_equal(cJSON_GetArraySize(queries), 5);
    cJSON_ArrayForEach (query, queries)
        assert_query(query, &q);
    cJSON_Delete(body);
    http_requests_free(&r);
}

static void topk_asks_for_k_instead_of_items(void **state)
{
    (void)state;
    const struct question q = {.n_users = 3, .topk = 9, .batch = 1, .seed = 1};
    struct http_requests r;
    assert_int_equal(http_requests_random(target, &q, &r, NULL), COLLIDE_OK);
    cJSON *body = body_of(&r.items[0]);
    assert_int_equal(cJSON_GetObjectItem(body, "k")->valueint, 9);
    assert_null(cJSON_GetObjectItem(body, "items"));
    cJSON_Delete(body);
    http_requests_free(&r);
}

static void huge_requests_make_a_short_ring(void **state)
{
    (void)state;
    const struct question q = {.n_users = 3, .n_items = 9, .n_candidates = 100000, .batch = 1, .seed = 1};
    struct http_requests r;
    assert_int_equal(http_requests_random(target, &q, &r, NULL), COLLIDE_OK);
    assert_in_range(r.n, 1, 20);
    http_requests_free(&r);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void lines_of_a_file_become_requests(void **state)
{
    (void)state;
    char path[] = "/tmp/collide-test-XXXXXX";
    struct http_requests r;
    struct collide_error err;
    close(mkstemp(path));
    write_file(path, "{\"user\":1}\r\n\n{\"user\":22}");
    assert_int_equal(http_requests_from_file(target, path, &r, &err), COLLIDE_OK);
    assert_int_equal(r.n, 2);
    for (size_t i = 0; i < 2; i++) {
        cJSON *body = body_of(&r.items[i]);
        assert_int_equal(cJSON_GetObjectItem(body, "user")->valueint, i ? 22 : 1);
        cJSON_Delete(body);
    }
    http_requests_free(&r);
    write_file(path, "\n\n");
    assert_int_equal(http_requests_from_file(target, path, &r, &err), COLLIDE_INVALID);
    unlink(path);
    assert_int_equal(http_requests_from_file(target, path, &r, &err), COLLIDE_NOT_FOUND);
}

static void assert_url(const char *text, const char *host, const char *port)
{
    struct http_url url;
    assert_int_equal(http_url_parse(text, &url, NULL), COLLIDE_OK);
    assert_string_equal(url.host, host);
    assert_string_equal(url.port, port);
}

static void urls_name_a_host_and_a_port(void **state)
{
    (void)state;
    assert_url("http://127.0.0.1:8080", "127.0.0.1", "8080");
    assert_url("http://localhost/", "localhost", "80");
    assert_url("http://[::1]:81/", "::1", "81");
    assert_url("http://[::1]", "::1", "80");
}

static void what_is_no_servers_url_is_refused(void **state)
{
    (void)state;
    const char *const bad[] = {
        "",           "localhost:8080",   "https://x",         "http://",     "http://:80",
        "http://x:",  "http://x:port",    "http://x:80808080", "http://[::1", "http://[::1]x",
        "http://x/y", "http://x:8080?a=b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http_url url;
        struct collide_error err;
        assert_int_equal(http_url_parse(bad[i], &url, &err), COLLIDE_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_requests_ask_for_ids_in_range),
        cmocka_unit_test(batches_hold_many_queries),
        cmocka_unit_test(topk_asks_for_k_instead_of_items),
        cmocka_unit_test(huge_requests_make_a_short_ring),
        cmocka_unit_test(lines_of_a_file_become_requests),
        cmocka_unit_test(urls_name_a_host_and_a_port),
        cmocka_unit_test(what_is_no_servers_url_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
