#include "random_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void *allocate(struct arena *arena, size_t n, size_t item_bytes)
{
    void *p = arena_alloc(arena, n ? n : 1, item_bytes);
    assert_non_null(p);
    return p;
}

/* What is unknown is just beyond the last, far beyond it, or no number at all. */
struct collide_id random_query_id(const struct random_model *spec, uint32_t n_ids, struct rng *rng)
{
    if (n_ids > 0 && rng_below(rng, 12) > 0)
        return random_model_key(spec, rng_below(rng, n_ids));
    switch (rng_below(rng, 4)) {
    case 0:
        return random_model_key(spec, n_ids);
    case 1:
        return collide_id_number(UINT64_MAX - rng_below(rng, 2));
    case 2:
        return collide_id_number((uint64_t)1 << 32 | rng_below(rng, 4));
    default:
        return collide_id_text("no such id", 10);
    }
}

/* Up to max ids, mostly few; about one in four is there already. */
static size_t random_ids(const struct random_model *spec, size_t max, struct rng *rng, struct arena *arena,
                         const struct collide_id **out)
{
    size_t limit = rng_below(rng, 8) ? max / 8 : max, n = rng_below(rng, limit + 1);
    struct collide_id *ids = allocate(arena, n, sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = i > 0 && rng_below(rng, 4) == 0 ? ids[rng_below(rng, i)]
                                                 : random_query_id(spec, spec->n_items, rng);
    *out = ids;
    return n;
}

static const float *random_weights(size_t n, struct rng *rng, struct arena *arena)
{
    static const float special[] = {0.0f, -0.0f, -1.0f, COLLIDE_MAX_WEIGHT, -COLLIDE_MAX_WEIGHT, 1e-30f};
    float *weights = allocate(arena, n, sizeof *weights);
    bool plain = rng_below(rng, 2);
    for (size_t i = 0; i < n; i++)
        weights[i] = plain || rng_below(rng, 5) ? (float)(plain ? rng_double(rng) : 2 * rng_double(rng) - 1)
                                                : special[rng_below(rng, sizeof special / sizeof *special)];
    return weights;
}

/* The history twice, with opposite weights: a bag of nothing but rounding errors. */
static void cancel_out(struct collide_query *query, struct rng *rng, struct arena *arena)
{
    size_t n = query->n_history;
    struct collide_id *ids = allocate(arena, 2 * n, sizeof *ids);
    float *weights = allocate(arena, 2 * n, sizeof *weights);
    for (size_t i = 0; i < n; i++) {
        ids[i] = ids[n + i] = query->history[i];
        weights[i] = (float)rng_double(rng);
        weights[n + i] = -weights[i];
    }
    query->history = ids;
    query->weights = weights;
    query->n_history = 2 * n;
}

/* Of one of the model's features, up to eight ids. */
static void random_feature(const struct random_model *spec, struct rng *rng, struct arena *arena,
                           struct collide_feature *out)
{
    enum { MAX_IDS = 8 };
    const char *name = random_model_feature(rng_below(rng, spec->n_features));
    size_t n = rng_below(rng, MAX_IDS + 1);
    struct collide_id *ids = allocate(arena, n, sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = random_query_id(spec, spec->n_feature_ids, rng);
    *out = (struct collide_feature){.name = name, .n_bytes = strlen(name), .ids = ids, .n_ids = n};
    if (rng_below(rng, 2))
        out->weights = random_weights(n, rng, arena);
}

static void random_features(const struct random_model *spec, struct rng *rng, struct arena *arena,
                            struct collide_query *out)
{
    enum { MAX_FEATURES = 3 };
    if (spec->n_features == 0)
        return;
    struct collide_feature *features = allocate(arena, MAX_FEATURES, sizeof *features);
    out->features = features;
    out->n_features = rng_below(rng, MAX_FEATURES + 1);
    for (size_t i = 0; i < out->n_features; i++)
        random_feature(spec, rng, arena, &features[i]);
}

static void random_query(const struct random_model *spec, const struct random_query_limits *limits,
                         struct rng *rng, struct arena *arena, struct collide_query *out)
{
    enum { WITH_USER = 1, WITH_HISTORY = 2, WITH_WEIGHTS = 4 };
    uint64_t parts = rng_below(rng, 8);
    *out = (struct collide_query){.user = NULL};
    if (parts & WITH_HISTORY) {
        out->n_history = random_ids(spec, limits->max_history, rng, arena, &out->history);
        if (parts & WITH_WEIGHTS)
            out->weights = random_weights(out->n_history, rng, arena);
        if (rng_below(rng, 32) == 0)
            cancel_out(out, rng, arena);
    }
    random_features(spec, rng, arena, out);
    /* A user alone, of a model that stores none, would be refused. */
    if ((parts & WITH_USER) && (spec->n_users > 0 || out->n_history > 0)) {
        struct collide_id *user = allocate(arena, 1, sizeof *user);
        *user = random_query_id(spec, spec->n_users, rng);
        out->user = user;
    }
    size_t max_items = rng_below(rng, 4) ? limits->max_items : 1; /* one: a pair */
    out->n_items = random_ids(spec, max_items, rng, arena, &out->items);
}

struct collide_query *random_queries(const struct random_model *spec,
                                     const struct random_query_limits *limits, struct rng *rng, size_t n,
                                     struct arena *arena)
{
    struct collide_query *queries = allocate(arena, n, sizeof *queries);
    for (size_t i = 0; i < n; i++)
        random_query(spec, limits, rng, arena, &queries[i]);
    return queries;
}

static void count_ids(const struct id_index *index, const struct collide_id *ids, size_t n,
                      struct collide_counts *counts)
{
    counts->n_lookups += n;
    for (size_t i = 0; i < n; i++)
        counts->n_unknown += id_index_find(index, ids[i]) == index->n_ids;
}

void random_query_count(const struct collide_model *model, const struct collide_query *query,
                        struct collide_counts *counts)
{
    count_ids(&model->users, query->user, query->user != NULL, counts);
    count_ids(&model->items, query->history, query->n_history, counts);
    for (size_t i = 0; i < query->n_features; i++) {
        const struct collide_feature *f = &query->features[i];
        count_ids(&model->features[model_feature_find(model, f->name, f->n_bytes)], f->ids, f->n_ids, counts);
    }
    count_ids(&model->items, query->items, query->n_items, counts);
}
