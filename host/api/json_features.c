#include "api/json_features.h"

#include "base/error.h"
#include "model/model.h"

#include <stdio.h>
#include <string.h>

static bool is_given(const struct feature_list *list, const struct json_text *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->features[i].n_bytes == name->n_bytes &&
            memcmp(list->features[i].name, name->bytes, name->n_bytes) == 0)
            return true;
    return false;
}

static enum collide_status read_feature(struct json_reader *r, struct json_field field,
                                        const struct json_text *name, struct feature_list *list,
                                        struct collide_error *err)
{
    char typed[33];
    struct id_list ids;
    snprintf(typed, sizeof typed, "%.*s", (int)(name->n_bytes < 32 ? name->n_bytes : 32), name->bytes);
    if (is_given(list, name))
        return error_set(err, COLLIDE_INVALID, "feature \"%s\" is given twice", typed);
    if (list->n == MODEL_MAX_FEATURES)
        return error_set(err, COLLIDE_INVALID, "\"%s\" has more than %d features, as no model has",
                         field.name, MODEL_MAX_FEATURES);
    enum collide_status status =
        json_read_ids(r, (struct json_field){.name = typed, .max = field.max}, &ids, err);
    if (status != COLLIDE_OK)
        return status;
    list->features[list->n++] = (struct collide_feature){
        .name = name->bytes, .n_bytes = name->n_bytes, .ids = ids.ids, .n_ids = ids.n};
    list->n_ids += ids.n;
    return COLLIDE_OK;
}

enum collide_status json_read_features(struct json_reader *r, struct json_field field,
                                       struct feature_list *out, struct collide_error *err)
{
    if (json_peek(r) != '{')
        return error_set(err, COLLIDE_INVALID,
                         "\"%s\" must be an object with a list of ids each, such as {\"country\": [\"DE\"]}",
                         field.name);
    struct feature_list list = {.features = arena_alloc(r->arena, MODEL_MAX_FEATURES, sizeof *list.features)};
    if (!list.features)
        return error_no_memory(err, field.name);
    for (json_open(r, '{'); json_next(r, '}');) {
        struct json_text name;
        if (!json_key(r, &name))
            break;
        enum collide_status status = read_feature(r, field, &name, &list, err);
        if (status != COLLIDE_OK)
            return status;
    }
    if (r->failed)
        return COLLIDE_INVALID;
    *out = list;
    return COLLIDE_OK;
}
