#include "model/read.h"

#include "base/error.h"
#include "model/layout.h"
#include "model/validate.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model_file {
    struct safetensors *tensors;
    struct model model;
    struct provenance_entry *provenance;
};

/* Looks up a tensor that must have this type and number of dimensions. Absent: *out stays NULL, which is for
 * the caller to judge. */
static enum collide_status find(const struct safetensors *s, const char *name, enum dtype dtype,
                                unsigned n_dims, const struct tensor **out, struct collide_error *err)
{
    const struct tensor *t = safetensors_find(s, name);
    if (t && (t->dtype != dtype || t->n_dims != n_dims))
        return error_set(err, COLLIDE_CORRUPT, "tensor %s must be %s of %u dimensions", name,
                         dtype_name(dtype), n_dims);
    *out = t;
    return COLLIDE_OK;
}

static enum collide_status check_length(const struct tensor *t, uint64_t n, struct collide_error *err)
{
    if (t->shape[0] != n)
        return error_set(err, COLLIDE_CORRUPT, "tensor %s has %llu entries where %llu are needed", t->name,
                         (unsigned long long)t->shape[0], (unsigned long long)n);
    return COLLIDE_OK;
}

static enum collide_status missing(const char *name, struct collide_error *err)
{
    return error_set(err, COLLIDE_CORRUPT, "tensor %s is missing", name);
}

/* A JSON number within a float's range. (strtof would also take "nan", and read by the process's locale.) */
static bool parse_number(const char *text, float *out)
{
    cJSON *number = cJSON_ParseWithOpts(text, NULL, true);
    bool ok = cJSON_IsNumber(number) && isfinite((float)number->valuedouble);
    if (ok)
        *out = (float)number->valuedouble;
    cJSON_Delete(number);
    return ok;
}

static enum collide_status read_metadata(const struct safetensors *s, struct model *m,
                                         struct collide_error *err)
{
    const char *format = safetensors_metadata(s, META_FORMAT);
    if (!format)
        return error_set(err, COLLIDE_CORRUPT, "not a collide model: the metadata has no %s", META_FORMAT);
    if (strcmp(format, MODEL_FORMAT_VERSION) != 0)
        return error_set(err, COLLIDE_UNSUPPORTED, "%s is \"%.16s\"; this program reads \"%s\"", META_FORMAT,
                         format, MODEL_FORMAT_VERSION);
    const char *pooling = safetensors_metadata(s, META_POOLING);
    m->pooling = POOLING_SUM;
    while (pooling && strcmp(pooling, pooling_name(m->pooling)) != 0)
        if (++m->pooling > POOLING_NORMALISED)
            return error_set(err, COLLIDE_CORRUPT, "%s is \"%.16s\"; it must be sum, mean or normalised",
                             META_POOLING, pooling);
    const char *scale = safetensors_metadata(s, META_LOGIT_SCALE);
    m->logit_scale = 1.0f;
    if (scale && !parse_number(scale, &m->logit_scale))
        return error_set(err, COLLIDE_CORRUPT, "%s is \"%.16s\", which is not a finite number",
                         META_LOGIT_SCALE, scale);
    return COLLIDE_OK;
}

/* Scales of rows that are not scaled are refused, for whoever wrote them meant something by them. */
static enum collide_status read_scales(const struct safetensors *s, struct model *m,
                                       struct collide_error *err)
{
    const struct tensor *scales = NULL;
    enum collide_status status = find(s, TENSOR_SCALES, DTYPE_F32, 1, &scales, err);
    if (status != COLLIDE_OK)
        return status;
    bool needed = m->item.precision == PRECISION_I8;
    if (needed != (scales != NULL))
        return needed ? missing(TENSOR_SCALES, err)
                      : error_set(err, COLLIDE_CORRUPT, "tensor %s goes with I8 rows only", TENSOR_SCALES);
    if (!scales)
        return COLLIDE_OK;
    m->item.scales = scales->data;
    return check_length(scales, m->item.n_rows, err);
}

