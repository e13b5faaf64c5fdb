#include "tiny_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { N_CONNECTIONS_MAX = 64, REQUEST_BYTES_MAX = 64 << 10 };

static const char score_body[] = "{\"scores\":[0.5,0.25]}";
static const char model_body[] = "{\"name\":\"tiny\",\"users\":10,\"items\":100}";

struct connection {
    int fd; /* -1: free */
    size_t n_bytes;
    char bytes[REQUEST_BYTES_MAX];
};

struct tiny_server {
    enum tiny_fault fault;
    unsigned fault_each;
    int listen_fd;
    unsigned port;
    pthread_t thread;
    atomic_bool stopping;
    atomic_uint n_posts;
    struct connection connections[N_CONNECTIONS_MAX];
};

static void send_text(int fd, const char *text)
{
    ssize_t n = send(fd, text, strlen(text), MSG_NOSIGNAL);
    (void)n; /* a client that has gone is no concern of the server */
}

static void answer(int fd, const char *status, const char *headers, const char *body)
{
    char text[512];
    snprintf(text, sizeof text, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers,
             strlen(body), body);
    send_text(fd, text);
}

static void answer_in_pieces(int fd)
{
    char text[256];
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(score_body),
             score_body);
    for (const char *at = text; *at; at++)
        send_text(fd, (const char[]){*at, '\0'});
}

static void answer_chunked(int fd)
{
    char text[256];
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
             strlen(score_body), score_body);
    send_text(fd, text);
}

/* Returns whether the connection stays open. */
static bool answer_post(int fd, enum tiny_fault fault)
{
    switch (fault) {
    case TINY_NONE:
    case TINY_VANISHES:
        answer(fd, "200 OK", "", score_body);
        return fault == TINY_NONE;
    case TINY_CHUNKED:
        answer_chunked(fd);
        return true;
    case TINY_DRIBBLE:
        answer_in_pieces(fd);
        return true;
    case TINY_CLOSES:
        answer(fd, "200 OK", "Connection: close\r\n", score_body);
        return false;
    case TINY_REFUSES:
        answer(fd, "503 Service Unavailable", "Retry-After: 2\r\n",
               "{\"error\":{\"code\":\"unavailable\",\"message\":\"too many requests\"}}");
        return true;
    case TINY_GARBLES:
        send_text(fd, "what?\r\n\r\n");
        return true;
    case TINY_HANGS:
        return true;
    case TINY_DROPS:
        return false;
    }
    return false;
}

/* Answers the request at the front if all of it is there. */
static bool answer_first(struct tiny_server *s, struct connection *c)
{
    const char *head_end = memmem(c->bytes, c->n_bytes, "\r\n\r\n", 4);
    if (!head_end)
        return true;
    size_t n = (size_t)(head_end - c->bytes) + 4;
    const char *length = memmem(c->bytes, n, "Content-Length: ", 16);
    n += length ? strtoul(length + 16, NULL, 10) : 0;
    if (n > c->n_bytes)
        return true;
    bool stays = true;
    if (memcmp(c->bytes, "POST", 4) == 0) {
        bool is_faulty = (atomic_fetch_add(&s->n_posts, 1) + 1) % s->fault_each == 0;
        stays = answer_post(c->fd, is_faulty ? s->fault : TINY_NONE);
    } else if (memcmp(c->bytes, "GET /v1/model ", 14) == 0) {
        answer(c->fd, "200 OK", "", model_body);
    } else {
        answer(c->fd, "404 Not Found", "", "");
    }
    c->n_bytes -= n;
    memmove(c->bytes, c->bytes + n, c->n_bytes);
    return stays;
}

static void serve(struct tiny_server *s, struct connection *c)
{
    ssize_t n = recv(c->fd, c->bytes + c->n_bytes, sizeof c->bytes - c->n_bytes, 0);
    if (n > 0) {
        c->n_bytes += (size_t)n;
        if (answer_first(s, c))
            return;
    }
    close(c->fd);
    c->fd = -1;
}

static void accept_one(struct tiny_server *s)
{
    const int on = 1;
    int fd = accept(s->listen_fd, NULL, NULL);
    struct connection *c = s->connections;
    while (c < s->connections + N_CONNECTIONS_MAX && c->fd >= 0)
        c++;
    if (fd < 0 || c == s->connections + N_CONNECTIONS_MAX) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->fd = fd;
    c->n_bytes = 0;
}

static void *server_main(void *argument)
{
    struct tiny_server *s = argument;
    struct pollfd fds[N_CONNECTIONS_MAX + 1];
    while (!atomic_load(&s->stopping)) {
        for (size_t i = 0; i < N_CONNECTIONS_MAX; i++)
            fds[i] = (struct pollfd){.fd = s->connections[i].fd, .events = POLLIN};
        fds[N_CONNECTIONS_MAX] = (struct pollfd){.fd = s->listen_fd, .events = POLLIN};
        if (poll(fds, N_CONNECTIONS_MAX + 1, 20) <= 0)
            continue;
        for (size_t i = 0; i < N_CONNECTIONS_MAX; i++)
            if (fds[i].revents)
                serve(s, &s->connections[i]);
        if (fds[N_CONNECTIONS_MAX].revents)
            accept_one(s);
    }
    return NULL;
}

struct tiny_server *tiny_server_start(enum tiny_fault fault, unsigned fault_each)
{
    struct tiny_server *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->fault = fault;
    s->fault_each = fault_each;
    for (size_t i = 0; i < N_CONNECTIONS_MAX; i++)
        s->connections[i].fd = -1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listen_fd < 0 || bind(s->listen_fd, (struct sockaddr *)&address, size) != 0 ||
        listen(s->listen_fd, 64) != 0 || getsockname(s->listen_fd, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&s->thread, NULL, server_main, s) != 0) {
        close(s->listen_fd);
        free(s);
        return NULL;
    }
    s->port = ntohs(address.sin_port);
    return s;
}

void tiny_server_stop(struct tiny_server *s)
{
    if (!s)
        return;
    atomic_store(&s->stopping, true);
    pthread_join(s->thread, NULL);
    for (size_t i = 0; i < N_CONNECTIONS_MAX; i++)
        if (s->connections[i].fd >= 0)
            close(s->connections[i].fd);
    close(s->listen_fd);
    free(s);
}

unsigned tiny_server_port(const struct tiny_server *s)
{
    return s->port;
}

unsigned tiny_server_n_posts(const struct tiny_server *s)
{
    return atomic_load(&s->n_posts);
}
