/* Ten thousand requests that nobody would want, beside one client that is to notice nothing. */
#include "base/rng.h"
#include "http/http_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_HOSTILE = 10000, N_THREADS = 2, N_TRICKLING = 40, MAX_TEXT = 60000 };

static const char score[] = "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: 31\r\n\r\n"
                            "{\"user\": 1, \"items\": [1, 2, 3]}";

struct hostile {
    const struct test_server *server;
    struct rng rng;
    int trickling[N_TRICKLING]; /* that send a byte now and then */
    char text[MAX_TEXT];
    size_t n;
};

static void add(struct hostile *h, const void *bytes, size_t n)
{
    if (n > MAX_TEXT - h->n)
        n = MAX_TEXT - h->n;
    memcpy(h->text + h->n, bytes, n);
    h->n += n;
}

static void add_text(struct hostile *h, const char *text)
{
    add(h, text, strlen(text));
}

static void add_noise(struct hostile *h, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add(h, &(char){(char)rng_below(&h->rng, 256)}, 1);
}

/* A valid request with some of its bytes changed, left out or written twice. */
static void add_mutated(struct hostile *h)
{
    for (size_t i = 0; i < sizeof score - 1; i++)
        switch (rng_below(&h->rng, 60)) {
        case 0:
            add_noise(h, 1);
            break;
        case 1:
            break;
        case 2:
            add(h, &score[i], 1); /* fall through */
        default:
            add(h, &score[i], 1);
        }
}

static void add_huge_header(struct hostile *h)
{
    add_text(h, "GET /v1/model HTTP/1.1\r\nHost: test\r\nX: ");
    while (h->n < MAX_TEXT)
        add_text(h, "0123456789abcdef");
}

static void add_hostile(struct hostile *h)
{
    static const char *const texts[] = {
        "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: 18446744073709551615\r\n\r\n{",
        "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: -1\r\n\r\n{}",
        "POST /v1/score HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
        "POST /v1/score HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{",
        ("POST /v1/score HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nContent-Length: "
         "2\r\n\r\n0\r\n\r\n"),
        "GET / HTTP/9.9\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET /v1/model HTTP/1.1\nHost test\n\n",
        "\r\n\r\n\r\n\r\n",
    };
    switch (rng_below(&h->rng, 6)) {
    case 0:
        add_text(h, texts[rng_below(&h->rng, sizeof texts / sizeof *texts)]);
        break;
    case 1:
        add_noise(h, 1 + rng_below(&h->rng, 2000));
        break;
    case 2:
        add(h, score, rng_below(&h->rng, sizeof score - 1)); /* cut short */
        break;
    case 3: /* what follows a good request at once */
        add_text(h, score);
        add_noise(h, rng_below(&h->rng, 100));
        break;
    case 4:
        for (size_t k = rng_below(&h->rng, 20); k > 0; k--)
            add_mutated(h);
        break;
    default:
        if (rng_below(&h->rng, 20) == 0)
            add_huge_header(h);
        else
            add_mutated(h);
    }
}

/* Once in a while a reset instead of an end, an answer that is waited for, or a connection left open. */
static void attack(struct hostile *h)
{
    struct client c;
    h->n = 0;
    add_hostile(h);
    client_connect(h->server, &c);
    for (size_t done = 0; done < h->n;) {
        ssize_t n = send(c.fd, h->text + done, h->n - done, MSG_NOSIGNAL);
        if (n < 0)
            break;
        done += (size_t)n;
    }
    unsigned end = (unsigned)rng_below(&h->rng, 800);
    if (end < 100) {
        struct linger reset = {.l_onoff = 1};
        setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    } else if (end < 102) {
        shutdown(c.fd, SHUT_WR);
        while (recv(c.fd, c.bytes, sizeof c.bytes, 0) > 0)
            ;
    }
    client_close(&c);
}

/* Each of them a byte further; one that was cut off begins anew. */
static void trickle(struct hostile *h, size_t turn)
{
    for (size_t i = 0; i < N_TRICKLING; i++) {
        if (h->trickling[i] >= 0 && send(h->trickling[i], &score[turn % 60], 1, MSG_NOSIGNAL) < 0) {
            close(h->trickling[i]);
            h->trickling[i] = -1;
        }
        if (h->trickling[i] < 0) {
            struct client c;
            client_connect(h->server, &c);
            h->trickling[i] = c.fd;
        }
    }
}

static void *attack_all(void *context)
{
    struct hostile *h = context;
    for (size_t i = 0; i < N_TRICKLING; i++)
        h->trickling[i] = -1;
    for (size_t i = 0; i < N_HOSTILE / N_THREADS; i++) {
        if (i % 100 == 0)
            trickle(h, i / 100);
        attack(h);
    }
    for (size_t i = 0; i < N_TRICKLING; i++)
        close(h->trickling[i]);
    return NULL;
}

static void hostile_requests_leave_the_healthy_unharmed(void **state)
{
    struct test_server s;
    struct hostile *hostile = calloc(N_THREADS, sizeof *hostile);
    pthread_t threads[N_THREADS];
    struct client c;
    (void)state;
    assert_non_null(hostile);
    test_server_start(
        &(struct test_server_options){.max_connections = 400, .request_timeout_s = 3, .idle_timeout_s = 3},
        &s);
    for (unsigned i = 0; i < N_THREADS; i++) {
        hostile[i].server = &s;
        hostile[i].rng = rng_seeded(7, i);
        assert_int_equal(pthread_create(&threads[i], NULL, attack_all, &hostile[i]), 0);
    }
    uint64_t seed = 0;
    client_connect(&s, &c);
    for (unsigned i = 0; i < N_THREADS; i++)
        while (pthread_tryjoin_np(threads[i], NULL) == EBUSY)
            check_scoring(&s, &c, seed++);
    check_scoring(&s, &c, seed);
    client_close(&c);
    free(hostile);
    test_server_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_requests_leave_the_healthy_unharmed),
    };
    return RUN_SERVER_TESTS(tests);
}
