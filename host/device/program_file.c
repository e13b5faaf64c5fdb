#include "device/program_file.h"

#include "base/cursor.h"
#include "base/error.h"

#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

enum { VERSION = 1, MAGIC_BYTES = 8, SUMMED_FROM = 16, HEADER_BYTES = 32 };

static const char MAGIC[MAGIC_BYTES] = "collideb";

static enum collide_status check(const char *path, struct program_file *file, struct collide_error *err)
{
    struct cursor c = cursor_over(file->map.bytes, file->map.n_bytes);
    const uint8_t *magic = cursor_take(&c, MAGIC_BYTES);
    if (!magic || memcmp(magic, MAGIC, MAGIC_BYTES) != 0)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s is no device binary of collide; `collide kernels build` makes one", path);
    uint64_t sum = cursor_u64(&c);
    uint32_t version = cursor_u32(&c), manifest_bytes = cursor_u32(&c);
    uint64_t binary_bytes = cursor_u64(&c), left = cursor_left(&c);
    if (c.failed || manifest_bytes > left || binary_bytes > left - manifest_bytes)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s is cut short after %zu bytes; build it anew with `collide kernels build`", path,
                         file->map.n_bytes);
    if (binary_bytes != left - manifest_bytes ||
        sum != XXH3_64bits(file->map.bytes + SUMMED_FROM, file->map.n_bytes - SUMMED_FROM))
        return error_set(
            err, COLLIDE_CORRUPT,
            "%s is damaged: its checksum is not that of its bytes; build it anew with `collide kernels "
            "build`",
            path);
    if (version != VERSION)
        return error_set(err, COLLIDE_INVALID,
                         "%s has version %" PRIu32
                         " of the device binary format, this collide reads %d; build it "
                         "anew with `collide kernels build`",
                         path, version, VERSION);
    file->manifest = (struct text){(const char *)cursor_take(&c, manifest_bytes), manifest_bytes};
    file->binary = (struct text){(const char *)cursor_take(&c, binary_bytes), binary_bytes};
    return COLLIDE_OK;
}

enum collide_status program_file_open(const char *path, struct program_file *out, struct collide_error *err)
{
    struct program_file file;
    enum collide_status status = file_map(path, &file.map, err);
    if (status != COLLIDE_OK)
        return status;
    status = check(path, &file, err);
    if (status == COLLIDE_OK)
        *out = file;
    else
        file_unmap(&file.map);
    return status;
}

void program_file_close(struct program_file *file)
{
    file_unmap(&file->map);
}

static void put_le(char *to, uint64_t value, unsigned n_bytes)
{
    for (unsigned i = 0; i < n_bytes; i++)
        to[i] = (char)(value >> (8 * i));
}

enum collide_status program_file_write(const char *path, struct text manifest, struct text binary,
                                       struct collide_error *err)
{
    struct buffer whole = {0};
    char header[HEADER_BYTES];
    memcpy(header, MAGIC, MAGIC_BYTES);
    put_le(header + 16, VERSION, 4);
    put_le(header + 20, manifest.n_bytes, 4);
    put_le(header + 24, binary.n_bytes, 8);
    buffer_append(&whole, header, sizeof header);
    buffer_append(&whole, manifest.bytes, manifest.n_bytes);
    buffer_append(&whole, binary.bytes, binary.n_bytes);
    struct file_replace file;
    enum collide_status status = whole.failed ? error_no_memory(err, "a device binary") : COLLIDE_OK;
    if (status != COLLIDE_OK)
        goto out;
    put_le(whole.bytes + MAGIC_BYTES, XXH3_64bits(whole.bytes + SUMMED_FROM, whole.n_bytes - SUMMED_FROM), 8);
    status = file_replace_begin(path, &file, err);
    if (status != COLLIDE_OK)
        goto out;
    status = file_write_all(file.fd, whole.bytes, whole.n_bytes, path, err);
    if (status == COLLIDE_OK)
        status = file_replace_commit(&file, err);
    else
        file_replace_abandon(&file);
out:
    buffer_free(&whole);
    return status;
}
