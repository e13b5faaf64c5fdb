#include "learn/embeddings/numbers.h"

#include "base/error.h"
#include "base/half.h"
#include "data/npy.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_float(enum dtype dtype)
{
    return dtype == DTYPE_F32 || dtype == DTYPE_F16 || dtype == DTYPE_F64 || dtype == DTYPE_BF16;
}

static bool is_of_kind(enum dtype dtype, enum numbers_kind kind)
{
    return kind == NUMBERS_FLOATS ? is_float(dtype) : dtype != DTYPE_BOOL;
}

static const char *dims_text(unsigned n_dims)
{
    return n_dims == 2 ? "a table of two dimensions" : "a list of one dimension";
}

static enum collide_status set_shape(struct numbers *n, const uint64_t *shape, unsigned n_dims,
                                     enum numbers_kind kind, struct collide_error *err)
{
    n->n = 1;
    for (unsigned d = 0; d < n_dims; d++) {
        n->shape[d] = shape[d];
        n->n *= shape[d];
    }
    return is_of_kind(n->dtype, kind)
               ? COLLIDE_OK
               : error_set(err, COLLIDE_INVALID, "%s holds %s values; give floats, such as float32", n->name,
                           dtype_name(n->dtype));
}

/* ---- .npy */

static enum dtype dtype_of(const struct npy *array)
{
    static const enum dtype dtypes[][9] = {
        [NPY_FLOAT] = {[2] = DTYPE_F16, [4] = DTYPE_F32, [8] = DTYPE_F64},
        [NPY_SIGNED] = {[1] = DTYPE_I8, [2] = DTYPE_I16, [4] = DTYPE_I32, [8] = DTYPE_I64},
        [NPY_UNSIGNED] = {[1] = DTYPE_U8, [2] = DTYPE_U16, [4] = DTYPE_U32, [8] = DTYPE_U64}};
    return dtypes[array->kind][array->value_bytes];
}

static enum collide_status take_array(struct numbers *n, unsigned n_dims, enum numbers_kind kind,
                                      struct collide_error *err)
{
    struct npy array;
    enum collide_status status = npy_parse(n->map.bytes, n->map.n_bytes, n->name, &array, err);
    if (status != COLLIDE_OK)
        return status;
    if (array.n_dims != n_dims)
        return error_set(err, COLLIDE_INVALID, "%s has %u dimensions; give %s", n->name, array.n_dims,
                         dims_text(n_dims));
    n->dtype = dtype_of(&array);
    n->values = array.values;
    return set_shape(n, array.shape, n_dims, kind, err);
}

/* ---- .safetensors */

static enum collide_status find_only(const struct numbers *n, unsigned n_dims, enum numbers_kind kind,
                                     const struct tensor **out, struct collide_error *err)
{
    const struct tensor *found = NULL;
    for (size_t i = 0; i < safetensors_n_tensors(n->tensors); i++) {
        const struct tensor *t = safetensors_tensor(n->tensors, i);
        if (t->n_dims != n_dims || !is_of_kind(t->dtype, kind))
            continue;
        if (found)
            return error_set(
                err, COLLIDE_INVALID,
                "%s has several tensors that it could be, such as %.64s and %.64s; give %.100s:%.64s",
                n->name, found->name, t->name, n->name, found->name);
        found = t;
    }
    *out = found;
    return found ? COLLIDE_OK
                 : error_set(err, COLLIDE_INVALID, "%s has no tensor of %s that is %s", n->name,
                             kind == NUMBERS_FLOATS ? "floats" : "numbers", dims_text(n_dims));
}

static enum collide_status find_named(const struct numbers *n, const char *name, unsigned n_dims,
                                      const struct tensor **out, struct collide_error *err)
{
    const struct tensor *t = safetensors_find(n->tensors, name);
    if (!t)
        return error_set(err, COLLIDE_INVALID, "%s: the file has no tensor %.64s", n->name, name);
    if (t->n_dims != n_dims)
        return error_set(err, COLLIDE_INVALID, "%s has %u dimensions; give %s", n->name, t->n_dims,
                         dims_text(n_dims));
    *out = t;
    return COLLIDE_OK;
}

