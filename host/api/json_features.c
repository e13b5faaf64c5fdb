#include "api/json_features.h"

#include "base/error.h"
#include "model/model.h"

#include <stdio.h>
#include <string.h>

enum { FEATURE_CHARS = 32 }; /* of a name in messages */

static bool is_given(const struct feature_list *list, const struct json_text *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->features[i].n_bytes == name->n_bytes &&
            memcmp(list->features[i].name, name->bytes, name->n_bytes) == 0)
            return true;
    return false;
}

static void print_name(const struct json_text *name, char typed[FEATURE_CHARS + 1])
{
    snprintf(typed, FEATURE_CHARS + 1, "%.*s",
             (int)(name->n_bytes < FEATURE_CHARS ? name->n_bytes : FEATURE_CHARS), name->bytes);
}

static enum collide_status begin_feature(struct json_reader *r, struct json_field field,
                                         struct feature_list *list, struct collide_error *err)
{
    char typed[FEATURE_CHARS + 1];
    struct json_text name;
    if (!json_key(r, &name))
        return json_status(r);
    print_name(&name, typed);
    if (is_given(list, &name))
        return error_set(err, COLLIDE_INVALID, "feature \"%s\" is given twice", typed);
    if (list->n == MODEL_MAX_FEATURES)
        return error_set(err, COLLIDE_INVALID, "\"%s\" has more than %d features, as no model has",
                         field.name, MODEL_MAX_FEATURES);
    list->name = json_keep(r, name);
    list->ids = (struct id_list){0};
    return list->name.bytes ? COLLIDE_OK : error_no_memory(err, field.name);
}

static enum collide_status read_feature(struct json_reader *r, struct json_field field,
                                        struct feature_list *list, struct collide_error *err)
{
    char typed[FEATURE_CHARS + 1];
    print_name(&list->name, typed);
    const struct json_field ids = {.name = typed, .max = field.max, .level = field.level + 1};
    enum collide_status status = json_read_ids(r, ids, &list->ids, err);
    if (status != COLLIDE_OK || r->is_starved)
        return status;
    list->features[list->n++] = (struct collide_feature){
        .name = list->name.bytes, .n_bytes = list->name.n_bytes, .ids = list->ids.ids, .n_ids = list->ids.n};
    list->n_ids += list->ids.n;
    return COLLIDE_OK;
}

enum collide_status json_read_features(struct json_reader *r, struct json_field field,
                                       struct feature_list *list, struct collide_error *err)
{
    if (!json_enter(r, '{', field.level))
        return error_set(err, COLLIDE_INVALID,
                         "\"%s\" must be an object with a list of ids each, such as {\"country\": [\"DE\"]}",
                         field.name);
    if (!list->features)
        list->features = arena_alloc(r->arena, MODEL_MAX_FEATURES, sizeof *list->features);
    if (!list->features)
        return error_no_memory(err, field.name);
    enum collide_status status = COLLIDE_OK;
    while (status == COLLIDE_OK && json_next(r, field.level)) {
        if (json_is_at_key(r, field.level))
            status = begin_feature(r, field, list, err);
        if (status == COLLIDE_OK && !r->is_starved)
            status = read_feature(r, field, list, err);
    }
    return r->failed ? COLLIDE_INVALID : status;
}
