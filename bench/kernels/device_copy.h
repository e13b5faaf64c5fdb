/* How fast a device copies its own memory: the limit of kernels that read it in order. */
#ifndef BENCH_DEVICE_COPY_H
#define BENCH_DEVICE_COPY_H

#include "device/device.h"

/* GB/s read and written together, the best of a few copies of n_bytes, a multiple of 4. */
enum collide_status device_copy_measure(struct device *device, size_t n_bytes, double *gb_per_s,
                                        struct collide_error *err);

#endif
