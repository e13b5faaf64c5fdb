#include "transport_fixture.h"

#include "net/transports.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_HTTP_THREADS = 1, POLL_US = 2000 };

/* With a key it is not test_service's own. */
static void create_service(struct transport_server *s, unsigned n_workers)
{
    struct collide_error err = {0};
    const struct service_options keyed = {
        .scorer = {.cache_dir = ""},
        .limits = {.max_parts = 10, .max_items = 1000, .max_history = 200},
        .key = s->options.key,
        .n_workers = n_workers,
    };
    test_service_create(s->options.spec, n_workers, &s->service);
    if (!s->options.key)
        return;
    service_destroy(s->service.service);
    if (service_create(&keyed, &s->service.service, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

/* A thread of its own, since the server gives up the right to leave its namespace. */
static void *serve(void *context)
{
    struct transport_server *s = context;
    struct collide_error err = {0};
    char http_address[64], udp_address[64];
    snprintf(http_address, sizeof http_address, VETH_NEAR_IPV4 ":%d", TRANSPORT_HTTP_PORT);
    snprintf(udp_address, sizeof udp_address, "[::]:%d", TRANSPORT_UDP_PORT);
    struct transports_options options = {
        .xdp = {.interface = VETH_INTERFACE, .n_queues = s->options.n_queues, .port = TRANSPORT_XDP_PORT},
        .udp = {.listen = udp_address, .n_threads = 1},
        .shm = {.name = s->shm_name, .n_threads = 1, .max_clients = 4},
        .first_worker = N_HTTP_THREADS};
    for (unsigned q = 0; q < s->options.n_queues; q++)
        options.xdp.queues[q] = q;
    veth_enter(&s->veth, VETH_NEAR);
    create_service(s, N_HTTP_THREADS + transports_n_threads(&options));
    if (transports_create(s->service.service, &options, &s->transports, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    struct listener listener;
    if (listener_open(http_address, &listener, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    const struct http_options http = {.listener = &listener,
                                      .n_threads = N_HTTP_THREADS,
                                      .transports = s->transports,
                                      .max_body_bytes = TEST_MAX_BODY,
                                      .max_connections = 10,
                                      .poll = POLL_SLEEP,
                                      .idle_timeout_s = 60,
                                      .request_timeout_s = 30,
                                      .max_queue_us = 10000000};
    if (http_server_create(s->service.service, &http, &s->http, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    test_service_load(&s->service);
    atomic_store(&s->is_ready, true);
    while (!atomic_load(&s->is_to_stop))
        usleep(POLL_US);
    http_server_destroy(s->http, 5);
    transports_destroy(s->transports);
    test_service_destroy(&s->service);
    return NULL;
}

void transport_server_start(const struct transport_server_options *options, struct transport_server *out)
{
    *out = (struct transport_server){.options = *options};
    snprintf(out->shm_name, sizeof out->shm_name, "test.%d", (int)getpid());
    veth_create(&out->veth, options->n_queues);
    assert_int_equal(pthread_create(&out->thread, NULL, serve, out), 0);
    while (!atomic_load(&out->is_ready))
        usleep(POLL_US);
    veth_enter(&out->veth, VETH_FAR);
}

void transport_server_stop(struct transport_server *s)
{
    atomic_store(&s->is_to_stop, true);
    pthread_join(s->thread, NULL);
    veth_destroy(&s->veth);
}

void transport_server_connect_http(struct client *out)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(TRANSPORT_HTTP_PORT)};
    inet_pton(AF_INET, VETH_NEAR_IPV4, &to.sin_addr);
    out->n_bytes = 0;
    out->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(out->fd, (struct sockaddr *)&to, sizeof to), 0);
    setsockopt(out->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

uint64_t transport_server_count(const char *name)
{
    static struct client http;
    static struct response_text reply;
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", name);
    transport_server_connect_http(&http);
    client_ask(&http, "GET", "/v1/transports", NULL, &reply);
    client_close(&http);
    const char *at = strstr(reply.body, key);
    if (!at)
        fail_msg("no %s in %s", key, reply.body);
    return strtoull(at + strlen(key), NULL, 10);
}

void transport_server_check_frames(void)
{
    assert_int_equal(transport_server_count("frames_found"), transport_server_count("frames"));
}

struct collide_client *transport_server_connect(struct transport_server *s, const char *url)
{
    struct collide_client *client = NULL;
    struct collide_error err = {0};
    char shm_url[64];
    snprintf(shm_url, sizeof shm_url, "shm://%s", s->shm_name);
    const struct collide_client_options options = {
        .url = url ? url : shm_url, .timeout_us = 2000000, .n_retries = 2};
    if (!url)
        veth_enter(&s->veth, VETH_NEAR);
    enum collide_status status = collide_client_create(&options, &client, &err);
    veth_enter(&s->veth, VETH_FAR);
    if (status != COLLIDE_OK)
        fail_msg("%s", err.text);
    return client;
}
