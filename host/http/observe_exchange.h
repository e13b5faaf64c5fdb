/* Counts an exchange that is answered, and keeps a record of it where that is wanted. */
#ifndef HTTP_OBSERVE_EXCHANGE_H
#define HTTP_OBSERVE_EXCHANGE_H

#include "http/exchange.h"

struct MHD_Connection;

void exchange_observe(const struct http_context *context, const struct http_exchange *x,
                      struct MHD_Connection *connection);

#endif
