#include "support/devices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

const struct platform_list *devices_list(void)
{
    static struct platform_list list;
    struct collide_error err = {0};
    if (list.n_devices == 0 && platform_list_devices(&list, &err) != COLLIDE_OK) {
        print_message("%s\n", err.text);
        skip();
    }
    return &list;
}

size_t devices_setups(struct device_setup *out)
{
    const struct platform_list *list = devices_list();
    size_t n = 0;
    for (unsigned i = 0; i < list->n_devices; i++) {
        out[n++] = (struct device_setup){i, ENGINE_QUEUED, MEMORY_AS_FOUND};
        if (!list->devices[i].fine_grain_svm)
            continue;
        out[n++] = (struct device_setup){i, ENGINE_DIRECT, MEMORY_AS_FOUND};
        out[n++] = (struct device_setup){i, ENGINE_QUEUED, MEMORY_STAGED};
    }
    return n;
}

size_t devices_special_setups(struct device_setup *out)
{
    static const enum engine_kind special[] = {ENGINE_CALL, ENGINE_RING};
    const struct platform_list *list = devices_list();
    size_t n = 0;
    for (unsigned i = 0; i < list->n_devices; i++)
        for (size_t e = 0; e < sizeof special / sizeof *special; e++)
            if (engine_check_device(special[e], &list->devices[i], NULL) == COLLIDE_OK)
                out[n++] = (struct device_setup){i, special[e], MEMORY_AS_FOUND};
    return n;
}

struct device *devices_open(const struct device_setup *setup)
{
    char selector[16];
    struct collide_error err = {0};
    struct device *device;
    snprintf(selector, sizeof selector, "%u", setup->device);
    if (device_open(selector, &device, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    if (setup->memory == MEMORY_STAGED) {
        /* Its owner's own object, so writing to it is sound; what it says is all that the floor goes by. */
        struct device_info *info = (struct device_info *)(uintptr_t)device_info(device);
        info->fine_grain_svm = info->svm_atomics = info->unified_memory = false;
    }
    return device;
}

void devices_close(struct device *device)
{
    assert_int_equal(device_n_objects(device), 0);
    device_close(device);
}

const char *devices_describe(const struct device_setup *setup, char *out, size_t n_bytes)
{
    snprintf(out, n_bytes, "%.48s, %s, %s", devices_list()->devices[setup->device].name,
             engine_kind_name(setup->engine), setup->memory == MEMORY_STAGED ? "staged" : "as found");
    return out;
}
