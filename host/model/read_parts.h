/* Reading a model in parts: the header says what there is, then come the arrays. */
#ifndef MODEL_READ_PARTS_H
#define MODEL_READ_PARTS_H

#include "model/model.h"
#include "model/safetensors.h"

#include <stdatomic.h>

struct model_file {
    atomic_uint n_owners;
    struct safetensors *tensors;
    struct model model;
    struct feature *features; /* the model's, owned like the next two */
    char *feature_names;      /* what their names point into */
    struct provenance_entry *provenance;
};

/* From the metadata: pooling, logit scale, scaling's name, how ids map, which spaces there are. */
enum collide_status read_header(struct model_file *f, struct collide_error *err);

/* The row table, by the header; dim. */
enum collide_status read_rows(const struct safetensors *s, struct model *m, struct collide_error *err);

/* Items, users and features: their mappings, weights, keys and histories, all in bounds. */
enum collide_status read_spaces(struct model_file *f, struct collide_error *err);

#endif
