#include "http_client.h"

#include "base/clock.h"
#include "base/error.h"
#include "http_response.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 << 10,          /* room for each read, at least */
    RESPONSE_BYTES_MAX = 256 << 20, /* of one response; longer ones are malformed */
    EVENTS_MAX = 64,
    SWEEP_NS = 20 * 1000 * 1000, /* how often time-outs are looked for */
};

struct connection {
    unsigned lane;
    int fd; /* -1: closed */
    bool is_connecting;
    bool has_request;
    bool watches_output;
    int last_errno; /* why it was closed */
    struct {
        const char *bytes;
        size_t n_bytes;
    } unsent;                      /* of its request */
    uint64_t deadline_ns;          /* of the connect or the request */
    struct buffer in;              /* what has arrived of the response */
    struct http_response response; /* the last one; borrows from `in` until the next read */
};

struct http_client {
    int epoll_fd;
    enum load_wait wait;
    uint64_t timeout_ns;
    uint64_t next_sweep_ns;
    uint64_t n_reconnects;
    struct sockaddr_storage address;
    socklen_t n_address;
    size_t n_done;
    struct completion *done; /* (n_connections) */
    unsigned n_connections;
    struct connection connections[];
};

static void connection_watch(struct http_client *client, struct connection *c, int operation, bool output)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | (output ? (uint32_t)EPOLLOUT : 0u),
                                .data.ptr = c};
    /* It fails only for descriptors that are not ours, or without memory: the request then times out. */
    (void)epoll_ctl(client->epoll_fd, operation, c->fd, &event);
    c->watches_output = output;
}

static void connection_close(struct connection *c, int why_errno)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->is_connecting = false;
    c->last_errno = why_errno;
}

static void complete(struct http_client *client, struct connection *c, enum outcome outcome, int code)
{
    client->done[client->n_done++] =
        (struct completion){.lane = c->lane, .outcome = outcome, .code = code, .at_ns = clock_now_ns()};
    c->has_request = false;
    c->unsent.n_bytes = 0;
    c->in.n_bytes = 0;
}

/* Closes a connection and with it the request it may carry. */
static void connection_fail(struct http_client *client, struct connection *c, enum outcome outcome,
                            int why_errno)
{
    connection_close(c, why_errno);
    if (c->has_request)
        complete(client, c, outcome, 0);
}

static void connection_open(struct http_client *client, struct connection *c)
{
    const int on = 1;
    c->deadline_ns = clock_now_ns() + client->timeout_ns;
    c->fd = socket(client->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) {
        connection_fail(client, c, OUTCOME_CONNECTION, errno);
        return;
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int failed =
        connect(c->fd, (const struct sockaddr *)&client->address, client->n_address) != 0 ? errno : 0;
    c->is_connecting = failed == EINPROGRESS;
    if (failed && !c->is_connecting)
        connection_fail(client, c, OUTCOME_CONNECTION, failed);
    else
        connection_watch(client, c, EPOLL_CTL_ADD, c->is_connecting);
}

static void connection_write(struct http_client *client, struct connection *c)
{
    while (c->unsent.n_bytes > 0) {
        ssize_t n = send(c->fd, c->unsent.bytes, c->unsent.n_bytes, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            connection_fail(client, c, OUTCOME_CONNECTION, errno);
            return;
        }
        c->unsent.bytes += n;
        c->unsent.n_bytes -= (size_t)n;
    }
    bool output = c->unsent.n_bytes > 0;
    if (output != c->watches_output)
        connection_watch(client, c, EPOLL_CTL_MOD, output);
}

static void connection_finish_connect(struct http_client *client, struct connection *c)
{
    int failed = 0;
    socklen_t size = sizeof failed;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &failed, &size);
    if (failed) {
        connection_fail(client, c, OUTCOME_CONNECTION, failed);
        return;
    }
    c->is_connecting = false;
    connection_write(client, c);
}

