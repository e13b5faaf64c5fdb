/* One opened device: its OpenCL context, and a count of what lives in it. */
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include "device/platform.h"

#include <pthread.h>

struct device;

/* Opens the device that the selector names (see platform_choose). Returns owned; share it between threads. */
enum collide_status device_open(const char *selector, struct device **out, struct collide_error *err);

/* One more owner, who is to close it too. */
void device_retain(struct device *d);

/* NULL is fine. Everything made on the device must be gone before its last owner; what is not is logged as an
 * error. */
void device_close(struct device *d);

const struct device_info *device_info(const struct device *d);
cl_context device_context(const struct device *d);

/* OpenCL objects and SVM blocks made on this device and not yet released: who makes or releases one says so.
 */
void device_count_objects(struct device *d, int change);
int device_n_objects(const struct device *d);

/* The programs that live on a device, of which program.c makes one do for all who want the same. */
struct program;
struct device_programs {
    pthread_mutex_t lock;
    struct program *first; /* borrowed, as are those after it */
};

struct device_programs *device_programs(struct device *d);

#endif
