#include "cli/served_args.h"

#include "base/error.h"
#include "serve/model_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char GROUP[] = "Models";

struct served_flags served_flags_defaults(void)
{
    return (struct served_flags){.keep_versions = 1, .user_vectors = "64M"};
}

void served_args_fill_table(struct served_flags *flags, struct arg table[N_SERVED_ARGS])
{
    const struct arg args[N_SERVED_ARGS] = {
        {.name = "model",
         .type = ARG_TEXT_LIST,
         .target = &flags->models,
         .value_name = "NAME=FILE",
         .group = GROUP,
         .help = "a model and the name that requests choose it by; may be repeated. The first model of all "
                 "is the one for requests that choose none"},
        {.name = "watch",
         .type = ARG_TEXT,
         .target = &flags->folder,
         .value_name = "FOLDER",
         .default_text = "none",
         .group = GROUP,
         .help = "serve what is in a folder, as FOLDER/NAME.safetensors or "
                 "FOLDER/NAME/VERSION/*.safetensors (or .collide): new and replaced files are loaded, those "
                 "that go are "
                 "unloaded"},
        {.name = "keep-versions",
         .type = ARG_U64,
         .target = &flags->keep_versions,
         .min = 1,
         .max = VERSIONS_MAX,
         .group = GROUP,
         .help = "versions of a model that stay loaded, the newest ones"},
        {.name = "max-memory",
         .type = ARG_TEXT,
         .target = &flags->max_memory,
         .value_name = "BYTES[K|M|G]",
         .default_text = "no limit",
         .group = GROUP,
         .help =
             "refuse to load what would take the files of all models, with what is copied from them, over "
             "this; K is 1024. A model that is replaced counts until it is gone"},
        {.name = "user-vectors",
         .type = ARG_TEXT,
         .target = &flags->user_vectors,
         .value_name = "BYTES[K|M|G]",
         .group = GROUP,
         .help = "sum up every user's stored history once, as a model is loaded, if the vectors of all its "
                 "users take no more than this: a request by user id alone then costs one row in place of "
                 "one for each item of the history. 0: never. Not with --shard"},
    };
    memcpy(table, args, sizeof args);
}

static enum collide_status parse_bytes(const char *option, const char *text, uint64_t min, uint64_t *out,
                                       struct collide_error *err)
{
    static const char *const units[] = {"", "K", "M", "G"};
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++)
        if (text[0] >= '0' && text[0] <= '9' && errno == 0 && strcmp(end, units[i]) == 0 && n >= min &&
            n <= UINT64_MAX >> 10 * i) {
            *out = (uint64_t)n << 10 * i;
            return COLLIDE_OK;
        }
    return error_set(err, COLLIDE_INVALID, "--%s %.64s is no size: give bytes, such as 500000000, 512M or 8G",
                     option, text);
}

/* NAME=FILE; the file, with the name copied. NULL: it is no such. */
static const char *split(const char *text, char name[MODEL_NAME_CHARS])
{
    const char *equals = strchr(text, '=');
    size_t n = equals ? (size_t)(equals - text) : MODEL_NAME_CHARS;
    if (n >= MODEL_NAME_CHARS || !equals[1])
        return NULL;
    memcpy(name, text, n);
    name[n] = '\0';
    return model_name_is_valid(name) ? equals + 1 : NULL;
}

enum collide_status served_flags_options(const struct served_flags *flags, struct service_options *out,
                                         struct collide_error *err)
{
    char name[MODEL_NAME_CHARS];
    if (!flags->model_path && flags->models.n == 0 && !flags->folder)
        return error_set(err, COLLIDE_INVALID, "give a MODEL, --model NAME=FILE, or --watch FOLDER");
    for (size_t i = 0; i < flags->models.n; i++)
        if (!split(flags->models.items[i], name))
            return error_set(err, COLLIDE_INVALID, "--model %.128s is not of the form NAME=FILE",
                             flags->models.items[i]);
    out->keep_versions = (unsigned)flags->keep_versions;
    enum collide_status status = COLLIDE_OK;
    if (flags->max_memory)
        status = parse_bytes("max-memory", flags->max_memory, 1, &out->max_memory_bytes, err);
    if (status == COLLIDE_OK)
        status = parse_bytes("user-vectors", flags->user_vectors, 0, &out->scorer.max_user_vector_bytes, err);
    return status;
}

enum collide_status served_flags_add(const struct served_flags *flags, struct service *service,
                                     struct collide_error *err)
{
    char name[MODEL_NAME_CHARS];
    enum collide_status status = COLLIDE_OK;
    if (flags->model_path)
        status = service_models_add(service, NULL, flags->model_path, err);
    for (size_t i = 0; i < flags->models.n && status == COLLIDE_OK; i++) {
        const char *path = split(flags->models.items[i], name);
        status = service_models_add(service, name, path, err);
    }
    return status;
}

void served_flags_print(const struct served_flags *flags, char *out, size_t capacity)
{
    const char *first = flags->model_path     ? flags->model_path
                        : flags->models.n > 0 ? flags->models.items[0]
                                              : flags->folder;
    size_t n_more = flags->models.n - (!flags->model_path && flags->models.n > 0);
    int n = snprintf(out, capacity, "%s", first);
    if (n_more > 0 && n > 0 && (size_t)n < capacity)
        snprintf(out + n, capacity - (size_t)n, " and %zu more", n_more);
}
