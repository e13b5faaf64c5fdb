/* An engine over two kernels whose results the host knows: out[i] = factor * in[i], and a long loop. */
#ifndef TESTS_ENGINE_FIXTURE_H
#define TESTS_ENGINE_FIXTURE_H

#include "support/devices.h"

enum fixture_kernel { KERNEL_MULTIPLY, KERNEL_CHURN, N_FIXTURE_KERNELS };
enum fixture_region { REGION_INPUT, REGION_OUTPUT, N_FIXTURE_REGIONS };

struct engine_fixture {
    struct device *device;
    struct program *program;
    struct device_table *factor;
    struct engine *engine;
};

void engine_fixture_open(const struct device_setup *setup, struct engine_fixture *out);
void engine_fixture_close(struct engine_fixture *f);

/* A lane whose regions hold n numbers. */
struct engine_lane *engine_fixture_lane(struct engine_fixture *f, size_t n);

/* Fills a slot with n numbers that follow from seed, and submits it. */
void engine_fixture_submit(struct engine_lane *lane, unsigned slot, enum fixture_kernel kernel, size_t n,
                           uint32_t seed);

/* How many of a finished slot's n results are not what the host computes. */
size_t engine_fixture_n_wrong(const struct engine_lane *lane, unsigned slot, enum fixture_kernel kernel,
                              size_t n, uint32_t seed);

#endif
