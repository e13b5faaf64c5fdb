#include "base/dispatch_help.h"

#include "base/exit_code.h"
#include "base/roff.h"
#include "collide/status.h"

#include <string.h>

enum { NAME_MAX_BYTES = 128 };

static void print_text(FILE *out, const struct dispatch *d)
{
    fprintf(out, "%s %s: %s\n\nusage: %s COMMAND [options]\n\n", d->program, collide_version(), d->about,
            d->program);
    for (size_t i = 0; i < d->n_commands; i++)
        fprintf(out, "  %-10s %s\n", d->commands[i].name, d->commands[i].summary);
    fprintf(out, "\n`%s COMMAND --help` shows a command's options.\nExit status:", d->program);
    for (size_t i = 0; i < N_EXIT_CODES; i++)
        fprintf(out, "%s %zu %s", i ? "," : "", i, exit_code_meanings[i]);
    fputs(".\n", out);
}

static void print_man(FILE *out, const struct dispatch *d)
{
    fputs(".SH SYNOPSIS\n\\fB", out);
    roff_text(out, d->program, strlen(d->program));
    fputs("\\fR COMMAND [options]\n.SH COMMANDS\n", out);
    for (size_t i = 0; i < d->n_commands; i++) {
        char name[NAME_MAX_BYTES];
        size_t n = (size_t)snprintf(name, sizeof name, "%s %s", d->program, d->commands[i].name);
        fputs(".TP\n\\fB", out);
        roff_text(out, name, n);
        fputs("\\fR\n", out);
        roff_text(out, d->commands[i].summary, strlen(d->commands[i].summary));
        fputc('\n', out);
    }
    fputs(".PP\nEach has a page of its own, named with hyphens, and \\-\\-help.\n", out);
}

static void print_words(FILE *out, const struct dispatch *d)
{
    fputs("    echo \"", out);
    for (size_t i = 0; i < d->n_commands; i++)
        fprintf(out, "%s ", d->commands[i].name);
    fputs("help --help\" ;;\n", out);
}

static void walk_commands(FILE *out, enum help_form form, const struct dispatch *d)
{
    for (size_t i = 0; i < d->n_commands; i++) {
        char name[NAME_MAX_BYTES], argument[32], *argv[] = {argument, NULL};
        snprintf(name, sizeof name, "%s %s", d->program, d->commands[i].name);
        snprintf(argument, sizeof argument, "%s", help_form_argument(form));
        dispatch_help_begin(out, form, name, d->commands[i].summary);
        d->commands[i].run(1, argv);
    }
}

/* "collide-kernels-build kernels build" */
static void print_page_name(FILE *out, const char *name)
{
    for (const char *at = name; *at; at++)
        fputc(*at == ' ' ? '-' : *at, out);
    const char *blank = strchr(name, ' ');
    fprintf(out, "%s\n", blank ? blank : "");
}

void dispatch_help_begin(FILE *out, enum help_form form, const char *name, const char *summary)
{
    if (form == HELP_MAN)
        roff_page(out, name, summary);
    else if (form == HELP_WORDS)
        fprintf(out, "  '%s')\n", name);
    else if (form == HELP_PAGES)
        print_page_name(out, name);
}

void dispatch_help_end(FILE *out, enum help_form form)
{
    if (form != HELP_MAN)
        return;
    fputs(".SH \"EXIT STATUS\"\n", out);
    for (size_t i = 0; i < N_EXIT_CODES; i++)
        fprintf(out, ".TP\n%zu\n%s\n", i, exit_code_meanings[i]);
}

void dispatch_print_help(FILE *out, enum help_form form, const struct dispatch *d)
{
    switch (form) {
    case HELP_TEXT:
        print_text(out, d);
        break;
    case HELP_MAN:
        print_man(out, d);
        break;
    case HELP_WORDS:
        print_words(out, d);
        walk_commands(out, form, d);
        break;
    case HELP_PAGES:
        walk_commands(out, form, d);
        break;
    }
}
