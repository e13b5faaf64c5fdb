#include "model/model.h"

#include <string.h>

const char *model_provenance(const struct model *m, const char *name)
{
    for (size_t i = 0; i < m->n_provenance; i++)
        if (strcmp(m->provenance[i].name, name) == 0)
            return m->provenance[i].value;
    return NULL;
}

const char *precision_name(enum precision p)
{
    static const char *const names[] = {
        [PRECISION_F32] = "f32", [PRECISION_F16] = "f16", [PRECISION_I8] = "i8",
        [PRECISION_I4] = "i4",   [PRECISION_I3] = "i3",   [PRECISION_I2] = "i2"};
    return names[p];
}

const char *pooling_name(enum pooling p)
{
    static const char *const names[] = {[POOLING_SUM] = "sum",
                                        [POOLING_MEAN] = "mean",
                                        [POOLING_NORMALISED] = "normalised",
                                        [POOLING_MAX] = "max"};
    return names[p];
}

const char *scaling_name(enum scaling s)
{
    static const char *const names[] = {[SCALING_NONE] = "none",
                                        [SCALING_ROW] = "row",
                                        [SCALING_ROW_OFFSET] = "row_offset",
                                        [SCALING_DIM] = "dim"};
    return names[s];
}

const char *mapping_kind_name(enum mapping_kind k)
{
    static const char *const names[] = {[MAPPING_STORED] = "stored",
                                        [MAPPING_PACKED] = "packed",
                                        [MAPPING_HASHED] = "hashed",
                                        [MAPPING_MODULO] = "modulo",
                                        [MAPPING_QUOTIENT] = "quotient"};
    return names[k];
}

const char *combine_name(enum combine c)
{
    static const char *const names[] = {
        [COMBINE_SUM] = "sum", [COMBINE_MULTIPLY] = "multiply", [COMBINE_CONCAT] = "concat"};
    return names[c];
}

const char *key_kind_name(enum key_kind k)
{
    static const char *const names[] = {
        [KEYS_DENSE] = "dense integers", [KEYS_U64] = "64-bit integers", [KEYS_STRING] = "strings"};
    return names[k];
}
