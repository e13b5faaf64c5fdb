#include "model_choice.h"

#include <stdio.h>

enum { NEITHER, WEIGHTS = RANDOM_WEIGHTS, BIAS = RANDOM_BIAS, BOTH = RANDOM_WEIGHTS | RANDOM_BIAS };

static const struct {
    uint32_t dim;
    enum precision precision;
    enum pooling pooling;
    unsigned flags;
    enum random_values values;
} CHOICE[MODEL_CHOICE_N] = {
    {1, PRECISION_F16, POOLING_NORMALISED, BOTH, VALUES_EXTREME},
    {2, PRECISION_F32, POOLING_SUM, BOTH, VALUES_ORDINARY},
    {3, PRECISION_I8, POOLING_MEAN, WEIGHTS, VALUES_ORDINARY},
    {4, PRECISION_F16, POOLING_SUM, BOTH, VALUES_ORDINARY},
    {6, PRECISION_I8, POOLING_MEAN, BIAS, VALUES_EXTREME},
    {7, PRECISION_F32, POOLING_SUM, BIAS, VALUES_EXTREME},
    {8, PRECISION_F16, POOLING_MEAN, NEITHER, VALUES_ORDINARY},
    {12, PRECISION_F32, POOLING_NORMALISED, BIAS, VALUES_EXTREME},
    {16, PRECISION_I8, POOLING_NORMALISED, NEITHER, VALUES_ORDINARY},
    {20, PRECISION_F16, POOLING_NORMALISED, WEIGHTS, VALUES_ORDINARY},
    {24, PRECISION_I8, POOLING_SUM, WEIGHTS, VALUES_EXTREME},
    {32, PRECISION_I8, POOLING_NORMALISED, WEIGHTS, VALUES_EXTREME},
    {48, PRECISION_F16, POOLING_SUM, NEITHER, VALUES_EXTREME},
    {64, PRECISION_F32, POOLING_MEAN, WEIGHTS, VALUES_EXTREME},
    {96, PRECISION_F32, POOLING_SUM, NEITHER, VALUES_EXTREME},
    {100, PRECISION_I8, POOLING_MEAN, NEITHER, VALUES_ORDINARY},
    {128, PRECISION_F16, POOLING_MEAN, BIAS, VALUES_ORDINARY},
    {256, PRECISION_I8, POOLING_MEAN, BOTH, VALUES_EXTREME},
    {MODEL_MAX_DIM, PRECISION_F32, POOLING_NORMALISED, NEITHER, VALUES_ORDINARY},
    {64, PRECISION_I8, POOLING_NORMALISED, BOTH, VALUES_ORDINARY},
};

/* Sizes and keys of number i of a series. */
static struct random_model sized(unsigned i)
{
    static const struct {
        uint32_t n_items, n_rows, n_users, max_history;
    } sizes[] = {{300, 40, 30, 50}, {1, 1, 1, 9}, {2000, 1500, 100, 200}, {25, 60, 0, 0}, {90, 1, 3, 500}};
    unsigned size = i % 5;
    return (struct random_model){.seed = 1000 + i,
                                 .n_items = sizes[size].n_items,
                                 .n_rows = sizes[size].n_rows,
                                 .n_users = sizes[size].n_users,
                                 .max_history = sizes[size].max_history,
                                 .keys = i % 2 ? KEYS_U64 : KEYS_DENSE};
}

struct random_model model_choice(unsigned i)
{
    struct random_model spec = sized(i);
    spec.dim = CHOICE[i].dim;
    spec.precision = CHOICE[i].precision;
    spec.pooling = CHOICE[i].pooling;
    spec.flags = CHOICE[i].flags;
    spec.values = CHOICE[i].values;
    return spec;
}

struct random_model model_every(unsigned i)
{
    struct random_model spec = sized(i);
    spec.dim = CHOICE[i / 36].dim;
    spec.precision = i / 12 % 3;
    spec.pooling = i / 4 % 3;
    spec.flags = i % 4;
    spec.values = i / 2 % 2 ? VALUES_EXTREME : VALUES_ORDINARY;
    return spec;
}

const char *model_describe(const struct random_model *spec, char *out, size_t n_bytes)
{
    snprintf(out, n_bytes, "%s %s, dim %u, %u items, %u rows, %u users, %s weights, %s bias, %s values",
             precision_name(spec->precision), pooling_name(spec->pooling), spec->dim, spec->n_items,
             spec->n_rows, spec->n_users, spec->flags & RANDOM_WEIGHTS ? "with" : "no",
             spec->flags & RANDOM_BIAS ? "with" : "no",
             spec->values == VALUES_EXTREME ? "extreme" : "ordinary");
    return out;
}
