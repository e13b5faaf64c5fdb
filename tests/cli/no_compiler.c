/* Preloaded into a program, it makes every OpenCL device one without a compiler. */
#include <CL/cl.h>
#include <dlfcn.h>

#pragma GCC visibility push(default)

cl_program CL_API_CALL clCreateProgramWithSource(cl_context context, cl_uint n, const char **texts,
                                                 const size_t *sizes, cl_int *code)
{
    (void)context, (void)n, (void)texts, (void)sizes;
    if (code)
        *code = CL_COMPILER_NOT_AVAILABLE;
    return NULL;
}

cl_int CL_API_CALL clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t capacity, void *out,
                                   size_t *n_bytes)
{
    static cl_int (*next)(cl_device_id, cl_device_info, size_t, void *, size_t *);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "clGetDeviceInfo");
    cl_int code = next(device, what, capacity, out, n_bytes);
    if (code == CL_SUCCESS && what == CL_DEVICE_COMPILER_AVAILABLE && out)
        *(cl_bool *)out = CL_FALSE;
    return code;
}
