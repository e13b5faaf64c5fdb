/* What stands behind the public struct collide_model. */
#ifndef SCORE_MODEL_HANDLE_H
#define SCORE_MODEL_HANDLE_H

#include "collide/model.h"
#include "data/id_index.h"
#include "model/read.h"

struct collide_model {
    struct model_file *file;
    const struct model *model; /* of file */
    struct id_index items;
    struct id_index users;
    struct id_index *features; /* (model->n_features), owned */
};

/* As collide_model_open, with a choice of how much is checked. MODEL_CHECK_CONTENTS also tries whether keys
 * are found: all of up to 65,536, else tens of thousands spread evenly. */
enum collide_status model_handle_open(const char *path, enum model_check check, struct collide_model **out,
                                      struct collide_error *err);

/* The place of the feature of this name, which need not be terminated; model->n_features: there is none. */
size_t model_feature_find(const struct collide_model *model, const char *name, size_t n_bytes);

#endif
