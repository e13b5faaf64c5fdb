#include "engine_fixture.h"

#include "score/kernel_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define FACTOR 2654435761u
enum { CHURN_ROUNDS = 2000, N_ADDENDS = 4 };

static const uint32_t factor[] = {FACTOR};
static const uint32_t addends[N_ADDENDS] = {11, 1300, 170000, 19000000};

static uint32_t input(uint32_t seed, size_t i)
{
    return (seed + (uint32_t)i) * 2246822519u + 1;
}

static uint32_t churned(uint32_t x)
{
    for (uint32_t n = 0; n < CHURN_ROUNDS; n++)
        x = (x ^ x >> 15) * FACTOR + n;
    return x;
}

static uint32_t expected(enum fixture_work work, uint32_t seed, size_t i, size_t n)
{
    switch (work) {
    case WORK_MULTIPLY:
        return FACTOR * input(seed, i) + addends[i % N_ADDENDS];
    case WORK_CHURN:
        return churned(input(seed, i));
    default:
        return (input(seed, n - 1 - i) ^ FACTOR) + input(seed, i);
    }
}

static void check(enum collide_status status, const struct collide_error *err)
{
    if (status != COLLIDE_OK)
        fail_msg("%s", err->text);
}

size_t engine_fixture_setups(struct device_setup *out)
{
    size_t n = devices_setups(out);
    return n + devices_special_setups(out + n);
}

static void place_tables(struct engine_fixture *f, enum placement placement)
{
    const struct table_source sources[] = {
        {.name = "the addends",
         .bytes = addends,
         .n_bytes = sizeof addends,
         .entry_bytes = sizeof addends[0]},
        {.name = "the factor", .bytes = factor, .n_bytes = sizeof factor, .entry_bytes = sizeof factor[0]}};
    const struct table_plan in_two = {.placement = placement, .n_banks = 2, .shift = 1},
                            in_one = {.placement = placement, .n_banks = 1, .shift = 0};
    struct collide_error err = {0};
    check(table_place(f->device, &sources[0], &in_two, NULL, &f->addends, &err), &err);
    check(table_place(f->device, &sources[1], &in_one, NULL, &f->factor, &err), &err);
}

void engine_fixture_open_device(const struct device_setup *setup, struct engine_fixture *f)
{
    struct collide_error err = {0};
    *f = (struct engine_fixture){.device = devices_open(setup)};
    const bool is_called = setup->engine == ENGINE_CALL;
    static const char *const options[] = {[ATOMICS_NONE] = "-cl-std=CL1.2 -Werror",
                                          [ATOMICS_CL2] = "-cl-std=CL2.0 -Werror",
                                          [ATOMICS_CL3] = "-cl-std=CL3.0 -Werror"};
    const struct program_source source = {.text = kernel_source,
                                          .n_bytes = kernel_source_bytes,
                                          .options = is_called ? "-cl-std=CL1.2 -DCALL=1 -Werror"
                                                               : options[device_info(f->device)->atomics]};
    check(program_build(f->device, &source, "", &f->program, &err), &err);
    place_tables(f, is_called ? PLACED_SHARED : PLACED_COPIED);
    f->spec = (struct engine_spec){
        .device = f->device,
        .program = f->program,
        .kernels = {"multiply", "churn", "stage", "gather"},
        .local_sizes = {1, 1, FIXTURE_STAGE_WIDTH, 1},
        .n_kernels = 4,
        .tables = {f->addends, f->factor},
        .n_tables = 2,
        .directions = {REGION_IN, REGION_SCRATCH, REGION_OUT},
        .n_regions = N_FIXTURE_REGIONS,
        .ring_kernel = "resident",
    };
    if (!is_called)
        return;
    check(table_gather(f->device, f->spec.tables, f->spec.n_tables, &f->gathered, &err), &err);
    f->spec.gathered = f->gathered;
    f->spec.call_kernel = "call";
}

void engine_fixture_open(const struct device_setup *setup, struct engine_fixture *f)
{
    struct collide_error err = {0};
    engine_fixture_open_device(setup, f);
    check(engine_create(setup->engine, &f->spec, &f->engine, &err), &err);
}

void engine_fixture_close(struct engine_fixture *f)
{
    engine_destroy(f->engine);
    table_destroy(f->addends);
    table_destroy(f->factor);
    table_destroy(f->gathered);
    program_destroy(f->program);
    devices_close(f->device);
}

void engine_fixture_each_of(enum engine_kind kind, void (*body)(struct engine_fixture *f))
{
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    size_t n = engine_fixture_setups(setups), n_run = 0;
    for (size_t i = 0; i < n; i++) {
        char text[128];
        struct engine_fixture f;
        if (kind != ENGINE_AUTO && setups[i].engine != kind)
            continue;
        print_message("    on %s\n", devices_describe(&setups[i], text, sizeof text));
        engine_fixture_open(&setups[i], &f);
        body(&f);
        engine_fixture_close(&f);
        n_run++;
    }
    if (n_run == 0)
        skip();
}

void engine_fixture_each(void (*body)(struct engine_fixture *f))
{
    engine_fixture_each_of(ENGINE_AUTO, body);
}

struct engine_lane *engine_fixture_lane(struct engine_fixture *f, size_t n)
{
    const size_t bytes[N_FIXTURE_REGIONS] = {n * 4, n * 4, n * 4};
    struct collide_error err = {0};
    struct engine_lane *lane;
    check(engine_lane_create(f->engine, bytes, &lane, &err), &err);
    return lane;
}

static struct engine_work work_of(enum fixture_work work, size_t n)
{
    struct engine_work w = {.n_steps = 1, .used_bytes = {n * 4, n * 4, n * 4}};
    w.steps[0] = (struct engine_step){work, n};
    if (work == WORK_STAGE_AND_GATHER) {
        w.steps[0].n_groups = n / FIXTURE_STAGE_WIDTH;
        w.steps[1] = (struct engine_step){work + 1, n};
        w.n_steps = 2;
    }
    return w;
}

void engine_fixture_submit(struct engine_lane *lane, unsigned slot, enum fixture_work work, size_t n,
                           uint32_t seed)
{
    const struct engine_work w = work_of(work, n);
    uint32_t *in = engine_lane_region(lane, slot, REGION_INPUT);
    struct collide_error err = {0};
    for (size_t i = 0; i < n; i++)
        in[i] = input(seed, i);
    memset(engine_lane_region(lane, slot, REGION_OUTPUT), 0, n * 4);
    check(engine_submit(lane, slot, &w, &err), &err);
}

void engine_fixture_wait(struct engine_lane *lane, unsigned slot)
{
    struct collide_error err = {0};
    check(engine_wait(lane, slot, &err), &err);
}

size_t engine_fixture_n_wrong(const struct engine_lane *lane, unsigned slot, enum fixture_work work, size_t n,
                              uint32_t seed)
{
    const uint32_t *out = engine_lane_region(lane, slot, REGION_OUTPUT);
    size_t n_wrong = 0;
    for (size_t i = 0; i < n; i++)
        n_wrong += out[i] != expected(work, seed, i, n);
    return n_wrong;
}
