#include "cli/ask_server.h"

#include "api/json_reader.h"
#include "base/error.h"
#include "base/secret_file.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_LINE_MAX = 256, URL_MAX = 1024 };

struct http_asker {
    const struct server_options *options;
    char base[URL_MAX]; /* what "score" and "topk" are put behind */
    CURL *curl;
    struct curl_slist *headers;
    char why[CURL_ERROR_SIZE];
};

static size_t take_body(char *bytes, size_t size, size_t n, void *context)
{
    struct buffer *reply = context;
    buffer_append(reply, bytes, size * n);
    return reply->failed ? 0 : size * n;
}

static enum collide_status add_header(struct http_asker *a, const char *header, struct collide_error *err)
{
    struct curl_slist *longer = curl_slist_append(a->headers, header);
    if (!longer)
        return error_no_memory(err, "a header");
    a->headers = longer;
    return COLLIDE_OK;
}

static enum collide_status add_key(struct http_asker *a, const char *path, struct collide_error *err)
{
    char header[KEY_LINE_MAX + 32];
    struct secret secret;
    enum collide_status status = secret_file_read(path, &secret, err);
    if (status != COLLIDE_OK)
        return status;
    const size_t n = strcspn(secret.bytes, "\r\n");
    if (n == 0 || n >= KEY_LINE_MAX)
        status = error_set(err, COLLIDE_INVALID, "%s has no API key in its first line", path);
    else
        snprintf(header, sizeof header, "Authorization: Bearer %.*s", (int)n, secret.bytes);
    secret_free(&secret);
    return status == COLLIDE_OK ? add_header(a, header, err) : status;
}

/* An error's message, {"error": {"message": ...}}, into out; else the body's first line. */
static void find_message(const struct buffer *reply, char *out, size_t capacity)
{
    struct arena arena = {0};
    struct collide_error err;
    struct json_text key, message = {reply->bytes, reply->n_bytes};
    struct json_reader r = json_reader_over(reply->bytes, reply->n_bytes, &arena, &err);
    if (json_enter(&r, '{', 0) && json_next(&r, 0) && json_key(&r, &key))
        while (json_enter(&r, '{', 1) && json_next(&r, 1) && json_key(&r, &key)) {
            if (json_text_is(&key, "message") && json_peek(&r) == '"')
                json_string(&r, &message);
            else
                json_skip(&r);
        }
    const char *newline = memchr(message.bytes ? message.bytes : "", '\n', message.n_bytes);
    size_t n = newline ? (size_t)(newline - message.bytes) : message.n_bytes;
    snprintf(out, capacity, "%.*s", (int)(n < capacity ? n : capacity - 1),
             message.bytes ? message.bytes : "");
    arena_free(&arena);
}

static enum collide_status judge(struct http_asker *a, const struct buffer *reply, struct collide_error *err)
{
    long code = 0;
    curl_off_t retry_after = 0;
    char message[256], later[48] = "";
    curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(a->curl, CURLINFO_RETRY_AFTER, &retry_after);
    if (code == 200)
        return COLLIDE_OK;
    find_message(reply, message, sizeof message);
    if (retry_after > 0)
        snprintf(later, sizeof later, "; try again in %lld s", (long long)retry_after);
    enum collide_status status = code == 503 || code == 429  ? COLLIDE_BUSY
                                 : code >= 400 && code < 500 ? COLLIDE_INVALID
                                                             : COLLIDE_DEVICE;
    return error_set(err, status, "%s answers %ld: %s%s", a->options->address, code, message, later);
}

static enum collide_status ask_http(void *self, enum request_kind kind, const char *text, size_t n,
                                    struct buffer *reply, struct collide_error *err)
{
    struct http_asker *a = self;
    char url[URL_MAX + 8];
    snprintf(url, sizeof url, "%s%s", a->base, kind == REQUEST_TOPK ? "topk" : "score");
    a->why[0] = '\0';
    curl_easy_setopt(a->curl, CURLOPT_URL, url);
    curl_easy_setopt(a->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
    curl_easy_setopt(a->curl, CURLOPT_POSTFIELDS, text);
    curl_easy_setopt(a->curl, CURLOPT_WRITEDATA, reply);
    CURLcode failed = curl_easy_perform(a->curl);
    if (failed == CURLE_OK)
        return judge(a, reply, err);
    reply->n_bytes = 0; /* not the half of an answer */
    return error_set(err, COLLIDE_NOT_FOUND, "cannot ask %s: %s", a->options->address,
                     a->why[0] ? a->why : curl_easy_strerror(failed));
}

/* ".../v1/", or ".../v1/models/NAME/versions/VERSION/". */
static enum collide_status set_base(struct http_asker *a, const char *server, struct collide_error *err)
{
    const struct server_options *o = a->options;
    int n_server = (int)strlen(server);
    while (n_server > 0 && server[n_server - 1] == '/')
        n_server--;
    char *model = curl_easy_escape(a->curl, o->model ? o->model : "", 0);
    char *version = curl_easy_escape(a->curl, o->version ? o->version : "", 0);
    size_t n = !model || !version
                   ? 0
                   : (size_t)snprintf(a->base, sizeof a->base, "%.*s/v1/%s%s%s%s%s", n_server, server,
                                      o->model ? "models/" : "", model, o->version ? "/versions/" : "",
                                      version, o->model ? "/" : "");
    curl_free(model);
    curl_free(version);
    if (n == 0)
        return error_no_memory(err, "an address");
    return n < sizeof a->base
               ? COLLIDE_OK
               : error_set(err, COLLIDE_INVALID, "the address %.64s... is too long", o->address);
}

static enum collide_status prepare(struct http_asker *a, struct collide_error *err)
{
    const struct server_options *o = a->options;
    enum collide_status status = add_header(a, "Content-Type: application/json", err);
    if (status == COLLIDE_OK) /* else curl waits for leave to send large bodies */
        status = add_header(a, "Expect:", err);
    if (status == COLLIDE_OK && o->key)
        status = add_key(a, o->key, err);
    const bool is_unix = strncmp(o->address, "unix:", 5) == 0;
    if (is_unix)
        curl_easy_setopt(a->curl, CURLOPT_UNIX_SOCKET_PATH, o->address + 5);
    if (status == COLLIDE_OK)
        status = set_base(a, is_unix ? "http://localhost" : o->address, err);
    curl_easy_setopt(a->curl, CURLOPT_HTTPHEADER, a->headers);
    curl_easy_setopt(a->curl, CURLOPT_ERRORBUFFER, a->why);
    curl_easy_setopt(a->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(a->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(a->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(a->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(a->curl, CURLOPT_TIMEOUT_MS, (long)o->timeout_ms);
    if (o->ca)
        curl_easy_setopt(a->curl, CURLOPT_CAINFO, o->ca);
    return status;
}

enum collide_status ask_http_open(const struct server_options *options, struct asker *out,
                                  struct collide_error *err)
{
    struct http_asker *a = calloc(1, sizeof *a);
    *out = (struct asker){ask_http, a};
    if (!a || !(a->curl = curl_easy_init()))
        return error_no_memory(err, "an HTTP client");
    a->options = options;
    return prepare(a, err);
}

void ask_http_close(struct asker *asker)
{
    struct http_asker *a = asker->self;
    if (!a)
        return;
    curl_slist_free_all(a->headers);
    curl_easy_cleanup(a->curl);
    free(a);
}
