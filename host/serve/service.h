/* The service behind every transport: models on a device, and workers that answer requests.
 *
 * Created loading; ready once the models that it was given are loaded (serve/models.h) and every worker's
 * lanes are warm; draining when it is to stop. Until a model is loaded its requests get COLLIDE_BUSY; a
 * draining service still answers those that come. */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include "api/request.h"
#include "base/buffer.h"
#include "observe/observer.h"
#include "wire/wire.h"

enum { VERSIONS_MAX = 8 };

struct service;

/* Puts the kernels of a model that no cache holds into the cache, without this process, in which a driver
 * that compiles may hold up all launches. Called by whoever loads the model, once there are requests to
 * answer. */
struct kernel_builder {
    enum collide_status (*build)(void *context, const struct service *s, const char *model_path,
                                 struct collide_error *err); /* NULL: this process compiles */
    void *context;
};

struct service_options {
    struct collide_scorer_options scorer;
    struct kernel_builder kernel_builder;
    struct request_limits limits;
    const struct wire_key *key; /* of datagrams' tags, borrowed; NULL: none are looked at */
    unsigned n_workers;
    unsigned keep_versions;    /* of a model at once, VERSIONS_MAX at most; 0: one */
    uint64_t max_memory_bytes; /* of all models' files and copied tables; 0: no limit */
    uint64_t slow_ns;          /* see struct observer_options */
    const char *access_log;    /* likewise */
};

enum service_state { SERVICE_LOADING, SERVICE_READY, SERVICE_DRAINING };

enum collide_status service_create(const struct service_options *options, struct service **out,
                                   struct collide_error *err);

/* Its workers and loads have ended. NULL is fine. */
void service_destroy(struct service *s);

enum service_state service_state(const struct service *s);
void service_drain(struct service *s);

/* What is seen of all workers. */
struct observer *service_observer(const struct service *s);

/* Which model, and which version of it. */
struct model_choice {
    const char *name;    /* NULL: the first that the service was given */
    const char *version; /* in decimal; NULL: the one served, that is the newest loaded */
};

enum request_format {
    FORMAT_V1,  /* JSON: api/json_v1.h */
    FORMAT_OIP, /* the Open Inference Protocol: api/oip.h */
};

struct service_reading;

struct service_request {
    enum request_format format;
    enum request_kind kind; /* of FORMAT_V1; the others say it themselves */
    struct model_choice model;
    const char *body; /* (n_bytes) */
    size_t n_bytes;
    size_t n_json_bytes;             /* of FORMAT_OIP: tensors follow them; SIZE_MAX: all are JSON */
    struct service_reading *reading; /* what has read the body but for these last bytes; NULL: they are all */
    uint64_t arrived_ns;             /* of clock_now_ns: what its timeout counts from */
};

/* Answers one request; the body, or the error's, is appended to reply. Each worker is used by one thread at a
 * time; different workers run side by side. COLLIDE_NOT_FOUND: there is no such model or version;
 * COLLIDE_BUSY: it is not loaded yet, or the request's timeout has passed. See also serve/answer.h. */
enum collide_status service_answer(struct service *s, unsigned worker, const struct service_request *request,
                                   struct buffer *reply);

/* A version that one worker looks at. */
struct pinned_model {
    const char *name;
    uint64_t version;
    const struct collide_model *model;
    struct collide_lane *lane; /* the worker's */
};

/* Keeps a version from being destroyed until service_unpin, also when another one takes its place meanwhile;
 * waits for nobody. One at a time a worker, which service_answer and service_answer_burst use, too. Nothing
 * is pinned on failure, which is one of service_answer's. */
enum collide_status service_pin(struct service *s, unsigned worker, const struct model_choice *choice,
                                struct pinned_model *out, struct collide_error *err);
void service_unpin(struct service *s, unsigned worker);

/* A model and where it runs, as JSON; the error's body where there is none such. From any thread. */
enum collide_status service_describe(struct service *s, const struct model_choice *choice,
                                     struct buffer *reply);

#endif
