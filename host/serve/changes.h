/* Loads and unloads, with what comes of them in the log. */
#ifndef SERVE_CHANGES_H
#define SERVE_CHANGES_H

#include "serve/models.h"

/* As the functions of serve/models.h. */
enum collide_status change_load(struct service *s, const char *name, const char *path,
                                struct collide_error *err);
enum collide_status change_unload(struct service *s, const char *name, uint64_t version,
                                  struct collide_error *err);

/* Loads every model that is stale anew. The first failure, if any; the others are loaded nevertheless. */
enum collide_status change_reload(struct service *s, struct collide_error *err);

#endif
