#include "model/safetensors.h"

#include "base/cursor.h"
#include "base/error.h"
#include "base/file.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static const char METADATA[] = "__metadata__";

struct safetensors {
    struct file_map map;
    cJSON *header; /* owns all names and values */
    struct metadata_entry *metadata;
    size_t n_metadata;
    struct tensor *tensors;
    size_t n_tensors;
};

static const struct {
    const char *name;
    size_t bytes;
} dtypes[N_DTYPES] = {
    [DTYPE_F32] = {"F32", 4},   [DTYPE_F16] = {"F16", 2},   [DTYPE_I8] = {"I8", 1},
    [DTYPE_U8] = {"U8", 1},     [DTYPE_U32] = {"U32", 4},   [DTYPE_U64] = {"U64", 8},
    [DTYPE_F64] = {"F64", 8},   [DTYPE_BF16] = {"BF16", 2}, [DTYPE_I16] = {"I16", 2},
    [DTYPE_U16] = {"U16", 2},   [DTYPE_I32] = {"I32", 4},   [DTYPE_I64] = {"I64", 8},
    [DTYPE_BOOL] = {"BOOL", 1},
};

size_t dtype_bytes(enum dtype d)
{
    return dtypes[d].bytes;
}

const char *dtype_name(enum dtype d)
{
    return dtypes[d].name;
}

/* Reads a JSON number that must be a non-negative integer, exactly representable. */
static bool json_u64(const cJSON *number, uint64_t *out)
{
    if (!cJSON_IsNumber(number) || !(number->valuedouble >= 0) || number->valuedouble > 0x1p53 ||
        floor(number->valuedouble) != number->valuedouble)
        return false;
    *out = (uint64_t)number->valuedouble;
    return true;
}

static enum collide_status parse_dtype(const cJSON *entry, const char *path, struct tensor *t,
                                       struct collide_error *err)
{
    const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(entry, "dtype");
    for (size_t i = 0; cJSON_IsString(dtype) && i < N_DTYPES; i++)
        if (strcmp(dtypes[i].name, dtype->valuestring) == 0) {
            t->dtype = (enum dtype)i;
            return COLLIDE_OK;
        }
    return error_set(err, COLLIDE_CORRUPT, "%s: tensor %.64s has no known dtype", path, t->name);
}

static enum collide_status parse_shape(const cJSON *entry, const char *path, struct tensor *t,
                                       struct collide_error *err)
{
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(entry, "shape");
    if (!cJSON_IsArray(shape) || cJSON_GetArraySize(shape) > TENSOR_MAX_DIMS)
        return error_set(err, COLLIDE_CORRUPT, "%s: tensor %.64s needs a shape of at most %d dimensions",
                         path, t->name, TENSOR_MAX_DIMS);
    uint64_t n_bytes = dtype_bytes(t->dtype);
    const cJSON *size;
    cJSON_ArrayForEach (size, shape) {
        uint64_t *to = &t->shape[t->n_dims++];
        if (!json_u64(size, to) || __builtin_mul_overflow(n_bytes, *to, &n_bytes))
            return error_set(err, COLLIDE_CORRUPT, "%s: tensor %.64s has an impossible shape", path, t->name);
    }
    t->n_bytes = n_bytes;
    return COLLIDE_OK;
}

