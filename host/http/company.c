#include "http/company.h"

#include "serve/answer.h"

#include <stdlib.h>

struct http_company {
    size_t n;
    struct service_call calls[CALLS_MAX];  /* (n) */
    struct http_reply *replies[CALLS_MAX]; /* (n), put off */
};

struct http_company *http_company_create(void)
{
    return calloc(1, sizeof(struct http_company));
}

void http_company_destroy(struct http_company *c)
{
    free(c);
}

static void fill_reply(const struct service_call *call, struct http_reply *reply)
{
    reply->status = http_status_of(call->status);
    if (call->n_json_bytes > 0) {
        reply->content_type = "application/octet-stream";
        http_reply_header(reply, "Inference-Header-Content-Length", "%zu", call->n_json_bytes);
    }
}

void http_answer(const struct http_context *context, const struct http_request *request,
                 const struct service_request *asked, struct http_reply *reply)
{
    struct http_company *company = context->company;
    struct observed_request *observed = observer_current(service_observer(context->service), context->worker);
    struct service_call call = {.request = *asked, .reply = &reply->body, .observed = observed};
    if (!service_gains_from_company(context->service)) {
        service_answer_calls(context->service, context->worker, &call, 1);
        fill_reply(&call, reply);
        return;
    }
    reply->observed = *observed;
    call.observed = &reply->observed;
    company->calls[company->n] = call;
    company->replies[company->n++] = reply;
    http_reply_put_off(request, reply);
    if (company->n == CALLS_MAX)
        http_company_answer(context);
}

bool http_company_answer(const struct http_context *context)
{
    struct http_company *c = context->company;
    size_t n = c->n;
    if (n == 0)
        return false;
    service_answer_calls(context->service, context->worker, c->calls, n);
    for (size_t i = 0; i < n; i++) {
        fill_reply(&c->calls[i], c->replies[i]);
        http_reply_finish(c->replies[i]);
    }
    c->n = 0;
    return true;
}
