/* Embeddings and steps against plain sums, products and concatenations in double precision, which know
 * nothing of slots and threads. */
#include "learn/train/embedder.h"
#include "learn/train/fake_quantize.h"
#include "learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_IDS = 7, N_ROWS = 6, MAX_LOOKUPS = 3, DIM = 6, N_VALUES = N_ROWS * DIM };

/* Ids 0 and 3 share all rows, 1 and 6 the first; 4 and 6 look one row up twice and thrice; row 5 is nobody's.
 */
static const uint32_t lookups[N_IDS][MAX_LOOKUPS] = {{0, 1, 2}, {1, 0, 3}, {2, 4, 4}, {0, 1, 2},
                                                     {3, 3, 0}, {4, 2, 1}, {1, 1, 1}};

struct setting {
    enum combine combine;
    uint32_t n_lookups;
    uint32_t row_bits;
    unsigned n_threads;
};

struct scene {
    struct setting setting;
    uint32_t rows_of[N_IDS * MAX_LOOKUPS];
    float start[N_VALUES];
    struct id_mapping mapping;
    struct parallel *team;
    struct embedder *embedder;
};

/* Concatenated are parts of one lookup each. */
static uint32_t n_parts_of(enum combine combine, uint32_t n_lookups)
{
    return combine == COMBINE_CONCAT ? n_lookups : 1;
}

static enum combine within_parts(enum combine combine)
{
    return combine == COMBINE_CONCAT ? COMBINE_SUM : combine;
}

static void scene_create(struct scene *s, const struct setting *setting, struct rng *rng)
{
    const uint32_t n = setting->n_lookups, n_parts = n_parts_of(setting->combine, n), width = DIM / n_parts;
    s->setting = *setting;
    for (uint32_t id = 0; id < N_IDS; id++)
        memcpy(s->rows_of + id * n, lookups[id], n * sizeof *s->rows_of);
    for (uint32_t i = 0; i < N_ROWS * width; i++)
        s->start[i] = (float)rng_normal(rng);
    s->mapping = (struct id_mapping){.n_ids = N_IDS,
                                     .n_rows = N_ROWS,
                                     .n_lookups = n,
                                     .n_parts = n_parts,
                                     .combine = within_parts(setting->combine),
                                     .width = width,
                                     .rows_of = s->rows_of,
                                     .rows = s->start};
    s->team = fixture_team(setting->n_threads);
    struct embedder_options options = {&s->mapping, DIM, N_IDS, setting->row_bits};
    assert_int_equal(embedder_create(&options, rng, s->team, &s->embedder, NULL), COLLIDE_OK);
}

static void scene_destroy(struct scene *s)
{
    embedder_destroy(s->embedder);
    parallel_destroy(s->team);
}

/* The rows as they are to be read. */
static void read_rows(const struct scene *s, double rows[N_VALUES])
{
    const uint32_t width = s->mapping.width;
    for (uint32_t r = 0; r < N_ROWS; r++) {
        const float *row = embedder_rows(s->embedder) + r * width;
        float stored[DIM];
        memcpy(stored, row, width * sizeof *row);
        if (s->setting.row_bits)
            fake_quantize(s->setting.row_bits, row, width, stored);
        for (uint32_t d = 0; d < width; d++)
            rows[r * width + d] = (double)stored[d];
    }
}

static double embedding(const struct scene *s, const double *rows, uint32_t id, uint32_t d)
{
    const uint32_t width = s->mapping.width;
    if (s->setting.combine == COMBINE_CONCAT)
        return rows[lookups[id][d / width] * width + d % width];
    double sum = 0.0, product = 1.0;
    for (uint32_t l = 0; l < s->setting.n_lookups; l++) {
        sum += rows[lookups[id][l] * width + d];
        product *= rows[lookups[id][l] * width + d];
    }
    return s->setting.combine == COMBINE_SUM ? sum : product;
}

/* A batch of ids, all different, with their slots. */
struct batch {
    uint32_t n_ids;
    uint32_t ids[N_IDS];
    uint32_t slots[N_IDS];
};

