/* Which columns of a click log mean what. A column is chosen by its name in the header or by its number, from
 * 1; of a typed header (RecBole's name:type) the name is what stands before the colon.
 *
 *     label      COLUMN          0 or 1
 *                COLUMN>=VALUE   a number; at or above VALUE it is a click
 *     item       COLUMN          the candidate that was shown
 *     features   [NAME=]COLUMN[:log2],...
 *
 * A feature's NAME is that of the model's space; left out it is the column's, with underscores for what names
 * cannot have, or "cN" of column N. user_id and userid are called user. With :log2 the column is numeric, and
 * its ids are buckets: "0", "2^K" for values from 2^K up to 2^(K + 1), "-2^K" for their negatives. */
#ifndef DATA_CLICK_COLUMNS_H
#define DATA_CLICK_COLUMNS_H

#include "collide/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { CLICK_NAME_MAX_CHARS = 32, CLICK_MAX_FEATURES = 65 };

/* Borrowed. */
struct column_choice {
    const char *text;
    size_t n_bytes;
};

struct click_feature {
    char name[CLICK_NAME_MAX_CHARS + 1];
    struct column_choice column;
    bool is_log2;
};

struct click_columns {
    struct column_choice label, item;
    bool has_threshold;
    double threshold;
    size_t n_features;
    struct click_feature features[CLICK_MAX_FEATURES]; /* as listed, but the user comes first */
};

/* The three choices as texts, borrowed while the columns are used. */
struct click_choices {
    const char *label, *item, *features;
};

/* The number that a choice is, from 1; 0: it is a name. */
size_t column_choice_number(const struct column_choice *choice);

/* COLLIDE_INVALID says which choice is wrong, and why. */
enum collide_status click_columns_parse(const struct click_choices *choices, struct click_columns *out,
                                        struct collide_error *err);

#endif
