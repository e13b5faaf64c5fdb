#include "cli/model_args.h"

struct arg precision_arg(int *target, const char *const *choices)
{
    return (struct arg){
        .name = "precision",
        .type = ARG_CHOICE,
        .target = target,
        .choices = choices,
        .help = "how rows are stored; i8-line has a scale a dimension instead of one a row, so "
                "that 64 values take one cache line; i4, i3 and i2 have a scale and an offset a row"};
}

struct arg mapping_arg(int *target, const char *const *choices)
{
    return (struct arg){.name = "mapping",
                        .type = ARG_CHOICE,
                        .target = target,
                        .choices = choices,
                        .help = "mapping entries of 32 bits, or of the bits that they need"};
}
