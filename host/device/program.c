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

/* A cache entry is this magic, the key, XXH3-64 of the binary, and the binary. */
static const char CACHE_MAGIC[8] = "collide2";
enum { CACHE_HEADER_BYTES = 32 };

/* Where a program's binary is, or would be. */
struct cache_entry {
    char *path; /* owned; NULL: there is no cache */
    XXH128_canonical_t key;
};

/* False: out of memory. */
static bool cache_key(const struct device_info *d, const struct program_source *source,
                      XXH128_canonical_t *out)
{
    struct buffer text = {0};
    buffer_printf(&text, "%s\n%s\n%s\n%s\n%s\n", d->platform, d->name, d->driver, d->version,
                  source->options);
    buffer_append(&text, source->text, source->n_bytes);
    bool whole = !text.failed;
    if (whole)
        XXH128_canonicalFromHash(out, XXH3_128bits(text.bytes, text.n_bytes));
    buffer_free(&text);
    return whole;
}

static void make_folder(const char *path)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        log_warning("cannot create %s: %s", path, strerror(errno));
}

/* The folder that holds the entries; false when there is none. */
static bool cache_folder(const char *cache_dir, char *out, size_t capacity)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (cache_dir)
        n = cache_dir[0] ? snprintf(out, capacity, "%s", cache_dir) : -1;
    else if (xdg && xdg[0])
        n = snprintf(out, capacity, "%s/collide", xdg);
    else if (home && home[0])
        n = snprintf(out, capacity, "%s/.cache/collide", home);
    return n >= 0 && (size_t)n < capacity;
}

static struct cache_entry cache_entry_of(const struct device_info *d, const struct program_source *source,
                                         const char *cache_dir)
{
    struct cache_entry entry = {.path = NULL};
    char folder[4096], digits[2 * sizeof entry.key.digest + 1];
    if (!cache_folder(cache_dir, folder, sizeof folder) || !cache_key(d, source, &entry.key))
        return entry;
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        make_folder(folder);
        *slash = '/';
    }
    make_folder(folder);
    for (size_t i = 0; i < sizeof entry.key.digest; i++)
        snprintf(digits + 2 * i, 3, "%02x", entry.key.digest[i]);
    if (asprintf(&entry.path, "%s/%s.bin", folder, digits) < 0)
        entry.path = NULL;
    return entry;
}

static cl_int build(const struct device *device, cl_program handle, const char *options)
{
    return clBuildProgram(handle, 1, &device_info(device)->id, options, NULL, NULL);
}

/* The binary of an entry; false for any doubt about it. A copy of another program's entry is well formed, but
 * its key differs. */
static bool cache_entry_binary(const struct cache_entry *entry, const struct file_map *map,
                               const uint8_t **binary, size_t *n_bytes)
{
    struct cursor c = cursor_over(map->bytes, map->n_bytes);
    const uint8_t *magic = cursor_take(&c, sizeof CACHE_MAGIC);
    const uint8_t *key = cursor_take(&c, sizeof entry->key);
    uint64_t sum = cursor_u64(&c);
    if (c.failed || memcmp(magic, CACHE_MAGIC, sizeof CACHE_MAGIC) != 0 ||
        memcmp(key, &entry->key, sizeof entry->key) != 0 || XXH3_64bits(c.at, cursor_left(&c)) != sum)
        return false;
    *binary = c.at;
    *n_bytes = cursor_left(&c);
    return true;
}

/* The program of an entry, or NULL: then it is built anew. */
static cl_program load_cached(const struct device *device, const struct cache_entry *entry,
                              const char *options)
{
    struct file_map map;
    if (!entry->path || file_map(entry->path, &map, NULL) != COLLIDE_OK)
        return NULL;
    const uint8_t *binary;
    size_t n_bytes;
    cl_program handle = NULL;
    if (cache_entry_binary(entry, &map, &binary, &n_bytes)) {
        cl_int code;
        handle = clCreateProgramWithBinary(device_context(device), 1, &device_info(device)->id, &n_bytes,
                                           &binary, NULL, &code);
        if (handle && build(device, handle, options) != CL_SUCCESS) {
            clReleaseProgram(handle);
            handle = NULL;
        }
    }
    file_unmap(&map);
    return handle;
}

