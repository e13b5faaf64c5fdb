/* A resident kernel and the ring that it takes work from: the shared memory that holds both, the thread that
 * launches the kernel again whenever it returns, and the watch over it. All calls but start and stop may be
 * made from any thread. */
#ifndef DEVICE_RESIDENT_H
#define DEVICE_RESIDENT_H

#include "device/engine.h"
#include "types.h"

struct resident;

/* Returns once the kernel polls its ring, owned. The device has fine-grained shared memory with atomics. */
enum collide_status resident_start(const struct engine_spec *spec, struct resident **out,
                                   struct collide_error *err);

/* As engine_destroy says. NULL is fine. */
void resident_stop(struct resident *r);

/* Takes memory of the ring, of n_bytes, which the kernel finds at address - resident_base(). */
enum collide_status resident_carve(struct resident *r, size_t n_bytes, unsigned char **out,
                                   struct collide_error *err);
void resident_release(struct resident *r, unsigned char *memory);
unsigned char *resident_base(struct resident *r);

/* Puts a descriptor, all filled in but its turn, into the ring; waits for room. */
enum collide_status resident_push(struct resident *r, const ring_descriptor *work, struct collide_error *err);

/* What a waiting thread saw of the kernel. Zeroed when its wait begins. */
struct resident_watch {
    unsigned n_spins;
    uint32_t beats;
    uint64_t looked_ns; /* when; 0: not yet */
    uint64_t still_ns;  /* for how long the beats have been the same */
};

/* Whether the kernel still answers; with work pending, and at some distance in time. COLLIDE_DEVICE: it, or
 * its launch, has failed, now or earlier. */
enum collide_status resident_look(struct resident *r, struct resident_watch *w, struct collide_error *err);

/* What a waiting thread does between two looks at its word: spins, and now and then yields and looks at the
 * kernel. */
enum collide_status resident_spin(struct resident *r, struct resident_watch *w, struct collide_error *err);

#endif
