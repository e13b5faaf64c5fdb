/* Held-out interactions by the ids of the log that is learned from. */
#ifndef CLI_HELD_OUT_H
#define CLI_HELD_OUT_H

#include "data/interactions.h"

/* The lists of all of the log's users. What the log does not know cannot be measured: it is left out, and the
 * log of messages says how much. COLLIDE_INVALID: nothing is left. Returns owned. */
enum collide_status held_out_read(const char *path, enum log_layout layout, const struct interactions *log,
                                  struct csr *out, struct collide_error *err);

#endif
