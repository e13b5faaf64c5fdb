#include "cli/kernel_process.h"

#include "base/error.h"
#include "base/process.h"
#include "device/program_cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* Longer than any compiler takes that is worth waiting for; binaries that take hours are for --kernels. */
enum { TIMEOUT_S = 600 };

struct words {
    const char *all[24]; /* (n), then NULL */
    size_t n;
};

static void add_option(struct words *w, const char *name, const char *value)
{
    if (!value)
        return;
    w->all[w->n++] = name;
    w->all[w->n++] = value;
}

static bool is_draining(void *context)
{
    return service_state(context) == SERVICE_DRAINING;
}

static enum collide_status build(void *context, const struct service *s, const char *model_path,
                                 struct collide_error *err)
{
    const struct device_flags *f = context;
    const struct collide_scorer_options options = device_flags_options(f);
    struct words words = {.all = {"collide kernels build", "kernels", "build"}, .n = 3};
    char cache[4096], max_bank[24], n_channels[24];
    if (!program_cache_folder(f->scorer.cache_dir, cache, sizeof cache) || access(cache, W_OK) != 0)
        return error_set(err, COLLIDE_UNSUPPORTED, "there is no cache of kernels that could be written to");
    snprintf(max_bank, sizeof max_bank, "%" PRIu64, f->scorer.max_bank_bytes);
    snprintf(n_channels, sizeof n_channels, "%" PRIu64, f->n_channels);
    add_option(&words, "--device", f->scorer.device);
    add_option(&words, "--engine", options.engine);
    add_option(&words, "--tables", options.tables);
    add_option(&words, "--max-bank", max_bank);
    add_option(&words, "--channels", n_channels);
    add_option(&words, "--kernel-cache", f->scorer.cache_dir);
    if (f->shard)
        words.all[words.n++] = "--shard";
    words.all[words.n++] = "--";
    words.all[words.n++] = model_path;
    const struct process_options process = {.path = "/proc/self/exe",
                                            .words = words.all,
                                            .timeout_s = TIMEOUT_S,
                                            .is_to_end = is_draining,
                                            .context = (void *)(uintptr_t)s};
    return process_run(&process, err);
}

struct kernel_builder kernel_process_builder(struct device_flags *flags)
{
    return (struct kernel_builder){.build = flags->scorer.kernels ? NULL : build, .context = flags};
}
