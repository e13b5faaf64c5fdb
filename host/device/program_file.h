/* The file of a device binary; the cache's entries are the same. Integers are little-endian.
 *
 *   byte  0   8 bytes   "collideb"
 *         8   u64       XXH3-64 of all that follows
 *        16   u32       the format's version, 1
 *        20   u32       n, bytes of the manifest
 *        24   u64       m, bytes of the binary
 *        32   n bytes   the manifest, see program_manifest.h
 *    32 + n   m bytes   the binary, as the driver gave it */
#ifndef DEVICE_PROGRAM_FILE_H
#define DEVICE_PROGRAM_FILE_H

#include "base/buffer.h"
#include "base/file.h"

/* A run of bytes without a terminator, borrowed. */
struct text {
    const char *bytes;
    size_t n_bytes;
};

struct program_file {
    struct file_map map;
    struct text manifest; /* both in the map */
    struct text binary;
};

/* Maps a file and checks it whole. COLLIDE_CORRUPT: no such file, or damaged; COLLIDE_INVALID: another
 * collide's. */
enum collide_status program_file_open(const char *path, struct program_file *out, struct collide_error *err);
void program_file_close(struct program_file *file);

/* Replaces path atomically. */
enum collide_status program_file_write(const char *path, struct text manifest, struct text binary,
                                       struct collide_error *err);

#endif
