/* Every OpenCL device of this machine, and choosing one. */
#ifndef DEVICE_PLATFORM_H
#define DEVICE_PLATFORM_H

#include "collide/status.h"

#include <CL/cl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PLATFORM_MAX_DEVICES = 64 };

/* The OpenCL C that a device compiles with atomics that order memory. */
enum atomics_std { ATOMICS_NONE, ATOMICS_CL2, ATOMICS_CL3 };

struct device_info {
    cl_device_id id;
    cl_platform_id platform_id;
    char name[128];
    char platform[128];
    char driver[128];
    char version[128];
    cl_device_type type;
    uint32_t n_compute_units;
    uint64_t memory_bytes;
    uint64_t max_alloc_bytes;
    uint64_t local_bytes;
    uint64_t cache_bytes;
    uint64_t constant_bytes;      /* the largest buffer in constant memory */
    uint32_t n_constant_args;     /* arguments of a kernel in constant memory, at most */
    uint32_t max_work_group_size; /* work-items */
    uint32_t align_bytes;         /* of a buffer's start */
    bool unified_memory;          /* the device reads the host's memory as its own */
    bool fine_grain_svm;          /* host and running kernels may share memory without mapping it */
    bool svm_atomics;             /* ... and synchronise through it: what a resident kernel needs ... */
    enum atomics_std atomics;     /* ... beside this */
    bool is_pocl_cpu;             /* kernels become the host's machine code, by clang */
    bool runs_in_caller;     /* PoCL's basic / cpu-minimal: kernels run in the thread that waits for them */
    bool gives_machine_code; /* kernels may say where their machine code is: see callable.h */
    bool has_compiler;       /* else programs come as binaries only */
};

struct platform_list {
    struct device_info devices[PLATFORM_MAX_DEVICES];
    unsigned n_devices;
};

/* Lists all devices of all platforms. The first call of a process decides which devices PoCL offers: its
 * caller-thread device and its thread-pool devices, unless POCL_DEVICES is set. None at all is
 * COLLIDE_NOT_FOUND. */
enum collide_status platform_list_devices(struct platform_list *out, struct collide_error *err);

/* selector: NULL for the best one (GPU or accelerator, then a CPU device that runs in the caller, then any),
 * or an index, or a type (cpu, gpu, accelerator), or a part of a name, any case. Writes the index. */
enum collide_status platform_choose(const struct platform_list *list, const char *selector, unsigned *out,
                                    struct collide_error *err);

/* As platform_choose for selectors with commas between them, such as "0,1": each must name another device.
 * Writes the indices in their order. out: (PLATFORM_MAX_DEVICES) */
enum collide_status platform_choose_several(const struct platform_list *list, const char *selectors,
                                            unsigned *out, unsigned *n, struct collide_error *err);

const char *device_type_name(cl_device_type type);

/* From what a device says of its OpenCL C: the version of one text ("OpenCL C 1.2 PoCL"), and, since OpenCL
 * 3.0, all versions and features, (n) each. */
struct opencl_c {
    const char *version;
    const cl_name_version *versions, *features;
    size_t n_versions, n_features;
};

enum atomics_std platform_atomics(const struct opencl_c *c);

/* What PoCL's CPU devices are, by their names: basic-... and pthread-... up to PoCL 3; cpu-minimal-...,
 * cpu-... and cpu-tbb-... since 4. */
enum pocl_cpu { POCL_CPU_NONE, POCL_CPU_IN_CALLER, POCL_CPU_THREADS };

enum pocl_cpu platform_pocl_cpu(const char *platform, const char *device);

#endif
