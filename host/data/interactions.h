/* Interaction logs: who touched what.
 *
 * A log is text, plain or compressed by gzip or zstd (told by its first bytes, not by its name); "-" is
 * stdin. A line, of at most 16 MiB, is either of
 *
 *     pairs       user item [further columns...]     the further ones are ignored
 *     adjacency   user item item ...                 LightGCN's; a user alone has no interactions
 *
 * Separators. The first line decides: one tab between columns if it has a tab, else one comma if it has a
 * comma, else any run of spaces and tabs. Blanks around a column are no part of it. Between commas a column
 * may be quoted as in RFC 4180, but not hold a line end. A UTF-8 byte order mark and CRLF are understood, the
 * last line end may be missing.
 *
 * Passed over: empty and blank lines, lines that start with '#', and a header, which is a first line
 *   - that names a column user, user_id or userid and one item, item_id or itemid, in any case: pairs are
 * then in these columns, wherever they are, or
 *   - whose columns all have RecBole's form name:type (user's and item's must be of type token), or
 *   - whose two ids are not integers where those of the second line are.
 *
 * LOG_LAYOUT_AUTO. Tabs and commas mean pairs, unless no user occurs twice and lines differ in columns, of which
 * some have more than four; those are judged as what follows. Between blanks the first 100 lines after the header (of the first MiB)
 * decide, by the first rule that fits:
 *   - none has more than two columns: pairs; a later line that has more is refused;
 *   - the third columns are no integers where user and item are: pairs;
 *   - all have the same number of columns: pairs if a user occurs twice or the header has that number too;
 *   - all have two to four columns and a user occurs twice: pairs;
 *   - one has a single column or more than four, and no user occurs twice: adjacency;
 *   - anything else is refused, for the caller to say which it is.
 *
 * What is wrong with a line is COLLIDE_INVALID, with file and line number. */
#ifndef DATA_INTERACTIONS_H
#define DATA_INTERACTIONS_H

#include "collide/status.h"
#include "data/csr.h"
#include "data/id_index.h"

#include <stddef.h>
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

/* Streams a log in constant memory. counts may be NULL. */
enum collide_status log_scan(const char *path, enum log_layout layout, const struct log_visitor *visitor,
                             struct log_counts *counts, struct collide_error *err);

/* A whole log: duplicates removed, each user's items in increasing dense id. Users and items are
 * those with an interaction (besides what ID_DENSE fills in); unless ID_DENSE, the ones that most lines have
 * come first, of equals those seen first. A log without any is COLLIDE_INVALID.
 *
 * What is as large as the log, and what is made of its histories, spills to the folder spill, borrowed while
 * they live; NULL: all is in memory. An interaction takes 8 bytes
 * while the log is read and 4 afterwards. */
struct interactions {
    struct id_index users; /* borrow from the builders below */
    struct id_index items;
    struct csr histories; /* (users.n_ids) lists of dense item ids */
    uint64_t n_duplicates;
    struct id_builder *user_builder; /* owned */
    struct id_builder *item_builder; /* owned */
};

enum collide_status interactions_read(const char *path, enum log_layout layout, const char *spill,
                                      struct interactions *out, struct collide_error *err);
void interactions_free(struct interactions *in);

/* counts[item] = how many users have it; counts: (items.n_ids), the caller's. */
void interactions_count_items(const struct interactions *in, uint32_t *counts);

#endif
