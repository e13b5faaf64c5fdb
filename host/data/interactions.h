/* Interaction logs: who touched what.
 *
 * A log is text, plain or compressed by gzip or zstd (told by its first bytes, not by its name); "-" is
 * stdin. A line is pairs       user item [further columns...]   separated by tabs, commas or blanks; the
 * first line decides which adjacency   user item item ...               blanks only (LightGCN): asked for, or
 * found when the lines' column counts differ among the first 100 lines and no line has fewer than 1 Empty
 * lines and lines that start with '#' are passed over, as is a header: a first line whose two ids are not
 * integers where those of the second are, or whose columns have the typed form name:type of RecBole's .inter
 * files. A user alone on an adjacency line has an empty history. Errors name the file and the line. */
#ifndef DATA_INTERACTIONS_H
#define DATA_INTERACTIONS_H

#include "collide/status.h"
#include "data/csr.h"
#include "data/id_index.h"

#include <stdint.h>

enum log_layout { LOG_LAYOUT_AUTO, LOG_LAYOUT_PAIRS, LOG_LAYOUT_ADJACENCY };

/* Sees every interaction in the file's order; texts are valid only during the call. */
struct log_visitor {
    enum collide_status (*visit)(void *context, const char *user, size_t n_user, const char *item,
                                 size_t n_item, struct collide_error *err);
    void *context;
};

struct log_counts {
    uint64_t n_lines;        /* with the header and empty ones */
    uint64_t n_interactions; /* seen by the visitor */
};

/* Streams a log in constant memory. */
enum collide_status log_scan(const char *path, enum log_layout layout, const struct log_visitor *visitor,
                             struct log_counts *counts, struct collide_error *err);

/* A whole log in memory: duplicates removed, each user's items in increasing dense id. */
struct interactions {
    struct id_index users; /* borrow from the builders below */
    struct id_index items;
    struct csr histories; /* (users.n_ids) lists of dense item ids */
    uint64_t n_duplicates;
    struct id_builder *user_builder; /* owned */
    struct id_builder *item_builder; /* owned */
};

enum collide_status interactions_read(const char *path, enum log_layout layout, struct interactions *out,
                                      struct collide_error *err);
void interactions_free(struct interactions *in);

/* counts[item] = how many users have it; counts: (items.n_ids), the caller's. */
void interactions_count_items(const struct interactions *in, uint32_t *counts);

#endif
