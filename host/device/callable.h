/* A function of a program's machine code that this process may call: on devices whose kernels become the
 * host's machine code, such as PoCL's for CPUs. What a launch costs there (0.5 us and the caches that it goes
 * through) is many times what small work takes. The kernel's side is kernels/call.h. */
#ifndef DEVICE_CALLABLE_H
#define DEVICE_CALLABLE_H

#include "device/engine.h"

/* Runs n_groups work-groups of the kernel of that number. addresses: of all tables' banks, then of all
 * regions; lent: see engine_lane_lend. Any thread. */
typedef void callable_function(const uint64_t *addresses, const void *lent, uint32_t kernel,
                               uint32_t n_groups);

struct callable {
    callable_function *run;
    void *library; /* keeps the machine code where it is */
};

/* Launches the kernel of that name, which says where the function is. COLLIDE_DEVICE: it does not say, or it
 * failed. */
enum collide_status callable_find(const struct engine_spec *spec, const char *kernel, struct callable *out,
                                  struct collide_error *err);

/* Nobody calls it any more. */
void callable_release(struct callable *c);

#endif
