/* What an evaluation knows of its users: which items they are to be found, which are masked, and their
 * histories, where these are not the model's. */
#ifndef CLI_EVAL_LISTS_H
#define CLI_EVAL_LISTS_H

#include "base/args.h"
#include "data/csr.h"
#include "data/id_index.h"
#include "data/interactions.h"

/* An item that the model does not know is relevant all the same, and never found. */
struct eval_lists {
    struct id_builder *builder; /* owned */
    struct id_index users;      /* everybody in any of the files */
    struct csr relevant;        /* (users) dense items; owned, as the others */
    struct csr masked;
    struct csr histories;
    bool has_histories; /* false: the model's own count */
};

struct eval_files {
    const char *test;
    const char *const *masks; /* (n_masks) */
    size_t n_masks;
    const char *history; /* NULL: the model's own */
    enum log_layout layout;
    const char *spill; /* a folder for lists as large as logs; NULL: in memory. Borrowed while they live */
};

struct arg test_arg(const char **path);
struct arg mask_arg(struct arg_text_list *paths);

/* items: of the model, or of the log that it is learned from, which gives the same dense ids. Borrowed during
 * the call. Returns owned. */
enum collide_status eval_lists_read(const struct eval_files *files, const struct id_index *items,
                                    struct eval_lists *out, struct collide_error *err);
void eval_lists_free(struct eval_lists *l);

#endif
