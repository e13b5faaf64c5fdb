/* Help in several forms, all made of the same tables. */
#ifndef BASE_HELP_FORM_H
#define BASE_HELP_FORM_H

#include <stdbool.h>
#include <stddef.h>

/* Those below --help are for the build: it makes manual pages and shell completion of them. */
enum help_form {
    HELP_TEXT,  /* --help, -h */
    HELP_MAN,   /* --help=man: a manual page */
    HELP_WORDS, /* --help=words: the arms of a shell's `case`, with the words that may follow */
    HELP_PAGES, /* --help=pages: "NAME COMMAND..." of each manual page */
};

/* Whether an argument asks for help. */
bool help_form_of(const char *argument, enum help_form *out);

/* The argument that does. */
const char *help_form_argument(enum help_form form);

/* How many bytes of a synopsis are the program's and the commands' names: of "collide serve MODEL", 13. */
size_t help_n_command(const char *synopsis);

#endif
