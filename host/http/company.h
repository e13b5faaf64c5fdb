/* Requests to models: answered at once, or, where a device gains from that, all that have come together by
 * one launch, their connections resting meanwhile. Nothing waits for more to come. */
#ifndef HTTP_COMPANY_H
#define HTTP_COMPANY_H

#include "http/endpoint.h"

struct http_company;

/* One thread's. NULL: out of memory. Returns owned. */
struct http_company *http_company_create(void);
void http_company_destroy(struct http_company *c);

/* An endpoint's work: fills the reply with the answer, or puts it off. */
void http_answer(const struct http_context *context, const struct http_request *request,
                 const struct service_request *call, struct http_reply *reply);

/* Answers those that were put off. Whether there were any. */
bool http_company_answer(const struct http_context *context);

#endif
