/* A comparison as a table for people, for documents and for programs. */
#ifndef CLI_COMPARE_PRINT_H
#define CLI_COMPARE_PRINT_H

#include "cli/experiment.h"
#include "cli/method_list.h"

struct comparison {
    const struct method_list *methods;
    size_t n_seeds;
    const struct trial *trials; /* (methods->n, n_seeds) */
};

/* Means over the seeds; spreads are sample standard deviations, of two seeds or more. */
void compare_print_text(const struct comparison *c);
void compare_print_markdown(const struct comparison *c);
void compare_print_json(const struct comparison *c);

#endif
