/* Text in manual pages. */
#ifndef BASE_ROFF_H
#define BASE_ROFF_H

#include <stddef.h>
#include <stdio.h>

/* n bytes as they stand, whatever roff would make of them. They must begin behind a request or in a line. */
void roff_text(FILE *out, const char *text, size_t n);

/* A manual page's top: its name, blanks in it as hyphens, and what it does in a line. */
void roff_page(FILE *out, const char *name, const char *summary);

#endif
