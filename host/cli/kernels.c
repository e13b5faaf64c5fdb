/* `collide kernels`: device binaries, with which models are served without a compiler. */
#include "base/dispatch.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/device_args.h"
#include "device/program.h"
#include "device/program_cache.h"

#include <inttypes.h>
#include <stdio.h>

static enum collide_status show(const char *path, struct collide_error *err)
{
    struct program_manifest m;
    enum collide_status status = program_manifest_read(path, &m, err);
    if (status != COLLIDE_OK)
        return status;
    printf("device           %s\nplatform         %s\ndriver           %s\n", m.device, m.platform, m.driver);
    printf("specialisation   %s\nsource           %s\nbinary           %" PRIu64 " bytes\n", m.options,
           m.source, m.binary_bytes);
    return COLLIDE_OK;
}

static enum collide_status build(const char *model_path, const struct device_flags *device,
                                 const char *output, struct collide_error *err)
{
    const struct collide_scorer_options options = device_flags_options(device);
    struct collide_model *model = NULL;
    enum collide_status status = output ? file_check_apart(output, model_path, err) : COLLIDE_OK;
    if (status == COLLIDE_OK)
        status = collide_model_open(model_path, &model, err);
    if (status != COLLIDE_OK)
        return status;
    status = collide_kernels_build(model, &options, output, err);
    collide_model_close(model);
    if (status == COLLIDE_OK && output)
        status = show(output, err);
    if (status == COLLIDE_OK && output)
        log_info("wrote %s", output);
    return status;
}

static int command_build(int argc, char **argv)
{
    const char *output = NULL;
    struct device_flags device = {.shard = false};
    const struct arg table[] = {
        {.name = "output",
         .short_name = 'o',
         .type = ARG_TEXT,
         .target = &output,
         .value_name = "FILE",
         .default_text = "none: the cache alone is filled",
         .help = "the device binary to write"},
        BUILD_ARGS(&device),
        shard_arg(&device),
    };
    struct usage usage = {
        "collide kernels build MODEL [-o FILE] [options]",
        "Builds the kernels that MODEL is served with: those of one device as FILE, for `collide serve MODEL "
        "--kernels FILE`, or for the cache alone. They serve every model of the same shape, with the same "
        "engine, and the same --tables and --max-bank where these make other banks.",
        table, sizeof table / sizeof table[0], .positionals = {1, 1, "MODEL"}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    char cache[4096];
    if (!output && !program_cache_folder(device.scorer.cache_dir, cache, sizeof cache))
        return command_misused(&usage, "-o FILE is missing, and there is no cache to fill");
    struct collide_error err = {0};
    return build(usage.positionals.values[0], &device, output, &err) == COLLIDE_OK ? EXIT_DONE
                                                                                   : command_fail(&err);
}

static int command_show(int argc, char **argv)
{
    struct usage usage = {"collide kernels show FILE", "Shows what a device binary was built for.", NULL, 0,
                          .positionals = {1, 1, "FILE"}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    struct collide_error err = {0};
    return show(usage.positionals.values[0], &err) == COLLIDE_OK ? EXIT_DONE : command_fail(&err);
}

int command_kernels(int argc, char **argv)
{
    static const struct subcommand commands[] = {
        {"build", "build the kernels for a model and a device", command_build},
        {"show", "show what a device binary was built for", command_show},
    };
    const struct dispatch kernels = {.program = "collide kernels",
                                     .about =
                                         "device binaries, with which models are served without a compiler",
                                     .commands = commands,
                                     .n_commands = sizeof commands / sizeof commands[0]};
    return dispatch_run(&kernels, argc, argv);
}
