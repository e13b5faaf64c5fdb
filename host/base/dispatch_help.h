/* The help of a program made of subcommands, in every form; for dispatch_run and dispatch_main. */
#ifndef BASE_DISPATCH_HELP_H
#define BASE_DISPATCH_HELP_H

#include "base/dispatch.h"
#include "base/help_form.h"

#include <stdio.h>

/* What stands before and behind the help of "collide", "collide serve" or "collide kernels build". */
void dispatch_help_begin(FILE *out, enum help_form form, const char *name, const char *summary);
void dispatch_help_end(FILE *out, enum help_form form);

/* What stands between. Forms that take in the commands, too, print to standard output. */
void dispatch_print_help(FILE *out, enum help_form form, const struct dispatch *d);

#endif
