#include "engine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define FACTOR       2654435761u
#define CHURN_ROUNDS 2000
#define TEXT_OF(x)   #x
#define DIGITS_OF(x) TEXT_OF(x)

static const char SOURCE[] =
    "#define KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1))) void\n"
    "#define ARGUMENTS __global const uint *factor, __global const uint *in, __global uint *out\n"
    "KERNEL multiply(ARGUMENTS)\n"
    "{\n"
    "    size_t i = get_global_id(0);\n"
    "    out[i] = factor[0] * in[i];\n"
    "}\n"
    "KERNEL churn(ARGUMENTS)\n"
    "{\n"
    "    size_t i = get_global_id(0);\n"
    "    uint x = in[i];\n"
    "    for (uint n = 0; n < " DIGITS_OF(CHURN_ROUNDS) "; n++)\n"
                                                        "        x = (x ^ x >> 15) * factor[0] + n;\n"
                                                        "    out[i] = x;\n"
                                                        "}\n";

static uint32_t input(uint32_t seed, size_t i)
{
    return (seed + (uint32_t)i) * 2246822519u + 1;
}

static uint32_t expected(enum fixture_kernel kernel, uint32_t x)
{
    if (kernel == KERNEL_MULTIPLY)
        return FACTOR * x;
    for (uint32_t n = 0; n < CHURN_ROUNDS; n++)
        x = (x ^ x >> 15) * FACTOR + n;
    return x;
}

static void check(enum collide_status status, const struct collide_error *err)
{
    if (status != COLLIDE_OK)
        fail_msg("%s", err->text);
}

void engine_fixture_open(const struct device_setup *setup, struct engine_fixture *f)
{
    static const uint32_t factor[] = {FACTOR};
    const struct program_source source = {SOURCE, sizeof SOURCE - 1, "-cl-std=CL1.2 -Werror"};
    struct collide_error err = {0};
    f->device = devices_open(setup);
    check(program_build(f->device, &source, TEST_CACHE_DIR, &f->program, &err), &err);
    check(table_place(f->device, "the factor", factor, sizeof factor, &f->factor, &err), &err);
    struct engine_spec spec = {
        .device = f->device,
        .program = f->program,
        .kernels = {[KERNEL_MULTIPLY] = "multiply", [KERNEL_CHURN] = "churn"},
        .n_kernels = N_FIXTURE_KERNELS,
        .tables = {f->factor},
        .n_tables = 1,
        .directions = {[REGION_INPUT] = REGION_IN, [REGION_OUTPUT] = REGION_OUT},
        .n_regions = N_FIXTURE_REGIONS,
    };
    check(engine_create(setup->engine, &spec, &f->engine, &err), &err);
}

void engine_fixture_close(struct engine_fixture *f)
{
    engine_destroy(f->engine);
    table_destroy(f->factor);
    program_destroy(f->program);
    devices_close(f->device);
}

struct engine_lane *engine_fixture_lane(struct engine_fixture *f, size_t n)
{
    const size_t bytes[] = {[REGION_INPUT] = n * 4, [REGION_OUTPUT] = n * 4};
    struct collide_error err = {0};
    struct engine_lane *lane;
    check(engine_lane_create(f->engine, bytes, &lane, &err), &err);
    return lane;
}

void engine_fixture_submit(struct engine_lane *lane, unsigned slot, enum fixture_kernel kernel, size_t n,
                           uint32_t seed)
{
    const struct engine_work work = {
        .kernel = kernel, .n_work_items = n, .used_bytes = {[REGION_INPUT] = n * 4, [REGION_OUTPUT] = n * 4}};
    uint32_t *in = engine_lane_region(lane, slot, REGION_INPUT);
    struct collide_error err = {0};
    for (size_t i = 0; i < n; i++)
        in[i] = input(seed, i);
    memset(engine_lane_region(lane, slot, REGION_OUTPUT), 0, n * 4);
    check(engine_submit(lane, slot, &work, &err), &err);
}

size_t engine_fixture_n_wrong(const struct engine_lane *lane, unsigned slot, enum fixture_kernel kernel,
                              size_t n, uint32_t seed)
{
    const uint32_t *out = engine_lane_region(lane, slot, REGION_OUTPUT);
    size_t n_wrong = 0;
    for (size_t i = 0; i < n; i++)
        n_wrong += out[i] != expected(kernel, input(seed, i));
    return n_wrong;
}
