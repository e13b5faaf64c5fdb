/* A trained click model in the form in which models are stored and served. */
#ifndef LEARN_CLICK_STORE_H
#define LEARN_CLICK_STORE_H

#include "learn/click/click_model.h"
#include "learn/store/quantize.h"

/* Provenance: how the columns were chosen, as click_columns_parse takes it. */
#define CLICK_NOTE_LABEL    "click_label"
#define CLICK_NOTE_ITEM     "click_item"
#define CLICK_NOTE_FEATURES "click_features"

struct click_file;

/* Means are taken off the features' rows, and what they add to an item's logit is put into its bias: so an
 * unknown id, or none, adds nothing, as the model format has it, and means the same as in click_model.h. The
 * rows in training come first, then that of unknown items, then zeros.
 *
 * The model borrows the data and names, the features' names in the order of the spaces, until
 * click_file_destroy; the form is that of rows. Returns owned. */
enum collide_status click_file_create(const struct click_model *model, const char *const *names,
                                      enum row_form form, struct click_file **out, struct collide_error *err);
void click_file_destroy(struct click_file *f);

/* Adds a line of provenance, 32 at most; name is static, the value copied. */
enum collide_status click_file_note(struct click_file *f, const char *name, const char *value,
                                    struct collide_error *err);

/* Borrowed from f, until click_file_destroy. */
const struct model *click_file_model(const struct click_file *f);

#endif
