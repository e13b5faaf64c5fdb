/* The flags of serve that say which models it serves. */
#ifndef CLI_SERVED_ARGS_H
#define CLI_SERVED_ARGS_H

#include "base/args.h"
#include "serve/models.h"

struct served_flags {
    const char *model_path;      /* the positional; NULL: none */
    struct arg_text_list models; /* NAME=FILE */
    const char *folder, *max_memory, *user_vectors;
    uint64_t keep_versions;
};

struct served_flags served_flags_defaults(void);

enum { N_SERVED_ARGS = 5 };
void served_args_fill_table(struct served_flags *flags, struct arg table[N_SERVED_ARGS]);

/* What parsed flags ask of a service. COLLIDE_INVALID if they name no model, or are no names and sizes. */
enum collide_status served_flags_options(const struct served_flags *flags, struct service_options *out,
                                         struct collide_error *err);

/* Makes the models known, the positional one first. */
enum collide_status served_flags_add(const struct served_flags *flags, struct service *service,
                                     struct collide_error *err);

/* What is served, for the log: "model.safetensors and 2 more models". */
void served_flags_print(const struct served_flags *flags, char *out, size_t capacity);

#endif