static void take(const struct scene *s, struct batch *b)
{
    embedder_clear(s->embedder);
    assert_int_equal(embedder_n_slots(s->embedder), 0);
    for (uint32_t i = 0; i < b->n_ids; i++)
        b->slots[i] = embedder_take(s->embedder, b->ids[i]);
    for (uint32_t i = 0; i < b->n_ids; i++)
        assert_int_equal(embedder_take(s->embedder, b->ids[i]), b->slots[i]);
}

/* Values are below 4 and products below 4^3, off by a few 2^-24 of that. */
static void check_gather(const struct scene *s, const struct batch *b)
{
    double rows[N_VALUES];
    read_rows(s, rows);
    const float *embeddings = embedder_gather(s->embedder);
    for (uint32_t i = 0; i < b->n_ids; i++)
        for (uint32_t d = 0; d < DIM; d++) {
            double expected = embedding(s, rows, b->ids[i], d);
            assert_true(fabs((double)embeddings[b->slots[i] * DIM + d] - expected) < 2e-5);
        }
}

/* Adam in double precision. */
struct exact_adam {
    double m[N_VALUES], v[N_VALUES];
    int n_steps[N_ROWS];
};

/* sum over the ids of < gradient of the id's embedding, embedding > at rows: its gradient by a row is what
 * the embedder steps by. */
static double loss(const struct scene *s, const struct batch *b, const double *gradients, const double *rows)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < b->n_ids; i++)
        for (uint32_t d = 0; d < DIM; d++)
            sum += gradients[i * DIM + d] * embedding(s, rows, b->ids[i], d);
    return sum;
}

static double central_difference(const struct scene *s, const struct batch *b, const double *gradients,
                                 double *rows, uint32_t at)
{
    const double step = 1e-5, kept = rows[at];
    rows[at] = kept + step;
    double above = loss(s, b, gradients, rows);
    rows[at] = kept - step;
    double below = loss(s, b, gradients, rows);
    rows[at] = kept;
    return (above - below) / (2.0 * step);
}

static bool is_touched(const struct scene *s, const struct batch *b, uint32_t row)
{
    for (uint32_t i = 0; i < b->n_ids; i++)
        for (uint32_t l = 0; l < s->setting.n_lookups; l++)
            if (lookups[b->ids[i]][l] == row)
                return true;
    return false;
}

static const double rate = 0.05;

static double exact_step(struct exact_adam *a, uint32_t at, int n_steps, double g)
{
    a->m[at] = 0.9 * a->m[at] + 0.1 * g;
    a->v[at] = 0.999 * a->v[at] + 0.001 * g * g;
    return rate * a->m[at] / (1.0 - pow(0.9, n_steps)) /
           (sqrt(a->v[at] / (1.0 - pow(0.999, n_steps))) + 1e-8);
}

/* Gradients of the embeddings, random, by slots for the embedder: ids that share a slot add up. */
static void draw_gradients(const struct batch *b, struct rng *rng, double *by_id, float *by_slot)
{
    memset(by_slot, 0, N_IDS * DIM * sizeof *by_slot);
    for (uint32_t i = 0; i < b->n_ids; i++)
        for (uint32_t d = 0; d < DIM; d++) {
            float g = (float)rng_normal(rng);
            by_id[i * DIM + d] = (double)g;
            by_slot[b->slots[i] * DIM + d] += g;
        }
}

/* A step is at most 0.05 * sqrt(10). 1 - 0.999^t as floats costs it 2^-24 / 0.001 / 2 of itself at worst, and
 * gradients are off by some 1e-6 of the largest in a row's history. */
static void check_step(const struct scene *s, const struct batch *b, struct exact_adam *a, struct rng *rng)
{
    const uint32_t width = s->mapping.width;
    double rows[N_VALUES], by_id[N_IDS * DIM];
    float by_slot[N_IDS * DIM], before[N_VALUES];
    read_rows(s, rows);
    memcpy(before, embedder_rows(s->embedder), N_ROWS * width * sizeof *before);
    draw_gradients(b, rng, by_id, by_slot);
    embedder_step(s->embedder, by_slot, (float)rate);
    const float *after = embedder_rows(s->embedder);
    for (uint32_t r = 0; r < N_ROWS; r++) {
        if (!is_touched(s, b, r)) {
            assert_memory_equal(after + r * width, before + r * width, width * sizeof *after);
            continue;
        }
        a->n_steps[r]++;
        for (uint32_t at = r * width; at < (r + 1) * width; at++) {
            double g = central_difference(s, b, by_id, rows, at);
            double expected = (double)before[at] - exact_step(a, at, a->n_steps[r], g);
            assert_true(fabs((double)after[at] - expected) < 2e-5);
        }
    }
}

