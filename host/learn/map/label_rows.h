/* From the labels of a clustering to rows. */
#ifndef LEARN_LABEL_ROWS_H
#define LEARN_LABEL_ROWS_H

#include "collide/status.h"

#include <stdint.h>

struct labelled_ids {
    const uint32_t *labels; /* (n_ids) below n_labels */
    const uint32_t *counts; /* (n_ids) of interactions */
    uint32_t n_ids;
    uint32_t n_labels;
};

/* A row for every label that ids have, those with the most interactions first; once *n_rows are given, the
 * labels left share rows with others, from the last row upwards. row_of_label: (n_labels), the caller's; of a
 * label without ids, any. Lowers *n_rows to the rows given. */
enum collide_status label_rows(const struct labelled_ids *ids, uint32_t *row_of_label, uint32_t *n_rows,
                               struct collide_error *err);

#endif
