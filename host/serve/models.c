#include "serve/models.h"

#include "base/error.h"
#include "serve/models_exchange.h"

#include <stdlib.h>
#include <string.h>

enum collide_status service_models_add(struct service *s, const char *name, const char *path,
                                       struct collide_error *err)
{
    struct models *m = &s->models;
    char own[MODEL_NAME_CHARS];
    size_t number = 0;
    model_path_name(path, own);
    name = name ? name : own;
    char *copy = strdup(path);
    if (!copy)
        return error_no_memory(err, "a model's path");
    pthread_mutex_lock(&m->loading);
    const struct catalogue *c = atomic_load(&s->catalogue);
    enum collide_status status =
        catalogue_find(c, name) < c->n_models
            ? error_set(err, COLLIDE_INVALID, "there are two models \"%.128s\"; name them apart", name)
            : models_find_entry(s, name, &number, err);
    if (status == COLLIDE_OK)
        m->entries[number]->path = copy;
    else
        free(copy);
    pthread_mutex_unlock(&m->loading);
    return status;
}

/* ---- Loading. */

/* A load on its way. */
struct load {
    size_t number;
    struct model_entry *entry;
    char *path;
    struct version_source source;
};

static uint64_t used_bytes(const struct catalogue *c)
{
    uint64_t n_bytes = 0;
    for (size_t i = 0; i < c->n_models; i++)
        for (size_t k = 0; k < c->models[i].n_versions; k++)
            n_bytes += c->models[i].versions[k]->resident_bytes;
    return n_bytes;
}

static const struct collide_scorer *any_scorer(const struct catalogue *c)
{
    for (size_t i = 0; i < c->n_models; i++)
        if (c->models[i].n_versions > 0)
            return c->models[i].versions[0]->scorer;
    return NULL;
}

static enum collide_status begin(struct service *s, const char *name, const char *path, struct load *out,
                                 struct collide_error *err)
{
    char own[MODEL_NAME_CHARS];
    *out = (struct load){.path = NULL};
    if (models_are_to_stop(s))
        return models_refuse_change(err);
    if (!name)
        model_path_name(path, own);
    name = name ? name : own;
    const struct catalogue *c = atomic_load(&s->catalogue);
    if (!path && catalogue_find(c, name) == c->n_models)
        return error_set(err, COLLIDE_NOT_FOUND, "there is no model \"%.128s\"", name);
    enum collide_status status = models_find_entry(s, name, &out->number, err);
    if (status != COLLIDE_OK)
        return status;
    out->entry = s->models.entries[out->number];
    path = path ? path : out->entry->path;
    out->path = path ? strdup(path) : NULL;
    if (!out->path)
        return error_no_memory(err, "a model's path");
    uint64_t fixed = model_path_version(out->path);
    out->source = (struct version_source){.name = out->entry->name,
                                          .number = fixed ? fixed : out->entry->last_number + 1,
                                          .path = out->path,
                                          .used_bytes = used_bytes(atomic_load(&s->catalogue)),
                                          .beside = any_scorer(atomic_load(&s->catalogue))};
    return COLLIDE_OK;
}

/* The lock is held. */
static void note_success(struct load *l, const struct version_list *leaving)
{
    struct model_entry *e = l->entry;
    char *old_path = e->path;
    e->path = l->path;
    l->path = old_path;
    e->reason[0] = '\0';
    e->is_unloaded = false;
    e->leaving = *leaving;
    e->n_loads++;
    e->n_swaps += leaving->n > 0;
    if (l->source.number > e->last_number)
        e->last_number = l->source.number;
}

/* Takes the version, if all goes well. */
static enum collide_status serve(struct service *s, struct load *l, struct model_version *v,
                                 struct collide_error *err)
{
    const struct catalogue *now = atomic_load(&s->catalogue);
    struct catalogue *next = catalogue_copy(now, now->n_models);
    struct version_list leaving = {.n = 0};
    if (!next)
        return error_no_memory(err, "the models");
    catalogue_put(&next->models[l->number], v, s->options.keep_versions, &leaving);
    pthread_mutex_lock(&s->models.lock);
    note_success(l, &leaving);
    struct catalogue *old = models_exchange(s, next);
    pthread_mutex_unlock(&s->models.lock);
    models_settle(s, l->entry, old);
    return COLLIDE_OK;
}

/* What was served still is; where nothing was, requests are told so. */
static void note_failure(struct service *s, struct load *l, const struct collide_error *why)
{
    const struct catalogue *now = atomic_load(&s->catalogue);
    struct catalogue *next = NULL, *old = NULL;
    if (now->models[l->number].state == MODEL_LOADING)
        next = catalogue_copy(now, now->n_models);
    pthread_mutex_lock(&s->models.lock);
    l->entry->last_change = ++s->models.n_changes;
    l->entry->n_failures++;
    strcpy(l->entry->reason, why->text);
    if (!l->entry->path) {
        l->entry->path = l->path;
        l->path = NULL;
    }
    if (next) {
        next->models[l->number].state = MODEL_UNAVAILABLE;
        old = models_exchange(s, next);
    }
    pthread_mutex_unlock(&s->models.lock);
    if (old)
        models_settle(s, l->entry, old);
}

