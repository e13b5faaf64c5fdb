#include "base/log.h"
#include "learn/train/embedder.h"
#include "learn/train/fake_quantize.h"
#include "learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_IDS = 12, N_ROWS = 7, DIM = 12, N_TAKEN = 9 };

struct form {
    uint32_t n_lookups, n_parts;
    enum combine combine;
    enum weights_use weights;
    uint32_t row_bits;
};

static const struct form forms[] = {
    {1, 1, COMBINE_SUM, WEIGHTS_NONE, 0},      {1, 1, COMBINE_SUM, WEIGHTS_TRAINED, 0},
    {2, 1, COMBINE_SUM, WEIGHTS_NONE, 0},      {2, 1, COMBINE_SUM, WEIGHTS_TRAINED, 0},
    {2, 1, COMBINE_MULTIPLY, WEIGHTS_NONE, 0}, {3, 1, COMBINE_MULTIPLY, WEIGHTS_NONE, 0},
    {4, 4, COMBINE_SUM, WEIGHTS_NONE, 0},      {6, 3, COMBINE_SUM, WEIGHTS_NONE, 0},
    {6, 3, COMBINE_MULTIPLY, WEIGHTS_NONE, 0}, {8, 4, COMBINE_SUM, WEIGHTS_TRAINED, 0},
    {12, 12, COMBINE_SUM, WEIGHTS_NONE, 0},
};
enum { N_FORMS = sizeof forms / sizeof *forms };

/* Ids may have a row twice; some ids of the space are not in the batch. */
struct scene {
    struct form form;
    struct id_mapping mapping;
    struct parallel *team;
    struct embedder *embedder;
    uint32_t taken[N_TAKEN]; /* ids */
    uint32_t slots[N_TAKEN];
    float upstream[N_TAKEN * DIM]; /* by slots */
    struct rng rng;
};

static void draw_normals(struct rng *rng, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)rng_normal(rng);
}

static void scene_create(struct scene *s, const struct form *form, unsigned n_threads)
{
    *s = (struct scene){.form = *form, .rng = rng_seeded(form->n_lookups, form->n_parts)};
    struct id_mapping *m = &s->mapping;
    *m = (struct id_mapping){.n_ids = N_IDS,
                             .n_rows = N_ROWS,
                             .n_lookups = form->n_lookups,
                             .n_parts = form->n_parts,
                             .combine = form->combine,
                             .width = DIM / form->n_parts};
    const size_t n_entries = (size_t)N_IDS * m->n_lookups;
    m->rows_of = malloc(n_entries * sizeof *m->rows_of);
    m->rows = malloc((size_t)N_ROWS * m->width * sizeof *m->rows);
    m->lookup_weights = form->weights ? malloc(n_entries * sizeof *m->lookup_weights) : NULL;
    assert_true(m->rows_of && m->rows && (m->lookup_weights || !form->weights));
    for (size_t e = 0; e < n_entries; e++)
        m->rows_of[e] = (uint32_t)rng_below(&s->rng, N_ROWS);
    draw_normals(&s->rng, m->rows, (size_t)N_ROWS * m->width);
    if (form->weights)
        draw_normals(&s->rng, m->lookup_weights, n_entries);
    s->team = fixture_team(n_threads);
    const struct embedder_options options = {m, DIM, N_TAKEN, form->row_bits};
    assert_int_equal(embedder_create(&options, &s->rng, s->team, &s->embedder, NULL), COLLIDE_OK);
    for (uint32_t k = 0; k < N_TAKEN; k++) {
        s->taken[k] = (5 * k + 2) % N_IDS;
        s->slots[k] = embedder_take(s->embedder, s->taken[k]);
    }
    draw_normals(&s->rng, s->upstream, N_TAKEN * DIM);
}

static void scene_destroy(struct scene *s)
{
    embedder_destroy(s->embedder);
    id_mapping_free(&s->mapping);
    parallel_destroy(s->team);
}

