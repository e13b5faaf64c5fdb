#include "base/args_forms.h"

#include <string.h>

enum { HELP_COLUMNS = 100, LEFT_COLUMNS_MAX = 36, TEXT_MAX = 512 };

/* "  -r, --rows N"; gives its length. */
static int left_column(const struct arg *arg, char *out, size_t capacity)
{
    char value[256], letter[] = {'-', arg->short_name, ',', ' ', '\0'};
    arg_value_name(arg, value, sizeof value);
    return snprintf(out, capacity, "  %s--%s%s%s", arg->short_name ? letter : "    ", arg->name,
                    value[0] ? " " : "", value);
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
