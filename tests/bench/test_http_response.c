#include "http_response.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static const char plain[] = "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length:  5 \r\n\r\nhello";
static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "5\r\nhello\r\nA;name=value\r\n, 12345678\r\n0\r\nTrailer: x\r\n\r\n";
static const char empty[] =
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: keep-alive, close\r\n\r\n";
static const char bodiless[] = "HTTP/1.1 204 No Content\r\n\r\n";

/* Two pages of which the second faults: bytes placed at the end of the first show every read beyond them. */
struct guarded {
    char *pages;
    size_t page_bytes;
};

static int map_guarded(void **state)
{
    struct guarded *g = malloc(sizeof *g);
    if (!g)
        return -1;
    g->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    g->pages = mmap(NULL, 2 * g->page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *state = g;
    return g->pages == MAP_FAILED ? -1 : mprotect(g->pages + g->page_bytes, g->page_bytes, PROT_NONE);
}

static int unmap_guarded(void **state)
{
    struct guarded *g = *state;
    int failed = munmap(g->pages, 2 * g->page_bytes);
    free(g);
    return failed;
}

static ptrdiff_t parse(const struct guarded *g, const char *bytes, size_t n, struct http_response *out)
{
    char *at = g->pages + g->page_bytes - n;
    memcpy(at, bytes, n);
    return http_response_parse(at, n, out);
}

static void assert_body(const struct http_response *r, const char *text)
{
    struct buffer body = {0};
    http_response_append_body(r, &body);
    assert_int_equal(body.n_bytes, strlen(text));
    assert_memory_equal(body.bytes, text, body.n_bytes);
    buffer_free(&body);
}

static void a_body_of_known_length_is_found(void **state)
{
    struct http_response r;
    assert_int_equal(parse(*state, plain, sizeof plain - 1, &r), sizeof plain - 1);
    assert_int_equal(r.status, 200);
    assert_true(r.keeps_alive);
    assert_body(&r, "hello");
}

static void chunks_are_joined(void **state)
{
    struct http_response r;
    assert_int_equal(parse(*state, chunked, sizeof chunked - 1, &r), sizeof chunked - 1);
    assert_true(r.is_chunked);
    assert_body(&r, "hello, 12345678");
}

static void connection_headers_and_version_decide_keep_alive(void **state)
{
    struct http_response r;
    assert_int_equal(parse(*state, empty, sizeof empty - 1, &r), sizeof empty - 1);
    assert_int_equal(r.status, 404);
    assert_int_equal(r.n_body, 0);
    assert_false(r.keeps_alive);
    static const char old[] = "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_true(parse(*state, old, sizeof old - 1, &r) > 0);
    assert_false(r.keeps_alive);
    static const char old_kept[] = "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n";
    assert_true(parse(*state, old_kept, sizeof old_kept - 1, &r) > 0);
    assert_true(r.keeps_alive);
}

static void every_beginning_is_incomplete_and_every_end_is_left(void **state)
{
    const char *const all[] = {plain, chunked, empty, bodiless};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct http_response r;
        size_t n = strlen(all[i]);
        for (size_t split = 0; split < n; split++)
            assert_int_equal(parse(*state, all[i], split, &r), HTTP_INCOMPLETE);
        char followed[512];
        int n_followed = snprintf(followed, sizeof followed, "%sHTTP/1.1 200 OK\r\n", all[i]);
        assert_int_equal(parse(*state, followed, (size_t)n_followed, &r), n);
    }
}

static void what_is_no_response_is_bad(void **state)
{
    const char *const bad[] = {
        "GET / HTTP/1.1\r\n\r\n",
        "x",
        "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nuntil the connection closes",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http_response r;
        assert_int_equal(parse(*state, bad[i], strlen(bad[i]), &r), HTTP_BAD);
    }
}

/* Whatever bytes come: no read outside them, and a result that makes sense. */
static void spoiled_responses_never_lead_outside_the_bytes(void **state)
{
    const struct guarded *g = *state;
    struct rng rng = rng_seeded(11, 0);
    for (int round = 0; round < 200000; round++) {
        char bytes[sizeof chunked];
        const char *from = round % 2 ? chunked : plain;
        size_t n = strlen(from) - rng_below(&rng, 8);
        memcpy(bytes, from, n);
        for (uint64_t change = rng_below(&rng, 4); change > 0; change--)
            bytes[rng_below(&rng, n)] = (char)rng_u64(&rng);
        struct http_response r;
        ptrdiff_t used = parse(g, bytes, n, &r);
        assert_true(used == HTTP_BAD || used == HTTP_INCOMPLETE || (used > 0 && (size_t)used <= n));
        if (used > 0) {
            struct buffer body = {0};
            http_response_append_body(&r, &body);
            assert_true(body.n_bytes <= n);
            buffer_free(&body);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_of_known_length_is_found),
        cmocka_unit_test(chunks_are_joined),
        cmocka_unit_test(connection_headers_and_version_decide_keep_alive),
        cmocka_unit_test(every_beginning_is_incomplete_and_every_end_is_left),
        cmocka_unit_test(what_is_no_response_is_bad),
        cmocka_unit_test(spoiled_responses_never_lead_outside_the_bytes),
    };
    return cmocka_run_group_tests(tests, map_guarded, unmap_guarded);
}
