/* Mappings in checkpoints: what a space's ids lead to, once it is decided. */
#ifndef LEARN_MAPPING_STATE_H
#define LEARN_MAPPING_STATE_H

#include "learn/checkpoint.h"
#include "learn/map/id_mapping.h"

/* Of rows to start from only that there are some is kept: once a mapping is in a checkpoint, so is the
 * training that began with them. Borrows m until it is dropped, by the space's name followed by "-map". */
void mapping_keep(struct checkpoint *c, const char *space, const struct id_mapping *m);

/* *found: whether the checkpoint has one, and *out is it, with rows of zeros if it had any; owned. */
enum collide_status mapping_recall(const struct checkpoint *c, const char *space, struct id_mapping *out,
                                   bool *found, struct collide_error *err);

#endif