static enum collide_status read_rows(const struct safetensors *s, struct model *m, struct collide_error *err)
{
    const struct tensor *rows = safetensors_find(s, TENSOR_ROWS);
    if (!rows)
        return missing(TENSOR_ROWS, err);
    if (rows->n_dims != 2 || rows->shape[0] < 1 || rows->shape[0] > UINT32_MAX || rows->shape[1] < 1 ||
        rows->shape[1] > MODEL_MAX_DIM)
        return error_set(err, COLLIDE_CORRUPT,
                         "tensor %s must be (rows, dim) with 1 to 2^32 - 1 rows and dim 1 to %d", TENSOR_ROWS,
                         MODEL_MAX_DIM);
    m->item.n_rows = (uint32_t)rows->shape[0];
    m->dim = (uint32_t)rows->shape[1];
    m->item.rows = rows->data;
    switch (rows->dtype) {
    case DTYPE_F32:
        m->item.precision = PRECISION_F32;
        break;
    case DTYPE_F16:
        m->item.precision = PRECISION_F16;
        break;
    case DTYPE_I8:
        m->item.precision = PRECISION_I8;
        break;
    default:
        return error_set(err, COLLIDE_UNSUPPORTED, "tensor %s must be F32, F16 or I8", TENSOR_ROWS);
    }
    return read_scales(s, m, err);
}

/* A per-id array, which the file may leave out. */
static enum collide_status read_per_id(const struct safetensors *s, const char *name, uint64_t n_entries,
                                       const float **out, struct collide_error *err)
{
    const struct tensor *t = NULL;
    enum collide_status status = find(s, name, DTYPE_F32, 1, &t, err);
    if (status != COLLIDE_OK || !t)
        return status;
    *out = t->data;
    return check_length(t, n_entries, err);
}

static enum collide_status find_key_part(const struct safetensors *s, const char *name_format,
                                         const char *space, enum dtype dtype, const struct tensor **out,
                                         struct collide_error *err)
{
    char name[64];
    snprintf(name, sizeof name, name_format, space);
    return find(s, name, dtype, 1, out, err);
}

static enum collide_status read_keys(const struct safetensors *s, const char *space, uint32_t n_ids,
                                     struct keys *keys, struct collide_error *err)
{
    const struct tensor *u64 = NULL, *bytes = NULL, *offsets = NULL, *slots = NULL;
    enum collide_status status = find_key_part(s, TENSOR_KEYS, space, DTYPE_U64, &u64, err);
    if (status == COLLIDE_OK)
        status = find_key_part(s, TENSOR_KEY_BYTES, space, DTYPE_U8, &bytes, err);
    if (status == COLLIDE_OK)
        status = find_key_part(s, TENSOR_KEY_OFFSETS, space, DTYPE_U64, &offsets, err);
    if (status == COLLIDE_OK)
        status = find_key_part(s, TENSOR_KEY_SLOTS, space, DTYPE_U32, &slots, err);
    if (status != COLLIDE_OK)
        return status;
    if (!u64 && !bytes && !offsets && !slots)
        return COLLIDE_OK;
    if (!slots || !bytes != !offsets || !u64 == !bytes)
        return error_set(
            err, COLLIDE_CORRUPT,
            "%s ids need the tensors key_slots and either keys or both key_bytes and key_offsets", space);
    keys->kind = u64 ? KEYS_U64 : KEYS_STRING;
    keys->slots = slots->data;
    keys->n_slots = slots->shape[0] <= UINT32_MAX ? (uint32_t)slots->shape[0] : 0;
    if (u64) {
        keys->u64 = u64->data;
        status = check_length(u64, n_ids, err);
    } else {
        keys->bytes = bytes->data;
        keys->offsets = offsets->data;
        status = check_length(offsets, (uint64_t)n_ids + 1, err);
    }
    return status == COLLIDE_OK ? validate_keys(keys, n_ids, bytes ? bytes->n_bytes : 0, space, err) : status;
}

static enum collide_status read_items(const struct safetensors *s, struct model *m, struct collide_error *err)
{
    struct item_space *item = &m->item;
    const struct tensor *remap = NULL;
    enum collide_status status = find(s, TENSOR_REMAP, DTYPE_U32, 1, &remap, err);
    if (status != COLLIDE_OK)
        return status;
    if (!remap)
        return missing(TENSOR_REMAP, err);
    if (remap->shape[0] < 1 || remap->shape[0] > UINT32_MAX)
        return error_set(err, COLLIDE_CORRUPT, "tensor %s needs one entry an id and one for the unknown id",
                         TENSOR_REMAP);
    item->remap = remap->data;
    item->n_ids = (uint32_t)(remap->shape[0] - 1);
    uint64_t n_entries = remap->shape[0];
    status = read_per_id(s, TENSOR_WEIGHTS, n_entries, &item->weights, err);
    if (status == COLLIDE_OK)
        status = read_per_id(s, TENSOR_BIAS, n_entries, &item->bias, err);
    if (status == COLLIDE_OK)
        status = read_keys(s, "item", item->n_ids, &item->keys, err);
    return status;
}

