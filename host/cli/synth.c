#include "data/synth.h"
#include "base/file.h"
#include "cli/command.h"

#include <string.h>
#include <unistd.h>

/* Where the lines go. */
struct sink {
    int fd;
    const char *name;
};

static enum collide_status write_text(void *context, const char *text, size_t n, struct collide_error *err)
{
    const struct sink *sink = context;
    return file_write_all(sink->fd, text, n, sink->name, err);
}

static enum collide_status write_log(const struct synth_options *options, const char *path,
                                     struct collide_error *err)
{
    if (strcmp(path, "-") == 0)
        return synth_write(options, write_text, &(struct sink){STDOUT_FILENO, "standard output"}, err);
    struct file_replace file;
    enum collide_status status = file_replace_begin(path, &file, err);
    if (status != COLLIDE_OK)
        return status;
    status = synth_write(options, write_text, &(struct sink){file.fd, path}, err);
    if (status == COLLIDE_OK)
        return file_replace_commit(&file, err);
    file_replace_abandon(&file);
    return status;
}

int command_synth(int argc, char **argv)
{
    uint64_t users = 10000, items = 5000, interactions = 300000, clusters = 0, seed = 1;
    double zipf = 1.0, taste = 0.8;
    const char *output = "-";
    const struct arg table[] = {
        {.name = "users",
         .type = ARG_U64,
         .target = &users,
         .min = 1,
         .max = UINT32_MAX - 2,
         .help = "users"},
        {.name = "items",
         .type = ARG_U64,
         .target = &items,
         .min = 1,
         .max = UINT32_MAX - 2,
         .help = "items"},
        {.name = "interactions",
         .short_name = 'n',
         .type = ARG_U64,
         .target = &interactions,
         .min = 1,
         .help = "distinct (user, item) pairs"},
        {.name = "clusters",
         .type = ARG_U64,
         .target = &clusters,
         .min = 1,
         .max = UINT32_MAX,
         .default_text = "50, or as many as items",
         .help = "groups of items that users have tastes for"},
        {.name = "zipf",
         .type = ARG_DOUBLE,
         .target = &zipf,
         .low = 0,
         .high = 4,
         .help = "popularity of rank r falls as (r + 1)^-X"},
        {.name = "taste",
         .type = ARG_DOUBLE,
         .target = &taste,
         .low = 0,
         .high = 1,
         .help = "share of picks that follow a user's tastes"},
        {.name = "seed", .type = ARG_U64, .target = &seed, .help = "the same seed gives the same log"},
        {.name = "output",
         .short_name = 'o',
         .type = ARG_TEXT,
         .target = &output,
         .value_name = "FILE",
         .default_text = "standard output",
         .help = "where to write \"user item\" lines"},
    };
    struct usage usage = {"collide synth [options]",
                          "Makes up an interaction log with Zipf popularity and latent tastes.", table,
                          sizeof table / sizeof table[0], .positionals = {.max = 0}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    const struct synth_options options = {.n_users = (uint32_t)users,
                                          .n_items = (uint32_t)items,
                                          .n_interactions = interactions,
                                          .n_clusters = (uint32_t)(clusters     ? clusters
                                                                   : items < 50 ? items
                                                                                : 50),
                                          .zipf_exponent = zipf,
                                          .taste = taste,
                                          .seed = seed};
    struct collide_error err = {0};
    return write_log(&options, output, &err) == COLLIDE_OK ? EXIT_DONE : command_fail(&err);
}
