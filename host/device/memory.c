#include "device/memory.h"

#include "base/error.h"
#include "device/cl_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct device_table {
    struct device *device;
    cl_mem handle;
    enum placement placement;
};

enum { PAGE_BYTES = 4096 };

static const char nothing[64];

enum collide_status table_place(struct device *device, const char *name, const void *bytes, size_t n_bytes,
                                struct device_table **out, struct collide_error *err)
{
    const struct device_info *info = device_info(device);
    if (n_bytes > info->max_alloc_bytes)
        return error_set(err, COLLIDE_NO_MEMORY,
                         "%s takes %zu bytes, more than the %llu that %s allocates at once; learn with fewer "
                         "rows, a smaller "
                         "precision or without histories",
                         name, n_bytes, (unsigned long long)info->max_alloc_bytes, info->name);
    struct device_table *t = calloc(1, sizeof *t);
    if (!t)
        return error_no_memory(err, name);
    bool is_empty = n_bytes == 0;
    if (is_empty) {
        bytes = nothing;
        n_bytes = sizeof nothing;
    }
    bool in_place = info->unified_memory && info->align_bytes && (uintptr_t)bytes % info->align_bytes == 0;
    t->device = device;
    t->placement = in_place || is_empty ? PLACED_IN_PLACE : PLACED_COPIED;
    cl_mem_flags flags = CL_MEM_READ_ONLY | (in_place ? CL_MEM_USE_HOST_PTR : CL_MEM_COPY_HOST_PTR);
    cl_int code;
    t->handle = clCreateBuffer(device_context(device), flags, n_bytes, (void *)(uintptr_t)bytes, &code);
    if (code != CL_SUCCESS) {
        char what[128];
        snprintf(what, sizeof what, "cannot place %s, %zu bytes, on %.48s", name, n_bytes, info->name);
        free(t);
        return cl_error_set(err, code, what);
    }
    device_count_objects(device, 1);
    *out = t;
    return COLLIDE_OK;
}

void table_destroy(struct device_table *t)
{
    if (!t)
        return;
    clReleaseMemObject(t->handle);
    device_count_objects(t->device, -1);
    free(t);
}

enum placement table_placement(const struct device_table *t)
{
    return t->placement;
}

cl_mem table_handle(const struct device_table *t)
{
    return t->handle;
}

enum collide_status region_create(struct device *device, size_t n_bytes, struct region *out,
                                  struct collide_error *err)
{
    struct region r = {.n_bytes =
                           n_bytes ? (n_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES : PAGE_BYTES};
    if (device_info(device)->fine_grain_svm) {
        r.host = clSVMAlloc(device_context(device), CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER,
                            r.n_bytes, 0);
    } else {
        cl_int code;
        r.host = aligned_alloc(PAGE_BYTES, r.n_bytes);
        r.staged = clCreateBuffer(device_context(device), CL_MEM_READ_WRITE, r.n_bytes, NULL, &code);
        if (code != CL_SUCCESS) {
            free(r.host);
            return cl_error_set(err, code, "cannot allocate request memory on the device");
        }
    }
    if (!r.host) {
        if (r.staged)
            clReleaseMemObject(r.staged);
        return error_no_memory(err, "a lane's request memory");
    }
    memset(r.host, 0, r.n_bytes);
    device_count_objects(device, 1);
    *out = r;
    return COLLIDE_OK;
}

void region_destroy(struct device *device, struct region *r)
{
    if (!r->host)
        return;
    if (r->staged) {
        clReleaseMemObject(r->staged);
        free(r->host);
    } else {
        clSVMFree(device_context(device), r->host);
    }
    device_count_objects(device, -1);
    *r = (struct region){0};
}

enum collide_status region_set_arg(const struct region *r, cl_kernel kernel, cl_uint index,
                                   struct collide_error *err)
{
    cl_int code = r->staged ? clSetKernelArg(kernel, index, sizeof r->staged, &r->staged)
                            : clSetKernelArgSVMPointer(kernel, index, r->host);
    return code == CL_SUCCESS ? COLLIDE_OK : cl_error_set(err, code, "cannot set a kernel argument");
}
