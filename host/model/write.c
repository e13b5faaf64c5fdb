#include "model/write.h"

#include "base/error.h"
#include "base/number.h"
#include "model/layout.h"
#include "model/safetensors.h"
#include "model/validate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TENSORS = 15, NAME_BYTES = 32 };

/* The tensors of one file being put together; those of keys have names made here. */
struct tensor_list {
    struct tensor tensors[MAX_TENSORS];
    char names[MAX_TENSORS][NAME_BYTES];
    size_t n;
};

static void add(struct tensor_list *list, const char *name, enum dtype dtype, const void *data, uint64_t n)
{
    list->tensors[list->n++] = (struct tensor){.name = name,
                                               .dtype = dtype,
                                               .n_dims = 1,
                                               .shape = {n},
                                               .data = data,
                                               .n_bytes = n * dtype_bytes(dtype)};
}

static void add_key_part(struct tensor_list *list, const char *name_format, const char *space,
                         enum dtype dtype, const void *data, uint64_t n)
{
    char *name = list->names[list->n];
    snprintf(name, NAME_BYTES, name_format, space);
    add(list, name, dtype, data, n);
}

static void add_keys(struct tensor_list *list, const char *space, const struct keys *keys, uint32_t n_ids)
{
    if (keys->kind == KEYS_DENSE)
        return;
    if (keys->kind == KEYS_U64) {
        add_key_part(list, TENSOR_KEYS, space, DTYPE_U64, keys->u64, n_ids);
    } else {
        add_key_part(list, TENSOR_KEY_OFFSETS, space, DTYPE_U64, keys->offsets, (uint64_t)n_ids + 1);
        add_key_part(list, TENSOR_KEY_BYTES, space, DTYPE_U8, keys->bytes, keys->offsets[n_ids]);
    }
    add_key_part(list, TENSOR_KEY_SLOTS, space, DTYPE_U32, keys->slots, keys->n_slots);
}

static void add_rows(struct tensor_list *list, const struct model *m)
{
    static const enum dtype dtypes[] = {
        [PRECISION_F32] = DTYPE_F32, [PRECISION_F16] = DTYPE_F16, [PRECISION_I8] = DTYPE_I8};
    const struct item_space *item = &m->item;
    list->tensors[list->n++] = (struct tensor){.name = TENSOR_ROWS,
                                               .dtype = dtypes[item->precision],
                                               .n_dims = 2,
                                               .shape = {item->n_rows, m->dim},
                                               .data = item->rows,
                                               .n_bytes = (uint64_t)item->n_rows * model_row_bytes(m)};
    if (item->precision == PRECISION_I8)
        add(list, TENSOR_SCALES, DTYPE_F32, item->scales, item->n_rows);
}

static enum collide_status check_header(const struct model *m, struct collide_error *err)
{
    if (m->dim < 1 || m->dim > MODEL_MAX_DIM || m->item.n_rows < 1)
        return error_set(err, COLLIDE_INVALID, "it has %u rows of dim %u", m->item.n_rows, m->dim);
    if (!isfinite(m->logit_scale))
        return error_set(err, COLLIDE_INVALID, "its %s is not finite", META_LOGIT_SCALE);
    for (size_t i = 0; i < m->n_provenance; i++) {
        const char *name = m->provenance[i].name;
        bool taken = metadata_is_reserved(name);
        for (size_t j = 0; j < i; j++)
            taken |= strcmp(m->provenance[j].name, name) == 0;
        if (taken)
            return error_set(err, COLLIDE_INVALID, "the provenance \"%.64s\" is reserved or there twice",
                             name);
    }
    return COLLIDE_OK;
}

static enum collide_status check_key_space(const struct keys *keys, uint32_t n_ids, const char *space,
                                           struct collide_error *err)
{
    return validate_keys(keys, n_ids, keys->kind == KEYS_STRING ? keys->offsets[n_ids] : 0, space, err);
}

/* What the reader would refuse is not written in the first place. */
static enum collide_status check_model(const struct model *m, struct collide_error *err)
{
    const struct user_space *user = &m->user;
    struct collide_error detail = {0};
    enum collide_status status = check_header(m, &detail);
    if (status == COLLIDE_OK)
        status = validate_remap(m, &detail);
    if (status == COLLIDE_OK)
        status = check_key_space(&m->item.keys, m->item.n_ids, "item", &detail);
    if (status == COLLIDE_OK && user->n_ids)
        status = validate_histories(m, user->offsets[user->n_ids + 1], &detail);
    if (status == COLLIDE_OK && user->n_ids)
        status = check_key_space(&user->keys, user->n_ids, "user", &detail);
    if (status == COLLIDE_OK)
        status = validate_finite(m, &detail);
    if (status != COLLIDE_OK)
        return error_set(err, COLLIDE_INVALID, "this model cannot be written: %s", detail.text);
    return COLLIDE_OK;
}

static void list_tensors(const struct model *m, struct tensor_list *list)
{
    uint64_t n_entries = (uint64_t)m->item.n_ids + 1;
    add_rows(list, m);
    add(list, TENSOR_REMAP, DTYPE_U32, m->item.remap, n_entries);
    if (m->item.weights)
        add(list, TENSOR_WEIGHTS, DTYPE_F32, m->item.weights, n_entries);
    if (m->item.bias)
        add(list, TENSOR_BIAS, DTYPE_F32, m->item.bias, n_entries);
    add_keys(list, "item", &m->item.keys, m->item.n_ids);
    if (m->user.n_ids) {
        add(list, TENSOR_HISTORY_OFFSETS, DTYPE_U32, m->user.offsets, (uint64_t)m->user.n_ids + 2);
        add(list, TENSOR_HISTORY, DTYPE_U32, m->user.history, m->user.offsets[m->user.n_ids + 1]);
        add_keys(list, "user", &m->user.keys, m->user.n_ids);
    }
}

enum collide_status model_write(const struct model *m, const char *path, struct collide_error *err)
{
    enum collide_status status = check_model(m, err);
    if (status != COLLIDE_OK)
        return status;
    size_t n_metadata = 3 + m->n_provenance;
    struct metadata_entry *metadata = calloc(n_metadata, sizeof *metadata);
    if (!metadata)
        return error_no_memory(err, "the model's metadata");
    char logit_scale[NUMBER_MAX_CHARS + 1];
    logit_scale[number_print_f32(logit_scale, m->logit_scale)] = '\0';
    metadata[0] = (struct metadata_entry){META_FORMAT, MODEL_FORMAT_VERSION};
    metadata[1] = (struct metadata_entry){META_POOLING, pooling_name(m->pooling)};
    metadata[2] = (struct metadata_entry){META_LOGIT_SCALE, logit_scale};
    for (size_t i = 0; i < m->n_provenance; i++)
        metadata[3 + i] = (struct metadata_entry){m->provenance[i].name, m->provenance[i].value};
    struct tensor_list list = {.n = 0};
    list_tensors(m, &list);
    status = safetensors_write(path, list.tensors, list.n, metadata, n_metadata, err);
    free(metadata);
    return status;
}
