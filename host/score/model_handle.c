#include "score/model_handle.h"

#include "base/error.h"
#include "model/id_values.h"
#include "model/layout.h"
#include "model/mapping.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct id_index index_of(const struct space *space)
{
    const struct keys *keys = &space->keys;
    static const enum id_kind kinds[] = {
        [KEYS_DENSE] = ID_DENSE, [KEYS_U64] = ID_U64, [KEYS_STRING] = ID_STRING};
    return (struct id_index){.kind = kinds[keys->kind],
                             .n_ids = space->n_ids,
                             .keys = keys->u64,
                             .key_bytes = keys->bytes,
                             .key_offsets = keys->offsets,
                             .slots = keys->slots,
                             .n_slots = keys->n_slots};
}

/* Enough to find out, few enough to cost little: millions of random look-ups take seconds. */
enum { MAX_KEYS_TRIED = 1 << 16 };

/* Keys lead to their ids. In a file made with another hash none would: every id would pass for unknown. */
static enum collide_status check_keys(const struct id_index *index, const char *path, const char *space,
                                      struct collide_error *err)
{
    uint32_t step = index->n_ids / MAX_KEYS_TRIED + 1;
    for (uint64_t d = 0; index->kind != ID_DENSE && d < index->n_ids; d += step)
        if (id_index_find(index, id_index_key(index, (uint32_t)d)) != d)
            return error_set(err, COLLIDE_CORRUPT,
                             "%s: the key of id %" PRIu64 " is not found through %s.key_slots; it is there "
                             "twice, or its hash is not XXH3-64",
                             path, d, space);
    return COLLIDE_OK;
}

static enum collide_status make_indices(struct collide_model *h, struct collide_error *err)
{
    const struct model *m = h->model;
    h->items = index_of(&m->item);
    h->users = index_of(&m->user);
    h->features = calloc(m->n_features + 1, sizeof *h->features);
    if (!h->features)
        return error_no_memory(err, "a model's features");
    for (size_t i = 0; i < m->n_features; i++)
        h->features[i] = index_of(&m->features[i].space);
    return COLLIDE_OK;
}

static enum collide_status check_indices(const struct collide_model *h, const char *path,
                                         struct collide_error *err)
{
    enum collide_status status = check_keys(&h->items, path, SPACE_NAME_ITEM, err);
    if (status == COLLIDE_OK)
        status = check_keys(&h->users, path, SPACE_NAME_USER, err);
    for (size_t i = 0; i < h->model->n_features && status == COLLIDE_OK; i++)
        status = check_keys(&h->features[i], path, h->model->features[i].name, err);
    return status;
}

enum collide_status model_handle_open(const char *path, enum model_check check, struct collide_model **out,
                                      struct collide_error *err)
{
    struct collide_model *h = calloc(1, sizeof *h);
    if (!h)
        return error_no_memory(err, "a model");
    enum collide_status status = model_file_open(path, check, &h->file, err);
    if (status == COLLIDE_OK) {
        h->model = model_file_model(h->file);
        status = make_indices(h, err);
    }
    if (status == COLLIDE_OK && check == MODEL_CHECK_CONTENTS)
        status = check_indices(h, path, err);
    if (status != COLLIDE_OK) {
        collide_model_close(h);
        return status;
    }
    *out = h;
    return COLLIDE_OK;
}

enum collide_status collide_model_open(const char *path, struct collide_model **out,
                                       struct collide_error *err)
{
    return model_handle_open(path, MODEL_CHECK_CONTENTS, out, err);
}

void collide_model_close(struct collide_model *h)
{
    if (!h)
        return;
    model_file_close(h->file);
    free(h->features);
    free(h);
}

void collide_model_info(const struct collide_model *h, struct collide_model_info *out)
{
    const struct model *m = h->model;
    *out = (struct collide_model_info){
        .dim = m->dim,
        .n_items = m->item.n_ids,
        .n_rows = m->rows.n,
        .n_users = m->user.n_ids,
        .n_features = (uint32_t)m->n_features,
        .n_lookups = m->mapping.n_lookups,
        .precision = precision_name(m->rows.precision),
        .scaling = scaling_name(m->rows.scaling),
        .mapping = mapping_kind_name(m->mapping.kind),
        .pooling = pooling_name(m->pooling),
        .logit_scale = m->logit_scale,
        .file_bytes = safetensors_file_bytes(model_file_tensors(h->file)),
    };
}

size_t model_feature_find(const struct collide_model *model, const char *name, size_t n_bytes)
{
    const struct model *m = model->model;
    size_t i = 0;
    while (i < m->n_features &&
           (strlen(m->features[i].name) != n_bytes || memcmp(m->features[i].name, name, n_bytes) != 0))
        i++;
    return i;
}
