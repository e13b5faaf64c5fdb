#include "device/program.h"

#include "base/error.h"
#include "base/log.h"
#include "device/cl_error.h"
#include "device/program_compile.h"
#include "device/program_manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

struct program {
    struct device *device;
    cl_program handle;
    enum program_origin origin;
};

static void make_folder(const char *path)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        log_warning("cannot create %s: %s", path, strerror(errno));
}

bool program_cache_folder(const char *cache_dir, char *out, size_t capacity)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (cache_dir)
        n = cache_dir[0] ? snprintf(out, capacity, "%s", cache_dir) : -1;
    else if (xdg && xdg[0])
        n = snprintf(out, capacity, "%s/collide", xdg);
    else if (home && home[0])
        n = snprintf(out, capacity, "%s/.cache/collide", home);
    if (n < 0 || (size_t)n >= capacity)
        return false;
    for (char *slash = strchr(out + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        make_folder(out);
        *slash = '/';
    }
    make_folder(out);
    return true;
}

/* The path of a program's entry, named by its manifest; false when there is no cache. */
static bool cache_path(const char *cache_dir, struct text manifest, char *out, size_t capacity)
{
    char folder[4096];
    if (!program_cache_folder(cache_dir, folder, sizeof folder))
        return false;
    XXH128_hash_t name = XXH3_128bits(manifest.bytes, manifest.n_bytes);
    int n = snprintf(out, capacity, "%s/%016llx%016llx.bin", folder, (unsigned long long)name.high64,
                     (unsigned long long)name.low64);
    return n > 0 && (size_t)n < capacity;
}

/* The program of a file whose manifest is the wanted one. */
static enum collide_status load(const struct device *device, const char *path, struct text wanted,
                                const char *options, cl_program *out, struct collide_error *err)
{
    struct program_file file;
    enum collide_status status = program_file_open(path, &file, err);
    if (status != COLLIDE_OK)
        return status;
    status = manifest_check(path, file.manifest, wanted, err);
    if (status != COLLIDE_OK)
        goto out;
    const struct device_info *info = device_info(device);
    const unsigned char *binary = (const unsigned char *)file.binary.bytes;
    cl_int code;
    cl_program handle = clCreateProgramWithBinary(device_context(device), 1, &info->id, &file.binary.n_bytes,
                                                  &binary, NULL, &code);
    if (code == CL_SUCCESS)
        code = clBuildProgram(handle, 1, &info->id, options, NULL, NULL);
    if (code != CL_SUCCESS) {
        char what[256];
        snprintf(what, sizeof what,
                 "the driver of %.64s refuses %.100s; build it anew with `collide kernels build`", info->name,
                 path);
        status = cl_error_set(err, code, what);
        if (handle)
            clReleaseProgram(handle);
        goto out;
    }
    *out = handle;
out:
    program_file_close(&file);
    return status;
}

static enum collide_status save(const struct device *device, cl_program handle, const char *path,
                                struct text manifest, struct collide_error *err)
{
    size_t n = 0;
    unsigned char *binary = NULL;
    cl_int code = clGetProgramInfo(handle, CL_PROGRAM_BINARY_SIZES, sizeof n, &n, NULL);
    if (code != CL_SUCCESS || n == 0)
        return error_set(err, COLLIDE_UNSUPPORTED, "the driver of %.64s gives no device binaries",
                         device_info(device)->name);
    binary = malloc(n);
    if (!binary)
        return error_no_memory(err, "a device binary");
    code = clGetProgramInfo(handle, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL);
    enum collide_status status =
        code == CL_SUCCESS ? program_file_write(path, manifest, (struct text){(const char *)binary, n}, err)
                           : cl_error_set(err, code, "cannot get the device binary");
    free(binary);
    return status;
}

/* Takes the handle. */
static enum collide_status wrap(struct device *device, cl_program handle, enum program_origin origin,
                                struct program **out, struct collide_error *err)
{
    struct program *p = malloc(sizeof *p);
    if (!p) {
        clReleaseProgram(handle);
        return error_no_memory(err, "a program");
    }
    *p = (struct program){device, handle, origin};
    device_count_objects(device, 1);
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

enum collide_status program_build(struct device *device, const struct program_source *source,
                                  const char *cache_dir, struct program **out, struct collide_error *err)
{
    struct buffer buffer;
    struct text manifest;
    char path[4200];
    cl_program handle = NULL;
    enum program_origin origin = PROGRAM_FROM_CACHE;
    enum collide_status status = describe(device, source, &buffer, &manifest, err);
    if (status != COLLIDE_OK)
        goto out;
    bool cached = cache_path(cache_dir, manifest, path, sizeof path);
    if (!cached || load(device, path, manifest, source->options, &handle, NULL) != COLLIDE_OK) {
        origin = PROGRAM_FROM_SOURCE;
        status = program_compile(device, source, &handle, err);
        if (status != COLLIDE_OK)
            goto out;
        /* Failing to fill the cache costs time later, nothing now. */
        struct collide_error unsaved;
        if (cached && save(device, handle, path, manifest, &unsaved) != COLLIDE_OK)
            log_warning("the kernels are not cached: %s", unsaved.text);
    }
    status = wrap(device, handle, origin, out, err);
out:
    buffer_free(&buffer);
    return status;
}

enum collide_status program_load(struct device *device, const struct program_source *source, const char *path,
                                 struct program **out, struct collide_error *err)
{
    struct buffer buffer;
    struct text manifest;
    cl_program handle;
    enum collide_status status = describe(device, source, &buffer, &manifest, err);
    if (status == COLLIDE_OK)
        status = load(device, path, manifest, source->options, &handle, err);
    if (status == COLLIDE_OK)
        status = wrap(device, handle, PROGRAM_FROM_FILE, out, err);
    buffer_free(&buffer);
    return status;
}

enum collide_status program_save(const struct program *p, const struct program_source *source,
                                 const char *path, struct collide_error *err)
{
    struct buffer buffer;
    struct text manifest;
    enum collide_status status = describe(p->device, source, &buffer, &manifest, err);
    if (status == COLLIDE_OK)
        status = save(p->device, p->handle, path, manifest, err);
    buffer_free(&buffer);
    return status;
}

void program_destroy(struct program *p)
{
    if (!p)
        return;
    clReleaseProgram(p->handle);
    device_count_objects(p->device, -1);
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
