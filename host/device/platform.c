#include "device/platform.h"

#include "base/error.h"
#include "device/cl_error.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cut where it is longer than out: OpenCL would give nothing at all of it. */
static void text_of(cl_device_id id, cl_device_info what, char *out, size_t capacity)
{
    char text[1024] = "";
    if (clGetDeviceInfo(id, what, sizeof text - 1, text, NULL) != CL_SUCCESS)
        text[0] = '\0';
    snprintf(out, capacity, "%.*s", (int)capacity - 1, text);
}

static uint64_t number_of(cl_device_id id, cl_device_info what, size_t n_bytes)
{
    uint64_t value = 0;
    return clGetDeviceInfo(id, what, n_bytes, &value, NULL) == CL_SUCCESS ? value : 0;
}

/* Whether a device's name is that of a driver, alone or with the processor's after it. */
static bool is_driven_by(const char *device, const char *driver)
{
    size_t n = strlen(driver);
    return strncmp(device, driver, n) == 0 && (device[n] == '\0' || device[n] == '-');
}

enum pocl_cpu platform_pocl_cpu(const char *platform, const char *device)
{
    if (strcmp(platform, "Portable Computing Language") != 0)
        return POCL_CPU_NONE;
    if (is_driven_by(device, "basic") || is_driven_by(device, "cpu-minimal"))
        return POCL_CPU_IN_CALLER;
    return is_driven_by(device, "pthread") || is_driven_by(device, "cpu") ? POCL_CPU_THREADS : POCL_CPU_NONE;
}

static bool has_feature(const struct opencl_c *c, const char *name)
{
    for (size_t i = 0; i < c->n_features; i++)
        if (strcmp(c->features[i].name, name) == 0)
            return true;
    return false;
}

/* PoCL 3.1 has the feature, and takes -cl-std=CL3.0, but lists no version beyond 1.2 and refuses 2.0. */
enum atomics_std platform_atomics(const struct opencl_c *c)
{
    if (has_feature(c, "__opencl_c_atomic_order_acq_rel"))
        return ATOMICS_CL3;
    for (size_t i = 0; i < c->n_versions; i++)
        if (CL_VERSION_MAJOR(c->versions[i].version) == 2)
            return ATOMICS_CL2;
    return strncmp(c->version, "OpenCL C 2.", 11) == 0 ? ATOMICS_CL2 : ATOMICS_NONE;
}

static size_t names_of(cl_device_id id, cl_device_info what, cl_name_version *out, size_t capacity)
{
    size_t n_bytes = 0;
    cl_int code = clGetDeviceInfo(id, what, capacity * sizeof *out, out, &n_bytes);
    return code == CL_SUCCESS ? n_bytes / sizeof *out : 0;
}

static enum atomics_std atomics_of(cl_device_id id)
{
    enum { MAX_NAMES = 64 };
    cl_name_version versions[MAX_NAMES], features[MAX_NAMES];
    char version[128];
    text_of(id, CL_DEVICE_OPENCL_C_VERSION, version, sizeof version);
    const struct opencl_c c = {
        .version = version,
        .versions = versions,
        .features = features,
        .n_versions = names_of(id, CL_DEVICE_OPENCL_C_ALL_VERSIONS, versions, MAX_NAMES),
        .n_features = names_of(id, CL_DEVICE_OPENCL_C_FEATURES, features, MAX_NAMES),
    };
    return platform_atomics(&c);
}

/* Whether kernels of that PoCL may say where a function of theirs is; others were not tried, and what cannot
 * be linked ends the process. */
static bool keeps_called_functions(const char *driver)
{
    return strncmp(driver, "3.1", 3) == 0 && !isdigit((unsigned char)driver[3]);
}

static void describe_device(cl_platform_id platform, cl_device_id id, struct device_info *d)
{
    *d = (struct device_info){.id = id, .platform_id = platform};
    text_of(id, CL_DEVICE_NAME, d->name, sizeof d->name);
    text_of(id, CL_DRIVER_VERSION, d->driver, sizeof d->driver);
    text_of(id, CL_DEVICE_VERSION, d->version, sizeof d->version);
    if (clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof d->platform - 1, d->platform, NULL) !=
        CL_SUCCESS)
        d->platform[0] = '\0';
    d->type = number_of(id, CL_DEVICE_TYPE, sizeof(cl_device_type));
    d->n_compute_units = (uint32_t)number_of(id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(cl_uint));
    d->memory_bytes = number_of(id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof(cl_ulong));
    d->max_alloc_bytes = number_of(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof(cl_ulong));
    d->local_bytes = number_of(id, CL_DEVICE_LOCAL_MEM_SIZE, sizeof(cl_ulong));
    d->cache_bytes = number_of(id, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, sizeof(cl_ulong));
    d->constant_bytes = number_of(id, CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE, sizeof(cl_ulong));
    d->n_constant_args = (uint32_t)number_of(id, CL_DEVICE_MAX_CONSTANT_ARGS, sizeof(cl_uint));
    d->max_work_group_size = (uint32_t)number_of(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof(size_t));
    d->align_bytes = (uint32_t)number_of(id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof(cl_uint)) / 8;
    d->unified_memory = number_of(id, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof(cl_bool)) != 0;
    d->has_compiler = number_of(id, CL_DEVICE_COMPILER_AVAILABLE, sizeof(cl_bool)) != 0;
    uint64_t svm = number_of(id, CL_DEVICE_SVM_CAPABILITIES, sizeof(cl_device_svm_capabilities));
    d->fine_grain_svm = (svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER) != 0;
    d->svm_atomics = (svm & CL_DEVICE_SVM_ATOMICS) != 0;
    d->atomics = atomics_of(id);
    enum pocl_cpu cpu = platform_pocl_cpu(d->platform, d->name);
    d->is_pocl_cpu = cpu != POCL_CPU_NONE;
    d->runs_in_caller = cpu == POCL_CPU_IN_CALLER && d->fine_grain_svm;
    d->gives_machine_code = d->runs_in_caller && keeps_called_functions(d->driver);
}

