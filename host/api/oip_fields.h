/* What the body of an inference request says, before it is known whether that makes sense. */
#ifndef API_OIP_FIELDS_H
#define API_OIP_FIELDS_H

#include "api/oip.h"
#include "api/oip_binary.h"
#include "model/model.h"

enum oip_input {
    OIP_INPUT_USER,
    OIP_INPUT_ITEMS,
    OIP_INPUT_HISTORY,
    OIP_INPUT_HISTORY_LENGTHS,
    OIP_INPUT_WEIGHTS,
    OIP_INPUT_EXCLUDE,
    OIP_N_INPUTS,
};

/* Before a feature's name, in the name of its input. */
#define OIP_FEATURE "features."
enum { OIP_FEATURE_CHARS = sizeof OIP_FEATURE - 1 };

enum oip_choice { OIP_UNSAID, OIP_NO, OIP_YES };

/* A row of an input: one value, or a list of them. */
enum oip_row { OIP_ROW_VALUE, OIP_ROW_LIST };

size_t oip_rows(const struct oip_tensor *t, enum oip_row row);

/* Values in a row; 0 where the input is not given. */
size_t oip_columns(const struct oip_tensor *t, enum oip_row row);

/* Of an input that is no feature's: those are lists. */
enum oip_row oip_input_row(enum oip_input input);

enum { OIP_MAX_INPUTS = OIP_N_INPUTS + MODEL_MAX_FEATURES };

struct oip_fields {
    struct oip_tensor inputs[OIP_N_INPUTS]; /* rank 0: not given */
    struct oip_tensor *features;            /* (n_features), in the arena, with room for MODEL_MAX_FEATURES */
    size_t n_features;
    struct oip_tensor *binary[OIP_MAX_INPUTS]; /* (n_binary) of the above, in the order of their bytes */
    size_t n_binary;
    struct json_text id; /* bytes NULL: none */
    size_t k;            /* 0: not given */
    uint64_t timeout_us; /* 0: none */
    bool exclude_seen;
    bool outputs_are_binary; /* where an output does not say */
    unsigned n_outputs;
    struct oip_output_field {
        enum oip_output name;
        enum oip_choice is_binary;
    } outputs[OIP_N_OUTPUTS];
};

const char *oip_output_name(enum oip_output output);

/* A body that has come in part. */
struct oip_fields_reader {
    struct json_reader json;
    struct collide_error error; /* what is wrong */
    const struct request_limits *limits;
    struct oip_fields *out;
    size_t n_json_bytes, n_bytes; /* of the body; n_bytes: those that have been read */
    bool json_is_whole;
    unsigned given, field; /* at the top */
    struct oip_draft input;
    struct oip_tensor *place; /* of the input */
    struct oip_output_draft {
        struct json_text name;
        enum oip_choice is_binary;
        bool is_at_name;
    } output;
    size_t n_binary_read; /* tensors */
    struct oip_binary binary;
};

/* p and out are zeroed. n_json_bytes: SIZE_MAX if all is JSON. Borrows limits, the arena and out. */
void oip_fields_begin(struct oip_fields_reader *p, size_t n_json_bytes, const struct request_limits *limits,
                      struct arena *arena, struct oip_fields *out);

/* Reads on. COLLIDE_OK: all is well so far, and with the last text the fields are whole. Values borrow from
 * the last text and from the arena. Inputs have the datatypes that their names allow, and keep to the limits
 * one by one. */
enum collide_status oip_read_fields(struct oip_fields_reader *p, const struct request_text *text,
                                    size_t *n_read);

#endif
