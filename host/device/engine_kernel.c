#include "device/cl_error.h"
#include "device/engine_make.h"

static enum collide_status set_tables(const struct engine_spec *spec, cl_kernel kernel, cl_uint *n_set,
                                      struct collide_error *err)
{
    cl_uint n = 0;
    for (size_t t = 0; t < spec->n_tables; t++)
        for (unsigned b = 0; b < table_n_banks(spec->tables[t]); b++) {
            cl_mem bank = table_bank(spec->tables[t], b);
            cl_int code = clSetKernelArg(kernel, n++, sizeof bank, &bank);
            if (code != CL_SUCCESS)
                return cl_error_set(err, code, "cannot set a kernel argument");
        }
    *n_set = n;
    return COLLIDE_OK;
}

enum collide_status engine_kernel_create(const struct engine_spec *spec, const char *name, cl_kernel *out,
                                         cl_uint *n_set, struct collide_error *err)
{
    cl_int code;
    cl_kernel kernel = clCreateKernel(program_handle(spec->program), name, &code);
    if (code != CL_SUCCESS)
        return cl_error_set(err, code, name);
    enum collide_status status = set_tables(spec, kernel, n_set, err);
    if (status != COLLIDE_OK) {
        clReleaseKernel(kernel);
        return status;
    }
    *out = kernel;
    return COLLIDE_OK;
}
