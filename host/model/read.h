#ifndef MODEL_READ_H
#define MODEL_READ_H

#include "model/model.h"
#include "model/safetensors.h"

/* CHECK_CONTENTS also compares every checksum and looks for values that are not finite, which reads the whole
 * file; what keeps kernels inside their arrays is checked either way. */
enum model_check { MODEL_CHECK_BOUNDS, MODEL_CHECK_CONTENTS };

/* A model whose arrays borrow from the mapped file, both owned by this handle. Immutable: share it between
 * threads. */
struct model_file;

enum collide_status model_file_open(const char *path, enum model_check check, struct model_file **out,
                                    struct collide_error *err);

/* One more owner, who is to close it too: the file stays mapped until the last one does. */
void model_file_retain(struct model_file *f);
void model_file_close(struct model_file *f);

const struct model *model_file_model(const struct model_file *f);
const struct safetensors *model_file_tensors(const struct model_file *f);

#endif
