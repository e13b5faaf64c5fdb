#include "serve/models_exchange.h"

#include "base/error.h"
#include "serve/model_path.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { UNPIN_POLL_NS = 100000 };

enum collide_status models_init(struct service *s, struct collide_error *err)
{
    struct catalogue *empty = catalogue_copy(NULL, 0);
    if (!empty)
        return error_no_memory(err, "the models");
    pthread_mutex_init(&s->models.loading, NULL);
    pthread_mutex_init(&s->models.lock, NULL);
    atomic_init(&s->catalogue, empty);
    return COLLIDE_OK;
}

static void destroy_all(const struct version_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        model_version_destroy(list->versions[i]);
}

static struct model_entry *entry_create(const char *name)
{
    struct model_entry *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->name = strdup(name);
    if (e->name)
        return e;
    free(e);
    return NULL;
}

static void entry_destroy(struct model_entry *e)
{
    if (!e)
        return;
    destroy_all(&e->leaving);
    free(e->name);
    free(e->path);
    free(e);
}

void models_destroy(struct service *s)
{
    struct models *m = &s->models;
    struct catalogue *c = atomic_load(&s->catalogue);
    for (size_t i = 0; i < c->n_models; i++)
        for (size_t k = 0; k < c->models[i].n_versions; k++)
            model_version_destroy(c->models[i].versions[k]);
    for (size_t i = 0; i < m->n_entries; i++)
        entry_destroy(m->entries[i]);
    entry_destroy(m->forgotten);
    free(m->leaving);
    free(c);
    pthread_mutex_destroy(&m->lock);
    pthread_mutex_destroy(&m->loading);
}

/* ---- Exchanging catalogues. */

bool models_are_to_stop(const struct service *s)
{
    return service_state(s) == SERVICE_DRAINING;
}

enum collide_status models_refuse_change(struct collide_error *err)
{
    return error_set(err, COLLIDE_BUSY, "the service is about to stop");
}

/* False: not yet, and the service is to stop. */
static bool wait_until_unpinned(const struct service *s, const struct catalogue *c)
{
    for (unsigned i = 0; i < s->options.n_workers; i++)
        while (atomic_load(&s->workers[i].pinned) == c) {
            if (models_are_to_stop(s))
                return false;
            nanosleep(&(struct timespec){.tv_nsec = UNPIN_POLL_NS}, NULL);
        }
    return true;
}

struct catalogue *models_exchange(struct service *s, struct catalogue *next)
{
    struct models *m = &s->models;
    bool is_loading = false, has_any = false, has_queue = false;
    for (size_t i = 0; i < next->n_models; i++) {
        const struct catalogue_model *model = &next->models[i];
        is_loading |= model->state == MODEL_LOADING;
        has_any |= model->state == MODEL_READY;
        has_queue |= model->state == MODEL_READY && model->versions[0]->is_queued;
    }
    m->has_started |= has_any && !is_loading;
    struct catalogue *old = atomic_exchange(&s->catalogue, next);
    atomic_store(&s->is_ready, m->has_started && has_any);
    atomic_store(&s->gains_from_company, has_queue);
    return old;
}

bool models_settle(struct service *s, struct model_entry *e, struct catalogue *old)
{
    struct models *m = &s->models;
    if (!wait_until_unpinned(s, old)) {
        m->leaving = old;
        return false;
    }
    free(old);
    pthread_mutex_lock(&m->lock);
    struct version_list gone = e->leaving;
    for (size_t i = 0; i < gone.n; i++)
        model_version_add_counts(gone.versions[i], &e->gone_counts);
    e->leaving.n = 0;
    pthread_mutex_unlock(&m->lock);
    destroy_all(&gone);
    return true;
}

/* ---- What is known of models. `loading` is held. */

/* The next number; once there is none, that of the model that has been unavailable longest, which is then
 * forgotten. Number 0 stays, as requests without a name go there. MODELS_MAX: all are in use. */
static size_t free_number(const struct models *m, const struct catalogue *c)
{
    size_t best = MODELS_MAX;
    if (m->n_entries < MODELS_MAX)
        return m->n_entries;
    for (size_t i = 1; i < MODELS_MAX; i++)
        if (c->models[i].state == MODEL_UNAVAILABLE &&
            (best == MODELS_MAX || m->entries[i]->last_change < m->entries[best]->last_change))
            best = i;
    return best;
}

/* Makes a model known. */
static enum collide_status add_entry(struct service *s, const char *name, size_t *number,
                                     struct collide_error *err)
{
    struct models *m = &s->models;
    const struct catalogue *now = atomic_load(&s->catalogue);
    size_t at = free_number(m, now);
    if (!model_name_is_valid(name))
        return error_set(
            err, COLLIDE_INVALID,
            "\"%.128s\" cannot be a model's name: take 1 to 127 characters, none of them a control "
            "character, /, \" or \\",
            name);
    if (at == MODELS_MAX)
        return error_set(err, COLLIDE_BUSY, "there are %d models already; unload one first", MODELS_MAX);
    size_t n_models = at < m->n_entries ? m->n_entries : at + 1;
    struct model_entry *e = entry_create(name);
    struct catalogue *next = e ? catalogue_copy(now, n_models) : NULL;
    if (!next) {
        entry_destroy(e);
        return error_no_memory(err, "a model");
    }
    next->models[at] = (struct catalogue_model){.name = e->name, .state = MODEL_LOADING};
    pthread_mutex_lock(&m->lock);
    struct model_entry *forgotten = m->entries[at];
    m->entries[at] = e;
    m->n_entries = n_models;
    struct catalogue *old = models_exchange(s, next);
    pthread_mutex_unlock(&m->lock);
    if (models_settle(s, e, old))
        entry_destroy(forgotten);
    else
        m->forgotten = forgotten;
    *number = at;
    return COLLIDE_OK;
}

enum collide_status models_find_entry(struct service *s, const char *name, size_t *number,
                                      struct collide_error *err)
{
    const struct catalogue *c = atomic_load(&s->catalogue);
    *number = catalogue_find(c, name);
    return *number < c->n_models ? COLLIDE_OK : add_entry(s, name, number, err);
}
