/* What is served at one moment. A catalogue that workers see never changes: another one takes its place. */
#ifndef SERVE_CATALOGUE_H
#define SERVE_CATALOGUE_H

#include "serve/model_version.h"
#include "serve/service.h"

enum { MODELS_MAX = 4096 };

enum model_state { MODEL_LOADING, MODEL_READY, MODEL_UNAVAILABLE };

/* "LOADING", "READY", "UNAVAILABLE"; static. */
const char *model_state_name(enum model_state state);

struct catalogue_model {
    const char *name; /* borrowed */
    enum model_state state;
    size_t n_versions;                            /* above 0: READY */
    struct model_version *versions[VERSIONS_MAX]; /* borrowed; the first is the one served by default */
};

struct catalogue {
    size_t n_models;
    struct catalogue_model models[]; /* (n_models), by number */
};

/* A copy with room for n_models, those that are new empty. NULL: out of memory. c may be NULL. For free(). */
struct catalogue *catalogue_copy(const struct catalogue *c, size_t n_models);

/* Number of the model of this name; c->n_models: there is none. */
size_t catalogue_find(const struct catalogue *c, const char *name);

/* COLLIDE_NOT_FOUND: there is no such model or version. COLLIDE_BUSY: it is being loaded. */
enum collide_status catalogue_choose(const struct catalogue *c, const struct model_choice *choice,
                                     struct model_version **out, struct collide_error *err);

/* Puts a version in the place of the one with its number, else in front of all, of which only `keep` stay.
 * Those that had to go are appended to leaving. */
struct version_list {
    struct model_version *versions[VERSIONS_MAX];
    size_t n;
};

void catalogue_put(struct catalogue_model *m, struct model_version *v, size_t keep,
                   struct version_list *leaving);

/* Takes out the version with this number; 0: all of them. */
void catalogue_take_out(struct catalogue_model *m, uint64_t number, struct version_list *leaving);

#endif
