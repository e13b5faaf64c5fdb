/* The kernels as C, every array in a heap block of exactly its size, so that AddressSanitizer sees any access
 * beside one; their results against the reference. */
#include "specialisation.h"

#include "base/rng.h"
#include "score/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

size_t shim_global_id;

/* The sizes of a model and of a batch of queries on it. */
struct sizes {
    uint32_t n_items, n_rows, n_users, max_user_history;
    uint32_t n_queries, max_history, max_items;
};

/* All arrays owned, each a block of its own. */
struct setting {
    struct sizes sizes;
    device_params params;
    struct model model;
    uint32_t *remap, *user_offsets, *user_history;
    void *rows;
    float *scales, *weights, *bias;
    device_query *queries;
    uint32_t n_history, n_candidates;
    uint32_t *history, *items;
    float *history_weights;
};

/* A block of no bytes may not be touched at all. */
static void *block(size_t n, size_t item_bytes)
{
    void *p = malloc(n * item_bytes);
    assert_non_null(p);
    return p;
}

static float random_float(struct rng *rng)
{
    return (float)(2.0 * rng_double(rng) - 1.0);
}

static float *random_floats(struct rng *rng, size_t n)
{
    float *values = block(n, sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = random_float(rng);
    return values;
}

static void *random_rows(struct rng *rng, enum precision precision, size_t n)
{
    if (precision == PRECISION_F32)
        return random_floats(rng, n);
    if (precision == PRECISION_F16) {
        uint16_t *halves = block(n, sizeof *halves);
        for (size_t i = 0; i < n; i++) /* below 4, subnormal ones among them */
            halves[i] = (uint16_t)((rng_u64(rng) & 0x83ff) | rng_below(rng, 17) << 10);
        return halves;
    }
    int8_t *bytes = block(n, 1);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (int8_t)((int)rng_below(rng, 256) - 128);
    return bytes;
}

/* What a request may hold as an id: one in four is beyond the last. */
static uint32_t any_id(struct rng *rng, uint32_t n_ids)
{
    const uint32_t beyond[] = {n_ids, n_ids + 1, 0x80000000u, 0xffffffffu};
    return n_ids > 0 && rng_below(rng, 4) ? (uint32_t)rng_below(rng, n_ids) : beyond[rng_below(rng, 4)];
}

static uint32_t *any_ids(struct rng *rng, size_t n, uint32_t n_ids)
{
    uint32_t *ids = block(n, sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = any_id(rng, n_ids);
    return ids;
}

static void make_users(struct rng *rng, struct setting *s)
{
    uint32_t n_users = s->sizes.n_users, n = 0;
    s->user_offsets = block(n_users ? n_users + 2 : 0, sizeof(uint32_t));
    for (uint32_t u = 0; u < n_users; u++) {
        s->user_offsets[u] = n;
        n += (uint32_t)rng_below(rng, s->sizes.max_user_history + 1);
    }
    if (n_users)
        s->user_offsets[n_users] = s->user_offsets[n_users + 1] = n;
    s->user_history = block(n, sizeof(uint32_t));
    for (uint32_t j = 0; j < n; j++)
        s->user_history[j] = (uint32_t)rng_below(rng, s->sizes.n_items);
}

static void make_model(struct rng *rng, const struct specialisation *spec, struct setting *s)
{
    const struct sizes *z = &s->sizes;
    size_t n_entries = z->n_items + 1;
    s->params = (device_params){
        .n_items = z->n_items, .n_users = z->n_users, .n_rows = z->n_rows, .logit_scale = 3.25f};
    s->remap = block(n_entries, sizeof(uint32_t));
    for (size_t i = 0; i < n_entries; i++)
        s->remap[i] = (uint32_t)rng_below(rng, z->n_rows);
    s->rows = random_rows(rng, spec->precision, (size_t)z->n_rows * spec->dim);
    s->scales = random_floats(rng, spec->precision == PRECISION_I8 ? z->n_rows : 0);
    s->weights = random_floats(rng, spec->weighted ? n_entries : 0);
    s->bias = random_floats(rng, spec->biased ? n_entries : 0);
    make_users(rng, s);
    s->model = (struct model){
        .dim = spec->dim,
        .pooling = spec->pooling,
        .logit_scale = s->params.logit_scale,
        .item = {.n_ids = z->n_items,
                 .n_rows = z->n_rows,
                 .precision = spec->precision,
                 .remap = s->remap,
                 .rows = s->rows,
                 .scales = spec->precision == PRECISION_I8 ? s->scales : NULL,
                 .weights = spec->weighted ? s->weights : NULL,
                 .bias = spec->biased ? s->bias : NULL},
        .user = {.n_ids = z->n_users, .offsets = s->user_offsets, .history = s->user_history},
    };
}

static void make_queries(struct rng *rng, struct setting *s)
{
    const struct sizes *z = &s->sizes;
    s->queries = block(z->n_queries, sizeof *s->queries);
    s->n_history = s->n_candidates = 0;
    for (uint32_t i = 0; i < z->n_queries; i++) {
        device_query *q = &s->queries[i];
        q->user = any_id(rng, z->n_users);
        q->history_begin = s->n_history;
        q->items_begin = s->n_candidates;
        s->n_history = q->history_end = s->n_history + (uint32_t)rng_below(rng, z->max_history + 1);
        s->n_candidates = q->items_end = s->n_candidates + (uint32_t)rng_below(rng, z->max_items + 1);
    }
    s->history = any_ids(rng, s->n_history, z->n_items);
    s->history_weights = random_floats(rng, s->n_history);
    s->items = any_ids(rng, s->n_candidates, z->n_items);
}

static void setting_free(struct setting *s)
{
    void *const blocks[] = {s->remap,   s->user_offsets,    s->user_history, s->rows,
                            s->scales,  s->weights,         s->bias,         s->queries,
                            s->history, s->history_weights, s->items};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

/* Runs a kernel into a block of exactly n_scores. Returned owned. */
static float *run(const struct specialisation *spec, int kernel, const struct setting *s, size_t n_scores)
{
    float *scores = block(n_scores, sizeof *scores);
    const struct kernel_arguments arguments = {.params = &s->params,
                                               .remap = s->remap,
                                               .rows = s->rows,
                                               .scales = s->scales,
                                               .weights = s->weights,
                                               .bias = s->bias,
                                               .user_offsets = s->user_offsets,
                                               .user_history = s->user_history,
                                               .queries = s->queries,
                                               .history = s->history,
                                               .history_weights = s->history_weights,
                                               .items = s->items,
                                               .scores = scores};
    spec->run(kernel, &arguments, s->sizes.n_queries);
    return scores;
}

static struct collide_id *ids_of(const uint32_t *dense, size_t n)
{
    struct collide_id *ids = block(n, sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = collide_id_number(dense[i]);
    return ids;
}

static void assert_near(double result, double truth, double tolerance)
{
    if (!(fabs(result - truth) <= tolerance))
        fail_msg("%.9g, not %.9g within %.3g", result, truth, tolerance);
}

/* All three kernels on one query, given what they wrote for it. rows: (n_rows); bag: (dim). */
static void check_query(const struct setting *s, const device_query *q, const float *scores,
                        const float *rows, const float *bag)
{
    const struct model *m = &s->model;
    const struct collide_model model = {.model = m,
                                        .items = {.kind = ID_DENSE, .n_ids = m->item.n_ids},
                                        .users = {.kind = ID_DENSE, .n_ids = m->user.n_ids}};
    size_t n_items = q->items_end - q->items_begin, n_history = q->history_end - q->history_begin;
    struct collide_id user = collide_id_number(q->user);
    struct collide_id *history = ids_of(s->history + q->history_begin, n_history);
    struct collide_id *items = ids_of(s->items + q->items_begin, n_items);
    const struct collide_query query = {.user = &user,
                                        .history = history,
                                        .weights = s->history_weights + q->history_begin,
                                        .n_history = n_history,
                                        .items = items,
                                        .n_items = n_items};
    struct reference_score *truth = block(n_items, sizeof *truth);
    double *values = block(m->dim, sizeof *values), *tolerances = block(m->dim, sizeof *tolerances);
    assert_int_equal(reference_score(&model, &query, truth, NULL), COLLIDE_OK);
    assert_int_equal(reference_bag(&model, &query, values, tolerances, NULL), COLLIDE_OK);
    for (uint32_t d = 0; d < m->dim; d++)
        assert_near((double)bag[d], values[d], tolerances[d]);
    for (size_t j = 0; j < n_items; j++) {
        uint32_t id =
            s->items[q->items_begin + j] < m->item.n_ids ? s->items[q->items_begin + j] : m->item.n_ids;
        double bias = m->item.bias ? (double)m->item.bias[id] : 0.0;
        assert_near((double)scores[q->items_begin + j], truth[j].value, truth[j].tolerance);
        assert_near((double)rows[m->item.remap[id]], truth[j].value - bias, truth[j].tolerance);
    }
    free(tolerances);
    free(values);
    free(truth);
    free(items);
    free(history);
}

static void check_setting(const struct specialisation *spec, const struct setting *s)
{
    uint32_t n_rows = s->sizes.n_rows, n_queries = s->sizes.n_queries;
    float *scores = run(spec, AS_C_SCORE, s, s->n_candidates);
    float *rows = run(spec, AS_C_ROWS, s, (size_t)n_queries * n_rows);
    float *bags = run(spec, AS_C_BAG, s, (size_t)n_queries * spec->dim);
    for (uint32_t i = 0; i < n_queries; i++)
        check_query(s, &s->queries[i], scores, rows + (size_t)i * n_rows, bags + (size_t)i * spec->dim);
    free(bags);
    free(rows);
    free(scores);
}

static void kernels_stay_inside_their_arrays_and_match_the_reference(void **state)
{
    static const struct sizes sizes[] = {
        {50, 20, 10, 40, 12, 60, 60}, /* longer than prefetch looks ahead */
        {1, 1, 1, 3, 6, 4, 4},        /* as small as can be */
        {7, 3, 0, 0, 8, 5, 9},        /* no users */
        {300, 1, 4, 0, 5, 0, 40},     /* only empty histories */
        {9, 30, 5, 20, 7, 20, 0},     /* no candidates */
        {40, 10, 6, 17, 9, 16, 33},   /* lengths around ROW_AHEAD and REMAP_AHEAD */
    };
    (void)state;
    for (size_t i = 0; i < n_specialisations; i++)
        for (size_t z = 0; z < sizeof sizes / sizeof *sizes; z++)
            for (uint64_t round = 0; round < 4; round++) {
                struct rng rng = rng_seeded(i * 100 + z, round);
                struct setting s = {.sizes = sizes[z]};
                make_model(&rng, specialisations[i], &s);
                make_queries(&rng, &s);
                check_setting(specialisations[i], &s);
                setting_free(&s);
            }
}

/* Which sides of each choice were compiled: a list that lost one would still pass the test above. */
static void specialisations_cover_the_choices(void **state)
{
    (void)state;
    unsigned precisions = 0, poolings = 0, flags = 0, widths = 0;
    for (size_t i = 0; i < n_specialisations; i++) {
        const struct specialisation *s = specialisations[i];
        precisions |= 1u << s->precision;
        poolings |= 1u << s->pooling;
        flags |= 1u << (s->weighted | s->biased << 1 | s->prefetch << 2);
        widths |= (s->dim & -s->dim) < 16 ? s->dim & -s->dim : 16;
    }
    assert_int_equal(precisions, 7);
    assert_int_equal(poolings, 7);
    assert_int_equal(flags, 0xff);
    assert_int_equal(widths, 16 | 8 | 4 | 2 | 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specialisations_cover_the_choices),
        cmocka_unit_test(kernels_stay_inside_their_arrays_and_match_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
