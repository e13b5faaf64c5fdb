#include "device/cl_error.h"
#include "device/engine_make.h"

static enum collide_status set_listed(const struct engine_spec *spec, const struct engine_batch *batch,
                                      cl_kernel kernel, cl_uint *n_set, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    for (size_t t = 0; t < spec->n_tables; t++)
        for (unsigned b = 0; b < table_n_banks(spec->tables[t]) && status == COLLIDE_OK; b++)
            status = table_set_arg(spec->tables[t], b, kernel, (*n_set)++, err);
    for (size_t r = 0; batch && r < spec->n_regions && status == COLLIDE_OK; r++)
        status = region_set_arg(&batch->regions[r], kernel, (*n_set)++, err);
    return status;
}

/* OpenCL is told of all memory that a kernel finds by address alone. */
static enum collide_status name_memory(const struct engine_spec *spec, const struct engine_batch *batch,
                                       cl_kernel kernel, struct collide_error *err)
{
    const void *memory[ENGINE_MAX_TABLES * TABLE_MAX_BANKS + ENGINE_MAX_REGIONS];
    size_t n = 0;
    for (size_t t = 0; t < spec->n_tables; t++)
        for (unsigned b = 0; b < table_n_banks(spec->tables[t]); b++)
            memory[n++] = table_address(spec->tables[t], b);
    for (size_t r = 0; batch && r < spec->n_regions; r++)
        memory[n++] = batch->regions[r].host;
    cl_int code = clSetKernelExecInfo(kernel, CL_KERNEL_EXEC_INFO_SVM_PTRS, n * sizeof *memory, memory);
    return code == CL_SUCCESS ? COLLIDE_OK : cl_error_set(err, code, "cannot name a kernel's memory");
}

/* Each argument costs a launch some tens of nanoseconds. */
static enum collide_status set_gathered(const struct engine_spec *spec, const struct engine_batch *batch,
                                        cl_kernel kernel, cl_uint *n_set, struct collide_error *err)
{
    enum collide_status status = batch ? region_set_arg(&batch->addresses, kernel, (*n_set)++, err)
                                       : table_set_arg(spec->gathered, 0, kernel, (*n_set)++, err);
    return status == COLLIDE_OK ? name_memory(spec, batch, kernel, err) : status;
}

enum collide_status engine_kernel_create(const struct engine_spec *spec, const char *name,
                                         const struct engine_batch *batch, cl_kernel *out, cl_uint *n_set,
                                         struct collide_error *err)
{
    cl_int code;
    cl_kernel kernel = clCreateKernel(program_handle(spec->program), name, &code);
    if (code != CL_SUCCESS)
        return cl_error_set(err, code, name);
    *n_set = 0;
    enum collide_status status = spec->gathered ? set_gathered(spec, batch, kernel, n_set, err)
                                                : set_listed(spec, batch, kernel, n_set, err);
    if (status != COLLIDE_OK) {
        clReleaseKernel(kernel);
        return status;
    }
    *out = kernel;
    return COLLIDE_OK;
}
