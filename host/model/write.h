#ifndef MODEL_WRITE_H
#define MODEL_WRITE_H

#include "model/model.h"

/* Writes a model as one safetensors file, atomically (see base/file.h): on any failure the old file is
 * unchanged. Borrows the model's arrays. The same model always gives the same bytes. COLLIDE_INVALID: the
 * model is one that model_file_open would refuse. */
enum collide_status model_write(const struct model *model, const char *path, struct collide_error *err);

#endif
