#include "device/callable.h"

#include "base/error.h"
#include "device/cl_error.h"

#include <dlfcn.h>

/* OpenCL may close the library of a kernel that it is not running. */
static enum collide_status keep(void *function, struct callable *out, struct collide_error *err)
{
    Dl_info where;
    void *library = NULL;
    if (function && dladdr(function, &where))
        library = dlopen(where.dli_fname, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return error_set(err, COLLIDE_DEVICE,
                         "the device does not say where its machine code is; use the direct engine");
    out->library = library;
    out->run = (callable_function *)(uintptr_t)function;
    return COLLIDE_OK;
}

static enum collide_status run_once(cl_command_queue queue, cl_kernel kernel, const struct region *out,
                                    struct collide_error *err)
{
    const size_t one = 1;
    enum collide_status status = region_set_arg(out, kernel, 0, err);
    if (status != COLLIDE_OK)
        return status;
    cl_int code = clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &one, &one, 0, NULL, NULL);
    if (code == CL_SUCCESS)
        code = clFinish(queue);
    return code == CL_SUCCESS ? COLLIDE_OK : cl_error_set(err, code, "cannot ask a kernel for its code");
}

static enum collide_status launch(const struct engine_spec *spec, const char *name, const struct region *out,
                                  struct collide_error *err)
{
    cl_int code;
    cl_kernel kernel = clCreateKernel(program_handle(spec->program), name, &code);
    if (code != CL_SUCCESS)
        return cl_error_set(err, code, name);
    enum collide_status status;
    cl_command_queue queue = clCreateCommandQueueWithProperties(device_context(spec->device),
                                                                device_info(spec->device)->id, NULL, &code);
    if (code == CL_SUCCESS) {
        status = run_once(queue, kernel, out, err);
        clReleaseCommandQueue(queue);
    } else {
        status = cl_error_set(err, code, "cannot create a command queue");
    }
    clReleaseKernel(kernel);
    return status;
}

enum collide_status callable_find(const struct engine_spec *spec, const char *kernel, struct callable *out,
                                  struct collide_error *err)
{
    enum { ADDRESS, IS_CALLED, N_WORDS };
    struct region region = {.host = NULL};
    enum collide_status status = region_create(spec->device, N_WORDS * sizeof(cl_ulong), &region, err);
    if (status == COLLIDE_OK) {
        cl_ulong *words = region.host;
        words[ADDRESS] = words[IS_CALLED] = 0;
        status = launch(spec, kernel, &region, err);
        if (status == COLLIDE_OK)
            status = keep((void *)(uintptr_t)words[ADDRESS], out, err);
    }
    region_destroy(spec->device, &region);
    return status;
}

void callable_release(struct callable *c)
{
    if (c->library)
        dlclose(c->library);
    *c = (struct callable){.run = NULL};
}
