#include "model_choice.h"

#include "base/rng.h"

#include <stdio.h>
#include <string.h>

static const struct {
    enum precision precision;
    enum random_scales scales;
} ROWS[] = {
    {PRECISION_F32, RANDOM_SCALES_DEFAULT}, {PRECISION_F16, RANDOM_SCALES_DEFAULT},
    {PRECISION_I8, RANDOM_SCALES_DEFAULT},  {PRECISION_I8, RANDOM_SCALES_OFFSET},
    {PRECISION_I8, RANDOM_SCALES_DIM},      {PRECISION_I4, RANDOM_SCALES_DEFAULT},
    {PRECISION_I3, RANDOM_SCALES_DEFAULT},  {PRECISION_I2, RANDOM_SCALES_DEFAULT},
};

enum {
    LOOKUPS_ONE,
    LOOKUPS_SUM,
    LOOKUPS_MULTIPLY,
    LOOKUPS_CONCAT,
    LOOKUPS_CONCAT_SUMS,
    LOOKUPS_WEIGHTED,
    N_LOOKUPS_VALUES
};

/* Of one row, the way to combine is none. */
static const enum combine COMBINES[N_LOOKUPS_VALUES] = {COMBINE_SUM,    COMBINE_SUM,    COMBINE_MULTIPLY,
                                                        COMBINE_CONCAT, COMBINE_CONCAT, COMBINE_SUM};

static const enum mapping_kind MAPPINGS[] = {MAPPING_STORED, MAPPING_PACKED, MAPPING_HASHED, MAPPING_MODULO,
                                             MAPPING_QUOTIENT};

/* Where there are several spaces the kernels get the mapping of all of them stored. */
static const struct {
    unsigned flags;
    uint32_t n_features;
} SPACES[] = {{0, 0}, {RANDOM_OWN_ROWS, 0}, {0, 2}, {RANDOM_OWN_ROWS | RANDOM_USER_EMBEDDED, 1}};

/* Weights and biases: none, each, both, by class. */
enum { ARRAYS_CLASSES = 4, N_ARRAYS };

enum { MAX_VALUES = 8 };

static const unsigned N_VALUES[N_MODEL_OPTIONS] = {
    [OPTION_ROWS] = sizeof ROWS / sizeof *ROWS,
    [OPTION_POOLING] = POOLING_MAX + 1,
    [OPTION_LOOKUPS] = N_LOOKUPS_VALUES,
    [OPTION_MAPPING] = sizeof MAPPINGS / sizeof *MAPPINGS,
    [OPTION_SPACES] = sizeof SPACES / sizeof *SPACES,
    [OPTION_ARRAYS] = N_ARRAYS,
    [OPTION_KEYS] = 2,
    [OPTION_VALUES] = 2,
};

/* A value of each option. */
struct choice {
    unsigned values[N_MODEL_OPTIONS];
};

/* Which pairs have come together. */
struct coverage {
    bool pairs[N_MODEL_OPTIONS][MAX_VALUES][N_MODEL_OPTIONS][MAX_VALUES];
};

/* Products of extreme rows leave single precision; some mappings have so many lookups, and some no rows of
 * their own. */
static bool is_sound(const struct choice *c)
{
    unsigned lookups = c->values[OPTION_LOOKUPS], spaces = c->values[OPTION_SPACES];
    enum mapping_kind mapping = MAPPINGS[c->values[OPTION_MAPPING]];
    if (SPACES[spaces].flags & RANDOM_OWN_ROWS && (mapping == MAPPING_STORED || mapping == MAPPING_QUOTIENT))
        return false;
    if (mapping == MAPPING_MODULO && lookups != LOOKUPS_ONE && lookups != LOOKUPS_WEIGHTED)
        return false;
    if (mapping == MAPPING_QUOTIENT && (lookups == LOOKUPS_ONE || lookups == LOOKUPS_CONCAT_SUMS))
        return false;
    return COMBINES[lookups] != COMBINE_MULTIPLY || c->values[OPTION_VALUES] != VALUES_EXTREME;
}

static struct choice draw(struct rng *rng)
{
    struct choice c;
    do
        for (unsigned o = 0; o < N_MODEL_OPTIONS; o++)
            c.values[o] = (unsigned)rng_below(rng, N_VALUES[o]);
    while (!is_sound(&c));
    return c;
}

