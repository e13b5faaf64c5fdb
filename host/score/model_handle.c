#include "score/model_handle.h"

#include "base/error.h"

#include <stdlib.h>

static struct id_index index_of(const struct keys *keys, uint32_t n_ids)
{
    static const enum id_kind kinds[] = {
        [KEYS_DENSE] = ID_DENSE, [KEYS_U64] = ID_U64, [KEYS_STRING] = ID_STRING};
    return (struct id_index){.kind = kinds[keys->kind],
                             .n_ids = n_ids,
                             .keys = keys->u64,
                             .key_bytes = keys->bytes,
                             .key_offsets = keys->offsets,
                             .slots = keys->slots,
                             .n_slots = keys->n_slots};
}

enum collide_status model_handle_open(const char *path, enum model_check check, struct collide_model **out,
                                      struct collide_error *err)
{
    struct collide_model *h = calloc(1, sizeof *h);
    if (!h)
        return error_no_memory(err, "a model");
    enum collide_status status = model_file_open(path, check, &h->file, err);
    if (status != COLLIDE_OK) {
        free(h);
        return status;
    }
    h->model = model_file_model(h->file);
    h->items = index_of(&h->model->item.keys, h->model->item.n_ids);
    h->users = index_of(&h->model->user.keys, h->model->user.n_ids);
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
    free(h);
}

void collide_model_info(const struct collide_model *h, struct collide_model_info *out)
{
    const struct model *m = h->model;
    *out = (struct collide_model_info){
        .dim = m->dim,
        .n_items = m->item.n_ids,
        .n_rows = m->item.n_rows,
        .n_users = m->user.n_ids,
        .precision = precision_name(m->item.precision),
        .pooling = pooling_name(m->pooling),
        .logit_scale = m->logit_scale,
        .file_bytes = safetensors_file_bytes(model_file_tensors(h->file)),
    };
}

bool model_item_is_blank(const struct model *m, uint32_t id)
{
    const struct item_space *item = &m->item;
    uint32_t unknown = item->n_ids;
    return item->weights && item->remap[id] == item->remap[unknown] &&
           item->weights[id] == item->weights[unknown] &&
           (!item->bias || item->bias[id] == item->bias[unknown]);
}
