#include "serve/catalogue.h"

#include "base/error.h"
#include "serve/model_path.h"

#include <stdlib.h>
#include <string.h>

const char *model_state_name(enum model_state state)
{
    static const char *const names[] = {
        [MODEL_LOADING] = "LOADING", [MODEL_READY] = "READY", [MODEL_UNAVAILABLE] = "UNAVAILABLE"};
    return names[state];
}

struct catalogue *catalogue_copy(const struct catalogue *c, size_t n_models)
{
    struct catalogue *copy = calloc(1, sizeof *copy + n_models * sizeof copy->models[0]);
    if (!copy)
        return NULL;
    copy->n_models = n_models;
    if (c)
        memcpy(copy->models, c->models, c->n_models * sizeof c->models[0]);
    return copy;
}

size_t catalogue_find(const struct catalogue *c, const char *name)
{
    size_t i = 0;
    while (i < c->n_models && strcmp(c->models[i].name, name) != 0)
        i++;
    return i;
}

static enum collide_status choose_version(const struct catalogue_model *m, const char *version,
                                          struct model_version **out, struct collide_error *err)
{
    uint64_t number = version ? model_path_number(version) : 0;
    for (size_t i = 0; i < m->n_versions; i++)
        if (!version || m->versions[i]->number == number) {
            *out = m->versions[i];
            return COLLIDE_OK;
        }
    if (m->state == MODEL_LOADING)
        return error_set(err, COLLIDE_BUSY, "the model %.128s is being loaded; try again later", m->name);
    if (m->state == MODEL_UNAVAILABLE)
        return error_set(err, COLLIDE_NOT_FOUND, "the model %.128s is not loaded", m->name);
    return error_set(err, COLLIDE_NOT_FOUND, "the model %.128s has no version \"%.32s\"", m->name, version);
}

enum collide_status catalogue_choose(const struct catalogue *c, const struct model_choice *choice,
                                     struct model_version **out, struct collide_error *err)
{
    size_t i = choice->name ? catalogue_find(c, choice->name) : 0;
    if (i < c->n_models)
        return choose_version(&c->models[i], choice->version, out, err);
    if (!choice->name)
        return error_set(err, COLLIDE_BUSY, "the service is loading its model; try again later");
    return error_set(err, COLLIDE_NOT_FOUND, "there is no model \"%.128s\"", choice->name);
}

static void remove_at(struct catalogue_model *m, size_t at, struct version_list *leaving)
{
    leaving->versions[leaving->n++] = m->versions[at];
    m->n_versions--;
    memmove(m->versions + at, m->versions + at + 1, (m->n_versions - at) * sizeof m->versions[0]);
}

void catalogue_put(struct catalogue_model *m, struct model_version *v, size_t keep,
                   struct version_list *leaving)
{
    m->state = MODEL_READY;
    for (size_t i = 0; i < m->n_versions; i++)
        if (m->versions[i]->number == v->number) {
            leaving->versions[leaving->n++] = m->versions[i];
            m->versions[i] = v;
            return;
        }
    while (m->n_versions >= keep)
        remove_at(m, m->n_versions - 1, leaving);
    memmove(m->versions + 1, m->versions, m->n_versions * sizeof m->versions[0]);
    m->versions[0] = v;
    m->n_versions++;
}

void catalogue_take_out(struct catalogue_model *m, uint64_t number, struct version_list *leaving)
{
    for (size_t i = m->n_versions; i > 0; i--)
        if (number == 0 || m->versions[i - 1]->number == number)
            remove_at(m, i - 1, leaving);
    if (m->n_versions == 0)
        m->state = MODEL_UNAVAILABLE;
}
