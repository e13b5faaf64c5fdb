/* The thread that loads and unloads a service's models: what it was given to begin with, then what it is
 * ordered to and what changes in a watched folder, one after the other. */
#ifndef SERVE_LOADER_H
#define SERVE_LOADER_H

#include "serve/model_path.h"
#include "serve/models.h"

struct loader_options {
    struct service *service; /* models made known to it by service_models_add are loaded first */
    const char *folder;      /* to watch, borrowed; NULL: none */
    /* Called on the loader's thread, once: those models are loaded, and the folder's have been tried; or one
     * of them could not be loaded, and err says why. */
    void (*started)(void *context, const struct collide_error *err);
    void *context;
};

struct loader;

/* Returns owned. */
enum collide_status loader_create(const struct loader_options *options, struct loader **out,
                                  struct collide_error *err);

/* Its thread; orders wait until then. */
enum collide_status loader_start(struct loader *l, struct collide_error *err);

/* Orders that are waiting end with COLLIDE_BUSY, as do those that come later; a load on its way is cut short
 * by service_drain. One that has not started, or could not, is fine. */
void loader_stop(struct loader *l);

/* Stopped, or never started. NULL is fine. */
void loader_destroy(struct loader *l);

enum load_kind {
    LOAD_MODEL,   /* by its name, from the path it had */
    UNLOAD_MODEL, /* all its versions */
    RELOAD_STALE, /* models whose files have changed, and the watched folder's */
};

/* What is to be done; called from any thread, which waits for nothing. done is called on the loader's thread
 * when it is, or it is not and err says why; on that of loader_stop when there is no time left for it. NULL:
 * the log says it. */
struct load_order {
    enum load_kind kind;
    char name[MODEL_NAME_CHARS];
    void (*done)(void *context, const struct collide_error *err); /* err->status COLLIDE_OK: done */
    void *context;
};

/* An order like one that waits joins it: it is done once for both. COLLIDE_BUSY: too many different ones wait
 * already. Where it fails, done is not called. */
enum collide_status loader_order(struct loader *l, const struct load_order *order, struct collide_error *err);

#endif
