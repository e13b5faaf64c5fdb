/* A small HTTP server for tests, on plain blocking sockets: it can also misbehave. It answers POST with 200
 * and a short JSON, GET /v1/model with a model of 10 users and 100 items, and any other GET with an empty
 * 404. */
#ifndef TESTS_TINY_SERVER_H
#define TESTS_TINY_SERVER_H

enum tiny_fault {
    TINY_NONE,
    TINY_CHUNKED,  /* answers in chunks */
    TINY_DRIBBLE,  /* a byte at a time */
    TINY_CLOSES,   /* says "Connection: close" and does */
    TINY_VANISHES, /* closes after a whole answer, without a word */
    TINY_REFUSES,  /* answers 503, with an error of /v1 */
    TINY_DROPS,    /* closes without an answer */
    TINY_GARBLES,  /* answers with no HTTP */
    TINY_HANGS,    /* does not answer */
};

struct tiny_server;

/* Listens on a free port of 127.0.0.1; every fault_each-th POST meets the fault. NULL on failure. Returns
 * owned. */
struct tiny_server *tiny_server_start(enum tiny_fault fault, unsigned fault_each);
void tiny_server_stop(struct tiny_server *s);

unsigned tiny_server_port(const struct tiny_server *s);
unsigned tiny_server_n_posts(const struct tiny_server *s);

#endif