static enum collide_status read_users(const struct safetensors *s, struct model *m, struct collide_error *err)
{
    const struct tensor *offsets = NULL, *history = NULL;
    enum collide_status status = find(s, TENSOR_HISTORY_OFFSETS, DTYPE_U32, 1, &offsets, err);
    if (status == COLLIDE_OK)
        status = find(s, TENSOR_HISTORY, DTYPE_U32, 1, &history, err);
    if (status != COLLIDE_OK || (!offsets && !history))
        return status;
    if (!offsets || !history)
        return missing(offsets ? TENSOR_HISTORY : TENSOR_HISTORY_OFFSETS, err);
    if (offsets->shape[0] < 2 || offsets->shape[0] > UINT32_MAX)
        return error_set(err, COLLIDE_CORRUPT, "tensor %s needs two entries more than there are users",
                         TENSOR_HISTORY_OFFSETS);
    m->user.n_ids = (uint32_t)(offsets->shape[0] - 2);
    m->user.offsets = offsets->data;
    m->user.history = history->data;
    status = validate_histories(m, history->shape[0], err);
    return status == COLLIDE_OK ? read_keys(s, "user", m->user.n_ids, &m->user.keys, err) : status;
}

static enum collide_status read_provenance(struct model_file *f, struct collide_error *err)
{
    size_t n = safetensors_n_metadata(f->tensors);
    f->provenance = calloc(n ? n : 1, sizeof *f->provenance);
    if (!f->provenance)
        return error_no_memory(err, "the model's metadata");
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct metadata_entry e = safetensors_metadata_entry(f->tensors, i);
        if (!metadata_is_reserved(e.name))
            f->provenance[kept++] = (struct provenance_entry){.name = e.name, .value = e.value};
    }
    f->model.provenance = f->provenance;
    f->model.n_provenance = kept;
    return COLLIDE_OK;
}

static enum collide_status read_model(struct model_file *f, enum model_check check, struct collide_error *err)
{
    struct model *m = &f->model;
    enum collide_status status = read_metadata(f->tensors, m, err);
    if (status == COLLIDE_OK)
        status = read_rows(f->tensors, m, err);
    if (status == COLLIDE_OK)
        status = read_items(f->tensors, m, err);
    if (status == COLLIDE_OK)
        status = validate_remap(m, err);
    if (status == COLLIDE_OK)
        status = read_users(f->tensors, m, err);
    if (status == COLLIDE_OK)
        status = read_provenance(f, err);
    if (status == COLLIDE_OK && check == MODEL_CHECK_CONTENTS)
        status = validate_checksums(f->tensors, err);
    if (status == COLLIDE_OK && check == MODEL_CHECK_CONTENTS)
        status = validate_finite(m, err);
    return status;
}

enum collide_status model_file_open(const char *path, enum model_check check, struct model_file **out,
                                    struct collide_error *err)
{
    struct model_file *f = calloc(1, sizeof *f);
    if (!f)
        return error_no_memory(err, "a model");
    enum collide_status status = safetensors_open(path, &f->tensors, err);
    struct collide_error detail = {0};
    if (status == COLLIDE_OK && (status = read_model(f, check, &detail)) != COLLIDE_OK)
        error_set(err, status, "%s: %s", path, detail.text);
    if (status != COLLIDE_OK) {
        model_file_close(f);
        return status;
    }
    *out = f;
    return COLLIDE_OK;
}

void model_file_close(struct model_file *f)
{
    if (!f)
        return;
    free(f->provenance);
    safetensors_close(f->tensors);
    free(f);
}

const struct model *model_file_model(const struct model_file *f)
{
    return &f->model;
}

const struct safetensors *model_file_tensors(const struct model_file *f)
{
    return f->tensors;
}
