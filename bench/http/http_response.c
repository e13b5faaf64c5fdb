#include "http_response.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { BODY_BYTES_MAX = 1 << 30 };

/* What is left to parse. */
struct text {
    const char *at;
    const char *end;
};

/* Takes the next line, without its CR LF (or bare LF). Returns 1, or HTTP_INCOMPLETE. */
static int take_line(struct text *in, struct text *line)
{
    const char *newline = memchr(in->at, '\n', (size_t)(in->end - in->at));
    if (!newline)
        return HTTP_INCOMPLETE;
    size_t n = (size_t)(newline - in->at);
    if (n > 0 && in->at[n - 1] == '\r')
        n--;
    *line = (struct text){in->at, in->at + n};
    in->at = newline + 1;
    return 1;
}

static size_t length_of(struct text t)
{
    return (size_t)(t.end - t.at);
}

static bool text_is(struct text t, const char *name)
{
    return length_of(t) == strlen(name) && strncasecmp(t.at, name, length_of(t)) == 0;
}

static struct text trimmed(struct text t)
{
    while (t.at < t.end && (*t.at == ' ' || *t.at == '\t'))
        t.at++;
    while (t.end > t.at && (t.end[-1] == ' ' || t.end[-1] == '\t'))
        t.end--;
    return t;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* All of t as a number of at most BODY_BYTES_MAX. */
static bool read_number(struct text t, int base, size_t *out)
{
    size_t value = 0;
    if (t.at == t.end)
        return false;
    for (; t.at < t.end; t.at++) {
        if (digit_of(*t.at) >= base)
            return false;
        value = value * (size_t)base + (size_t)digit_of(*t.at);
        if (value > BODY_BYTES_MAX)
            return false;
    }
    *out = value;
    return true;
}

/* Whether a comma-separated header value holds the token. */
static bool list_has(struct text list, const char *token)
{
    while (list.at < list.end) {
        const char *comma = memchr(list.at, ',', length_of(list));
        struct text entry = {list.at, comma ? comma : list.end};
        if (text_is(trimmed(entry), token))
            return true;
        list.at = comma ? comma + 1 : list.end;
    }
    return false;
}

struct head {
    struct http_response response;
    bool has_length;
};

/* "HTTP/1.1 200 OK" */
static bool read_status_line(struct text line, struct head *head)
{
    static const char version[] = "HTTP/1.";
    const size_t at_minor = sizeof version - 1, at_status = at_minor + 2;
    if (length_of(line) < at_status + 3 || memcmp(line.at, version, at_minor) != 0)
        return false;
    char minor = line.at[at_minor];
    const char *status = line.at + at_status;
    size_t number;
    if ((minor != '0' && minor != '1') || status[-1] != ' ' || status[0] < '1' ||
        !read_number((struct text){status, status + 3}, 10, &number) ||
        (status + 3 < line.end && status[3] != ' '))
        return false;
    head->response.status = (int)number;
    head->response.keeps_alive = minor == '1';
    return true;
}

static bool read_header(struct text line, struct head *head)
{
    struct http_response *r = &head->response;
    const char *colon = memchr(line.at, ':', length_of(line));
    if (!colon || colon == line.at)
        return false;
    struct text name = {line.at, colon}, value = trimmed((struct text){colon + 1, line.end});
    if (text_is(name, "Content-Length")) {
        size_t length;
        if (!read_number(value, 10, &length) || (head->has_length && length != r->n_body))
            return false;
        r->n_body = length;
        head->has_length = true;
    } else if (text_is(name, "Transfer-Encoding")) {
        if (!text_is(value, "chunked"))
            return false;
        r->is_chunked = true;
    } else if (text_is(name, "Connection")) {
        if (list_has(value, "close"))
            r->keeps_alive = false;
        else if (list_has(value, "keep-alive"))
            r->keeps_alive = true;
    }
    return true;
}

/* The status line and headers with the empty line after them: 1, HTTP_INCOMPLETE or HTTP_BAD. */
static int read_head(struct text *in, struct head *head)
{
    struct text line;
    int got = take_line(in, &line);
    if (got < 0)
        return got;
    if (!read_status_line(line, head))
        return HTTP_BAD;
    while ((got = take_line(in, &line)) > 0 && line.at < line.end)
        if (!read_header(line, head))
            return HTTP_BAD;
    return got;
}

/* Takes one chunk with its size line and line end; an empty one is the last. */
static int take_chunk(struct text *in, struct text *chunk)
{
    struct text line, after;
    int got = take_line(in, &line);
    if (got < 0)
        return got;
    const char *extension = memchr(line.at, ';', length_of(line));
    size_t n;
    if (!read_number(trimmed((struct text){line.at, extension ? extension : line.end}), 16, &n))
        return HTTP_BAD;
    *chunk = (struct text){in->at, in->at};
    if (n == 0)
        return 1;
    if (n > length_of(*in))
        return HTTP_INCOMPLETE;
    in->at += n;
    chunk->end = in->at;
    /* At most CR LF may follow, so that garbage shows at once and not only at some later line end. */
    if (in->at < in->end && *in->at != '\r' && *in->at != '\n')
        return HTTP_BAD;
    got = take_line(in, &after);
    return got > 0 && after.at < after.end ? HTTP_BAD : got;
}

/* Chunks and trailers up to the empty line. */
static int skip_chunked(struct text *in)
{
    struct text chunk, trailer;
    int got;
    while ((got = take_chunk(in, &chunk)) > 0 && chunk.at < chunk.end)
        ;
    if (got < 0)
        return got;
    while ((got = take_line(in, &trailer)) > 0 && trailer.at < trailer.end)
        ;
    return got;
}

static bool is_bodiless(int status)
{
    return status < 200 || status == 204 || status == 304;
}

ptrdiff_t http_response_parse(const char *bytes, size_t n, struct http_response *out)
{
    static const char start[] = "HTTP/1.";
    if (memcmp(bytes, start, n < sizeof start - 1 ? n : sizeof start - 1) != 0)
        return HTTP_BAD;
    struct text in = {bytes, bytes + n};
    struct head head = {0};
    int got = read_head(&in, &head);
    if (got < 0)
        return got;
    struct http_response *r = &head.response;
    r->body = in.at;
    if (is_bodiless(r->status)) {
        r->n_body = 0;
        r->is_chunked = false;
    } else if (r->is_chunked) {
        if ((got = skip_chunked(&in)) < 0)
            return got;
        r->n_body = (size_t)(in.at - r->body);
    } else if (!head.has_length) {
        return HTTP_BAD;
    } else if (r->n_body > length_of(in)) {
        return HTTP_INCOMPLETE;
    }
    if (!r->is_chunked)
        in.at += r->n_body;
    *out = *r;
    return in.at - bytes;
}

void http_response_append_body(const struct http_response *r, struct buffer *out)
{
    struct text in = {r->body, r->body + r->n_body}, chunk;
    if (!r->is_chunked) {
        buffer_append(out, r->body, r->n_body);
        return;
    }
    while (take_chunk(&in, &chunk) > 0 && chunk.at < chunk.end)
        buffer_append(out, chunk.at, length_of(chunk));
}
