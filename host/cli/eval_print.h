/* Quality as text and as JSON. */
#ifndef CLI_EVAL_PRINT_H
#define CLI_EVAL_PRINT_H

#include "cli/eval_by.h"

struct eval_figures {
    const struct eval_result *result;
    const struct eval_lists *lists;
    const struct arg_u64_list *cutoffs;
    const struct eval_breakdown *by_items; /* NULL: not asked for */
    const struct eval_breakdown *by_users;
};

void eval_print_text(const struct eval_figures *f);
void eval_print_json(const struct eval_figures *f);

#endif
