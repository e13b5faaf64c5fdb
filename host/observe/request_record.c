#include "observe/request_record.h"

#include "api/json_v1.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

_Static_assert(sizeof(struct request_record) % sizeof(uint64_t) == 0, "copied as words");

const char *transport_kind_name(enum transport_kind kind)
{
    static const char *const names[] = {
        [TRANSPORT_HTTP] = "http", [TRANSPORT_UDP] = "udp", [TRANSPORT_XDP] = "xdp", [TRANSPORT_SHM] = "shm"};
    return names[kind];
}

const char *stage_name(enum stage stage)
{
    static const char *const names[] = {[STAGE_READ] = "read",
                                        [STAGE_PARSE] = "parse",
                                        [STAGE_QUEUE] = "queue",
                                        [STAGE_KERNEL] = "kernel",
                                        [STAGE_PRINT] = "print"};
    return names[stage];
}

void request_record_set_times(struct request_record *r, const struct request_times *times)
{
    r->begin_ns = times->begin_ns;
    r->total_ns = request_times_total(times);
    for (unsigned i = 0; i < N_STAGES; i++)
        r->stage_ns[i] = times->ns[i] < UINT32_MAX ? (uint32_t)times->ns[i] : UINT32_MAX;
}

static void copy(char *text, size_t capacity, const char *value, size_t n)
{
    n = n < capacity ? n : capacity - 1;
    memcpy(text, value, n);
    text[n] = '\0';
}

void request_record_set_text(char *text, size_t capacity, const char *value)
{
    copy(text, capacity, value ? value : "", value ? strlen(value) : 0);
}

void request_record_set_path(struct request_record *r, const char *path)
{
    copy(r->path, sizeof r->path, path, strcspn(path, "?#"));
}

int64_t request_record_wall_offset_ns(void)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    return (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec - (int64_t)clock_now_ns();
}

static void print_time(uint64_t wall_ns, struct buffer *out)
{
    time_t seconds = (time_t)(wall_ns / 1000000000);
    struct tm t;
    char day[32];
    gmtime_r(&seconds, &t);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &t);
    buffer_printf(out, "\"%s.%06uZ\"", day, (unsigned)(wall_ns % 1000000000 / 1000));
}

static void print_remote(const struct request_record *r, struct buffer *out)
{
    char host[INET6_ADDRSTRLEN] = "";
    buffer_append_text(out, ",\"remote\":");
    if (r->remote.family == AF_INET) {
        inet_ntop(AF_INET, &r->remote.v4.sin_addr, host, sizeof host);
        buffer_printf(out, "\"%s:%u\"", host, ntohs(r->remote.v4.sin_port));
    } else if (r->remote.family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&r->remote.v6.sin6_addr)) {
        inet_ntop(AF_INET, &r->remote.v6.sin6_addr.s6_addr[12], host, sizeof host);
        buffer_printf(out, "\"%s:%u\"", host, ntohs(r->remote.v6.sin6_port));
    } else if (r->remote.family == AF_INET6) {
        inet_ntop(AF_INET6, &r->remote.v6.sin6_addr, host, sizeof host);
        buffer_printf(out, "\"[%s]:%u\"", host, ntohs(r->remote.v6.sin6_port));
    } else {
        buffer_append_text(out, "\"local\"");
    }
}

static void print_text(const char *name, const char *value, struct buffer *out)
{
    if (value[0] == '\0')
        return;
    buffer_printf(out, ",\"%s\":", name);
    json_print_string(out, value, strlen(value));
}

static void print_us(const char *name, uint64_t ns, struct buffer *out)
{
    buffer_printf(out, ",\"%s_us\":%" PRIu64 ".%" PRIu64, name, ns / 1000, ns % 1000 / 100);
}

void request_record_print(const struct request_record *r, int64_t wall_offset_ns, struct buffer *out)
{
    buffer_append_text(out, "{\"time\":");
    print_time(r->begin_ns + (uint64_t)wall_offset_ns, out);
    print_text("transport", transport_kind_name(r->transport), out);
    if (r->transport == TRANSPORT_HTTP) {
        print_remote(r, out);
        print_text("client", r->client, out);
        print_text("method", r->method, out);
        print_text("path", r->path, out);
        buffer_printf(out, ",\"status\":%u", r->status);
    } else {
        buffer_printf(out, ",\"requests\":%" PRIu32, r->n_requests);
    }
    buffer_printf(out, ",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64, r->n_bytes_in, r->n_bytes_out);
    print_us("total", r->total_ns, out);
    for (enum stage i = 0; i < N_STAGES; i++)
        print_us(stage_name(i), r->stage_ns[i], out);
    print_text("model", r->model, out);
    print_text("id", r->id, out);
    buffer_append(out, "}", 1);
}