/* tensor: NULL: the only one. */
static enum collide_status take_tensor(struct numbers *n, const char *tensor, unsigned n_dims,
                                       enum numbers_kind kind, struct collide_error *err)
{
    const struct tensor *t = NULL;
    enum collide_status status =
        tensor ? find_named(n, tensor, n_dims, &t, err) : find_only(n, n_dims, kind, &t, err);
    if (status != COLLIDE_OK)
        return status;
    n->dtype = t->dtype;
    n->values = t->data;
    return set_shape(n, t->shape, n_dims, kind, err);
}

/* ---- */

/* How long the file's path is: up to a colon, if that much is the path of a file and the whole is not. */
static size_t path_length(const char *name)
{
    const size_t n = strlen(name);
    if (access(name, F_OK) == 0)
        return n;
    for (const char *colon = strchr(name, ':'); colon; colon = strchr(colon + 1, ':')) {
        char *path = strndup(name, (size_t)(colon - name));
        const bool is_file = path && access(path, F_OK) == 0;
        free(path);
        if (is_file)
            return (size_t)(colon - name);
    }
    return n;
}

enum collide_status numbers_check_apart(const char *output, const char *name, struct collide_error *err)
{
    if (!name)
        return COLLIDE_OK;
    char *path = strndup(name, path_length(name));
    enum collide_status status =
        path ? file_check_apart(output, path, err) : error_no_memory(err, "a file's name");
    free(path);
    return status;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), n_end = strlen(end);
    return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

static enum collide_status check_kind_of_file(const struct numbers *n, const char *path,
                                              struct collide_error *err)
{
    if (n->map.n_bytes >= 2 && memcmp(n->map.bytes, "PK", 2) == 0)
        return error_set(err, COLLIDE_UNSUPPORTED,
                         "%s is an archive (.npz, or PyTorch's); save the one array as .npy or .safetensors",
                         path);
    if (ends_with(path, ".npy"))
        return error_set(err, COLLIDE_CORRUPT, "%s does not begin as a .npy file does", path);
    return COLLIDE_OK;
}

static enum collide_status open_path(struct numbers *n, const char *path, const char *tensor, unsigned n_dims,
                                     enum numbers_kind kind, struct collide_error *err)
{
    enum collide_status status = file_map(path, &n->map, err);
    if (status != COLLIDE_OK)
        return status;
    if (npy_is(n->map.bytes, n->map.n_bytes))
        return tensor ? error_set(err, COLLIDE_INVALID, "%s is a .npy file, which has no tensor %.64s", path,
                                  tensor)
                      : take_array(n, n_dims, kind, err);
    struct collide_error detail = {0};
    status = check_kind_of_file(n, path, err);
    file_unmap(&n->map);
    if (status != COLLIDE_OK)
        return status;
    status = safetensors_open(path, &n->tensors, &detail);
    if (status != COLLIDE_OK)
        return error_set(err, status, "%s: no .npy file, and none of .safetensors: %s", path, detail.text);
    return take_tensor(n, tensor, n_dims, kind, err);
}

enum collide_status numbers_open(const char *name, unsigned n_dims, enum numbers_kind kind,
                                 struct numbers *out, struct collide_error *err)
{
    struct numbers n = {.name = name};
    const size_t n_path = path_length(name);
    char *path = strndup(name, n_path);
    if (!path)
        return error_no_memory(err, "a file's name");
    enum collide_status status =
        open_path(&n, path, name[n_path] ? name + n_path + 1 : NULL, n_dims, kind, err);
    free(path);
    if (status == COLLIDE_OK)
        *out = n;
    else
        numbers_close(&n);
    return status;
}

void numbers_close(struct numbers *n)
{
    safetensors_close(n->tensors);
    file_unmap(&n->map);
    *n = (struct numbers){0};
}

static double double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double numbers_at(const struct numbers *n, uint64_t i)
{
    const size_t n_bytes = dtype_bytes(n->dtype);
    uint64_t bits = 0;
    memcpy(&bits, n->values + i * n_bytes, n_bytes);
    switch (n->dtype) {
    case DTYPE_F32:
        return (double)float_of_bits((uint32_t)bits);
    case DTYPE_F16:
        return (double)half_to_float((uint16_t)bits);
    case DTYPE_BF16:
        return (double)float_of_bits((uint32_t)bits << 16);
    case DTYPE_F64:
        return double_of_bits(bits);
    case DTYPE_I8:
        return (int8_t)bits;
    case DTYPE_I16:
        return (int16_t)bits;
    case DTYPE_I32:
        return (int32_t)bits;
    case DTYPE_I64:
        return (double)(int64_t)bits;
    default:
        return (double)bits;
    }
}
