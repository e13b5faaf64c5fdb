/* What the benchmarks of kernels share: the options that choose a device, and kernels on it. */
#ifndef BENCH_RIG_H
#define BENCH_RIG_H

#include "base/args.h"
#include "kernel_descriptor.h"

struct rig_options {
    const char *device;
    const char *engine;
    uint64_t repeats, seed;
    bool json;
};

#define RIG_ARGS(options)                                                                                    \
    {.name = "device",                                                                                       \
     .type = ARG_TEXT,                                                                                       \
     .target = &(options)->device,                                                                           \
     .value_name = "DEVICE",                                                                                 \
     .default_text = "the best one",                                                                         \
     .help = "see `collide devices`"},                                                                       \
        {.name = "engine",                                                                                   \
         .type = ARG_TEXT,                                                                                   \
         .target = &(options)->engine,                                                                       \
         .value_name = "ENGINE",                                                                             \
         .default_text = "auto",                                                                             \
         .help = "auto, call, direct, queued or ring"},                                                      \
        {.name = "repeats",                                                                                  \
         .type = ARG_U64,                                                                                    \
         .target = &(options)->repeats,                                                                      \
         .min = 1,                                                                                           \
         .max = 1000,                                                                                        \
         .help = "measurements; their median is shown"},                                                     \
        {.name = "seed", .type = ARG_U64, .target = &(options)->seed, .help = "of tables and ids"},          \
    {                                                                                                        \
        .name = "json", .type = ARG_FLAG, .target = &(options)->json, .help = "print one JSON document"      \
    }

/* Options of a problem's shape; rows of 0 are one an id. */
struct arg ids_arg(uint64_t *ids);
struct arg rows_arg(uint64_t *rows);
struct arg dim_arg(uint64_t *dim);
struct arg bag_arg(uint64_t *bag);

struct rig {
    struct device *device;
    enum engine_kind engine;
    struct kernel_case *problem; /* owned, or NULL */
};

/* shape: of the problem to make; NULL: none. */
enum collide_status rig_open(const struct rig_options *options, const struct kernel_shape *shape,
                             struct rig *out, struct collide_error *err);
void rig_close(struct rig *r);

/* The kernels of a case, as the device is tuned or as told, its tables placed as served ones are. */
enum collide_status rig_kernels(const struct rig *r, const struct kernel_case *c, const struct tuning *tuning,
                                struct kernels **out, struct collide_error *err);

/* Makes `repeats` batches and writes the time of each to ns (repeats), once warm; then checks the last one.
 */
enum collide_status rig_measure(struct kernel_run *run, size_t repeats, double *ns,
                                struct collide_error *err);

struct bench_usage {
    const char *synopsis, *summary;
    const struct arg *table;
    size_t n;
};

/* Parses a benchmark's command line into what its table points to, runs it with `options`, and gives the exit
 * code; COLLIDE_INVALID is a wrong usage. */
int bench_main(const struct bench_usage *usage, int argc, char **argv,
               enum collide_status (*run)(const void *options, struct collide_error *err),
               const void *options);

#endif
