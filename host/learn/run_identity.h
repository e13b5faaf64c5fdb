/* What a run of learning is: all that decides which model comes out of it. */
#ifndef LEARN_RUN_IDENTITY_H
#define LEARN_RUN_IDENTITY_H

#include "base/buffer.h"
#include "learn/learn.h"

/* Lines of "name value", with the names of the command's options where there are such: two runs with the same
 * lines give the same model. Log and held-out interactions are told by sizes and sums. Appends to out, with a
 * terminating zero. */
void run_identity(const struct interactions *log, const struct learn_options *options, unsigned n_threads,
                  struct buffer *out);

#endif
