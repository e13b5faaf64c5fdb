/* `collide learn --from-embeddings`: no log, but tables that were trained elsewhere. */
#ifndef CLI_LEARN_EMBEDDINGS_H
#define CLI_LEARN_EMBEDDINGS_H

#include "base/args.h"
#include "learn/embeddings/embedding_learn.h"

#define EMBEDDINGS_GROUP "Embeddings in place of a log (.npy, .safetensors, or FILE.safetensors:TENSOR)"

struct embedding_flags {
    struct embedding_files files; /* items NULL: a log is learned from */
    int pooling;
};

/* Means, as a user's embedding stays as long as it was beside a history. */
struct embedding_flags embedding_flags_default(void);

struct arg from_embeddings_arg(struct embedding_flags *flags); /* --from-embeddings */
struct arg user_embeddings_arg(struct embedding_flags *flags); /* --user-embeddings */
struct arg frequencies_arg(struct embedding_flags *flags);     /* --frequencies */
struct arg bias_arg(struct embedding_flags *flags);            /* --bias */
struct arg pooling_arg(struct embedding_flags *flags);         /* --pooling */

#define EMBEDDING_ARGS(flags)                                                                                \
    from_embeddings_arg(flags), user_embeddings_arg(flags), frequencies_arg(flags), bias_arg(flags),         \
        pooling_arg(flags)

/* Learns and writes the model, and prints what became of the tables. options: rows of 0 stand for an eighth
 * of the ids; pooling is the flags'. budget: how much the model may take, as cli/budget_text.h has it, and
 * rows are as many as fit; or NULL. */
enum collide_status learn_embeddings(const struct embedding_flags *flags,
                                     const struct embedding_options *options, const char *budget,
                                     const char *output, struct collide_error *err);

#endif
