/* Every way to a device that this machine has: each device, with each engine, over shared and over staged
 * request memory. */
#ifndef TESTS_DEVICES_H
#define TESTS_DEVICES_H

#include "device/device.h"
#include "device/engine.h"

enum request_memory {
    MEMORY_AS_FOUND,
    MEMORY_STAGED, /* as on a device that shares no fine-grained memory: regions are copied, tables too */
};

struct device_setup {
    unsigned device;
    enum engine_kind engine;
    enum request_memory memory;
};

enum { DEVICES_MAX_SETUPS = 3 * PLATFORM_MAX_DEVICES, DEVICES_MAX_SPECIAL = 2 * PLATFORM_MAX_DEVICES };

/* The devices of this machine; skips the test where there are none. */
const struct platform_list *devices_list(void);

/* Every device with the queued engine and the direct one, as far as they work here. out:
 * (DEVICES_MAX_SETUPS). Returns how many. */
size_t devices_setups(struct device_setup *out);

/* Those with an engine that needs more, of the device and of its kernels: call, ring. out:
 * (DEVICES_MAX_SPECIAL). */
size_t devices_special_setups(struct device_setup *out);

/* Opens the device of a setup, its sharing hidden if the setup says so. Close with devices_close. */
struct device *devices_open(const struct device_setup *setup);

/* Fails the test if anything made on the device still lives. */
void devices_close(struct device *device);

/* For messages: "basic-..., direct, shared". out: (n_bytes). */
const char *devices_describe(const struct device_setup *setup, char *out, size_t n_bytes);

#endif
