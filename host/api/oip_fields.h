/* What the body of an inference request says, before it is known whether that makes sense. */
#ifndef API_OIP_FIELDS_H
#define API_OIP_FIELDS_H

#include "api/oip.h"
#include "api/oip_tensor.h"
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

struct oip_fields {
    struct oip_tensor inputs[OIP_N_INPUTS]; /* rank 0: not given */
    struct oip_tensor features[MODEL_MAX_FEATURES];
    size_t n_features;
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

/* Values borrow from the body and from the arena. Inputs have the datatypes that their names allow. */
enum collide_status oip_read_fields(const struct oip_body *body, const struct request_limits *limits,
                                    struct arena *arena, struct oip_fields *out, struct collide_error *err);

#endif
