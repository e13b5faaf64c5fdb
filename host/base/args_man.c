#include "base/args_forms.h"
#include "base/help_form.h"
#include "base/roff.h"

#include <string.h>

enum { TEXT_MAX = 2048 };

/* The names in bold, the rest as it is; a usage may have several lines. */
static void print_synopsis(FILE *out, const char *usage)
{
    fputs(".SH SYNOPSIS\n", out);
    for (const char *line = usage; *line;) {
        line += strspn(line, " ");
        size_t n = strcspn(line, "\n"), n_command = help_n_command(line);
        fputs("\\fB", out);
        roff_text(out, line, n_command);
        fputs("\\fR", out);
        roff_text(out, line + n_command, n - n_command);
        line += n + (line[n] == '\n');
        fputs(*line ? "\n.br\n" : "\n", out);
    }
}

static void print_option(FILE *out, const struct arg *arg)
{
    char value[TEXT_MAX], text[TEXT_MAX];
    arg_value_name(arg, value, sizeof value);
    arg_help_text(arg, text, sizeof text);
    fputs(".TP\n", out);
    if (arg->short_name)
        fprintf(out, "\\fB\\-%c\\fR, ", arg->short_name);
    fputs("\\fB\\-\\-", out);
    roff_text(out, arg->name, strlen(arg->name));
    fputs(value[0] ? "\\fR \\fI" : "", out);
    roff_text(out, value, strlen(value));
    fputs("\\fR\n", out);
    roff_text(out, text, strlen(text));
    fputc('\n', out);
}

static void print_group(FILE *out, const struct args *args, const char *group)
{
    fputs(".SS \"", out);
    for (const char *at = group; *at; at++) /* a quote would end the heading */
        fputs(*at == '"' ? "\\(dq" : (char[]){*at, '\0'}, out);
    fputs("\"\n", out);
    for (size_t i = 0; i < args->n; i++)
        if (strcmp(arg_group(&args->table[i]), group) == 0)
            print_option(out, &args->table[i]);
}

void args_print_man(FILE *out, const char *usage, const char *summary, const struct args *args)
{
    print_synopsis(out, usage);
    fputs(".SH DESCRIPTION\n", out);
    roff_text(out, summary, strlen(summary));
    fputs("\n.SH OPTIONS\n", out);
    for (size_t i = 0; i < args->n; i++)
        if (arg_is_first_of_group(args, i))
            print_group(out, args, arg_group(&args->table[i]));
    print_option(out, &args_help_option);
}
