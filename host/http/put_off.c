#include "http/endpoint.h"

#include <microhttpd.h>

void http_reply_put_off(const struct http_request *request, struct http_reply *reply)
{
    reply->progress = HTTP_PUT_OFF;
    reply->resting_connection = request->connection;
    MHD_suspend_connection(request->connection);
}

/* The connection's thread looks at it again, and finds the reply whole. */
void http_reply_finish(struct http_reply *reply)
{
    MHD_resume_connection(reply->resting_connection);
}
