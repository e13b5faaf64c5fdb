/* The service behind every transport: a model on a device, and workers that answer requests.
 *
 * Created loading; ready once a model is loaded and every worker's lane is warm; draining when it is to stop.
 * Until the model is loaded requests get COLLIDE_BUSY; a draining service still answers those that come. */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include "api/request.h"
#include "base/buffer.h"
#include "wire/wire.h"

struct service_options {
    struct collide_scorer_options scorer;
    struct request_limits limits;
    const struct wire_key *key; /* of datagrams' tags, borrowed; NULL: none are looked at */
    unsigned n_workers;
};

enum service_state { SERVICE_LOADING, SERVICE_READY, SERVICE_DRAINING };

struct service;

enum collide_status service_create(const struct service_options *options, struct service **out,
                                   struct collide_error *err);
void service_destroy(struct service *s);

/* Opens and checks the model, builds the kernels, warms every worker's lane, turns ready. Once. COLLIDE_BUSY:
 * service_drain was called meanwhile. */
enum collide_status service_load(struct service *s, const char *model_path, struct collide_error *err);

enum service_state service_state(const struct service *s);
void service_drain(struct service *s);
unsigned service_n_workers(const struct service *s);

/* Answers one JSON request; the body, or the error's, is appended to reply. Each worker is used by one thread
 * at a time; different workers run side by side. */
enum collide_status service_answer(struct service *s, unsigned worker, enum request_kind kind,
                                   const char *body, size_t n_bytes, struct buffer *reply);

/* The model and where it runs, as JSON; until it is loaded the error's body and COLLIDE_BUSY. */
enum collide_status service_describe(const struct service *s, struct buffer *reply);

#endif
