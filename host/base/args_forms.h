/* How options look in each form of help; for args_print_help. */
#ifndef BASE_ARGS_FORMS_H
#define BASE_ARGS_FORMS_H

#include "base/args.h"

/* --help and -h, which every table has without an entry. */
extern const struct arg args_help_option;

/* What help calls an option's value: "N", "FILE", "a|b|c"; "" of flags. */
void arg_value_name(const struct arg *arg, char *out, size_t capacity);

/* The help text, and the default if there is one. */
void arg_help_text(const struct arg *arg, char *out, size_t capacity);

/* Whether no option above it has its group. */
bool arg_is_first_of_group(const struct args *args, size_t i);

/* The sections of a manual page between its name and its exit status. */
void args_print_man(FILE *out, const char *usage, const char *summary, const struct args *args);

/* The body of a `case` arm: the words after an option ($2) that takes a value, else the options. Of values
 * that may be files the word is _files. */
void args_print_words(FILE *out, const struct args *args);

#endif