static void check_setting(const struct setting *setting)
{
    struct batch batches[] = {{.n_ids = 7, .ids = {3, 0, 5, 6, 2, 1, 4}},
                              {.n_ids = 2, .ids = {0, 3}},
                              {.n_ids = 3, .ids = {4, 6, 2}},
                              {.n_ids = 1, .ids = {6}},
                              {.n_ids = 4, .ids = {1, 6, 0, 5}}};
    struct rng rng = rng_seeded(1, 0);
    struct exact_adam adam = {0};
    struct scene s;
    scene_create(&s, setting, &rng);
    for (int round = 0; round < 10; round++) {
        struct batch *b = &batches[round % 5];
        take(&s, b);
        check_gather(&s, b);
        check_step(&s, b, &adam, &rng);
    }
    scene_destroy(&s);
}

static void check_all_threads(struct setting setting)
{
    for (setting.n_threads = 1; setting.n_threads <= 3; setting.n_threads++)
        check_setting(&setting);
}

static void one_lookup_reads_and_steps_rows(void **state)
{
    (void)state;
    for (int c = COMBINE_SUM; c <= COMBINE_CONCAT; c++)
        check_all_threads((struct setting){.combine = (enum combine)c, .n_lookups = 1});
}

static void several_lookups_are_summed(void **state)
{
    (void)state;
    for (uint32_t n = 2; n <= MAX_LOOKUPS; n++)
        check_all_threads((struct setting){.combine = COMBINE_SUM, .n_lookups = n});
}

static void several_lookups_are_multiplied(void **state)
{
    (void)state;
    for (uint32_t n = 2; n <= MAX_LOOKUPS; n++)
        check_all_threads((struct setting){.combine = COMBINE_MULTIPLY, .n_lookups = n});
}

static void several_lookups_are_concatenated(void **state)
{
    (void)state;
    for (uint32_t n = 2; n <= MAX_LOOKUPS; n++)
        check_all_threads((struct setting){.combine = COMBINE_CONCAT, .n_lookups = n});
}

/* A product's gradient is by what was read of the other rows. */
static void rows_are_read_as_if_stored_and_stepped_as_they_are(void **state)
{
    (void)state;
    for (uint32_t bits = 2; bits <= 8; bits += 2)
        for (uint32_t n = 1; n <= MAX_LOOKUPS; n++)
            for (int c = COMBINE_SUM; c <= COMBINE_CONCAT; c++)
                check_all_threads(
                    (struct setting){.combine = (enum combine)c, .n_lookups = n, .row_bits = bits});
}

static void ids_share_slots_only_with_one_lookup(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= MAX_LOOKUPS; n++) {
        struct batch b = {.n_ids = 7, .ids = {6, 5, 4, 3, 2, 1, 0}};
        struct setting setting = {.combine = COMBINE_SUM, .n_lookups = n, .n_threads = 1};
        struct rng rng = rng_seeded(2, 0);
        struct scene s;
        scene_create(&s, &setting, &rng);
        take(&s, &b);
        assert_int_equal(embedder_n_slots(s.embedder), n == 1 ? 5 : 7);
        for (uint32_t i = 0; i < b.n_ids; i++) {
            assert_true(b.slots[i] < embedder_n_slots(s.embedder));
            for (uint32_t j = 0; j < i; j++) {
                bool is_shared = n == 1 && lookups[b.ids[i]][0] == lookups[b.ids[j]][0];
                assert_true((b.slots[i] == b.slots[j]) == is_shared);
            }
        }
        scene_destroy(&s);
    }
}

