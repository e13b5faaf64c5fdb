#include "serve/models.h"

#include "base/error.h"
#include "serve/model_path.h"
#include "serve/worker.h"

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

void models_destroy(struct service *s)
{
    struct models *m = &s->models;
    struct catalogue *c = atomic_load(&s->catalogue);
    for (size_t i = 0; i < c->n_models; i++)
        for (size_t k = 0; k < c->models[i].n_versions; k++)
            model_version_destroy(c->models[i].versions[k]);
    for (size_t i = 0; i < m->n_entries; i++) {
        destroy_all(&m->entries[i]->leaving);
        free(m->entries[i]->name);
        free(m->entries[i]->path);
        free(m->entries[i]);
    }
    free(m->leaving);
    free(c);
    pthread_mutex_destroy(&m->lock);
    pthread_mutex_destroy(&m->loading);
}

/* ---- Exchanging catalogues. */

static bool is_to_stop(const struct service *s)
{
    return service_state(s) == SERVICE_DRAINING;
}

static enum collide_status refuse_to_change(struct collide_error *err)
{
    return error_set(err, COLLIDE_BUSY, "the service is about to stop");
}

/* False: not yet, and the service is to stop. */
static bool wait_until_unpinned(const struct service *s, const struct catalogue *c)
{
    for (unsigned i = 0; i < s->options.n_workers; i++)
        while (atomic_load(&s->workers[i].pinned) == c) {
            if (is_to_stop(s))
                return false;
            nanosleep(&(struct timespec){.tv_nsec = UNPIN_POLL_NS}, NULL);
        }
    return true;
}

/* The lock is held: with the catalogue, what is known of the model changes. Returns the old one. */
static struct catalogue *exchange(struct service *s, struct catalogue *next)
{
    struct models *m = &s->models;
    bool is_loading = false, has_any = false;
    for (size_t i = 0; i < next->n_models; i++) {
        is_loading |= next->models[i].state == MODEL_LOADING;
        has_any |= next->models[i].state == MODEL_READY;
    }
    m->has_started |= has_any && !is_loading;
    struct catalogue *old = atomic_exchange(&s->catalogue, next);
    atomic_store(&s->is_ready, m->has_started && has_any);
    return old;
}

/* Destroys what was in use before the exchange and no longer is. What cannot wait for that stays until the
 * service is destroyed. */
static void settle(struct service *s, struct model_entry *e, struct catalogue *old)
{
    struct models *m = &s->models;
    if (!wait_until_unpinned(s, old)) {
        m->leaving = old;
        return;
    }
    free(old);
    pthread_mutex_lock(&m->lock);
    struct version_list gone = e->leaving;
    for (size_t i = 0; i < gone.n; i++)
        model_version_add_counts(gone.versions[i], &e->gone_counts);
    e->leaving.n = 0;
    pthread_mutex_unlock(&m->lock);
    destroy_all(&gone);
}

/* ---- What is known of models. `loading` is held. */

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

static enum collide_status append_entry(struct service *s, const char *name, struct collide_error *err)
{
    struct models *m = &s->models;
    if (!model_name_is_valid(name))
        return error_set(
            err, COLLIDE_INVALID,
            "\"%.128s\" cannot be a model's name: take 1 to 127 characters, none of them a control "
            "character, /, \" or \\",
            name);
    if (m->n_entries == MODELS_MAX)
        return error_set(err, COLLIDE_BUSY, "there are %d models already; no more can be known at once",
                         MODELS_MAX);
    struct model_entry *e = entry_create(name);
    struct catalogue *next = e ? catalogue_copy(atomic_load(&s->catalogue), m->n_entries + 1) : NULL;
    if (!next) {
        if (e)
            free(e->name);
        free(e);
        return error_no_memory(err, "a model");
    }
    next->models[m->n_entries] = (struct catalogue_model){.name = e->name, .state = MODEL_LOADING};
    pthread_mutex_lock(&m->lock);
    m->entries[m->n_entries++] = e;
    struct catalogue *old = exchange(s, next);
    pthread_mutex_unlock(&m->lock);
    settle(s, e, old);
    return COLLIDE_OK;
}

/* The number of the model of this name, made known if it is not. */
static enum collide_status find_entry(struct service *s, const char *name, size_t *number,
                                      struct collide_error *err)
{
    const struct catalogue *c = atomic_load(&s->catalogue);
    *number = catalogue_find(c, name);
    return *number < c->n_models ? COLLIDE_OK : append_entry(s, name, err);
}

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
            : find_entry(s, name, &number, err);
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
    if (is_to_stop(s))
        return refuse_to_change(err);
    if (!name)
        model_path_name(path, own);
    name = name ? name : own;
    const struct catalogue *c = atomic_load(&s->catalogue);
    if (!path && catalogue_find(c, name) == c->n_models)
        return error_set(err, COLLIDE_NOT_FOUND, "there is no model \"%.128s\"", name);
    enum collide_status status = find_entry(s, name, &out->number, err);
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
    struct catalogue *old = exchange(s, next);
    pthread_mutex_unlock(&s->models.lock);
    settle(s, l->entry, old);
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
    l->entry->n_failures++;
    strcpy(l->entry->reason, why->text);
    if (!l->entry->path) {
        l->entry->path = l->path;
        l->path = NULL;
    }
    if (next) {
        next->models[l->number].state = MODEL_UNAVAILABLE;
        old = exchange(s, next);
    }
    pthread_mutex_unlock(&s->models.lock);
    if (old)
        settle(s, l->entry, old);
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
    if (status != COLLIDE_OK && !is_to_stop(s) && load.path)
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

const char *service_models_name(struct service *s, size_t number)
{
    pthread_mutex_lock(&s->models.lock);
    const char *name = s->models.entries[number]->name;
    pthread_mutex_unlock(&s->models.lock);
    return name;
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
    if (is_to_stop(s))
        return refuse_to_change(err);
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
    e->leaving = leaving;
    if (next->models[number].n_versions == 0) {
        e->is_unloaded = true;
        memcpy(e->reason, unloaded, sizeof unloaded);
    }
    struct catalogue *old = exchange(s, next);
    pthread_mutex_unlock(&m->lock);
    settle(s, e, old);
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
