/* A request that is read while its body comes, so that of a large one there is never more in memory than what
 * it says. */
#ifndef SERVE_READING_H
#define SERVE_READING_H

#include "api/oip.h"
#include "serve/service.h"

struct service_reading {
    struct service *service; /* borrowed */
    size_t n_bytes;          /* of memory that it has, as counted with all others' */
    enum request_format format;
    struct request request;
    struct oip_form form;
    struct json_v1_reader *v1; /* one of the two, in the request's arena */
    struct oip_reader *oip;
};

/* For a request to a model that there is; else one of service_answer's failures. Borrows the service. Returns
 * owned. */
enum collide_status service_reading_create(struct service *s, unsigned worker,
                                           const struct service_request *request,
                                           struct service_reading **out, struct collide_error *err);
void service_reading_destroy(struct service_reading *r); /* NULL is fine */

/* All readings of a service together take no more memory than this, but for one that is alone. */
#define SERVICE_READING_BYTES ((size_t)1 << 30)

/* Reads on: *n_read bytes of the text are not needed any more. COLLIDE_OK: all is well so far. COLLIDE_BUSY:
 * there are too many readings. Unless it is COLLIDE_OK the reading has ended. The last text is for service_answer: the body of a request with this reading. */
enum collide_status service_read(struct service_reading *r, const struct request_text *text, size_t *n_read,
                                 struct collide_error *err);

#endif
