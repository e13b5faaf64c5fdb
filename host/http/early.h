/* Answers before the body has come. libmicrohttpd 0.9.75 sends none then: it would read all of it first. */
#ifndef HTTP_EARLY_H
#define HTTP_EARLY_H

#include "http/exchange.h"

struct MHD_Connection;

/* Sends the exchange's reply, and the end of what is sent over this connection; the client may go on sending,
 * and all of that is to be thrown away: closing at once would reset the connection before the client has read
 * the reply. Where a part of it alone could be sent, the connection ends. False: nothing has been sent. */
bool http_answer_early(struct MHD_Connection *connection, struct http_exchange *x);

#endif