/* Enough ids for every thread to have rows, and rows that many ids share. */
enum { MANY_IDS = 200, MANY_ROWS = 37, MANY_DIM = 48 };

static void train_many(enum combine combine, uint32_t n_lookups, unsigned n_threads, float *rows)
{
    uint32_t rows_of[MANY_IDS * MAX_LOOKUPS];
    float gradients[MANY_IDS * MANY_DIM];
    struct rng rng = rng_seeded(3, 0);
    for (uint32_t i = 0; i < MANY_IDS * n_lookups; i++)
        rows_of[i] = (uint32_t)rng_below(&rng, MANY_ROWS);
    struct id_mapping mapping = {.n_ids = MANY_IDS,
                                 .n_rows = MANY_ROWS,
                                 .n_lookups = n_lookups,
                                 .n_parts = n_parts_of(combine, n_lookups),
                                 .combine = within_parts(combine),
                                 .width = MANY_DIM / n_parts_of(combine, n_lookups),
                                 .rows_of = rows_of};
    struct embedder_options options = {&mapping, MANY_DIM, MANY_IDS, 4};
    struct parallel *team = fixture_team(n_threads);
    struct embedder *e = NULL;
    assert_int_equal(embedder_create(&options, &rng, team, &e, NULL), COLLIDE_OK);
    for (int step = 0; step < 5; step++) {
        embedder_clear(e);
        for (uint32_t i = 0; i < 150; i++)
            embedder_take(e, (uint32_t)rng_below(&rng, MANY_IDS));
        const float *embeddings = embedder_gather(e);
        for (uint32_t i = 0; i < embedder_n_slots(e) * MANY_DIM; i++)
            gradients[i] = embeddings[i] + (float)rng_normal(&rng);
        embedder_step(e, gradients, 0.05f);
    }
    memcpy(rows, embedder_rows(e), (size_t)MANY_ROWS * mapping.width * sizeof *rows);
    embedder_destroy(e);
    parallel_destroy(team);
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= MAX_LOOKUPS; n++)
        for (int c = COMBINE_SUM; c <= COMBINE_CONCAT; c++) {
            float one[MANY_ROWS * MANY_DIM] = {0}, several[MANY_ROWS * MANY_DIM] = {0};
            train_many((enum combine)c, n, 1, one);
            for (unsigned n_threads = 2; n_threads <= 3; n_threads++) {
                train_many((enum combine)c, n, n_threads, several);
                assert_memory_equal(one, several, sizeof one);
            }
        }
}

static void rows_start_at_the_mappings_own_or_as_random_directions(void **state)
{
    (void)state;
    struct setting setting = {.combine = COMBINE_CONCAT, .n_lookups = 2, .n_threads = 1};
    struct rng rng = rng_seeded(4, 0);
    struct scene s;
    scene_create(&s, &setting, &rng);
    assert_memory_equal(embedder_rows(s.embedder), s.start, N_ROWS * s.mapping.width * sizeof(float));
    embedder_destroy(s.embedder);
    s.mapping.rows = NULL;
    struct embedder_options options = {&s.mapping, DIM, N_IDS, 0};
    assert_int_equal(embedder_create(&options, &rng, s.team, &s.embedder, NULL), COLLIDE_OK);
    const float *rows = embedder_rows(s.embedder);
    for (uint32_t r = 0; r < N_ROWS; r++) {
        double length = 0.0;
        for (uint32_t d = 0; d < s.mapping.width; d++)
            length += (double)rows[r * s.mapping.width + d] * (double)rows[r * s.mapping.width + d];
        assert_true(fabs(length - 0.5) < 1e-5); /* so that two of them have length 1 */
        assert_true(r == 0 || rows[r * s.mapping.width] != rows[0]);
    }
    scene_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_lookup_reads_and_steps_rows),
        cmocka_unit_test(several_lookups_are_summed),
        cmocka_unit_test(several_lookups_are_multiplied),
        cmocka_unit_test(several_lookups_are_concatenated),
        cmocka_unit_test(rows_are_read_as_if_stored_and_stepped_as_they_are),
        cmocka_unit_test(ids_share_slots_only_with_one_lookup),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(rows_start_at_the_mappings_own_or_as_random_directions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