/* Pairs that the choice brings together first. */
static unsigned count_new(const struct choice *c, const struct coverage *seen)
{
    unsigned n = 0;
    for (unsigned a = 0; a < N_MODEL_OPTIONS; a++)
        for (unsigned b = a + 1; b < N_MODEL_OPTIONS; b++)
            n += !seen->pairs[a][c->values[a]][b][c->values[b]];
    return n;
}

static void mark(const struct choice *c, struct coverage *seen)
{
    for (unsigned a = 0; a < N_MODEL_OPTIONS; a++)
        for (unsigned b = a + 1; b < N_MODEL_OPTIONS; b++)
            seen->pairs[a][c->values[a]][b][c->values[b]] = true;
}

/* Greedy, after Cohen et al. 1997 (AETG): of many random choices the one with most that is new. */
static struct choice choose(struct rng *rng, struct coverage *seen)
{
    enum { N_CANDIDATES = 400 };
    struct choice best = draw(rng);
    for (int i = 1; i < N_CANDIDATES; i++) {
        struct choice c = draw(rng);
        if (count_new(&c, seen) > count_new(&best, seen))
            best = c;
    }
    mark(&best, seen);
    return best;
}

static struct choice choice_of(unsigned i, struct rng *rng, struct coverage *seen)
{
    *rng = rng_seeded(2, 0);
    *seen = (struct coverage){0};
    struct choice c = choose(rng, seen);
    for (unsigned n = 0; n < i; n++)
        c = choose(rng, seen);
    return c;
}

unsigned model_choice_n_missing(void)
{
    struct rng rng;
    struct coverage seen;
    unsigned n = 0;
    choice_of(MODEL_CHOICE_N - 1, &rng, &seen);
    for (unsigned a = 0; a < N_MODEL_OPTIONS; a++)
        for (unsigned b = a + 1; b < N_MODEL_OPTIONS; b++)
            for (unsigned x = 0; x < N_VALUES[a]; x++)
                for (unsigned y = 0; y < N_VALUES[b]; y++) {
                    struct choice c = {.values = {[OPTION_LOOKUPS] = 0}};
                    c.values[a] = x;
                    c.values[b] = y;
                    n += is_sound(&c) && !seen.pairs[a][x][b][y];
                }
    return n;
}

/* A random dimension that the rows can have. */
static uint32_t draw_dim(const struct random_model *spec, struct rng *rng)
{
    static const uint32_t dims[] = {1, 2, 3, 5, 7, 8, 12, 16, 17, 24, 32, 48, 64, 64, 96, 100, 128, 131, 200};
    uint32_t n_parts = spec->n_parts ? spec->n_parts : spec->n_lookups;
    uint32_t unit = spec->combine == COMBINE_CONCAT ? n_parts : 1;
    uint32_t dim = dims[rng_below(rng, sizeof dims / sizeof *dims)];
    unit *= precision_width_unit(spec->precision);
    return (dim + unit - 1) / unit * unit;
}

/* In half of the models that can. */
static unsigned draw_few_lookups(const struct random_model *spec, struct rng *rng)
{
    bool has_others = spec->n_features > 0 || spec->flags & RANDOM_USER_EMBEDDED;
    if (spec->combine != COMBINE_SUM || spec->n_lookups == 1 || mapping_is_computed(spec->mapping) ||
        !has_others || rng_below(rng, 2))
        return 0;
    return rng_below(rng, 2) ? RANDOM_FEW_ITEM_LOOKUPS : RANDOM_FEW_OTHER_LOOKUPS;
}

