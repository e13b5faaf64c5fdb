/* `collide score` and `collide topk`: one request from flags, or NDJSON from stdin, answered by the service
 * itself. */
#include "api/json_v1.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/device_args.h"
#include "serve/models.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct flags {
    struct device_flags device;
    struct arg_text_list features;
    const char *user, *history, *weights, *items, *exclude;
    uint64_t k;
    bool exclude_seen;
};

/* "3, 5, x" as a JSON list; blanks around an id are no part of it. Every id is written as a string, which the
 * API takes for integers, too. */
static void print_list(struct buffer *out, const char *list)
{
    buffer_append(out, "[", 1);
    for (const char *at = list; *list; at++) {
        at += strspn(at, " \t");
        size_t n = strcspn(at, ","), n_id = n;
        while (n_id > 0 && (at[n_id - 1] == ' ' || at[n_id - 1] == '\t'))
            n_id--;
        json_print_string(out, at, n_id);
        at += n;
        if (!*at)
            break;
        buffer_append(out, ",", 1);
    }
    buffer_append(out, "]", 1);
}

static void print_ids(struct buffer *out, const char *name, const char *list)
{
    if (!list)
        return;
    buffer_printf(out, ",\"%s\":", name);
    print_list(out, list);
}

/* "country=DE,FR" each. */
static void print_features(struct buffer *out, const struct arg_text_list *features)
{
    for (size_t i = 0; i < features->n; i++) {
        const char *at = features->items[i], *equals = strchr(at, '=');
        size_t n_name = equals ? (size_t)(equals - at) : strlen(at);
        buffer_append_text(out, i ? "," : ",\"features\":{");
        json_print_string(out, at, n_name);
        buffer_append_text(out, ":");
        print_list(out, equals ? equals + 1 : "");
    }
    if (features->n)
        buffer_append_text(out, "}");
}

static void print_request(const struct flags *f, struct buffer *out)
{
    struct buffer fields = {0};
    if (f->user) {
        buffer_append_text(&fields, ",\"user\":");
        json_print_string(&fields, f->user, strlen(f->user));
    }
    print_ids(&fields, "history", f->history);
    if (f->weights) /* numbers as they stand: the parser judges them */
        buffer_printf(&fields, ",\"weights\":[%s]", f->weights);
    print_features(&fields, &f->features);
    print_ids(&fields, "items", f->items);
    print_ids(&fields, "exclude", f->exclude);
    if (f->k)
        buffer_printf(&fields, ",\"k\":%llu", (unsigned long long)f->k);
    if (f->exclude_seen)
        buffer_append_text(&fields, ",\"exclude_seen\":true");
    buffer_append(out, "{", 1);
    if (fields.n_bytes)
        buffer_append(out, fields.bytes + 1, fields.n_bytes - 1);
    buffer_append(out, "}", 1);
    out->failed |= fields.failed;
    buffer_free(&fields);
}

static enum collide_status answer(struct service *service, enum request_kind kind, const char *text, size_t n,
                                  struct buffer *reply, struct collide_error *err)
{
    reply->n_bytes = 0;
    const struct service_request request = {.kind = kind, .body = text, .n_bytes = n};
    enum collide_status status = service_answer(service, 0, &request, reply);
    if (reply->failed)
        return error_no_memory(err, "a response");
    enum collide_status written =
        file_write_all(STDOUT_FILENO, reply->bytes, reply->n_bytes, "standard output", err);
    if (written != COLLIDE_OK)
        return written;
    return status == COLLIDE_OK ? status : error_set(err, status, "not every request could be answered");
}

/* A wrong line gets its error as its response, and the next one is read; the exit code tells. */
static enum collide_status answer_lines(struct service *service, enum request_kind kind, struct buffer *reply,
                                        struct collide_error *err)
{
    char *line = NULL;
    size_t capacity = 0;
    enum collide_status status = COLLIDE_OK;
    for (ssize_t n; (n = getline(&line, &capacity, stdin)) >= 0;) {
        if (strspn(line, " \t\r\n") == (size_t)n)
            continue;
        enum collide_status one = answer(service, kind, line, (size_t)n, reply, err);
        status = one == COLLIDE_OK ? status : one;
        if (one == COLLIDE_IO || one == COLLIDE_NO_MEMORY)
            break;
    }
    if (!feof(stdin) && (status == COLLIDE_OK || ferror(stdin)))
        status = error_set_errno(err, COLLIDE_IO, errno, "cannot read standard input");
    free(line);
    return status;
}

static bool is_from_flags(const struct flags *f)
{
    return f->user || f->history || f->weights || f->features.n || f->items || f->exclude ||
           f->exclude_seen || f->k;
}

