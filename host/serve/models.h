/* Administration of a service's models, from any thread but a worker's that holds a pin.
 *
 * A load is done aside: the file is opened and checked, placed on the device, and every worker gets a warm
 * lane. Then the new version takes the old one's place between two requests, and the old one goes when the
 * last request that uses it has ended. Whatever fails leaves what is served as it was. Loads and unloads wait
 * for one another; requests wait for none of them. */
#ifndef SERVE_MODELS_H
#define SERVE_MODELS_H

#include "serve/catalogue.h"
#include "serve/model_path.h"

/* Makes a model known under the next number, to be loaded by service_models_load; the service is not ready
 * before that. name NULL: that of the path (serve/model_path.h), as below. COLLIDE_INVALID: it is known
 * already, or no name for a model. */
enum collide_status service_models_add(struct service *s, const char *name, const char *path,
                                       struct collide_error *err);

/* Loads a model, known so far or not. MODELS_MAX can be known: one more takes the place, and the number, of
 * the one that has been unavailable longest, but never of number 0; COLLIDE_BUSY: none is. name NULL: that of
 * the path. path NULL: the one it was last loaded from. A file in a folder whose name is a number is that
 * version, else versions count from 1. version: which one it has become; may be NULL. */
enum collide_status service_models_load(struct service *s, const char *name, const char *path,
                                        uint64_t *version, struct collide_error *err);

/* Of models that are loaded from now on the kernels must be built already. */
void service_models_stop_compiling(struct service *s);

/* Version 0: all versions. Returns when no request uses them any more. The model keeps its number and path.
 */
enum collide_status service_models_unload(struct service *s, const char *name, uint64_t version,
                                          struct collide_error *err);

/* Models that are known, by number: loaded or not. */
size_t service_models_count(struct service *s);
void service_models_name(struct service *s, size_t number, char out[MODEL_NAME_CHARS]);

/* Whether a model's path leads to another file than the one it was loaded from, or it could not be loaded. */
bool service_models_is_stale(struct service *s, size_t number);

/* A version that is loaded, or a model of which none is. */
struct model_report {
    const char *name, *path;
    uint64_t version; /* 0: none */
    enum model_state state;
    const char *reason; /* why it is UNAVAILABLE, or what the last load failed of; "": nothing */
    uint64_t resident_bytes;
    const struct collide_model *model; /* NULL without a version, as is the scorer */
    const struct collide_scorer *scorer;
    struct model_counts counts; /* of the version */
    /* Of the model, versions that are gone among them; the same for all its versions. */
    struct model_counts all_counts;
    uint64_t n_loads, n_failures, n_swaps; /* a swap is a load in place of another version */
    size_t number;                         /* of the model */
    bool is_served;                        /* by default, of its model's versions */
};

typedef void model_visit(void *context, const struct model_report *report);

/* Calls visit for each, with loads held off: all that a report points to is valid until it returns. */
void service_models_each(struct service *s, model_visit *visit, void *context);

/* [{"name": ..., "version": "1", "state": "READY", "reason": ""}, ...], as Triton's repository index. */
void service_models_print(struct service *s, struct buffer *out);

#endif