/* Looks whether a whole response is there. */
static void connection_parse(struct http_client *client, struct connection *c)
{
    ptrdiff_t used = http_response_parse(c->in.bytes, c->in.n_bytes, &c->response);
    if (used == HTTP_INCOMPLETE && c->in.n_bytes <= RESPONSE_BYTES_MAX)
        return;
    /* Bytes after the response were not asked for: who sends them is not to be trusted with the next request.
     */
    if (used < 0 || (size_t)used != c->in.n_bytes) {
        connection_fail(client, c, OUTCOME_MALFORMED, EPROTO);
        return;
    }
    if (!c->response.keeps_alive || c->unsent.n_bytes > 0)
        connection_close(c, 0);
    complete(client, c, OUTCOME_ANSWERED, c->response.status);
}

static void connection_read(struct http_client *client, struct connection *c)
{
    char *room = buffer_reserve(&c->in, READ_BYTES);
    if (!room) {
        connection_fail(client, c, OUTCOME_CONNECTION, ENOMEM);
        return;
    }
    ssize_t n = recv(c->fd, room, c->in.capacity - c->in.n_bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    /* An idle connection ends here by the server's close, or by bytes that nobody asked for. */
    if (n <= 0 || !c->has_request) {
        connection_fail(client, c, OUTCOME_CONNECTION, n < 0 ? errno : ECONNRESET);
        return;
    }
    c->in.n_bytes += (size_t)n;
    connection_parse(client, c);
}

static void connection_handle(struct http_client *client, struct connection *c, uint32_t events)
{
    if (c->is_connecting) {
        connection_finish_connect(client, c);
        return;
    }
    if ((events & EPOLLOUT) && c->fd >= 0)
        connection_write(client, c);
    if ((events & ~(uint32_t)EPOLLOUT) && c->fd >= 0)
        connection_read(client, c);
}

static void sweep_timeouts(struct http_client *client, uint64_t now_ns)
{
    for (unsigned i = 0; i < client->n_connections; i++) {
        struct connection *c = &client->connections[i];
        if ((c->has_request || c->is_connecting) && now_ns >= c->deadline_ns)
            connection_fail(client, c, OUTCOME_TIMEOUT, ETIMEDOUT);
    }
    client->next_sweep_ns = now_ns + SWEEP_NS;
}

static int wait_for_events(struct http_client *client, uint64_t until_ns, struct epoll_event *events)
{
    uint64_t now_ns = clock_now_ns();
    if (now_ns >= client->next_sweep_ns)
        sweep_timeouts(client, now_ns);
    if (client->wait == LOAD_WAIT_SPIN || client->n_done > 0 || until_ns <= now_ns)
        return epoll_wait(client->epoll_fd, events, EVENTS_MAX, 0);
    uint64_t wait_ns = (until_ns < client->next_sweep_ns ? until_ns : client->next_sweep_ns) - now_ns;
    struct timespec timeout = {.tv_sec = (time_t)(wait_ns / 1000000000),
                               .tv_nsec = (long)(wait_ns % 1000000000)};
    return epoll_pwait2(client->epoll_fd, events, EVENTS_MAX, &timeout, NULL);
}

static uint64_t client_now_ns(void *self)
{
    (void)self;
    return clock_now_ns();
}

static size_t client_poll(void *self, uint64_t until_ns, const struct completion **done)
{
    struct http_client *client = self;
    struct epoll_event events[EVENTS_MAX];
    int n = wait_for_events(client, until_ns, events);
    for (int i = 0; i < n; i++)
        connection_handle(client, events[i].data.ptr, events[i].events);
    size_t n_done = client->n_done;
    client->n_done = 0;
    *done = client->done;
    return n_done;
}

static void client_send(void *self, unsigned lane, const struct message *message)
{
    struct http_client *client = self;
    struct connection *c = &client->connections[lane];
    c->has_request = true;
    c->unsent.bytes = message->bytes;
    c->unsent.n_bytes = message->n_bytes;
    if (c->fd < 0) {
        client->n_reconnects++;
        connection_open(client, c);
    } else {
        c->deadline_ns = clock_now_ns() + client->timeout_ns;
    }
    if (c->fd >= 0 && !c->is_connecting)
        connection_write(client, c);
}

struct transport http_client_transport(struct http_client *client)
{
    static const struct transport_ops ops = {
        .now_ns = client_now_ns, .send = client_send, .poll = client_poll};
    return (struct transport){.ops = &ops, .self = client, .n_lanes = client->n_connections};
}

uint64_t http_client_n_reconnects(const struct http_client *client)
{
    return client->n_reconnects;
}

/* Opens a connection and waits until it stands: 0, or the errno of the failure. */
static int connection_establish(struct http_client *client, struct connection *c)
{
    const struct completion *none;
    connection_open(client, c);
    while (c->is_connecting)
        client_poll(client, UINT64_MAX, &none);
    return c->fd >= 0 ? 0 : c->last_errno;
}

/* A name may have addresses that nobody listens on: all connections go to the first one that takes the first
 * of them. */
static int connect_all(struct http_client *client, const struct addrinfo *addresses)
{
    int failed = 0;
    for (const struct addrinfo *a = addresses; a && (a == addresses || failed); a = a->ai_next) {
        memcpy(&client->address, a->ai_addr, a->ai_addrlen);
        client->n_address = a->ai_addrlen;
        failed = connection_establish(client, &client->connections[0]);
    }
    for (unsigned i = 1; i < client->n_connections && !failed; i++)
        failed = connection_establish(client, &client->connections[i]);
    return failed;
}

static enum collide_status resolve_and_connect(struct http_client *client, const struct http_url *url,
                                               struct collide_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(url->host, url->port, &hints, &found);
    if (failed)
        return error_set(err, COLLIDE_IO, "cannot resolve %s: %s", url->authority, gai_strerror(failed));
    failed = connect_all(client, found);
    freeaddrinfo(found);
    return failed ? error_set_errno(err, COLLIDE_IO, failed, "cannot connect to %s", url->authority)
                  : COLLIDE_OK;
}

enum collide_status http_client_create(const struct http_client_settings *settings, struct http_client **out,
                                       struct collide_error *err)
{
    unsigned n = settings->n_connections;
    struct http_client *client = calloc(1, sizeof *client + n * sizeof client->connections[0]);
    if (!client)
        return error_no_memory(err, "the client");
    *client =
        (struct http_client){.wait = settings->wait, .timeout_ns = settings->timeout_ns, .n_connections = n};
    for (unsigned i = 0; i < n; i++)
        client->connections[i] = (struct connection){.lane = i, .fd = -1};
    client->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    client->done = calloc(n, sizeof *client->done);
    /* By default the kernel may let a sleeper lie 50 us longer. */
    if (settings->wait == LOAD_WAIT_SLEEP)
        prctl(PR_SET_TIMERSLACK, 1);
    enum collide_status status = COLLIDE_OK;
    if (client->epoll_fd < 0)
        status = error_set_errno(err, COLLIDE_IO, errno, "cannot create an epoll descriptor");
    else if (!client->done)
        status = error_no_memory(err, "the client's completions");
    else
        status = resolve_and_connect(client, settings->url, err);
    if (status != COLLIDE_OK)
        http_client_destroy(client);
    else
        *out = client;
    return status;
}

void http_client_destroy(struct http_client *client)
{
    if (!client)
        return;
    for (unsigned i = 0; i < client->n_connections; i++) {
        connection_close(&client->connections[i], 0);
        buffer_free(&client->connections[i].in);
    }
    free(client->done);
    if (client->epoll_fd >= 0)
        close(client->epoll_fd);
    free(client);
}

enum collide_status http_client_fetch(struct http_client *client, const struct message *message, int *status,
                                      struct buffer *body, struct collide_error *err)
{
    static const char *const failures[] = {[OUTCOME_CONNECTION] = "the connection was lost",
                                           [OUTCOME_TIMEOUT] = "there was no answer in time",
                                           [OUTCOME_MALFORMED] = "the answer is not HTTP"};
    const struct completion *done = NULL;
    client_send(client, 0, message);
    while (client_poll(client, UINT64_MAX, &done) == 0)
        ;
    const char *line = message->bytes, *line_end = memchr(line, '\r', message->n_bytes);
    int n_line = line_end ? (int)(line_end - line) : 0;
    if (done->outcome != OUTCOME_ANSWERED)
        return error_set(err, COLLIDE_IO, "%.*s: %s", n_line, line, failures[done->outcome]);
    *status = done->code;
    http_response_append_body(&client->connections[0].response, body);
    return body->failed ? error_no_memory(err, "a response") : COLLIDE_OK;
}
