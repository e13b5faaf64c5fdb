/* An opened model file: immutable, to be shared between threads and scorers. */
#ifndef COLLIDE_MODEL_H
#define COLLIDE_MODEL_H

#include "collide/status.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct collide_model;

/* Maps the file and checks it, checksums included. Returns owned, to be closed after every scorer on it is
 * destroyed. Where a device has stopped answering, the file stays mapped until it no longer reads it. */
COLLIDE_API enum collide_status collide_model_open(const char *path, struct collide_model **out,
                                                   struct collide_error *err);
COLLIDE_API void collide_model_close(struct collide_model *model);

struct collide_model_info {
    uint32_t dim;
    uint32_t n_items;
    uint32_t n_rows;
    uint32_t n_users;
    uint32_t n_features;
    uint32_t n_lookups;    /* rows an id */
    const char *precision; /* "f32", "f16", "i8", "i4", "i3" or "i2"; static, as are the next three */
    const char *scaling;   /* "none", "row", "row_offset" or "dim" */
    const char *mapping;   /* "stored", "packed", "hashed", "modulo" or "quotient" */
    const char *pooling;   /* "sum", "mean", "normalised" or "max" */
    float logit_scale;
    uint64_t file_bytes;
};

COLLIDE_API void collide_model_info(const struct collide_model *model, struct collide_model_info *out);

#ifdef __cplusplus
}
#endif
#endif
