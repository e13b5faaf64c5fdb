#include "http_requests.h"

#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "http_tensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void http_requests_free(struct http_requests *r)
{
    free(r->items);
    buffer_free(&r->bytes);
    *r = (struct http_requests){0};
}

/* Adds a message to r. While they are collected, items hold lengths only: the bytes still move. n_json <
 * n_body: tensors follow the JSON. */
static void append_post(struct http_requests *r, struct http_target target, const char *body, size_t n_body,
                        size_t n_json)
{
    size_t before = r->bytes.n_bytes;
    buffer_printf(&r->bytes, "POST %s HTTP/1.1\r\nHost: %s\r\n", target.path, target.authority);
    if (n_json < n_body)
        buffer_printf(&r->bytes,
                      "Content-Type: application/octet-stream\r\nInference-Header-Content-Length: %zu\r\n",
                      n_json);
    else
        buffer_append_text(&r->bytes, "Content-Type: application/json\r\n");
    buffer_printf(&r->bytes, "Content-Length: %zu\r\n\r\n", n_body);
    buffer_append(&r->bytes, body, n_body);
    r->items[r->n++].n_bytes = r->bytes.n_bytes - before;
}

/* Gives r to the caller, its messages pointing to their bytes; frees it on failure. */
static enum collide_status hand_over(struct http_requests *r, struct http_requests *out,
                                     struct collide_error *err)
{
    if (r->bytes.failed) {
        http_requests_free(r);
        return error_no_memory(err, "the requests");
    }
    const char *at = r->bytes.bytes;
    for (size_t i = 0; i < r->n; i++) {
        r->items[i].bytes = at;
        at += r->items[i].n_bytes;
    }
    *out = *r;
    return COLLIDE_OK;
}

static enum collide_status make_room(struct http_requests *r, size_t n, struct collide_error *err)
{
    r->items = calloc(n, sizeof *r->items);
    return r->items ? COLLIDE_OK : error_no_memory(err, "the requests");
}

static void append_ids(struct buffer *body, const char *name, const uint64_t *ids, size_t n)
{
    buffer_printf(body, "\"%s\":[", name);
    for (size_t i = 0; i < n; i++)
        buffer_printf(body, "%s%" PRIu64, i ? "," : "", ids[i]);
    buffer_append_text(body, "]");
}

/* ids: (question_n_ids) to draw into */
static void append_query(struct buffer *body, const struct question *q, struct rng *rng, uint64_t *ids)
{
    struct query query = question_draw(q, rng, ids);
    buffer_append_text(body, "{");
    if (q->n_history)
        append_ids(body, "history", query.history, q->n_history);
    else
        buffer_printf(body, "\"user\":%" PRIu64, query.user);
    buffer_append_text(body, ",");
    if (q->topk)
        buffer_printf(body, "\"k\":%" PRIu64, q->topk);
    else
        append_ids(body, "items", query.items, question_n_items(q));
    buffer_append_text(body, "}");
}

/* How many of its bytes are JSON. */
static size_t append_body(struct buffer *body, enum http_protocol protocol, const struct question *q,
                          struct rng *rng, uint64_t *ids)
{
    if (protocol != HTTP_V1)
        return http_tensors_append(body, q, rng, ids,
                                   protocol == HTTP_V2 ? TENSORS_AS_JSON : TENSORS_AS_BYTES);
    for (uint64_t i = 0; i < q->batch; i++) {
        if (q->batch > 1)
            buffer_append_text(body, i ? "," : "{\"requests\":[");
        append_query(body, q, rng, ids);
    }
    if (q->batch > 1)
        buffer_append_text(body, "]}");
    return body->n_bytes;
}

enum collide_status http_requests_random(struct http_target target, const struct question *question,
                                         struct http_requests *out, struct collide_error *err)
{
    struct http_requests r = {0};
    struct buffer body = {0};
    struct rng rng = question_rng(question);
    size_t n = question_n_requests(question);
    uint64_t *ids = calloc((question->batch + 1) * (question_n_ids(question) + 1), sizeof *ids);
    if (!ids)
        return error_no_memory(err, "the requests");
    enum collide_status status = make_room(&r, n, err);
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++) {
        body.n_bytes = 0;
        size_t n_json = append_body(&body, target.protocol, question, &rng, ids);
        append_post(&r, target, body.bytes, body.n_bytes, n_json);
    }
    r.bytes.failed |= body.failed;
    buffer_free(&body);
    free(ids);
    return status == COLLIDE_OK ? hand_over(&r, out, err) : status;
}

static size_t count_lines(const struct file_map *map)
{
    size_t n = 1;
    for (size_t i = 0; i < map->n_bytes; i++)
        n += map->bytes[i] == '\n';
    return n;
}

static void append_lines(struct http_requests *r, struct http_target target, const struct file_map *map)
{
    const char *at = (const char *)map->bytes, *end = at + map->n_bytes;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline ? newline : end;
        size_t n = (size_t)(line_end - at);
        if (n > 0 && at[n - 1] == '\r')
            n--;
        if (n > 0)
            append_post(r, target, at, n, n);
        at = newline ? newline + 1 : end;
    }
}

enum collide_status http_requests_from_file(struct http_target target, const char *file,
                                            struct http_requests *out, struct collide_error *err)
{
    struct http_requests r = {0};
    struct file_map map;
    enum collide_status status = file_map(file, &map, err);
    if (status != COLLIDE_OK)
        return status;
    status = make_room(&r, count_lines(&map), err);
    if (status == COLLIDE_OK)
        append_lines(&r, target, &map);
    file_unmap(&map);
    if (status == COLLIDE_OK && r.n == 0)
        status = error_set(err, COLLIDE_INVALID, "%s has no requests: it needs one JSON body per line", file);
    if (status == COLLIDE_OK)
        return hand_over(&r, out, err);
    http_requests_free(&r);
    return status;
}

enum collide_status http_requests_get(struct http_target target, struct http_requests *out,
                                      struct collide_error *err)
{
    struct http_requests r = {0};
    enum collide_status status = make_room(&r, 1, err);
    if (status != COLLIDE_OK)
        return status;
    buffer_printf(&r.bytes, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", target.path, target.authority);
    r.items[r.n++].n_bytes = r.bytes.n_bytes;
    return hand_over(&r, out, err);
}
