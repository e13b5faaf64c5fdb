#include "base/args_forms.h"

#include <inttypes.h>
#include <string.h>

enum { HELP_COLUMNS = 100, LEFT_COLUMNS_MAX = 36, TEXT_MAX = 512 };

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

/* "  -r, --rows N"; gives its length. */
static int left_column(const struct arg *arg, char *out, size_t capacity)
{
    char value[256], letter[] = {'-', arg->short_name, ',', ' ', '\0'};
    arg_value_name(arg, value, sizeof value);
    return snprintf(out, capacity, "  %s--%s%s%s", arg->short_name ? letter : "    ", arg->name,
                    value[0] ? " " : "", value);
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

/* Words of text from column `indent` on, further lines indented likewise; the cursor stands at `indent`. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
    int column = indent;
    for (const char *at = text + strspn(text, " "); *at; at += strspn(at, " ")) {
        int length = (int)strcspn(at, " ");
        if (column > indent && column + 1 + length > HELP_COLUMNS) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        column += fprintf(out, "%s%.*s", column > indent ? " " : "", length, at);
        at += length;
    }
    fputc('\n', out);
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

static void print_option(FILE *out, const struct arg *arg, int indent)
{
    char left[TEXT_MAX], text[3 * TEXT_MAX];
    int used = left_column(arg, left, sizeof left);
    fputs(left, out);
    if (used + 2 > indent)
        fprintf(out, "\n%*s", indent, "");
    else
        fprintf(out, "%*s", indent - used, "");
    arg_help_text(arg, text, sizeof text);
    print_wrapped(out, text, indent);
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

/* Where the help texts start: past every left column but the longest ones, which get a line of their own. */
static int help_column(const struct args *args)
{
    int column = (int)strlen("  -h, --help") + 2;
    for (size_t i = 0; i < args->n; i++) {
        char left[TEXT_MAX];
        int width = left_column(&args->table[i], left, sizeof left) + 2;
        if (width > column && width <= LEFT_COLUMNS_MAX)
            column = width;
    }
    return column;
}

static void print_group(FILE *out, const struct args *args, const char *group, int indent)
{
    fprintf(out, "\n%s:\n", group);
    for (size_t i = 0; i < args->n; i++)
        if (strcmp(arg_group(&args->table[i]), group) == 0)
            print_option(out, &args->table[i], indent);
}

const struct arg args_help_option = {
    .name = "help", .short_name = 'h', .type = ARG_FLAG, .default_text = "", .help = "print this and exit"};

static void print_text(FILE *out, const char *usage, const char *summary, const struct args *args)
{
    int indent = help_column(args);
    fprintf(out, "Usage: %s\n\n", usage);
    print_wrapped(out, summary, 0);
    for (size_t i = 0; i < args->n; i++)
        if (arg_is_first_of_group(args, i))
            print_group(out, args, arg_group(&args->table[i]), indent);
    print_option(out, &args_help_option, indent);
}

void args_print_help(FILE *out, const char *usage, const char *summary, const struct args *args)
{
    switch (args->help_form) {
    case HELP_TEXT:
        print_text(out, usage, summary, args);
        break;
    case HELP_MAN:
        args_print_man(out, usage, summary, args);
        break;
    case HELP_WORDS:
        args_print_words(out, args);
        break;
    case HELP_PAGES: /* a command without commands has the page that its dispatch lists */
        break;
    }
}
