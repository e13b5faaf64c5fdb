#include "base/args_forms.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_MAX = 512 };

void arg_value_name(const struct arg *arg, char *out, size_t capacity)
{
    static const char *const names[] = {
        [ARG_TEXT] = "TEXT",       [ARG_TEXT_LIST] = "TEXT", [ARG_U64] = "N",
        [ARG_U64_LIST] = "N,N...", [ARG_DOUBLE] = "X",
    };
    if (arg->value_name || arg->type == ARG_FLAG)
        snprintf(out, capacity, "%s", arg->value_name ? arg->value_name : "");
    else if (arg->type == ARG_CHOICE)
        arg_choices_text(arg, out, capacity);
    else
        snprintf(out, capacity, "%s", names[arg->type]);
}

static void default_of_list(const struct arg *arg, char *out, size_t capacity)
{
    size_t used = 0;
    const struct arg_text_list *texts = arg->type == ARG_TEXT_LIST ? arg->target : NULL;
    const struct arg_u64_list *numbers = arg->type == ARG_U64_LIST ? arg->target : NULL;
    size_t n = texts ? texts->n : numbers->n;
    for (size_t i = 0; i < n && used < capacity; i++) {
        const char *comma = i ? "," : "";
        used +=
            (size_t)(texts ? snprintf(out + used, capacity - used, "%s%s", comma, texts->items[i])
                           : snprintf(out + used, capacity - used, "%s%" PRIu64, comma, numbers->items[i]));
    }
}

/* What the target holds, as text; empty when there is nothing to say. */
static void default_of(const struct arg *arg, char *out, size_t capacity)
{
    out[0] = '\0';
    switch (arg->type) {
    case ARG_FLAG:
        snprintf(out, capacity, "%s", *(const bool *)arg->target ? "yes" : "");
        break;
    case ARG_TEXT:
        snprintf(out, capacity, "%s",
                 *(const char *const *)arg->target ? *(const char *const *)arg->target : "");
        break;
    case ARG_U64:
        snprintf(out, capacity, "%" PRIu64, *(const uint64_t *)arg->target);
        break;
    case ARG_DOUBLE:
        snprintf(out, capacity, "%g", *(const double *)arg->target);
        break;
    case ARG_CHOICE:
        snprintf(out, capacity, "%s", arg->choices[*(const int *)arg->target]);
        break;
    case ARG_TEXT_LIST:
    case ARG_U64_LIST:
        default_of_list(arg, out, capacity);
        break;
    }
}

void arg_help_text(const struct arg *arg, char *out, size_t capacity)
{
    char value[TEXT_MAX];
    if (arg->default_text)
        snprintf(value, sizeof value, "%s", arg->default_text);
    else
        default_of(arg, value, sizeof value);
    snprintf(out, capacity, value[0] ? "%s (default: %s)" : "%s%s", arg->help ? arg->help : "", value);
}

const char *arg_group(const struct arg *arg)
{
    return arg->group ? arg->group : "Options";
}

bool arg_is_first_of_group(const struct args *args, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(arg_group(&args->table[j]), arg_group(&args->table[i])) == 0)
            return false;
    return true;
}

const struct arg args_help_option = {
    .name = "help", .short_name = 'h', .type = ARG_FLAG, .default_text = "", .help = "print this and exit"};
