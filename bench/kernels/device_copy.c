#include "device_copy.h"

#include "base/clock.h"
#include "device/cl_error.h"

enum { N_COPIES = 8 };

/* Memory that was never written has no pages of its own yet. */
static cl_int fill_all(cl_command_queue queue, cl_mem buffer, size_t n_bytes)
{
    const cl_uint pattern = 0x55aa55aa;
    cl_int code = clEnqueueFillBuffer(queue, buffer, &pattern, sizeof pattern, 0, n_bytes, 0, NULL, NULL);
    return code == CL_SUCCESS ? clFinish(queue) : code;
}

static cl_int copy_once(cl_command_queue queue, cl_mem from, cl_mem to, size_t n_bytes, double *seconds)
{
    uint64_t start = clock_now_ns();
    cl_int code = clEnqueueCopyBuffer(queue, from, to, 0, 0, n_bytes, 0, NULL, NULL);
    if (code == CL_SUCCESS)
        code = clFinish(queue);
    *seconds = clock_seconds_since(start);
    return code;
}

enum collide_status device_copy_measure(struct device *device, size_t n_bytes, double *gb_per_s,
                                        struct collide_error *err)
{
    cl_context context = device_context(device);
    cl_int code, made[3];
    cl_command_queue queue =
        clCreateCommandQueueWithProperties(context, device_info(device)->id, NULL, &made[0]);
    cl_mem from = clCreateBuffer(context, CL_MEM_READ_WRITE, n_bytes, NULL, &made[1]);
    cl_mem to = clCreateBuffer(context, CL_MEM_READ_WRITE, n_bytes, NULL, &made[2]);
    double best = 0.0;
    code = made[0] != CL_SUCCESS ? made[0] : made[1] != CL_SUCCESS ? made[1] : made[2];
    if (code == CL_SUCCESS)
        code = fill_all(queue, from, n_bytes);
    if (code == CL_SUCCESS)
        code = fill_all(queue, to, n_bytes);
    for (int i = 0; i < N_COPIES && code == CL_SUCCESS; i++) {
        double seconds;
        code = copy_once(queue, from, to, n_bytes, &seconds);
        double rate = 2.0 * (double)n_bytes / seconds / 1e9;
        best = rate > best ? rate : best;
    }
    if (from)
        clReleaseMemObject(from);
    if (to)
        clReleaseMemObject(to);
    if (queue)
        clReleaseCommandQueue(queue);
    *gb_per_s = best;
    return code == CL_SUCCESS ? COLLIDE_OK : cl_error_set(err, code, "cannot copy the device's memory");
}
