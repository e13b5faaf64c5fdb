/* The flags that say where a command scores. */
#ifndef CLI_DEVICE_ARGS_H
#define CLI_DEVICE_ARGS_H

#include "base/args.h"
#include "collide/scorer.h"

struct device_flags {
    struct collide_scorer_options scorer; /* but for its engine, tables, spread and channels */
    int engine, tables;                   /* enum engine_kind, enum table_policy */
    bool shard;
    uint64_t n_channels;
};

/* What the flags ask for, once parsed. */
struct collide_scorer_options device_flags_options(const struct device_flags *flags);

struct arg device_arg(struct device_flags *flags);       /* --device */
struct arg tables_arg(struct device_flags *flags);       /* --tables */
struct arg max_bank_arg(struct device_flags *flags);     /* --max-bank */
struct arg channels_arg(struct device_flags *flags);     /* --channels */
struct arg shard_arg(struct device_flags *flags);        /* --shard */
struct arg engine_arg(struct device_flags *flags);       /* --engine */
struct arg kernels_arg(struct device_flags *flags);      /* --kernels */
struct arg kernel_cache_arg(struct device_flags *flags); /* --kernel-cache */

/* For the tables of commands that place a model's tables, that build its kernels, that run them. */
#define PLACE_ARGS(flags)  device_arg(flags), tables_arg(flags), max_bank_arg(flags), channels_arg(flags)
#define BUILD_ARGS(flags)  PLACE_ARGS(flags), engine_arg(flags), kernel_cache_arg(flags)
#define DEVICE_ARGS(flags) BUILD_ARGS(flags), shard_arg(flags), kernels_arg(flags)

#endif