/* Value d of an id's embedding, straight from the definition. */
static double value_of(struct scene *s, uint32_t id, uint32_t d)
{
    const struct id_mapping *m = &s->mapping;
    const uint32_t part_lookups = m->n_lookups / m->n_parts, part = d / m->width;
    double value = m->combine == COMBINE_MULTIPLY ? 1.0 : 0.0;
    for (uint32_t l = part * part_lookups; l < (part + 1) * part_lookups; l++) {
        const size_t entry = (size_t)id * m->n_lookups + l;
        float row[DIM];
        memcpy(row, embedder_rows(s->embedder) + m->rows_of[entry] * m->width, m->width * sizeof *row);
        if (s->form.row_bits)
            fake_quantize(s->form.row_bits, embedder_rows(s->embedder) + m->rows_of[entry] * m->width,
                          m->width, row);
        double x = (double)row[d % m->width];
        double weight = s->form.weights ? (double)embedder_lookup_weights(s->embedder)[entry] : 1.0;
        value = m->combine == COMBINE_MULTIPLY ? value * x : value + weight * x;
    }
    return value;
}

static void embeddings_are_parts_of_combined_rows(void **state)
{
    (void)state;
    for (int f = 0; f < N_FORMS; f++) {
        struct scene s;
        scene_create(&s, &forms[f], 2);
        const float *embeddings = embedder_gather(s.embedder);
        for (uint32_t k = 0; k < N_TAKEN; k++)
            for (uint32_t d = 0; d < DIM; d++)
                assert_float_equal(embeddings[s.slots[k] * DIM + d], value_of(&s, s.taken[k], d), 1e-4);
        scene_destroy(&s);
    }
}

static void weights_apply_to_rows_as_stored(void **state)
{
    (void)state;
    const struct form form = {4, 2, COMBINE_SUM, WEIGHTS_TRAINED, 3};
    struct scene s;
    scene_create(&s, &form, 1);
    const float *embeddings = embedder_gather(s.embedder);
    for (uint32_t k = 0; k < N_TAKEN; k++)
        for (uint32_t d = 0; d < DIM; d++)
            assert_float_equal(embeddings[s.slots[k] * DIM + d], value_of(&s, s.taken[k], d), 1e-4);
    scene_destroy(&s);
}

/* The loss of which upstream is the gradient by the embeddings. */
static double loss(struct scene *s)
{
    const float *embeddings = embedder_gather(s->embedder);
    double sum = 0.0;
    for (size_t i = 0; i < (size_t)embedder_n_slots(s->embedder) * DIM; i++)
        sum += (double)embeddings[i] * (double)s->upstream[i];
    return sum;
}

/* The loss has degree 2 at most in one row's value (a row that an id multiplies with itself), or 3 with three
 * lookups, where the error is STEP^2. */
#define STEP 0x1p-7

static void differentiate(struct scene *s, float *x, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        const float at = x[i];
        x[i] = at + (float)STEP;
        double above = loss(s);
        x[i] = at - (float)STEP;
        out[i] = (above - loss(s)) / (2.0 * STEP);
        x[i] = at;
    }
}

/* A first step of Adam at rate 1 is g / (|g| + EPSILON), which gives g back best where it is about EPSILON.
 */
#define EPSILON 1e-8

static void expect_step(const float *before, const float *after, const double *derivatives, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double step = (double)before[i] - (double)after[i];
        double gradient = step / (1.0 - fabs(step));
        /* Near a step of 1 a rounding of 1e-7 in x counts (1 + |g|)^2-fold. */
        double tolerance = 2e-3 + 1e-6 * (1.0 + fabs(gradient)) * (1.0 + fabs(gradient));
        assert_float_equal(gradient, derivatives[i], tolerance);
    }
}

static float *copy_of(const float *x, size_t n)
{
    float *copy = malloc((n + 1) * sizeof *copy);
    assert_non_null(copy);
    if (n > 0)
        memcpy(copy, x, n * sizeof *x);
    return copy;
}

