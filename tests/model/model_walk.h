/* What whoever uses an opened model relies on, checked entry by entry and touching every byte that serving
 * could touch. */
#ifndef TESTS_MODEL_WALK_H
#define TESTS_MODEL_WALK_H

#include "model/read.h"

/* NULL when all holds, else what does not. */
const char *model_walk(const struct model_file *file);

#endif
