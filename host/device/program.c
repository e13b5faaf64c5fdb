#include "device/program.h"

#include "base/error.h"
#include "base/log.h"
#include "device/cl_error.h"
#include "device/program_cache.h"
#include "device/program_compile.h"
#include "device/program_manifest.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct program {
    struct device *device;
    cl_program handle;
    enum program_origin origin;
    struct buffer manifest; /* what it was built for */
    char *entry;            /* where program_keep is to write; NULL: nowhere */
    atomic_bool is_kept;
    unsigned n_owners;    /* under the lock of the device's programs, as is the next */
    struct program *next; /* of those */
};

/* A device binary whose manifest is the wanted one. */
static enum collide_status open_binary(const char *path, struct text wanted, struct program_file *out,
                                       struct collide_error *err)
{
    enum collide_status status = program_file_open(path, out, err);
    if (status != COLLIDE_OK)
        return status;
    status = manifest_check(path, out->manifest, wanted, err);
    if (status != COLLIDE_OK)
        program_file_close(out);
    return status;
}

static enum collide_status give_to_driver(const struct device *device, const char *path, struct text binary,
                                          const char *options, cl_program *out, struct collide_error *err)
{
    const struct device_info *info = device_info(device);
    const unsigned char *bytes = (const unsigned char *)binary.bytes;
    cl_int code;
    cl_program handle =
        clCreateProgramWithBinary(device_context(device), 1, &info->id, &binary.n_bytes, &bytes, NULL, &code);
    if (code == CL_SUCCESS)
        code = clBuildProgram(handle, 1, &info->id, options, NULL, NULL);
    if (code == CL_SUCCESS) {
        *out = handle;
        return COLLIDE_OK;
    }
    if (handle)
        clReleaseProgram(handle);
    char what[256];
    snprintf(what, sizeof what,
             "the driver of %.64s refuses %.100s; build it anew with `collide kernels build`", info->name,
             path);
    return cl_error_set(err, code, what);
}

enum collide_status program_save(const struct program *p, const char *path, struct collide_error *err)
{
    size_t n = 0;
    cl_int code = clGetProgramInfo(p->handle, CL_PROGRAM_BINARY_SIZES, sizeof n, &n, NULL);
    if (code != CL_SUCCESS || n == 0)
        return error_set(err, COLLIDE_UNSUPPORTED, "the driver of %.64s gives no device binaries",
                         device_info(p->device)->name);
    unsigned char *binary = malloc(n);
    if (!binary)
        return error_no_memory(err, "a device binary");
    const struct text manifest = {p->manifest.bytes, p->manifest.n_bytes};
    code = clGetProgramInfo(p->handle, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL);
    enum collide_status status =
        code == CL_SUCCESS ? program_file_write(path, manifest, (struct text){(const char *)binary, n}, err)
                           : cl_error_set(err, code, "cannot get the device binary");
    free(binary);
    return status;
}

void program_keep(struct program *p)
{
    struct collide_error err;
    if (p->entry && !atomic_exchange(&p->is_kept, true) && program_save(p, p->entry, &err) != COLLIDE_OK)
        log_warning("the kernels are not cached: %s", err.text);
}

static bool is_like(const struct program *p, struct text manifest, bool is_from_file)
{
    return (p->origin == PROGRAM_FROM_FILE) == is_from_file && p->manifest.n_bytes == manifest.n_bytes &&
           memcmp(p->manifest.bytes, manifest.bytes, manifest.n_bytes) == 0;
}

/* One that lives, shared with its other owners; NULL: there is none. */
static struct program *share(struct device *device, struct text manifest, bool is_from_file)
{
    struct device_programs *live = device_programs(device);
    pthread_mutex_lock(&live->lock);
    struct program *p = live->first;
    while (p && !is_like(p, manifest, is_from_file))
        p = p->next;
    if (p)
        p->n_owners++;
    pthread_mutex_unlock(&live->lock);
    return p;
}

/* What is to become a program. */
struct built {
    cl_program handle;
    enum program_origin origin;
    char *entry; /* of the cache that lacks it; NULL: none */
};

/* Takes what was built, and the manifest. */
static enum collide_status wrap(struct device *device, const struct built *built, struct buffer *manifest,
                                struct program **out, struct collide_error *err)
{
    struct device_programs *live = device_programs(device);
    struct program *p = calloc(1, sizeof *p);
    if (!p) {
        clReleaseProgram(built->handle);
        free(built->entry);
        return error_no_memory(err, "a program");
    }
    p->device = device;
    p->handle = built->handle;
    p->origin = built->origin;
    p->entry = built->entry;
    p->manifest = *manifest;
    p->n_owners = 1;
    *manifest = (struct buffer){0};
    device_count_objects(device, 1);
    pthread_mutex_lock(&live->lock);
    p->next = live->first;
    live->first = p;
    pthread_mutex_unlock(&live->lock);
    *out = p;
    return COLLIDE_OK;
}

