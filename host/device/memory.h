/* Memory that a device reads and writes. */
#ifndef DEVICE_MEMORY_H
#define DEVICE_MEMORY_H

#include "device/device.h"

/* A table, read-only for kernels. */
struct device_table;

enum placement {
    PLACED_IN_PLACE, /* the device reads the host's bytes, which must stay as they are until table_destroy */
    PLACED_COPIED,   /* the device has a copy of its own */
};

/* Places host bytes where kernels can read them: in place where the device shares memory with the host and
 * the address suits it, else copied. No bytes at all become a small zeroed table, so that every kernel
 * argument exists. Returns owned. */
enum collide_status table_place(struct device *device, const char *name, const void *bytes, size_t n_bytes,
                                struct device_table **out, struct collide_error *err);
void table_destroy(struct device_table *t);
enum placement table_placement(const struct device_table *t);
cl_mem table_handle(const struct device_table *t);

/* Host-visible memory that carries requests in and results out: shared virtual memory where the device has
 * the fine-grained kind, else host memory beside a device buffer that it is copied to and from. */
struct region {
    void *host; /* aligned to 128 bytes, OpenCL's widest vector */
    size_t n_bytes;
    cl_mem staged; /* NULL where the memory is shared */
};

enum collide_status region_create(struct device *device, size_t n_bytes, struct region *out,
                                  struct collide_error *err);
void region_destroy(struct device *device, struct region *r);

/* Makes the region argument number `index` of a kernel. */
enum collide_status region_set_arg(const struct region *r, cl_kernel kernel, cl_uint index,
                                   struct collide_error *err);

#endif