enum collide_status platform_list_devices(struct platform_list *out, struct collide_error *err)
{
    /* The names of PoCL 3, then those since 4: it skips what it does not know, and takes an old name only
     * where the new one is not given. */
    setenv("POCL_DEVICES", "basic pthread cpu-minimal cpu cpu-tbb", 0);
    /* Its default: PoCL looks for what is not set in the whole environment, at every launch. */
    setenv("POCL_WORK_GROUP_SPECIALIZATION", "1", 0);
    cl_platform_id platforms[16];
    cl_uint n_platforms = 0;
    cl_int code = clGetPlatformIDs(16, platforms, &n_platforms);
    static const char advice[] = "no OpenCL device found; install a driver, such as pocl-opencl-icd for CPUs "
                                 "(which also needs a writable cache folder: POCL_CACHE_DIR), and see "
                                 "`clinfo -l` and OCL_ICD_VENDORS";
    if (code != CL_SUCCESS || n_platforms == 0)
        return error_set(err, COLLIDE_NOT_FOUND, "%s", advice);
    struct platform_list list = {.n_devices = 0};
    for (cl_uint p = 0; p < n_platforms && p < 16; p++) {
        cl_device_id ids[PLATFORM_MAX_DEVICES];
        cl_uint n = 0;
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, PLATFORM_MAX_DEVICES, ids, &n) != CL_SUCCESS)
            continue;
        for (cl_uint i = 0; i < n && list.n_devices < PLATFORM_MAX_DEVICES; i++)
            describe_device(platforms[p], ids[i], &list.devices[list.n_devices++]);
    }
    if (list.n_devices == 0)
        return error_set(err, COLLIDE_NOT_FOUND, "%s", advice);
    *out = list;
    return COLLIDE_OK;
}

const char *device_type_name(cl_device_type type)
{
    if (type & CL_DEVICE_TYPE_GPU)
        return "gpu";
    if (type & CL_DEVICE_TYPE_ACCELERATOR)
        return "accelerator";
    return type & CL_DEVICE_TYPE_CPU ? "cpu" : "other";
}

static int preference(const struct device_info *d)
{
    if (d->type & (CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_ACCELERATOR))
        return 2;
    return d->runs_in_caller ? 1 : 0;
}

static bool matches(const struct device_info *d, const char *selector)
{
    return strcasecmp(device_type_name(d->type), selector) == 0 || strcasestr(d->name, selector) != NULL;
}

enum collide_status platform_choose(const struct platform_list *list, const char *selector, unsigned *out,
                                    struct collide_error *err)
{
    char *end = NULL;
    unsigned long index = selector ? strtoul(selector, &end, 10) : 0;
    if (selector && end != selector && *end == '\0') {
        if (index >= list->n_devices)
            return error_set(err, COLLIDE_NOT_FOUND, "there is no device %lu; `collide devices` lists %u",
                             index, list->n_devices);
        *out = (unsigned)index;
        return COLLIDE_OK;
    }
    unsigned best = list->n_devices;
    for (unsigned i = 0; i < list->n_devices; i++)
        if ((!selector || matches(&list->devices[i], selector)) &&
            (best == list->n_devices || preference(&list->devices[i]) > preference(&list->devices[best])))
            best = i;
    if (best == list->n_devices)
        return error_set(err, COLLIDE_NOT_FOUND, "no device is a \"%.64s\"; `collide devices` lists %u",
                         selector ? selector : "", list->n_devices);
    *out = best;
    return COLLIDE_OK;
}

static bool contains(const unsigned *indices, unsigned n, unsigned index)
{
    for (unsigned i = 0; i < n; i++)
        if (indices[i] == index)
            return true;
    return false;
}

enum collide_status platform_choose_several(const struct platform_list *list, const char *selectors,
                                            unsigned *out, unsigned *n, struct collide_error *err)
{
    if (!selectors) {
        enum collide_status status = platform_choose(list, NULL, out, err);
        if (status == COLLIDE_OK)
            *n = 1;
        return status;
    }
    unsigned chosen[PLATFORM_MAX_DEVICES], n_chosen = 0;
    for (const char *at = selectors, *end; at; at = *end ? end + 1 : NULL) {
        char selector[128];
        end = strchrnul(at, ',');
        if (end == at || end - at >= (ptrdiff_t)sizeof selector)
            return error_set(err, COLLIDE_INVALID,
                             "\"%.128s\" is no list of devices; put commas between them, as in 0,1",
                             selectors);
        snprintf(selector, sizeof selector, "%.*s", (int)(end - at), at);
        unsigned index;
        enum collide_status status = platform_choose(list, selector, &index, err);
        if (status != COLLIDE_OK)
            return status;
        if (contains(chosen, n_chosen, index))
            return error_set(err, COLLIDE_INVALID,
                             "\"%.128s\" names %.64s twice; each device can be used once", selectors,
                             list->devices[index].name);
        chosen[n_chosen++] = index;
    }
    memcpy(out, chosen, n_chosen * sizeof *chosen);
    *n = n_chosen;
    return COLLIDE_OK;
}
