#include "device/memory.h"

#include "base/error.h"
#include "device/cl_error.h"

#include <string.h>

enum { PAGE_BYTES = 4096 };

static cl_command_queue create_queue(const struct device *device, cl_int *code)
{
    return clCreateCommandQueueWithProperties(device_context(device), device_info(device)->id, NULL, code);
}

/* Drivers pin the memory of such a buffer, so that copies from it and to it need no stop on the way. */
static cl_int create_pinned(const struct device *device, struct region *r)
{
    cl_int code;
    cl_command_queue queue = create_queue(device, &code);
    if (code != CL_SUCCESS)
        return code;
    r->pinned = clCreateBuffer(device_context(device), CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, r->n_bytes,
                               NULL, &code);
    if (code == CL_SUCCESS)
        r->host = clEnqueueMapBuffer(queue, r->pinned, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, r->n_bytes, 0,
                                     NULL, NULL, &code);
    clReleaseCommandQueue(queue);
    return code;
}

static cl_int create_staged(const struct device *device, struct region *r)
{
    cl_int code;
    r->staged = clCreateBuffer(device_context(device), CL_MEM_READ_WRITE, r->n_bytes, NULL, &code);
    return code == CL_SUCCESS ? create_pinned(device, r) : code;
}

static void release_pinned(const struct device *device, const struct region *r)
{
    cl_int code;
    cl_command_queue queue = r->host ? create_queue(device, &code) : NULL;
    if (queue) {
        clEnqueueUnmapMemObject(queue, r->pinned, r->host, 0, NULL, NULL);
        clFinish(queue);
        clReleaseCommandQueue(queue);
    }
    clReleaseMemObject(r->pinned);
}

static void release(const struct device *device, const struct region *r)
{
    if (r->pinned)
        release_pinned(device, r);
    if (r->staged)
        clReleaseMemObject(r->staged);
    else if (r->host)
        clSVMFree(device_context(device), r->host);
}

enum collide_status region_create(struct device *device, size_t n_bytes, struct region *out,
                                  struct collide_error *err)
{
    size_t n_pages = n_bytes ? (n_bytes - 1) / PAGE_BYTES + 1 : 1;
    struct region r = {.n_bytes = n_pages * PAGE_BYTES};
    cl_int code = CL_SUCCESS;
    if (device_info(device)->fine_grain_svm)
        r.host = clSVMAlloc(device_context(device), CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER,
                            r.n_bytes, 0);
    else
        code = create_staged(device, &r);
    if (code == CL_SUCCESS && !r.host)
        code = CL_OUT_OF_HOST_MEMORY;
    if (code != CL_SUCCESS) {
        release(device, &r);
        return cl_error_set(err, code, "cannot allocate a lane's request memory");
    }
    memset(r.host, 0, r.n_bytes);
    device_count_objects(device, r.staged ? 2 : 1);
    *out = r;
    return COLLIDE_OK;
}

void region_destroy(struct device *device, struct region *r)
{
    if (!r->host)
        return;
    release(device, r);
    device_count_objects(device, r->staged ? -2 : -1);
    *r = (struct region){0};
}

enum collide_status region_set_arg(const struct region *r, cl_kernel kernel, cl_uint index,
                                   struct collide_error *err)
{
    cl_int code = r->staged ? clSetKernelArg(kernel, index, sizeof r->staged, &r->staged)
                            : clSetKernelArgSVMPointer(kernel, index, r->host);
    return code == CL_SUCCESS ? COLLIDE_OK : cl_error_set(err, code, "cannot set a kernel argument");
}
