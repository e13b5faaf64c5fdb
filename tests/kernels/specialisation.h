/* What CMake compiled the kernels as C for: the lines of specialisations.txt. */
#ifndef TESTS_SPECIALISATION_H
#define TESTS_SPECIALISATION_H

#include "kernel_as_c.h"
#include "model/model.h"

enum as_c_form { AS_C_ITEM, AS_C_GROUP, AS_C_PIPELINE };

enum { N_CHOICES = 15, CHOICE_BYTES = 16 };

struct specialisation {
    const struct kernel_as_c *kernels;
    char choices[N_CHOICES][CHOICE_BYTES]; /* the words of the line */
    enum as_c_form form;
    enum precision precision;
    enum scaling scaling;
    enum combine combine;
    enum mapping_kind mapping;
    enum pooling pooling;
    bool has_codebooks, weighted, biased, keyed, sharded, numbers, classed;
};

extern const struct kernel_as_c *const kernels_as_c[];
extern const char *const specialisation_lines[];
extern const size_t n_specialisations;

/* The i-th; fails the test where its line says what cannot be. */
struct specialisation specialisation_read(size_t i);

#endif
