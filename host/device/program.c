#include "device/program.h"

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "device/cl_error.h"

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

/* A cache entry is this magic, XXH3-64 of the binary, and the binary. */
static const char CACHE_MAGIC[8] = "collide1";
enum { CACHE_HEADER_BYTES = 16 };

static XXH128_hash_t cache_key(const struct device_info *d, const struct program_source *source)
{
    struct buffer text = {0};
    buffer_printf(&text, "%s\n%s\n%s\n%s\n%s\n", d->platform, d->name, d->driver, d->version,
                  source->options);
    buffer_append(&text, source->text, source->n_bytes);
    XXH128_hash_t key = XXH3_128bits(text.bytes, text.n_bytes);
    buffer_free(&text);
    return key;
}

static void make_folder(const char *path)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        log_warning("cannot create %s: %s", path, strerror(errno));
}

/* The path of this program's entry, owned by the caller; NULL when there is no cache. */
static char *cache_path(const struct device_info *d, const struct program_source *source,
                        const char *cache_dir)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char folder[4096];
    int n = -1;
    if (cache_dir)
        n = cache_dir[0] ? snprintf(folder, sizeof folder, "%s", cache_dir) : -1;
    else if (xdg && xdg[0])
        n = snprintf(folder, sizeof folder, "%s/collide", xdg);
    else if (home && home[0])
        n = snprintf(folder, sizeof folder, "%s/.cache/collide", home);
    if (n < 0 || (size_t)n >= sizeof folder)
        return NULL;
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        make_folder(folder);
        *slash = '/';
    }
    make_folder(folder);
    XXH128_hash_t key = cache_key(d, source);
    char *path = NULL;
    if (asprintf(&path, "%s/%016llx%016llx.bin", folder, (unsigned long long)key.high64,
                 (unsigned long long)key.low64) < 0)
        return NULL;
    return path;
}

static cl_int build(const struct device *device, cl_program handle, const char *options)
{
    return clBuildProgram(handle, 1, &device_info(device)->id, options, NULL, NULL);
}

/* The program of a cache entry, or NULL: any doubt about the entry means building anew. */
static cl_program load_cached(const struct device *device, const char *path, const char *options)
{
    struct file_map map;
    if (file_map(path, &map, NULL) != COLLIDE_OK)
        return NULL;
    struct cursor c = cursor_over(map.bytes, map.n_bytes);
    const uint8_t *magic = cursor_take(&c, sizeof CACHE_MAGIC);
    uint64_t sum = cursor_u64(&c);
    cl_program handle = NULL;
    if (!c.failed && memcmp(magic, CACHE_MAGIC, sizeof CACHE_MAGIC) == 0 &&
        XXH3_64bits(c.at, cursor_left(&c)) == sum) {
        size_t n = cursor_left(&c);
        cl_int code;
        handle = clCreateProgramWithBinary(device_context(device), 1, &device_info(device)->id, &n, &c.at,
                                           NULL, &code);
        if (code == CL_SUCCESS && build(device, handle, options) != CL_SUCCESS) {
            clReleaseProgram(handle);
            handle = NULL;
        }
    }
    file_unmap(&map);
    return handle;
}

/* Failing to fill the cache costs time later, nothing now: a warning is enough. */
static void save_binary(cl_program handle, const char *path)
{
    size_t n = 0;
    if (clGetProgramInfo(handle, CL_PROGRAM_BINARY_SIZES, sizeof n, &n, NULL) != CL_SUCCESS || n == 0)
        return;
    unsigned char *bytes = malloc(CACHE_HEADER_BYTES + n);
    unsigned char *binary = bytes ? bytes + CACHE_HEADER_BYTES : NULL;
    struct collide_error err = {0};
    struct file_replace file;
    if (binary && clGetProgramInfo(handle, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) == CL_SUCCESS &&
        file_replace_begin(path, &file, &err) == COLLIDE_OK) {
        uint64_t sum = XXH3_64bits(binary, n);
        memcpy(bytes, CACHE_MAGIC, sizeof CACHE_MAGIC);
        for (int i = 0; i < 8; i++)
            bytes[sizeof CACHE_MAGIC + (size_t)i] = (unsigned char)(sum >> (8 * i));
        if (file_write_all(file.fd, bytes, CACHE_HEADER_BYTES + n, path, &err) == COLLIDE_OK)
            file_replace_commit(&file, &err);
        else
            file_replace_abandon(&file);
    }
    if (err.status != COLLIDE_OK)
        log_warning("the kernels are not cached: %s", err.text);
    free(bytes);
}

static enum collide_status report_build(const struct device *device, cl_program handle, cl_int code,
                                        struct collide_error *err)
{
    size_t n = 0;
    cl_device_id id = device_info(device)->id;
    clGetProgramBuildInfo(handle, id, CL_PROGRAM_BUILD_LOG, 0, NULL, &n);
    char *text = calloc(1, n + 1);
    if (text)
        clGetProgramBuildInfo(handle, id, CL_PROGRAM_BUILD_LOG, n, text, NULL);
    log_error("the kernels do not build for %s:\n%s", device_info(device)->name, text ? text : "");
    char what[256];
    snprintf(what, sizeof what, "the kernels do not build for %.64s: %.120s", device_info(device)->name,
             text ? text : "");
    free(text);
    return cl_error_set(err, code, what);
}

static enum collide_status build_source(const struct device *device, const struct program_source *source,
                                        cl_program *out, struct collide_error *err)
{
    cl_int code;
    cl_program handle = clCreateProgramWithSource(device_context(device), 1, (const char *[]){source->text},
                                                  &source->n_bytes, &code);
    if (code != CL_SUCCESS)
        return cl_error_set(err, code, "cannot create the program");
    code = build(device, handle, source->options);
    if (code != CL_SUCCESS) {
        enum collide_status status = report_build(device, handle, code, err);
        clReleaseProgram(handle);
        return status;
    }
    *out = handle;
    return COLLIDE_OK;
}

enum collide_status program_build(struct device *device, const struct program_source *source,
                                  const char *cache_dir, struct program **out, struct collide_error *err)
{
    struct program *p = calloc(1, sizeof *p);
    if (!p)
        return error_no_memory(err, "a program");
    enum collide_status status = COLLIDE_OK;
    char *path = cache_path(device_info(device), source, cache_dir);
    p->device = device;
    p->origin = PROGRAM_FROM_CACHE;
    p->handle = path ? load_cached(device, path, source->options) : NULL;
    if (!p->handle) {
        p->origin = PROGRAM_FROM_SOURCE;
        status = build_source(device, source, &p->handle, err);
        if (status == COLLIDE_OK && path)
            save_binary(p->handle, path);
    }
    free(path);
    if (status != COLLIDE_OK) {
        free(p);
        return status;
    }
    device_count_objects(device, 1);
    *out = p;
    return COLLIDE_OK;
}

void program_destroy(struct program *p)
{
    if (!p)
        return;
    clReleaseProgram(p->handle);
    device_count_objects(p->device, -1);
    free(p);
}

cl_program program_handle(const struct program *p)
{
    return p->handle;
}

enum program_origin program_origin(const struct program *p)
{
    return p->origin;
}
