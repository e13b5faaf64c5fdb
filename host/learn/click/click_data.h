/* A click log in memory, its ids numbered. Space 0 is the item, the others are the features in the order of
 * the columns. The ids of all spaces that training sees are numbered through, and called entries: the item's
 * come first, each space's in the order of their dense ids. */
#ifndef LEARN_CLICK_DATA_H
#define LEARN_CLICK_DATA_H

#include "data/click_log.h"
#include "data/id_index.h"

#define CLICK_UNKNOWN UINT32_MAX /* the entry of an id that training never sees */

struct click_space {
    struct id_index index;      /* borrows from the builder */
    struct id_builder *builder; /* owned */
    uint32_t first_entry;
    uint32_t n_seen;
    uint32_t *dense_ids; /* (n_seen) increasing, owned */
};

struct click_examples {
    size_t n;
    uint32_t *entries; /* (n, n_spaces) borrowed */
    uint8_t *is_click; /* (n) borrowed */
};

struct click_data {
    size_t n_spaces;
    struct click_space spaces[CLICK_MAX_IDS];
    uint32_t n_entries;
    struct click_examples train, val;
    double base_rate;  /* of training */
    uint32_t *counts;  /* (n_entries) training examples with the id, at least 1; owned */
    uint32_t *entries; /* train's, then val's; owned */
    uint8_t *is_click; /* likewise */
};

/* The examples of the log; val_path has the held-out ones, or if it is NULL the last tenth of the log is
 * held out. COLLIDE_INVALID: there are fewer than ten examples, or those of training are all clicks or all
 * none. Returns owned. */
enum collide_status click_data_read(const char *path, const char *val_path,
                                    const struct click_columns *columns, struct click_data *out,
                                    struct collide_error *err);
void click_data_free(struct click_data *d);

#endif
