/* A server for clients that are written from the documentation alone: score = user + item / 2. Before each
 * answer it sends what a client has to pass over. Prints its port on 127.0.0.1; ends when nothing comes for
 * 10 s. */
#include "wire/wire.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

static size_t answer(const struct wire_request *r, uint64_t id, uint8_t *out)
{
    static float scores[WIRE_MAX_BYTES];
    struct wire_response_fields fields = {
        .id = id, .kind = WIRE_SCORE, .scores = scores, .n_results = r->items.n};
    struct wire_writer w;
    for (uint32_t i = 0; i < r->items.n; i++)
        scores[i] = (float)(id - r->id) + (float)r->user + 0.5f * (float)wire_id(&r->items, i);
    if (r->kind != WIRE_SCORE || !(r->flags & WIRE_HAS_USER))
        fields = (struct wire_response_fields){.id = id, .kind = r->kind, .code = WIRE_UNSUPPORTED};
    wire_begin(&w, out, WIRE_MAX_BYTES, WIRE_RESPONSES);
    wire_put_response(&w, &fields);
    return wire_finish(&w, NULL);
}

static void answer_datagram(int fd, const uint8_t *bytes, size_t n_bytes, const struct sockaddr_in *to)
{
    uint8_t reply[WIRE_MAX_BYTES];
    struct wire_reader reader;
    struct wire_request r;
    enum wire_code code;
    if (wire_open(bytes, n_bytes, WIRE_REQUESTS, NULL, &reader) != WIRE_ACCEPTED)
        return;
    while (wire_next_request(&reader, &r, &code) && code == WIRE_OK) {
        sendto(fd, "not ours", 8, 0, (const struct sockaddr *)to, sizeof *to);
        for (uint64_t id = r.id + 1; id + 1 != r.id; id--) /* somebody else's answer, then the right one */
            sendto(fd, reply, answer(&r, id, reply), 0, (const struct sockaddr *)to, sizeof *to);
    }
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n_address = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) ||
        getsockname(fd, (struct sockaddr *)&address, &n_address))
        return 1;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    while (poll(&readable, 1, 10000) == 1) {
        uint8_t bytes[2048];
        struct sockaddr_in from;
        socklen_t n_from = sizeof from;
        ssize_t n = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &n_from);
        if (n > 0)
            answer_datagram(fd, bytes, (size_t)n, &from);
    }
    return 0;
}
