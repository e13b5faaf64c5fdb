/* What a run that is cut short goes on from: named arrays, in one file of a folder.
 *
 *     8 bytes   "collidec"
 *     u32       version, 1
 *     u32       arrays
 *     u64       XXH3-64 of all that follows
 *     then for every array
 *         32 bytes  name, filled up with zeros
 *         u64       bytes
 *         its bytes, filled up with zeros to a multiple of 8
 *
 * Numbers are little-endian, arrays as this machine holds them: a checkpoint is for the program, and the kind
 * of machine, that wrote it. The array "run" is text that says which run it is of, lines of "name value".
 * The file is replaced atomically, so that whenever a run ends there is a whole one.
 *
 * A NULL checkpoint keeps nothing and finds nothing. */
#ifndef LEARN_CHECKPOINT_H
#define LEARN_CHECKPOINT_H

#include "collide/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { CHECKPOINT_NAME_BYTES = 32 };

struct checkpoint;

/* Makes the folder if it is not there, takes it for this process alone, reads what it holds and tries to
 * write. run: the lines that a checkpoint must have to be of this run, each ended by "\n". Returns owned.
 * COLLIDE_INVALID: of another run, saying what differs, or in use; COLLIDE_CORRUPT: damaged; COLLIDE_IO:
 * cannot be read or written. */
enum collide_status checkpoint_open(const char *folder, const char *run, struct checkpoint **out,
                                    struct collide_error *err);

/* The file stays as it was written last. */
void checkpoint_close(struct checkpoint *c);

/* Removes a folder's file, if there is one. */
enum collide_status checkpoint_remove(const char *folder, struct collide_error *err);

/* An array of the file that was there at the start, aligned for any type; NULL if it has none with so many
 * bytes. Borrowed until checkpoint_close. */
const void *checkpoint_find(const struct checkpoint *c, const char *name, size_t n_bytes);

/* Copies it to `to`; false: there is none, and `to` is as it was. */
bool checkpoint_recall(const struct checkpoint *c, const char *name, void *to, size_t n_bytes);

/* From now on it is written too: a new array, or other bytes for one of that name. Borrowed until dropped. */
void checkpoint_keep(struct checkpoint *c, const char *name, const void *bytes, size_t n_bytes);

/* Those whose names begin like this are not written any more. */
void checkpoint_drop(struct checkpoint *c, const char *prefix);

/* Writes all that is kept. What prevents it is logged as a warning, once until it works again: learning goes
 * on without. */
void checkpoint_write(struct checkpoint *c);

#endif