static void check_gradients(const struct form *form, unsigned n_threads)
{
    struct scene s;
    scene_create(&s, form, n_threads);
    const size_t n_values = (size_t)N_ROWS * s.mapping.width;
    const size_t n_weights = form->weights ? (size_t)N_IDS * form->n_lookups : 0;
    float *rows = embedder_rows(s.embedder), *weights = embedder_lookup_weights(s.embedder);
    double by_rows[N_ROWS * DIM], by_weights[N_IDS * MODEL_MAX_LOOKUPS];
    differentiate(&s, rows, n_values, by_rows);
    differentiate(&s, weights, n_weights, by_weights);
    float *rows_before = copy_of(rows, n_values), *weights_before = copy_of(weights, n_weights);
    embedder_gather(s.embedder);
    for (int i = 0; i < N_TAKEN * DIM; i++)
        s.upstream[i] *= (float)EPSILON;
    embedder_step(s.embedder, s.upstream, 1.0f);
    expect_step(rows_before, rows, by_rows, n_values);
    expect_step(weights_before, weights, by_weights, n_weights);
    free(rows_before);
    free(weights_before);
    scene_destroy(&s);
}

static void steps_follow_central_differences(void **state)
{
    (void)state;
    for (int f = 0; f < N_FORMS; f++)
        for (unsigned n_threads = 1; n_threads <= 3; n_threads++)
            check_gradients(&forms[f], n_threads);
}

static void ids_with_weights_have_slots_of_their_own(void **state)
{
    (void)state;
    struct id_mapping m = {.n_ids = 2, .n_rows = 1, .n_lookups = 1, .n_parts = 1, .width = DIM};
    uint32_t rows_of[2] = {0, 0};
    float weights[2] = {1.0f, -2.0f};
    struct parallel *team = fixture_team(1);
    struct rng rng = rng_seeded(1, 0);
    m.rows_of = rows_of;
    for (int weighted = 0; weighted < 2; weighted++) {
        struct embedder *e;
        m.lookup_weights = weighted ? weights : NULL;
        const struct embedder_options options = {&m, DIM, 2, 0};
        assert_int_equal(embedder_create(&options, &rng, team, &e, NULL), COLLIDE_OK);
        uint32_t first = embedder_take(e, 0), second = embedder_take(e, 1);
        assert_int_equal(embedder_n_slots(e), weighted ? 2 : 1);
        assert_true((first == second) == !weighted);
        assert_true((embedder_lookup_weights(e) != NULL) == weighted);
        embedder_destroy(e);
    }
    parallel_destroy(team);
}

static void one_row_of_each_part_starts_with_length_one(void **state)
{
    (void)state;
    struct parallel *team = fixture_team(1);
    for (uint32_t n_parts = 1; n_parts <= 4; n_parts++) {
        struct id_mapping m = {.n_ids = 1, .n_rows = N_ROWS, .n_lookups = n_parts, .n_parts = n_parts};
        uint32_t rows_of[4] = {0, 2, 3, 6};
        struct rng rng = rng_seeded(2, n_parts);
        struct embedder *e;
        double length = 0.0;
        m.width = DIM / n_parts;
        m.rows_of = rows_of;
        const struct embedder_options options = {&m, DIM, 1, 0};
        assert_int_equal(embedder_create(&options, &rng, team, &e, NULL), COLLIDE_OK);
        embedder_take(e, 0);
        const float *embedding = embedder_gather(e);
        for (int d = 0; d < DIM; d++)
            length += (double)embedding[d] * (double)embedding[d];
        assert_float_equal(length, 1.0, 1e-5);
        embedder_destroy(e);
    }
    parallel_destroy(team);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embeddings_are_parts_of_combined_rows),
        cmocka_unit_test(weights_apply_to_rows_as_stored),
        cmocka_unit_test(steps_follow_central_differences),
        cmocka_unit_test(ids_with_weights_have_slots_of_their_own),
        cmocka_unit_test(one_row_of_each_part_starts_with_length_one),
    };
    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
