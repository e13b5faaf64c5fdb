#include "base/clock.h"
#include "kernel_descriptor.h"

enum collide_status kernel_run_create(const struct kernel_descriptor *descriptor, struct kernel_case *problem,
                                      struct kernels *kernels, struct kernel_run *out,
                                      struct collide_error *err)
{
    *out = (struct kernel_run){.descriptor = descriptor, .problem = problem, .kernels = kernels};
    enum collide_status status = device_lane_create(&problem->handle, NULL, kernels, &out->lane, err);
    if (status == COLLIDE_OK)
        status = device_lane_reserve(&out->lane, descriptor->capacity(problem, kernels), err);
    if (status != COLLIDE_OK)
        kernel_run_destroy(out);
    return status;
}

void kernel_run_destroy(struct kernel_run *r)
{
    device_lane_destroy(&r->lane);
}

void kernel_run_fill(struct kernel_run *r)
{
    r->fill = device_lane_fill(&r->lane, 0);
    r->descriptor->fill(r->problem, r->kernels, &r->fill);
}

enum collide_status kernel_run_batch(struct kernel_run *r, double *ns, struct collide_error *err)
{
    uint64_t start = clock_now_ns();
    enum collide_status status =
        device_lane_submit(&r->lane, 0, r->descriptor->steps, r->descriptor->n_steps, &r->fill, err);
    if (status == COLLIDE_OK)
        status = device_lane_wait(&r->lane, 0, err);
    *ns = clock_seconds_since(start) * 1e9;
    return status;
}

enum collide_status kernel_run_check(struct kernel_run *r, size_t n, struct collide_error *err)
{
    size_t n_queries = r->problem->shape.n_queries, step = n_queries / n + 1;
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < n_queries && status == COLLIDE_OK; i += step)
        status = r->descriptor->check(r->problem, &r->fill, device_lane_scores(&r->lane, 0), i, err);
    return status;
}