static enum collide_status parse_tensor(const cJSON *entry, const char *path, struct cursor data,
                                        struct tensor *t, struct collide_error *err)
{
    t->name = entry->string;
    if (!cJSON_IsObject(entry) || cJSON_GetArraySize(entry) != 3)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s: tensor %.64s needs dtype, shape and data_offsets, each once, and nothing else",
                         path, t->name);
    enum collide_status status = parse_dtype(entry, path, t, err);
    if (status == COLLIDE_OK)
        status = parse_shape(entry, path, t, err);
    if (status != COLLIDE_OK)
        return status;
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
    uint64_t begin = 0, end = 0;
    if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 ||
        !json_u64(cJSON_GetArrayItem(offsets, 0), &begin) ||
        !json_u64(cJSON_GetArrayItem(offsets, 1), &end) || begin > end)
        return error_set(err, COLLIDE_CORRUPT, "%s: tensor %.64s needs data_offsets [begin, end]", path,
                         t->name);
    if (end > cursor_left(&data))
        return error_set(err, COLLIDE_CORRUPT,
                         "%s: tensor %.64s ends at byte %llu of %zu; the file is truncated", path, t->name,
                         (unsigned long long)end, cursor_left(&data));
    if (end - begin != t->n_bytes)
        return error_set(err, COLLIDE_CORRUPT, "%s: tensor %.64s has %llu bytes where its shape needs %llu",
                         path, t->name, (unsigned long long)(end - begin), (unsigned long long)t->n_bytes);
    t->data = data.at + begin;
    if ((uintptr_t)t->data % dtype_bytes(t->dtype) != 0)
        return error_set(err, COLLIDE_CORRUPT, "%s: tensor %.64s is not aligned to its element size", path,
                         t->name);
    return COLLIDE_OK;
}