/* The manifest's bytes are owned by the buffer. */
static enum collide_status describe(const struct device *device, const struct program_source *source,
                                    struct buffer *buffer, struct text *out, struct collide_error *err)
{
    *buffer = (struct buffer){0};
    manifest_append(buffer, device_info(device), source);
    *out = (struct text){buffer->bytes, buffer->n_bytes};
    return buffer->failed ? error_no_memory(err, "a program's manifest") : COLLIDE_OK;
}

static bool find_cached(struct device *device, const struct program_source *source, const char *path,
                        struct text manifest, struct built *out)
{
    struct program_file file;
    if (open_binary(path, manifest, &file, NULL) != COLLIDE_OK)
        return false;
    out->origin = PROGRAM_FROM_CACHE;
    enum collide_status status =
        give_to_driver(device, path, file.binary, source->options, &out->handle, NULL);
    program_file_close(&file);
    return status == COLLIDE_OK;
}

static enum collide_status find_or_compile(struct device *device, const struct program_source *source,
                                           const char *cache_dir, struct text manifest, struct built *out,
                                           struct collide_error *err)
{
    char path[4200];
    bool has_cache = program_cache_path(cache_dir, manifest, path, sizeof path);
    *out = (struct built){.entry = NULL};
    if (has_cache && find_cached(device, source, path, manifest, out))
        return COLLIDE_OK;
    enum collide_status status = program_compile(device, source, &out->handle, err);
    out->origin = PROGRAM_FROM_SOURCE;
    if (status == COLLIDE_OK && has_cache)
        out->entry = strdup(path);
    return status;
}

enum collide_status program_build(struct device *device, const struct program_source *source,
                                  const char *cache_dir, struct program **out, struct collide_error *err)
{
    struct buffer buffer;
    struct text manifest;
    struct built built;
    struct program *p = NULL;
    enum collide_status status = describe(device, source, &buffer, &manifest, err);
    if (status == COLLIDE_OK && !(p = share(device, manifest, false))) {
        status = find_or_compile(device, source, cache_dir, manifest, &built, err);
        if (status == COLLIDE_OK)
            status = wrap(device, &built, &buffer, &p, err);
    }
    buffer_free(&buffer);
    if (status == COLLIDE_OK)
        *out = p;
    return status;
}

enum collide_status program_load(struct device *device, const struct program_source *source, const char *path,
                                 struct program **out, struct collide_error *err)
{
    struct buffer buffer;
    struct text manifest;
    struct program_file file;
    struct built built = {.origin = PROGRAM_FROM_FILE};
    struct program *p = NULL;
    enum collide_status status = describe(device, source, &buffer, &manifest, err);
    if (status == COLLIDE_OK)
        status = open_binary(path, manifest, &file, err);
    if (status == COLLIDE_OK) {
        p = share(device, manifest, true);
        if (!p)
            status = give_to_driver(device, path, file.binary, source->options, &built.handle, err);
        program_file_close(&file);
    }
    if (status == COLLIDE_OK && !p)
        status = wrap(device, &built, &buffer, &p, err);
    buffer_free(&buffer);
    if (status == COLLIDE_OK)
        *out = p;
    return status;
}

/* Whether that was its last owner. */
static bool leave(struct program *p)
{
    struct device_programs *live = device_programs(p->device);
    pthread_mutex_lock(&live->lock);
    bool is_last = --p->n_owners == 0;
    struct program **at = &live->first;
    while (is_last && *at != p)
        at = &(*at)->next;
    if (is_last)
        *at = p->next;
    pthread_mutex_unlock(&live->lock);
    return is_last;
}

void program_destroy(struct program *p)
{
    if (!p || !leave(p))
        return;
    clReleaseProgram(p->handle);
    device_count_objects(p->device, -1);
    buffer_free(&p->manifest);
    free(p->entry);
    free(p);
}

static void copy_value(struct text manifest, const char *name, char *out, size_t capacity)
{
    struct text value = manifest_value(manifest, name);
    size_t n = value.n_bytes < capacity - 1 ? value.n_bytes : capacity - 1;
    memcpy(out, value.bytes, n);
    out[n] = '\0';
}

enum collide_status program_manifest_read(const char *path, struct program_manifest *out,
                                          struct collide_error *err)
{
    struct program_file file;
    enum collide_status status = program_file_open(path, &file, err);
    if (status != COLLIDE_OK)
        return status;
    copy_value(file.manifest, "device", out->device, sizeof out->device);
    copy_value(file.manifest, "platform", out->platform, sizeof out->platform);
    copy_value(file.manifest, "driver", out->driver, sizeof out->driver);
    copy_value(file.manifest, "options", out->options, sizeof out->options);
    copy_value(file.manifest, "source", out->source, sizeof out->source);
    out->binary_bytes = file.binary.n_bytes;
    program_file_close(&file);
    return COLLIDE_OK;
}

cl_program program_handle(const struct program *p)
{
    return p->handle;
}

enum program_origin program_origin(const struct program *p)
{
    return p->origin;
}

const char *program_origin_name(enum program_origin origin)
{
    static const char *const names[] = {
        [PROGRAM_FROM_FILE] = "file", [PROGRAM_FROM_CACHE] = "cache", [PROGRAM_FROM_SOURCE] = "source"};
    return names[origin];
}
