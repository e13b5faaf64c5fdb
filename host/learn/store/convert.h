/* Another shape of the same model, without learning: rows in another form, the mapping packed or unpacked,
 * lookups merged. */
#ifndef LEARN_CONVERT_H
#define LEARN_CONVERT_H

#include "learn/store/quantize.h"

/* A computed mapping becomes one that is in the file, unless unchanged and not merged. */
enum mapping_choice { MAPPING_TO_STORED, MAPPING_TO_PACKED, MAPPING_UNCHANGED };

struct convert_options {
    enum row_form form; /* ROWS_UNCHANGED: merged rows, too, stay in the form that the model's have */
    enum mapping_choice mapping;
    uint64_t max_merged_bytes; /* 0: do not merge; else merge.h, if rows and scales then take no more */
};

/* What a lookup of a model touches, on average, and what its parts take; see model/cost.h. */
struct model_cost {
    uint32_t n_lookups;
    double lookup_lines; /* 64-byte lines of a row, and of its own scale */
    double id_lines;     /* the same of an id's lookups, and of its mapping entries */
    uint32_t n_rows;
    uint64_t row_bytes; /* of all rows and scales */
    uint64_t mapping_bytes;
};

/* Errors are the Euclidean lengths of what an embedding changes by, over the ids of all spaces. */
struct conversion {
    struct model_cost before, after;
    double largest_error;
    double rms_error;
    double rms_length; /* of the embeddings before */
};

struct converted;

/* The provenance gets a note "converted", to which later conversions add. COLLIDE_INVALID: the form does not
 * suit the rows, there is an odd number of lookups to merge or more bytes than allowed. COLLIDE_UNSUPPORTED:
 * rows that several parts scale differently, or what merge.h does not merge. Returns owned; borrows model,
 * and what did not change of it, until converted_destroy. */
enum collide_status convert_model(const struct model *model, const struct convert_options *options,
                                  struct converted **out, struct collide_error *err);
void converted_destroy(struct converted *c);

/* Borrowed, until converted_destroy. */
const struct model *converted_model(const struct converted *c);
const struct conversion *converted_report(const struct converted *c);

#endif
