#include "http/early.h"

#include "http/connection_info.h"

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <sys/socket.h>
#include <time.h>

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? info->tls_session : NULL;
}

static void print_head(const struct http_reply *reply, struct buffer *out)
{
    char date[64];
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
    buffer_printf(out,
                  "HTTP/1.1 %u %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                  "Connection: close\r\n",
                  reply->status, MHD_get_reason_phrase_for(reply->status), date, reply->content_type,
                  reply->body.n_bytes);
    for (unsigned i = 0; i < reply->n_headers; i++)
        buffer_printf(out, "%s: %s\r\n", reply->headers[i].name, reply->headers[i].value);
    if (reply->status == MHD_HTTP_SERVICE_UNAVAILABLE)
        buffer_printf(out, "%s: 1\r\n", MHD_HTTP_HEADER_RETRY_AFTER);
    buffer_append_text(out, "\r\n");
}

/* It fits into the socket's buffer, but where a client sends requests without reading the answers; then the
 * connection ends, since nothing whole could follow a part of it. */
bool http_answer_early(struct MHD_Connection *connection, struct http_exchange *x)
{
    gnutls_session_t session = session_of(connection);
    int fd = connection_socket(connection);
    struct buffer text = {0};
    print_head(&x->reply, &text);
    buffer_append(&text, x->reply.body.bytes, x->reply.body.n_bytes);
    ssize_t n = -1;
    if (!text.failed)
        n = session ? gnutls_record_send(session, text.bytes, text.n_bytes)
                    : send(fd, text.bytes, text.n_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    bool is_whole = n == (ssize_t)text.n_bytes;
    bool may_be_sent = n > 0 || (session && !text.failed); /* TLS keeps a record that has to wait */
    buffer_free(&text);
    if (!may_be_sent)
        return false;
    if (!is_whole)
        shutdown(fd, SHUT_RDWR);
    else if (session)
        gnutls_bye(session, GNUTLS_SHUT_WR);
    else
        shutdown(fd, SHUT_WR);
    x->is_answered = true;
    return true;
}
