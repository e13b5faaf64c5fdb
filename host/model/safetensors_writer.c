#include "model/safetensors.h"

#include "base/error.h"
#include "base/file.h"
#include "model/layout.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { HEADER_ALIGNMENT = 4096, TENSOR_ALIGNMENT = 128 };

static const char zeros[HEADER_ALIGNMENT];

static uint64_t padding_to(uint64_t n, uint64_t alignment)
{
    return (alignment - n % alignment) % alignment;
}

/* False when memory ran out, as with all of cJSON's constructors. */
static bool describe_tensor(cJSON *header, const char *name, const struct tensor *t, uint64_t begin)
{
    cJSON *entry = cJSON_AddObjectToObject(header, name);
    cJSON *shape = NULL, *offsets = NULL;
    bool ok = entry && cJSON_AddStringToObject(entry, "dtype", dtype_name(t->dtype)) &&
              (shape = cJSON_AddArrayToObject(entry, "shape")) &&
              (offsets = cJSON_AddArrayToObject(entry, "data_offsets"));
    for (unsigned i = 0; ok && i < t->n_dims; i++)
        ok = cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)t->shape[i]));
    return ok && cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)begin)) &&
           cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)(begin + t->n_bytes)));
}

static bool describe_metadata(cJSON *header, const struct tensor *tensors, size_t n_tensors,
                              const struct metadata_entry *metadata, size_t n_metadata)
{
    cJSON *object = cJSON_AddObjectToObject(header, "__metadata__");
    bool ok = object != NULL;
    for (size_t i = 0; ok && i < n_metadata; i++)
        ok = cJSON_AddStringToObject(object, metadata[i].name, metadata[i].value);
    for (size_t i = 0; ok && i < n_tensors; i++) {
        char name[128], sum[17];
        snprintf(name, sizeof name, META_CHECKSUM "%s", tensors[i].name);
        snprintf(sum, sizeof sum, "%016" PRIx64, tensor_checksum(&tensors[i]));
        ok = cJSON_AddStringToObject(object, name, sum);
    }
    return ok;
}

/* The header's JSON text, to be freed with cJSON_free; NULL when out of memory. */
static char *header_text(const struct tensor *tensors, size_t n_tensors,
                         const struct metadata_entry *metadata, size_t n_metadata)
{
    cJSON *header = cJSON_CreateObject();
    bool ok = header && describe_metadata(header, tensors, n_tensors, metadata, n_metadata);
    uint64_t at = 0;
    for (size_t i = 0; ok && i < n_tensors; i++) {
        ok = describe_tensor(header, tensors[i].name, &tensors[i], at);
        at += tensors[i].n_bytes;
        uint64_t gap = i + 1 < n_tensors ? padding_to(at, TENSOR_ALIGNMENT) : 0;
        if (ok && gap) {
            char name[32];
            snprintf(name, sizeof name, "__pad%zu", i);
            struct tensor pad = {.dtype = DTYPE_U8, .n_dims = 1, .shape = {gap}, .n_bytes = gap};
            ok = describe_tensor(header, name, &pad, at);
            at += gap;
        }
    }
    char *text = ok ? cJSON_PrintUnformatted(header) : NULL;
    cJSON_Delete(header);
    return text;
}

static enum collide_status write_header(int fd, const char *path, const char *text, struct collide_error *err)
{
    static const char blanks[] = "                                                                ";
    uint64_t text_bytes = strlen(text);
    uint64_t n_blanks = padding_to(8 + text_bytes, HEADER_ALIGNMENT);
    uint64_t length = text_bytes + n_blanks;
    uint8_t prefix[8];
    for (int i = 0; i < 8; i++)
        prefix[i] = (uint8_t)(length >> (8 * i));
    enum collide_status status = file_write_all(fd, prefix, sizeof prefix, path, err);
    if (status == COLLIDE_OK)
        status = file_write_all(fd, text, text_bytes, path, err);
    while (status == COLLIDE_OK && n_blanks > 0) {
        uint64_t n = n_blanks < sizeof blanks - 1 ? n_blanks : sizeof blanks - 1;
        status = file_write_all(fd, blanks, n, path, err);
        n_blanks -= n;
    }
    return status;
}

enum collide_status safetensors_write(const char *path, const struct tensor *tensors, size_t n_tensors,
                                      const struct metadata_entry *metadata, size_t n_metadata,
                                      struct collide_error *err)
{
    char *text = header_text(tensors, n_tensors, metadata, n_metadata);
    if (!text)
        return error_no_memory(err, "the model's header");
    struct file_replace file;
    enum collide_status status = COLLIDE_OK;
    if (strlen(text) > SAFETENSORS_MAX_HEADER_BYTES - HEADER_ALIGNMENT)
        status =
            error_set(err, COLLIDE_INVALID, "%s: the metadata is too long, %zu bytes", path, strlen(text));
    else
        status = file_replace_begin(path, &file, err);
    if (status != COLLIDE_OK)
        goto out;
    status = write_header(file.fd, path, text, err);
    for (size_t i = 0; status == COLLIDE_OK && i < n_tensors; i++) {
        status = file_write_all(file.fd, tensors[i].data, tensors[i].n_bytes, path, err);
        if (status == COLLIDE_OK && i + 1 < n_tensors)
            status =
                file_write_all(file.fd, zeros, padding_to(tensors[i].n_bytes, TENSOR_ALIGNMENT), path, err);
    }
    if (status == COLLIDE_OK)
        status = file_replace_commit(&file, err);
    else
        file_replace_abandon(&file);
out:
    cJSON_free(text);
    return status;
}