static enum collide_status run(const struct flags *f, enum request_kind kind, const char *model_path,
                               struct collide_error *err)
{
    struct service *service = NULL;
    struct buffer request = {0}, reply = {0};
    const struct service_options options = {
        .scorer = device_flags_options(&f->device),
        .limits = {.max_parts = 1000000, .max_items = 10000000, .max_history = 10000000},
        .n_workers = 1};
    enum collide_status status = service_create(&options, &service, err);
    if (status == COLLIDE_OK)
        status = service_models_load(service, NULL, model_path, NULL, err);
    if (status == COLLIDE_OK && is_from_flags(f)) {
        print_request(f, &request);
        status = request.failed ? error_no_memory(err, "a request")
                                : answer(service, kind, request.bytes, request.n_bytes, &reply, err);
    } else if (status == COLLIDE_OK) {
        status = answer_lines(service, kind, &reply, err);
    }
    buffer_free(&request);
    buffer_free(&reply);
    service_destroy(service);
    return status;
}

#define WHO_GROUP "Request (none of these: one JSON request a line from standard input)"
#define WHO_ARGS(flags)                                                                                      \
    {.name = "user",                                                                                         \
     .short_name = 'u',                                                                                      \
     .type = ARG_TEXT,                                                                                       \
     .target = &(flags)->user,                                                                               \
     .value_name = "ID",                                                                                     \
     .group = WHO_GROUP,                                                                                     \
     .help = "the user whose stored history counts"},                                                        \
        {.name = "history",                                                                                  \
         .type = ARG_TEXT,                                                                                   \
         .target = &(flags)->history,                                                                        \
         .value_name = "ID,ID...",                                                                           \
         .group = WHO_GROUP,                                                                                 \
         .help = "items of a history, instead of the stored one or besides it"},                             \
        {.name = "weights",                                                                                  \
         .type = ARG_TEXT,                                                                                   \
         .target = &(flags)->weights,                                                                        \
         .value_name = "W,W...",                                                                             \
         .group = WHO_GROUP,                                                                                 \
         .help = "a weight for each item of --history"},                                                     \
    {                                                                                                        \
        .name = "feature", .type = ARG_TEXT_LIST, .target = &(flags)->features, .value_name = "NAME=ID,...", \
        .group = WHO_GROUP, .help = "ids of a feature that the model has; may be repeated"                   \
    }

int command_score(int argc, char **argv)
{
    struct flags flags = {.user = NULL};
    const struct arg table[] = {
        WHO_ARGS(&flags),
        {.name = "items",
         .short_name = 'i',
         .type = ARG_TEXT,
         .target = &flags.items,
         .value_name = "ID,ID...",
         .group = WHO_GROUP,
         .help = "what to score"},
        DEVICE_ARGS(&flags.device),
    };
    struct usage usage = {
        "collide score MODEL [--user ID] [--history ID,...] --items ID,... | < requests.ndjson",
        "Scores items for a user, a history or both.", table, sizeof table / sizeof table[0],
        .positionals = {1, 1, "MODEL"}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    struct collide_error err = {0};
    return run(&flags, REQUEST_SCORE, usage.positionals.values[0], &err) == COLLIDE_OK ? EXIT_DONE
                                                                                       : command_fail(&err);
}

int command_topk(int argc, char **argv)
{
    struct flags flags = {.user = NULL};
    const struct arg table[] = {
        WHO_ARGS(&flags),
        {.name = "k",
         .short_name = 'k',
         .type = ARG_U64,
         .target = &flags.k,
         .min = 1,
         .default_text = "10",
         .group = WHO_GROUP,
         .help = "how many items"},
        {.name = "exclude",
         .type = ARG_TEXT,
         .target = &flags.exclude,
         .value_name = "ID,ID...",
         .group = WHO_GROUP,
         .help = "items to leave out"},
        {.name = "exclude-seen",
         .type = ARG_FLAG,
         .target = &flags.exclude_seen,
         .group = WHO_GROUP,
         .help = "leave out what the histories hold"},
        DEVICE_ARGS(&flags.device),
    };
    struct usage usage = {"collide topk MODEL [--user ID] [--history ID,...] [-k N] | < requests.ndjson",
                          "Finds the best items for a user, a history or both.", table,
                          sizeof table / sizeof table[0], .positionals = {1, 1, "MODEL"}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    struct collide_error err = {0};
    return run(&flags, REQUEST_TOPK, usage.positionals.values[0], &err) == COLLIDE_OK ? EXIT_DONE
                                                                                      : command_fail(&err);
}
