/* A small file that holds a secret: keys and the like. */
#ifndef BASE_SECRET_FILE_H
#define BASE_SECRET_FILE_H

#include "collide/status.h"

#include <stddef.h>

struct secret {
    char *bytes; /* (n_bytes), and a zero after them */
    size_t n_bytes;
};

/* Reads a regular file of at most 1 MiB that only its owner may write, and only its owner and group may read;
 * another one is refused with the command that mends it. */
enum collide_status secret_file_read(const char *path, struct secret *out, struct collide_error *err);

/* Overwrites it first. */
void secret_free(struct secret *s);

#endif