static int by_position(const void *a, const void *b)
{
    const struct tensor *x = a, *y = b;
    if (x->data != y->data)
        return (const char *)x->data < (const char *)y->data ? -1 : 1;
    return x->n_bytes < y->n_bytes ? -1 : x->n_bytes > y->n_bytes;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* cJSON keeps both of two equal keys; a file in which one hides behind the other is not to be trusted. */
static enum collide_status check_unique_keys(const cJSON *object, const char *path, struct collide_error *err)
{
    size_t n = (size_t)cJSON_GetArraySize(object);
    const char **keys = calloc(n ? n : 1, sizeof *keys);
    if (!keys)
        return error_no_memory(err, "the header's keys");
    size_t i = 0;
    const cJSON *entry;
    cJSON_ArrayForEach (entry, object)
        keys[i++] = entry->string;
    qsort(keys, n, sizeof *keys, by_text);
    enum collide_status status = COLLIDE_OK;
    for (i = 1; i < n && status == COLLIDE_OK; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            status = error_set(err, COLLIDE_CORRUPT, "%s: the header has two entries %.64s", path, keys[i]);
    free(keys);
    return status;
}

static enum collide_status parse_metadata(struct safetensors *s, const char *path, struct collide_error *err)
{
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(s->header, METADATA);
    if (!metadata)
        return COLLIDE_OK;
    if (!cJSON_IsObject(metadata))
        return error_set(err, COLLIDE_CORRUPT, "%s: %s is not an object", path, METADATA);
    s->metadata = calloc((size_t)cJSON_GetArraySize(metadata) + 1, sizeof *s->metadata);
    if (!s->metadata)
        return error_no_memory(err, "the metadata");
    const cJSON *entry;
    cJSON_ArrayForEach (entry, metadata) {
        if (!cJSON_IsString(entry))
            return error_set(err, COLLIDE_CORRUPT, "%s: metadata %.64s is not a string", path, entry->string);
        s->metadata[s->n_metadata++] =
            (struct metadata_entry){.name = entry->string, .value = entry->valuestring};
    }
    return check_unique_keys(metadata, path, err);
}

static enum collide_status parse_tensors(struct safetensors *s, const char *path, struct cursor data,
                                         struct collide_error *err)
{
    s->tensors = calloc((size_t)cJSON_GetArraySize(s->header) + 1, sizeof *s->tensors);
    if (!s->tensors)
        return error_no_memory(err, "the tensor list");
    const cJSON *entry;
    cJSON_ArrayForEach (entry, s->header) {
        if (strcmp(entry->string, METADATA) == 0)
            continue;
        enum collide_status status = parse_tensor(entry, path, data, &s->tensors[s->n_tensors], err);
        if (status != COLLIDE_OK)
            return status;
        s->n_tensors++;
    }
    qsort(s->tensors, s->n_tensors, sizeof *s->tensors, by_position);
    for (size_t i = 0; i < s->n_tensors; i++) {
        const struct tensor *t = &s->tensors[i];
        const uint8_t *bytes = cursor_take(&data, t->n_bytes);
        if (!bytes || bytes != t->data)
            return error_set(err, COLLIDE_CORRUPT, "%s: tensor %.64s overlaps another or leaves a hole", path,
                             t->name);
    }
    if (cursor_left(&data) != 0)
        return error_set(err, COLLIDE_CORRUPT, "%s: %zu bytes follow the last tensor", path,
                         cursor_left(&data));
    return COLLIDE_OK;
}

/* The text must be one object and then only spaces; cJSON by itself would take anything after it, and a byte
 * order mark before it. */
static enum collide_status parse_header(struct safetensors *s, const char *path, const char *text, size_t n,
                                        struct collide_error *err)
{
    const char *end = NULL;
    s->header = cJSON_ParseWithLengthOpts(text, n, &end, false);
    while (s->header && end < text + n && *end == ' ')
        end++;
    if (!cJSON_IsObject(s->header) || text[0] != '{' || end != text + n)
        return error_set(err, COLLIDE_CORRUPT, "%s: the header is not a JSON object", path);
    enum collide_status status = check_unique_keys(s->header, path, err);
    return status == COLLIDE_OK ? parse_metadata(s, path, err) : status;
}

static enum collide_status parse_file(struct safetensors *s, const char *path, struct collide_error *err)
{
    struct cursor c = cursor_over(s->map.bytes, s->map.n_bytes);
    uint64_t header_bytes = cursor_u64(&c);
    if (c.failed || header_bytes > cursor_left(&c))
        return error_set(err, COLLIDE_CORRUPT, "%s is not a safetensors file, or its header is truncated",
                         path);
    if (header_bytes > SAFETENSORS_MAX_HEADER_BYTES)
        return error_set(err, COLLIDE_CORRUPT, "%s: the header has %llu bytes, more than %d", path,
                         (unsigned long long)header_bytes, SAFETENSORS_MAX_HEADER_BYTES);
    const char *header = (const char *)cursor_take(&c, header_bytes);
    enum collide_status status = parse_header(s, path, header, header_bytes, err);
    return status == COLLIDE_OK ? parse_tensors(s, path, c, err) : status;
}

enum collide_status safetensors_open(const char *path, struct safetensors **out, struct collide_error *err)
{
    struct safetensors *s = calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "a model file");
    enum collide_status status = file_map(path, &s->map, err);
    if (status == COLLIDE_OK)
        status = parse_file(s, path, err);
    if (status != COLLIDE_OK) {
        safetensors_close(s);
        return status;
    }
    *out = s;
    return COLLIDE_OK;
}

void safetensors_close(struct safetensors *s)
{
    if (!s)
        return;
    free(s->tensors);
    free(s->metadata);
    cJSON_Delete(s->header);
    file_unmap(&s->map);
    free(s);
}

const struct tensor *safetensors_find(const struct safetensors *s, const char *name)
{
    for (size_t i = 0; i < s->n_tensors; i++)
        if (strcmp(s->tensors[i].name, name) == 0)
            return &s->tensors[i];
    return NULL;
}

const char *safetensors_metadata(const struct safetensors *s, const char *name)
{
    for (size_t i = 0; i < s->n_metadata; i++)
        if (strcmp(s->metadata[i].name, name) == 0)
            return s->metadata[i].value;
    return NULL;
}

size_t safetensors_n_tensors(const struct safetensors *s)
{
    return s->n_tensors;
}

const struct tensor *safetensors_tensor(const struct safetensors *s, size_t i)
{
    return &s->tensors[i];
}

size_t safetensors_n_metadata(const struct safetensors *s)
{
    return s->n_metadata;
}

struct metadata_entry safetensors_metadata_entry(const struct safetensors *s, size_t i)
{
    return s->metadata[i];
}

uint64_t safetensors_file_bytes(const struct safetensors *s)
{
    return s->map.n_bytes;
}

uint64_t tensor_checksum(const struct tensor *t)
{
    return XXH3_64bits(t->data, t->n_bytes);
}
