/* An engine over kernels whose results the host knows: those of engine_kernels.cl. */
#ifndef TESTS_ENGINE_FIXTURE_H
#define TESTS_ENGINE_FIXTURE_H

#include "support/devices.h"

enum fixture_region { REGION_INPUT, REGION_BETWEEN, REGION_OUTPUT, N_FIXTURE_REGIONS };

/* What a batch does: one step, or two. The kernels are the first four, in this order. */
enum fixture_work { WORK_MULTIPLY, WORK_CHURN, WORK_STAGE_AND_GATHER, N_FIXTURE_WORKS };

enum { FIXTURE_STAGE_WIDTH = 4 }; /* the two-step work takes multiples of it */

struct engine_fixture {
    struct device *device;
    struct program *program;
    struct device_table *addends; /* in two banks */
    struct device_table *factor;
    struct device_table *gathered; /* where the setup's engine calls */
    struct engine_spec spec;
    struct engine *engine;
};

/* devices_setups and devices_special_setups. */
enum { FIXTURE_MAX_SETUPS = DEVICES_MAX_SETUPS + DEVICES_MAX_SPECIAL };
size_t engine_fixture_setups(struct device_setup *out);

/* All but the engine; spec is what to make one of. */
void engine_fixture_open_device(const struct device_setup *setup, struct engine_fixture *out);

void engine_fixture_open(const struct device_setup *setup, struct engine_fixture *out);
void engine_fixture_close(struct engine_fixture *f);

/* Runs a test's body once over every setup of this machine, or over those with one kind of engine. */
void engine_fixture_each(void (*body)(struct engine_fixture *f));
void engine_fixture_each_of(enum engine_kind kind, void (*body)(struct engine_fixture *f));

/* A lane whose regions hold n numbers. */
struct engine_lane *engine_fixture_lane(struct engine_fixture *f, size_t n);

/* Fills a slot with n numbers that follow from seed, and submits it. */
void engine_fixture_submit(struct engine_lane *lane, unsigned slot, enum fixture_work work, size_t n,
                           uint32_t seed);

void engine_fixture_wait(struct engine_lane *lane, unsigned slot);

/* How many of a finished slot's n results are not what the host computes. */
size_t engine_fixture_n_wrong(const struct engine_lane *lane, unsigned slot, enum fixture_work work, size_t n,
                              uint32_t seed);

#endif
