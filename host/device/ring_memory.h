/* Ranges of one block of memory, handed out first fit: a ring's lanes come and go while its kernel runs. */
#ifndef DEVICE_RING_MEMORY_H
#define DEVICE_RING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

enum { RING_MEMORY_ALIGN = 128 }; /* OpenCL's widest vector */

struct ring_memory;

/* Of n_bytes, rounded down to RING_MEMORY_ALIGN. NULL: out of memory. Returns owned; share it between
 * threads. */
struct ring_memory *ring_memory_create(size_t n_bytes);
void ring_memory_destroy(struct ring_memory *m);

/* Writes where n_bytes (1 or more) are from now on; a multiple of RING_MEMORY_ALIGN. False: no room. */
bool ring_memory_carve(struct ring_memory *m, size_t n_bytes, size_t *offset);
void ring_memory_release(struct ring_memory *m, size_t offset);

#endif