enum collide_status service_models_load(struct service *s, const char *name, const char *path,
                                        uint64_t *version, struct collide_error *err)
{
    struct load load;
    struct model_version *v = NULL;
    struct collide_error own = {0};
    pthread_mutex_lock(&s->models.loading);
    enum collide_status status = begin(s, name, path, &load, &own);
    if (status == COLLIDE_OK)
        status = model_version_load(s, &load.source, &v, &own);
    if (status == COLLIDE_OK)
        status = serve(s, &load, v, &own);
    if (status != COLLIDE_OK && !models_are_to_stop(s) && load.path)
        note_failure(s, &load, &own);
    if (status != COLLIDE_OK)
        model_version_destroy(v);
    else if (version)
        *version = load.source.number;
    free(load.path);
    pthread_mutex_unlock(&s->models.loading);
    return status == COLLIDE_OK ? status : error_set(err, status, "%s", own.text);
}

/* ---- What has become of the files. */

size_t service_models_count(struct service *s)
{
    pthread_mutex_lock(&s->models.lock);
    size_t n = s->models.n_entries;
    pthread_mutex_unlock(&s->models.lock);
    return n;
}

void service_models_name(struct service *s, size_t number, char out[MODEL_NAME_CHARS])
{
    pthread_mutex_lock(&s->models.lock);
    strcpy(out, s->models.entries[number]->name);
    pthread_mutex_unlock(&s->models.lock);
}

static bool is_loaded_from(const struct catalogue_model *m, const char *path, const struct file_stamp *stamp)
{
    for (size_t i = 0; i < m->n_versions; i++)
        if (strcmp(m->versions[i]->path, path) == 0 && file_stamp_equals(&m->versions[i]->stamp, stamp))
            return true;
    return false;
}

/* Where the model is to be loaded from, for free(); NULL: nowhere. A copy, since to look there may take for
 * ever, on a network's file system, and all who report models need the lock. */
static char *wanted_path(struct models *m, size_t number)
{
    pthread_mutex_lock(&m->lock);
    const struct model_entry *e = m->entries[number];
    char *path = e->path && !e->is_unloaded ? strdup(e->path) : NULL;
    pthread_mutex_unlock(&m->lock);
    return path;
}

bool service_models_is_stale(struct service *s, size_t number)
{
    struct models *m = &s->models;
    struct stat st;
    char *path = wanted_path(m, number);
    if (!path)
        return false;
    struct file_stamp stamp = stat(path, &st) == 0 ? file_stamp_of(&st) : (struct file_stamp){0};
    pthread_mutex_lock(&m->lock);
    bool is_stale = !is_loaded_from(&atomic_load(&s->catalogue)->models[number], path, &stamp);
    pthread_mutex_unlock(&m->lock);
    free(path);
    return is_stale;
}

/* ---- Unloading. `loading` is held. */

static enum collide_status unload(struct service *s, const char *name, uint64_t version,
                                  struct collide_error *err)
{
    static const char unloaded[] = "unloaded";
    struct models *m = &s->models;
    const struct catalogue *now = atomic_load(&s->catalogue);
    struct version_list leaving = {.n = 0};
    size_t number = catalogue_find(now, name);
    if (models_are_to_stop(s))
        return models_refuse_change(err);
    if (number == now->n_models)
        return error_set(err, COLLIDE_NOT_FOUND, "there is no model \"%.128s\"", name);
    struct model_entry *e = m->entries[number];
    struct catalogue *next = catalogue_copy(now, now->n_models);
    if (!next)
        return error_no_memory(err, "the models");
    catalogue_take_out(&next->models[number], version, &leaving);
    if (leaving.n == 0) {
        free(next);
        return error_set(err, COLLIDE_NOT_FOUND, "the model \"%.128s\" is not loaded, or has no such version",
                         name);
    }
    pthread_mutex_lock(&m->lock);
    e->last_change = ++m->n_changes;
    e->leaving = leaving;
    if (next->models[number].n_versions == 0) {
        e->is_unloaded = true;
        memcpy(e->reason, unloaded, sizeof unloaded);
    }
    struct catalogue *old = models_exchange(s, next);
    pthread_mutex_unlock(&m->lock);
    models_settle(s, e, old);
    return COLLIDE_OK;
}

void service_models_stop_compiling(struct service *s)
{
    pthread_mutex_lock(&s->models.loading);
    s->options.scorer.compiling = COLLIDE_COMPILES_NOTHING;
    pthread_mutex_unlock(&s->models.loading);
}

enum collide_status service_models_unload(struct service *s, const char *name, uint64_t version,
                                          struct collide_error *err)
{
    pthread_mutex_lock(&s->models.loading);
    enum collide_status status = unload(s, name, version, err);
    pthread_mutex_unlock(&s->models.loading);
    return status;
}
