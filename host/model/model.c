#include "model/model.h"

const char *precision_name(enum precision p)
{
    static const char *const names[] = {
        [PRECISION_F32] = "f32", [PRECISION_F16] = "f16", [PRECISION_I8] = "i8"};
    return names[p];
}

const char *pooling_name(enum pooling p)
{
    static const char *const names[] = {
        [POOLING_SUM] = "sum", [POOLING_MEAN] = "mean", [POOLING_NORMALISED] = "normalised"};
    return names[p];
}

const char *key_kind_name(enum key_kind k)
{
    static const char *const names[] = {
        [KEYS_DENSE] = "dense integers", [KEYS_U64] = "64-bit integers", [KEYS_STRING] = "strings"};
    return names[k];
}
