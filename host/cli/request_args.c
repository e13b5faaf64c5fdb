#include "cli/request_args.h"

#include "api/json_v1.h"

#include <string.h>

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

void request_flags_print(const struct request_flags *f, struct buffer *out)
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

bool request_flags_are_given(const struct request_flags *f)
{
    return f->user || f->history || f->weights || f->features.n || f->items || f->exclude ||
           f->exclude_seen || f->k;
}

struct arg request_user_arg(struct request_flags *flags)
{
    return (struct arg){.name = "user",
                        .short_name = 'u',
                        .type = ARG_TEXT,
                        .target = &flags->user,
                        .value_name = "ID",
                        .group = REQUEST_GROUP,
                        .help = "the user whose stored history counts"};
}

struct arg request_history_arg(struct request_flags *flags)
{
    return (struct arg){.name = "history",
                        .type = ARG_TEXT,
                        .target = &flags->history,
                        .value_name = "ID,ID...",
                        .group = REQUEST_GROUP,
                        .help = "items of a history, instead of the stored one or besides it"};
}

struct arg request_weights_arg(struct request_flags *flags)
{
    return (struct arg){.name = "weights",
                        .type = ARG_TEXT,
                        .target = &flags->weights,
                        .value_name = "W,W...",
                        .group = REQUEST_GROUP,
                        .help = "a weight for each item of --history"};
}

struct arg request_feature_arg(struct request_flags *flags)
{
    return (struct arg){.name = "feature",
                        .type = ARG_TEXT_LIST,
                        .target = &flags->features,
                        .value_name = "NAME=ID,...",
                        .group = REQUEST_GROUP,
                        .help = "ids of a feature that the model has; may be repeated"};
}

struct arg request_items_arg(struct request_flags *flags)
{
    return (struct arg){.name = "items",
                        .short_name = 'i',
                        .type = ARG_TEXT,
                        .target = &flags->items,
                        .value_name = "ID,ID...",
                        .group = REQUEST_GROUP,
                        .help = "what to score"};
}

struct arg request_k_arg(struct request_flags *flags)
{
    return (struct arg){.name = "k",
                        .short_name = 'k',
                        .type = ARG_U64,
                        .target = &flags->k,
                        .min = 1,
                        .default_text = "10",
                        .group = REQUEST_GROUP,
                        .help = "how many items"};
}

struct arg request_exclude_arg(struct request_flags *flags)
{
    return (struct arg){.name = "exclude",
                        .type = ARG_TEXT,
                        .target = &flags->exclude,
                        .value_name = "ID,ID...",
                        .group = REQUEST_GROUP,
                        .help = "items to leave out"};
}

struct arg request_exclude_seen_arg(struct request_flags *flags)
{
    return (struct arg){.name = "exclude-seen",
                        .type = ARG_FLAG,
                        .target = &flags->exclude_seen,
                        .group = REQUEST_GROUP,
                        .help = "leave out what the histories hold"};
}
