/* The build options that make the kernels those of one model on one device; kernels/specialisation.h lists
 * them. */
#ifndef SCORE_SPECIALISE_H
#define SCORE_SPECIALISE_H

#include "score/kernels.h"

/* From the model, the planned tables and the tuning of k. */
void specialise(const struct kernels *k, const struct kernels_options *options, char *out, size_t capacity);

/* Whether such options gather arguments, and whether they make a function for the call engine. */
bool specialise_gathers(const char *options);
bool specialise_calls(const char *options);

/* What specialise wrote of a tuning; what is not there stays as it is. */
void specialise_read_tuning(const char *options, struct tuning *tuning);

#endif