struct random_model model_choice(unsigned i)
{
    static const struct {
        uint32_t n_items, n_rows, n_users, max_history;
    } sizes[] = {{300, 40, 30, 50}, {2, 2, 1, 9}, {1000, 900, 100, 200}, {25, 60, 4, 5}, {90, 3, 3, 500}};
    struct rng rng;
    struct coverage seen;
    struct choice c = choice_of(i, &rng, &seen);
    const unsigned *v = c.values;
    struct random_model spec = {.seed = 1000 + i,
                                .n_items = sizes[i % 5].n_items,
                                .n_rows = sizes[i % 5].n_rows,
                                .n_users = sizes[i % 5].n_users,
                                .max_history = sizes[i % 5].max_history,
                                .precision = ROWS[v[OPTION_ROWS]].precision,
                                .scales = ROWS[v[OPTION_ROWS]].scales,
                                .pooling = v[OPTION_POOLING],
                                .n_lookups = v[OPTION_LOOKUPS] ? 2 + (uint32_t)rng_below(&rng, 3) : 1,
                                .combine = COMBINES[v[OPTION_LOOKUPS]],
                                .mapping = MAPPINGS[v[OPTION_MAPPING]],
                                .keys = v[OPTION_KEYS] ? KEYS_U64 : KEYS_DENSE,
                                .flags = v[OPTION_ARRAYS] % ARRAYS_CLASSES | SPACES[v[OPTION_SPACES]].flags,
                                .class_bits = v[OPTION_ARRAYS] == ARRAYS_CLASSES ? 1 + i % 8 : 0,
                                .n_features = SPACES[v[OPTION_SPACES]].n_features,
                                .n_feature_ids = 6,
                                .values = v[OPTION_VALUES]};
    if (v[OPTION_LOOKUPS] == LOOKUPS_WEIGHTED) {
        spec.flags |= RANDOM_LOOKUP_WEIGHTS;
        spec.n_lookups = spec.mapping == MAPPING_MODULO ? 1 : 1 + (uint32_t)rng_below(&rng, 4);
    }
    if (spec.mapping == MAPPING_QUOTIENT) {
        const uint32_t n_ids = spec.n_items > spec.n_feature_ids ? spec.n_items : spec.n_feature_ids;
        spec.n_lookups = 2;
        spec.n_rows += n_ids < 50 ? n_ids + 1 : 20; /* for a divisor of 1, or of about 10 */
    }
    if (v[OPTION_LOOKUPS] == LOOKUPS_CONCAT_SUMS) {
        spec.n_parts = spec.n_lookups;
        spec.n_lookups *= 2;
    }
    spec.flags |= draw_few_lookups(&spec, &rng);
    spec.dim = draw_dim(&spec, &rng);
    return spec;
}

struct random_model model_variant(const struct random_model *spec, unsigned variant)
{
    struct random_model other = *spec;
    other.seed += 1000 * variant;
    other.n_users += variant;
    other.max_history += 7 * variant;
    if (mapping_is_computed(other.mapping))
        other.flags ^= variant % 2 ? RANDOM_OWN_ROWS : 0;
    return other;
}

const char *model_describe(const struct random_model *spec, char *out, size_t n_bytes)
{
    static const char *const scales[] = {
        [RANDOM_SCALES_DEFAULT] = "", [RANDOM_SCALES_OFFSET] = " row-offset", [RANDOM_SCALES_DIM] = " dim"};
    snprintf(
        out, n_bytes,
        "seed %llu: %s%s %s, dim %u, %u lookups %s (%u parts), %s, %u items, %u rows, %u users, %u features, "
        "%s rows of their own, %s weights, %s lookup weights, %s bias, %u class bits, %s users embedded, %s "
        "lookups few, %s keys, %s values",
        (unsigned long long)spec->seed, precision_name(spec->precision), scales[spec->scales],
        pooling_name(spec->pooling), spec->dim, spec->n_lookups ? spec->n_lookups : 1,
        combine_name(spec->combine), spec->n_parts, mapping_kind_name(spec->mapping), spec->n_items,
        spec->n_rows, spec->n_users, spec->n_features, spec->flags & RANDOM_OWN_ROWS ? "with" : "no",
        spec->flags & RANDOM_WEIGHTS ? "with" : "no", spec->flags & RANDOM_LOOKUP_WEIGHTS ? "with" : "no",
        spec->flags & RANDOM_BIAS ? "with" : "no", spec->class_bits,
        spec->flags & RANDOM_USER_EMBEDDED ? "with" : "no",
        spec->flags & RANDOM_FEW_ITEM_LOOKUPS    ? "items'"
        : spec->flags & RANDOM_FEW_OTHER_LOOKUPS ? "other"
                                                 : "no",
        key_kind_name(spec->keys), spec->values == VALUES_EXTREME ? "extreme" : "ordinary");
    return out;
}
