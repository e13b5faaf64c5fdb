/* Whole files: mapped read-only, or replaced atomically; and streams flushed with every failure noticed. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "collide/status.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct file_map {
    const uint8_t *bytes; /* page-aligned; valid until file_unmap */
    size_t n_bytes;
};

/* Maps a regular file read-only. */
enum collide_status file_map(const char *path, struct file_map *out, struct collide_error *err);
void file_unmap(struct file_map *map);

/* Replacing a file so that readers see the old bytes or the new ones, never a mixture: a temporary file
 * beside it is written, synced and renamed. Whatever happens before commit leaves the old file as it was.
 * Behind a symbolic link its target is replaced; what is there and no regular file is refused.
 *
 *     file_replace_begin(path, &r, err) -> write to r->fd through file_write_all -> file_replace_commit or
 * _abandon */
struct file_replace {
    int fd;
    char *path;      /* owned */
    char *temporary; /* owned */
};

enum collide_status file_replace_begin(const char *path, struct file_replace *out, struct collide_error *err);
enum collide_status file_replace_commit(struct file_replace *r, struct collide_error *err);
void file_replace_abandon(struct file_replace *r);

/* COLLIDE_INVALID where an output would take an input's place: both paths lead to one file. Either may be
 * NULL, or not be there. */
enum collide_status file_check_apart(const char *output, const char *input, struct collide_error *err);

/* Writes all n bytes; name is only for the message. */
enum collide_status file_write_all(int fd, const void *bytes, size_t n, const char *name,
                                   struct collide_error *err);

/* Flushes a stream; COLLIDE_IO if this or any write to it before has failed. name is only for the message. */
enum collide_status file_flush(FILE *stream, const char *name, struct collide_error *err);

#endif
