/* A model's arrays as the tables that the kernels read: in the order of their arguments, see
 * kernels/tables.h. */
#ifndef SCORE_TABLES_H
#define SCORE_TABLES_H

#include "device/memory.h"
#include "model/model.h"
#include "types.h"

enum scoring_table {
    TABLE_PARAMS,
    TABLE_REMAP,
    TABLE_ROWS,
    TABLE_SCALES,
    TABLE_WEIGHTS,
    TABLE_LOOKUP_WEIGHTS,
    TABLE_BIAS,
    TABLE_CLASSES,
    TABLE_CLASS_WEIGHTS,
    TABLE_CLASS_BIAS,
    TABLE_USER_OFFSETS,
    TABLE_USER_HISTORY,
    TABLE_KEYS,
    TABLE_KEY_SLOTS,
    TABLE_ROW_OFFSETS,
    TABLE_ROW_ITEMS,
    TABLE_ROW_BEST,
    N_SCORING_TABLES
};

/* As kernels/specialisation.h spells it: "REMAP". TABLE_PARAMS has none. */
const char *scoring_table_name(enum scoring_table table);

/* Rows [begin, end) of the model's. */
struct row_range {
    uint32_t begin, end;
};

/* The sources borrow from the model and from what is owned here. */
struct tables {
    device_params params;
    struct table_source sources[N_SCORING_TABLES];
    enum mapping_kind mapping; /* as the kernels are to read it */
    bool has_codebooks;        /* packed: entries are relative to their lookup's codebook */
    bool weighted, lookup_weighted, biased;
    uint32_t class_bits;  /* of the codes by which ids have weights and biases; 0: they have their own */
    bool selects_by_rows; /* there are row_offsets, row_items and row_best */
    uint32_t *remap, *row_offsets, *row_items;
    float *weights, *lookup_weights, *bias, *row_best;
};

enum table_flags {
    TABLES_WITH_KEYS = 1, /* 64-bit keys of items, for a device that looks them up */
};

/* Lays the tables out for a device that has these rows. Where several spaces are embedded their arrays are
 * put behind one another; a mapping that is packed or computed then is stored, of lookups that a space does
 * not have there is the last row, and classes are spelled out. Where ids are many beside rows, the items of
 * each row are listed for top-k. */
enum collide_status tables_create(const struct model *model, struct row_range rows, unsigned flags,
                                  struct tables *out, struct collide_error *err);

/* Sources that were placed in place are read until table_destroy: free the tables after it. */
void tables_free(struct tables *t);

#endif
