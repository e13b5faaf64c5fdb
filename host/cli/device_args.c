#include "cli/device_args.h"

#include "device/engine.h"
#include "device/memory.h"

static const char GROUP[] = "Device";

struct collide_scorer_options device_flags_options(const struct device_flags *flags)
{
    struct collide_scorer_options options = flags->scorer;
    options.engine = engine_kind_name((enum engine_kind)flags->engine);
    options.tables = table_policy_name((enum table_policy)flags->tables);
    options.spread = flags->shard ? COLLIDE_SHARD : COLLIDE_REPLICATE;
    options.n_channels = (unsigned)flags->n_channels;
    return options;
}

struct arg device_arg(struct device_flags *flags)
{
    return (struct arg){.name = "device",
                        .type = ARG_TEXT,
                        .target = &flags->scorer.device,
                        .value_name = "DEVICE",
                        .default_text = "the best one",
                        .group = GROUP,
                        .help = "index, type (cpu, gpu, accelerator) or part of a name, see `collide "
                                "devices`; several with commas, to serve from all of them"};
}

struct arg tables_arg(struct device_flags *flags)
{
    return (struct arg){.name = "tables",
                        .type = ARG_CHOICE,
                        .target = &flags->tables,
                        .choices = table_policy_names,
                        .group = GROUP,
                        .help = "where the model's tables are: in-place reads the mapped file, whose memory "
                                "all processes share; copied makes copies, in huge pages where there are "
                                "any; auto copies big tables where that is faster and memory is left"};
}

struct arg max_bank_arg(struct device_flags *flags)
{
    return (struct arg){.name = "max-bank",
                        .type = ARG_U64,
                        .target = &flags->scorer.max_bank_bytes,
                        .value_name = "BYTES",
                        .default_text = "what the device allocates at once",
                        .group = GROUP,
                        .help = "tables larger than this are split over several banks"};
}

struct arg channels_arg(struct device_flags *flags)
{
    return (struct arg){.name = "channels",
                        .type = ARG_U64,
                        .target = &flags->n_channels,
                        .max = 1024,
                        .value_name = "N",
                        .default_text = "one",
                        .group = GROUP,
                        .help = "memory channels of an FPGA's board: tables are spread over them, where the "
                                "driver can be told"};
}

struct arg shard_arg(struct device_flags *flags)
{
    return (struct arg){.name = "shard",
                        .type = ARG_FLAG,
                        .target = &flags->shard,
                        .group = GROUP,
                        .help = "give each of several devices a share of the rows instead of all of them; "
                                "every request then goes to all devices. Not for rows that are "
                                "multiplied or max-pooled, nor for top-k with several lookups an id"};
}

struct arg engine_arg(struct device_flags *flags)
{
    return (struct arg){.name = "engine",
                        .type = ARG_CHOICE,
                        .target = &flags->engine,
                        .choices = engine_kind_names,
                        .value_name = "ENGINE",
                        .group = GROUP,
                        .help = "how work reaches the device: call (the kernels' machine code is called "
                                "as a function), direct (launched in the caller's thread), queued "
                                "(several batches in flight), ring (a kernel that never returns polls for "
                                "it, and keeps a core or compute unit busy) or auto"};
}

struct arg kernels_arg(struct device_flags *flags)
{
    return (struct arg){.name = "kernels",
                        .type = ARG_TEXT,
                        .target = &flags->scorer.kernels,
                        .value_name = "FILE",
                        .default_text = "built when needed",
                        .group = GROUP,
                        .help = "a device binary that `collide kernels build` wrote: nothing is compiled"};
}

struct arg kernel_cache_arg(struct device_flags *flags)
{
    return (struct arg){.name = "kernel-cache",
                        .type = ARG_TEXT,
                        .target = &flags->scorer.cache_dir,
                        .value_name = "DIR",
                        .default_text = "~/.cache/collide",
                        .group = GROUP,
                        .help = "where built kernels are kept; \"\": nowhere"};
}
