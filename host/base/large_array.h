/* Arrays as large as a log. They are in memory, or, given a folder to spill to, in a file there that is
 * mapped: what memory is short of is then written out by the system and read back when it is looked at.
 *
 * The file has lost its name before anything is in it, so it is gone with the array, and with the process
 * however that ends. Its space on the disk is taken when the array gets its size: a full disk is an error of
 * large_array_resize, never a signal later. */
#ifndef BASE_LARGE_ARRAY_H
#define BASE_LARGE_ARRAY_H

#include "collide/status.h"

#include <stddef.h>

struct large_array {
    const char *spill; /* the folder, borrowed while the array lives; NULL: in memory */
    void *bytes;       /* aligned for any type */
    size_t n_bytes;    /* 0: nothing is held */
    int fd;            /* of the file, if there is one */
};

/* To n_bytes, which may be fewer; bytes that are new are of any value, the array may move. An array starts as
 * {.spill = folder}. what: names its contents in messages. COLLIDE_NO_MEMORY; COLLIDE_IO: the folder takes no
 * file, or not so large a one. The array is as before then. */
enum collide_status large_array_resize(struct large_array *a, size_t n_bytes, const char *what,
                                       struct collide_error *err);

/* Leaves an empty array. */
void large_array_free(struct large_array *a);

/* How it will be read, for the system to read a file ahead or not; of memory this says nothing. */
enum large_array_access { ACCESS_NORMAL, ACCESS_RANDOM };
void large_array_expect(const struct large_array *a, enum large_array_access access);

#endif
