/* The flags that say how a model is stored. */
#ifndef CLI_MODEL_ARGS_H
#define CLI_MODEL_ARGS_H

#include "base/args.h"

/* Targets get the index of a choice; choices end with NULL. */
struct arg precision_arg(int *target, const char *const *choices);
struct arg mapping_arg(int *target, const char *const *choices);

#endif
