/* The flags of every command that learns. */
#ifndef CLI_LEARN_ARGS_H
#define CLI_LEARN_ARGS_H

#include "base/args.h"
#include "learn/learn.h"

struct learn_flags {
    uint64_t dim; /* 0: not given */
    uint64_t scalar_bits, threads, user_rows, user_lookups;
    uint64_t teacher_epochs, mapped_epochs, user_epochs, patience;
    double temperature;
    int precision, mapping, backbone, user_method;
    const char *spill; /* NULL: nothing is */
};

/* As learn_options_default has them. */
struct learn_flags learn_flags_default(void);

/* The options asked for, once parsed: but for the items' plan, the users' rows, a budget, histories, what is
 * held out and a seed. */
struct learn_options learn_flags_options(const struct learn_flags *flags);

/* Rows as asked for; of 0 an eighth of the ids: enough that likes share, few enough to matter. */
uint32_t learn_rows(uint64_t asked, uint32_t n_ids);

struct arg rows_arg(uint64_t *n_rows); /* items', 0: see learn_rows */
struct arg dim_arg(struct learn_flags *flags);
struct arg users_arg(struct learn_flags *flags);
struct arg user_method_arg(struct learn_flags *flags);
struct arg user_rows_arg(struct learn_flags *flags);
struct arg user_lookups_arg(struct learn_flags *flags);
struct arg learn_precision_arg(struct learn_flags *flags);
struct arg learn_mapping_arg(struct learn_flags *flags);
struct arg scalar_bits_arg(struct learn_flags *flags);
struct arg learn_threads_arg(struct learn_flags *flags);
struct arg spill_arg(struct learn_flags *flags);
struct arg layout_arg(int *layout); /* an enum log_layout */
struct arg temperature_arg(struct learn_flags *flags);
struct arg teacher_epochs_arg(struct learn_flags *flags);
struct arg epochs_arg(struct learn_flags *flags);
struct arg user_epochs_arg(struct learn_flags *flags);
struct arg patience_arg(struct learn_flags *flags);

/* For tables: what a model is like, and how it is trained. */
#define SHAPE_ARGS(flags)                                                                                    \
    dim_arg(flags), learn_precision_arg(flags), learn_mapping_arg(flags), scalar_bits_arg(flags)
#define USER_ARGS(flags)                                                                                     \
    users_arg(flags), user_method_arg(flags), user_rows_arg(flags), user_lookups_arg(flags)
#define TRAINING_ARGS(flags)                                                                                 \
    temperature_arg(flags), teacher_epochs_arg(flags), epochs_arg(flags), user_epochs_arg(flags),            \
        patience_arg(flags)

#endif
