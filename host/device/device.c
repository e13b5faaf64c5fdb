#include "device/device.h"

#include "base/error.h"
#include "base/log.h"
#include "device/cl_error.h"

#include <stdatomic.h>
#include <stdlib.h>

struct device {
    struct device_info info;
    cl_context context;
    atomic_int n_objects;
    atomic_uint n_owners;
    struct device_programs programs;
};

enum collide_status device_open(const char *selector, struct device **out, struct collide_error *err)
{
    struct platform_list *list = malloc(sizeof *list);
    struct device *d = calloc(1, sizeof *d);
    enum collide_status status = COLLIDE_OK;
    unsigned index = 0;
    if (!list || !d) {
        status = error_no_memory(err, "a device");
        goto out;
    }
    status = platform_list_devices(list, err);
    if (status == COLLIDE_OK)
        status = platform_choose(list, selector, &index, err);
    if (status != COLLIDE_OK)
        goto out;
    d->info = list->devices[index];
    cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)d->info.platform_id, 0};
    cl_int code;
    d->context = clCreateContext(properties, 1, &d->info.id, NULL, NULL, &code);
    if (code != CL_SUCCESS) {
        status = cl_error_set(err, code, "cannot open the device");
        goto out;
    }
    atomic_init(&d->n_owners, 1);
    pthread_mutex_init(&d->programs.lock, NULL);
    *out = d;
    d = NULL;
out:
    free(d);
    free(list);
    return status;
}

void device_retain(struct device *d)
{
    atomic_fetch_add(&d->n_owners, 1);
}

void device_close(struct device *d)
{
    if (!d || atomic_fetch_sub(&d->n_owners, 1) > 1)
        return;
    int left = atomic_load(&d->n_objects);
    if (left != 0)
        log_error("%d OpenCL objects still live on %s", left, d->info.name);
    clReleaseContext(d->context);
    pthread_mutex_destroy(&d->programs.lock);
    free(d);
}

const struct device_info *device_info(const struct device *d)
{
    return &d->info;
}

cl_context device_context(const struct device *d)
{
    return d->context;
}

void device_count_objects(struct device *d, int change)
{
    atomic_fetch_add(&d->n_objects, change);
}

int device_n_objects(const struct device *d)
{
    return atomic_load(&d->n_objects);
}

struct device_programs *device_programs(struct device *d)
{
    return &d->programs;
}
