/* One service behind every transport at once, in the near one of two network namespaces; clients are on the
 * far side of the wire, those of shared memory on the near one. */
#ifndef TESTS_NET_TRANSPORT_FIXTURE_H
#define TESTS_NET_TRANSPORT_FIXTURE_H

#include "collide/client.h"
#include "http/http_fixture.h"
#include "net/veth.h"

#include <pthread.h>
#include <stdatomic.h>

enum { TRANSPORT_XDP_PORT = 9000, TRANSPORT_UDP_PORT = 9001, TRANSPORT_HTTP_PORT = 9080 };

struct transport_server_options {
    const struct random_model *spec;
    unsigned n_queues;
    const struct wire_key *key; /* NULL: none */
};

struct transport_server {
    struct transport_server_options options;
    struct veth veth;
    struct test_service service;
    struct transports *transports;
    struct http_server *http;
    char shm_name[32];
    pthread_t thread;
    atomic_bool is_ready, is_to_stop;
};

/* Fails the running test when it cannot; the calling thread is on the far side then. */
void transport_server_start(const struct transport_server_options *options, struct transport_server *out);
void transport_server_stop(struct transport_server *s);

/* A connection for client_ask, from the far side. */
void transport_server_connect_http(struct client *out);

/* A number that GET /v1/transports tells, such as "bad_tag". */
uint64_t transport_server_count(const char *name);

/* That no frame of AF_XDP is missing, with nothing under way. */
void transport_server_check_frames(void);

/* url: such as "udp://10.77.0.1:9000", or NULL for shared memory. Owned. */
struct collide_client *transport_server_connect(struct transport_server *s, const char *url);

#endif
