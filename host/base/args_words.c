#include "base/args_forms.h"

/* The arm of an option's value. */
static void print_value_words(FILE *out, const struct arg *arg)
{
    if (arg->short_name)
        fprintf(out, "    -%c|", arg->short_name);
    fprintf(out, "%s--%s) echo \"", arg->short_name ? "" : "    ", arg->name);
    if (arg->type == ARG_TEXT || arg->type == ARG_TEXT_LIST)
        fputs("_files", out);
    for (size_t i = 0; arg->type == ARG_CHOICE && arg->choices[i]; i++)
        fprintf(out, "%s%s", i ? " " : "", arg->choices[i]);
    fputs("\" ;;\n", out);
}

void args_print_words(FILE *out, const struct args *args)
{
    fputs("    case $2 in\n", out);
    for (size_t i = 0; i < args->n; i++)
        if (args->table[i].type != ARG_FLAG)
            print_value_words(out, &args->table[i]);
    fputs("    *) echo \"", out);
    for (size_t i = 0; i < args->n; i++)
        fprintf(out, "--%s ", args->table[i].name);
    fputs("--help\" ;;\n    esac ;;\n", out);
}
