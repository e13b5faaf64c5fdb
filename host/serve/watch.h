/* A watched folder of models (serve/model_folder.h): whatever changes in it is loaded or unloaded. For one
 * thread. */
#ifndef SERVE_WATCH_H
#define SERVE_WATCH_H

#include "serve/service.h"

struct watch;

/* COLLIDE_NOT_FOUND, COLLIDE_IO: the folder cannot be read or watched. Returns owned. */
enum collide_status watch_create(const char *folder, struct service *service, struct watch **out,
                                 struct collide_error *err);
void watch_destroy(struct watch *w); /* NULL is fine */

/* Readable when there is news. */
int watch_fd(const struct watch *w);

/* Takes in the news. Changes come in flocks: they are looked at once there is quiet, or it has taken long. */
void watch_take_news(struct watch *w);

/* Milliseconds until watch_apply is due, for poll; -1: there is no news. */
int watch_due_ms(const struct watch *w);

/* Makes the service serve what is in the folder: loads files that are new or have changed, unloads those that
 * are gone. A version between others, or below, is not loaded in place of a higher one. Logs what comes of
 * it. A file that is no model is tried again when it changes; one that could not be loaded for another
 * reason, the next time. */
void watch_apply(struct watch *w);

#endif
