/* One catalogue in the place of another, and the models that catalogues tell of. For whoever holds
 * service->models.loading. */
#ifndef SERVE_MODELS_EXCHANGE_H
#define SERVE_MODELS_EXCHANGE_H

#include "serve/worker.h"

/* Nothing is worth changing any more. */
bool models_are_to_stop(const struct service *s);
enum collide_status models_refuse_change(struct collide_error *err);

/* The lock is held: with the catalogue, what is known of the model changes. Returns the old one. */
struct catalogue *models_exchange(struct service *s, struct catalogue *next);

/* Frees the old catalogue, and destroys what it had and the model no longer does, once nobody uses it. False:
 * that cannot be waited for; then all that it tells of must stay until the service is destroyed. */
bool models_settle(struct service *s, struct model_entry *e, struct catalogue *old);

/* The number of the model of this name, made known if it is not. COLLIDE_INVALID: it is no name;
 * COLLIDE_BUSY: too many others are in use. */
enum collide_status models_find_entry(struct service *s, const char *name, size_t *number,
                                      struct collide_error *err);

#endif