/* Failing to fill the cache costs time later, nothing now: a warning is enough. */
static void save_binary(cl_program handle, const struct cache_entry *entry)
{
    size_t n = 0;
    if (!entry->path || clGetProgramInfo(handle, CL_PROGRAM_BINARY_SIZES, sizeof n, &n, NULL) != CL_SUCCESS ||
        n == 0)
        return;
    unsigned char *bytes = malloc(CACHE_HEADER_BYTES + n);
    unsigned char *binary = bytes ? bytes + CACHE_HEADER_BYTES : NULL;
    struct collide_error err = {0};
    struct file_replace file;
    if (binary && clGetProgramInfo(handle, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) == CL_SUCCESS &&
        file_replace_begin(entry->path, &file, &err) == COLLIDE_OK) {
        uint64_t sum = XXH3_64bits(binary, n);
        memcpy(bytes, CACHE_MAGIC, sizeof CACHE_MAGIC);
        memcpy(bytes + sizeof CACHE_MAGIC, &entry->key, sizeof entry->key);
        for (int i = 0; i < 8; i++)
            binary[i - 8] = (unsigned char)(sum >> (8 * i));
        if (file_write_all(file.fd, bytes, CACHE_HEADER_BYTES + n, entry->path, &err) == COLLIDE_OK)
            file_replace_commit(&file, &err);
        else
            file_replace_abandon(&file);
    }
    if (err.status != COLLIDE_OK)
        log_warning("the kernels are not cached: %s", err.text);
    free(bytes);
}

/* A line each, since log lines have a largest length and build logs have none. */
static void log_lines(const char *text)
{
    for (size_t n; *text; text += n + (text[n] != '\0')) {
        n = strcspn(text, "\n");
        if (n > 0)
            log_error("%.*s", (int)n, text);
    }
}

/* The line of a build log that says most: the first with an error in it, else the first. */
static const char *telling_line(const char *text, size_t *n_bytes)
{
    const char *line = strstr(text, "error:");
    if (!line)
        line = text + strspn(text, "\n");
    while (line > text && line[-1] != '\n')
        line--;
    *n_bytes = strcspn(line, "\n");
    return line;
}

static enum collide_status report_build(const struct device *device, cl_program handle, cl_int code,
                                        struct collide_error *err)
{
    size_t n = 0;
    cl_device_id id = device_info(device)->id;
    clGetProgramBuildInfo(handle, id, CL_PROGRAM_BUILD_LOG, 0, NULL, &n);
    char *text = calloc(1, n + 1);
    if (!text)
        return error_no_memory(err, "a build log");
    clGetProgramBuildInfo(handle, id, CL_PROGRAM_BUILD_LOG, n, text, NULL);
    log_error("the kernels do not build for %s:", device_info(device)->name);
    log_lines(text);
    char what[320];
    size_t n_line;
    const char *line = telling_line(text, &n_line);
    snprintf(what, sizeof what, "the kernels do not build for %.64s: %.*s", device_info(device)->name,
             n_line < 200 ? (int)n_line : 200, line);
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
    struct cache_entry entry = cache_entry_of(device_info(device), source, cache_dir);
    p->device = device;
    p->origin = PROGRAM_FROM_CACHE;
    p->handle = load_cached(device, &entry, source->options);
    if (!p->handle) {
        p->origin = PROGRAM_FROM_SOURCE;
        status = build_source(device, source, &p->handle, err);
        if (status == COLLIDE_OK)
            save_binary(p->handle, &entry);
    }
    free(entry.path);
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
