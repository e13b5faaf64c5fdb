#include "base/log.h"
#include "base/rng.h"
#include "learn/map/id_mapping.h"
#include "learn_fixture.h"
#include "model/mapping.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_IDS = 6000, N_PARTNERS = 50, PARTNERS_OF_ONE = 8, DIM = 32, N_ROWS = 101 };

/* Ids with gaps between them, some counts equal, everything at random. */
struct scene {
    struct mapping_problem problem;
    uint32_t dense_ids[N_IDS];
    uint32_t counts[N_IDS];
    float vectors[N_IDS * DIM];
    uint64_t offsets[N_IDS + 1];
    uint32_t partner_values[N_IDS * PARTNERS_OF_ONE];
    struct csr partners;
};

static struct scene *scene_create(void)
{
    struct scene *s = calloc(1, sizeof *s);
    struct rng rng = rng_seeded(11, 0);
    assert_non_null(s);
    for (uint32_t i = 0; i < N_IDS; i++) {
        s->dense_ids[i] = 2 * i + (uint32_t)rng_below(&rng, 2);
        s->counts[i] = 1 + (uint32_t)rng_below(&rng, 300);
        s->offsets[i + 1] = s->offsets[i] + PARTNERS_OF_ONE;
    }
    for (size_t i = 0; i < N_IDS * DIM; i++)
        s->vectors[i] = (float)rng_normal(&rng) / sqrtf(DIM);
    for (size_t i = 0; i < N_IDS * PARTNERS_OF_ONE; i++)
        s->partner_values[i] = (uint32_t)rng_below(&rng, N_PARTNERS);
    s->partners = (struct csr){.n_rows = N_IDS, .offsets = s->offsets, .values = s->partner_values};
    s->problem = (struct mapping_problem){.n_ids = N_IDS,
                                          .n_space_ids = 2 * N_IDS,
                                          .dense_ids = s->dense_ids,
                                          .counts = s->counts,
                                          .partners = &s->partners,
                                          .n_partners = N_PARTNERS,
                                          .n_rows = N_ROWS,
                                          .dim = DIM,
                                          .vectors = s->vectors,
                                          .seed = 5,
                                          .team = fixture_team(2)};
    return s;
}

static void scene_destroy(struct scene *s)
{
    parallel_destroy(s->problem.team);
    free(s);
}

static struct id_mapping map(enum learn_method method, const struct mapping_problem *problem)
{
    struct id_mapping m;
    struct collide_error err = {0};
    if (id_mapping_create(method, problem, &m, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return m;
}

static void expect_refusal(enum learn_method method, const struct mapping_problem *problem, const char *why)
{
    struct id_mapping m;
    struct collide_error err = {0};
    assert_int_equal(id_mapping_create(method, problem, &m, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, why));
}

/* docs/FORMAT.md, "Mappings": hashed_row, of n_rows rows beside the unknown ids'. */
static uint32_t hashed_row(uint64_t g, uint64_t lookup, uint64_t n_lookups, uint64_t seed, uint64_t n_rows)
{
    uint64_t x = g * n_lookups + lookup + 1 + seed * 0x9E3779B97F4A7C15;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    x ^= x >> 31;
    return (uint32_t)((x >> 32) * n_rows >> 32);
}

static const enum learn_method hash_family[] = {
    LEARN_HASH,      LEARN_DOUBLE, LEARN_HYBRID,  LEARN_BLOOM, LEARN_QR, LEARN_QR_MULTIPLY,
    LEARN_QR_CONCAT, LEARN_LSH,    LEARN_HASHEMB, LEARN_ROBE,  LEARN_CE, LEARN_CCE};
static const enum learn_method computed[] = {LEARN_HASH, LEARN_DOUBLE, LEARN_BLOOM, LEARN_HASHEMB};
enum { N_FAMILY = sizeof hash_family / sizeof *hash_family, N_COMPUTED = sizeof computed / sizeof *computed };

/* qr needs about twice the square root of the largest dense id. */
static struct mapping_problem roomy(const struct scene *s)
{
    struct mapping_problem p = s->problem;
    p.n_rows = 401;
    return p;
}

static void budgets_are_kept_and_spent(void **state)
{
    struct scene *s = *state;
    for (int k = 0; k < N_FAMILY; k++) {
        struct mapping_problem p = roomy(s);
        struct id_mapping m = map(hash_family[k], &p);
        assert_int_equal(m.n_ids, N_IDS);
        assert_int_equal(m.width * m.n_parts, DIM);
        assert_int_equal(m.n_lookups % m.n_parts, 0);
        uint64_t n_values = (uint64_t)m.n_rows * m.width, budget = (uint64_t)p.n_rows * p.dim;
        assert_true(n_values <= budget && n_values >= budget * 9 / 10);
        for (size_t e = 0; e < (size_t)N_IDS * m.n_lookups; e++)
            assert_true(m.rows_of[e] < m.n_rows);
        id_mapping_free(&m);
    }
}

static void seeds_and_nothing_else_decide(void **state)
{
    struct scene *s = *state;
    struct parallel *alone = fixture_team(1);
    for (int k = 0; k < N_FAMILY; k++) {
        struct mapping_problem p = roomy(s), other = p;
        other.seed = 6;
        struct id_mapping first = map(hash_family[k], &p), different = map(hash_family[k], &other);
        /* The products of k-means round by how they are shared out. */
        if (mapping_method(hash_family[k])->teacher == TEACHER_NONE)
            p.team = alone;
        struct id_mapping again = map(hash_family[k], &p);
        const size_t n_bytes = (size_t)N_IDS * first.n_lookups * sizeof *first.rows_of;
        assert_memory_equal(first.rows_of, again.rows_of, n_bytes);
        bool has_seed = mapping_method(hash_family[k])->fill != map_qr;
        assert_true((memcmp(first.rows_of, different.rows_of, n_bytes) != 0) == has_seed);
        id_mapping_free(&first);
        id_mapping_free(&different);
        id_mapping_free(&again);
    }
    parallel_destroy(alone);
}

static void computed_rows_are_those_of_the_format(void **state)
{
    struct scene *s = *state;
    for (int k = 0; k < N_COMPUTED; k++) {
        struct id_mapping m = map(computed[k], &s->problem);
        const struct model model = {.rows.n = m.n_rows + 1,
                                    .item.n_ids = 2 * N_IDS,
                                    .mapping = {.kind = m.kind, .n_lookups = m.n_lookups, .seed = m.seed}};
        assert_int_equal(m.kind, MAPPING_HASHED);
        for (uint32_t i = 0; i < N_IDS; i++)
            for (uint32_t l = 0; l < m.n_lookups; l++) {
                uint32_t row = m.rows_of[(size_t)i * m.n_lookups + l];
                assert_int_equal(row, hashed_row(s->dense_ids[i], l, m.n_lookups, 5, N_ROWS));
                assert_int_equal(row, model_row_of(&model, &model.item, s->dense_ids[i], l));
            }
        id_mapping_free(&m);
    }
}

/* Of all methods that say by what kernels can compute them, for ids that were not mapped, too. */
static void rows_are_computed_as_they_are_mapped(void **state)
{
    struct scene *s = *state;
    const struct mapping_problem p = roomy(s);
    uint32_t n_kinds[MAPPING_QUOTIENT + 1] = {0};
    for (int method = 0; method < LEARN_N_METHODS; method++) {
        const enum mapping_kind kind = mapping_method((enum learn_method)method)->kind;
        n_kinds[kind]++;
        if (kind == MAPPING_STORED)
            continue;
        struct id_mapping m = map((enum learn_method)method, &p);
        const struct model model = {
            .rows.n = m.n_rows + 1,
            .item.n_ids = p.n_space_ids,
            .mapping = {.kind = m.kind, .n_lookups = m.n_lookups, .seed = m.seed, .divisor = m.divisor}};
        assert_int_equal(m.kind, kind);
        for (size_t e = 0; e < (size_t)N_IDS * m.n_lookups; e++)
            assert_int_equal(m.rows_of[e], model_row_of(&model, &model.item, s->dense_ids[e / m.n_lookups],
                                                        (unsigned)(e % m.n_lookups)));
        for (uint32_t id = 0; id < p.n_space_ids; id++)
            for (uint32_t l = 0; l < m.n_lookups; l++)
                assert_true(model_row_of(&model, &model.item, id, l) < m.n_rows);
        id_mapping_free(&m);
    }
    assert_int_equal(n_kinds[MAPPING_MODULO], 1);
    assert_int_equal(n_kinds[MAPPING_HASHED], 4);
    assert_int_equal(n_kinds[MAPPING_QUOTIENT], 3);
}

static void the_example_of_the_format_holds(void **state)
{
    struct scene *s = *state;
    const uint32_t dense_ids[] = {6};
    struct mapping_problem p = s->problem;
    p.n_ids = 1;
    p.dense_ids = dense_ids;
    p.n_rows = 999;
    p.seed = 1;
    struct id_mapping m = map(LEARN_DOUBLE, &p);
    assert_int_equal(m.rows_of[1], 416);
    id_mapping_free(&m);
}

/* Each of N_ROWS rows is expected mean = N_IDS / N_ROWS = 59.4 times, with a standard deviation of about its
 * root; none of 400 such counts is six of these off but with a chance of 1e-6. Two lookups agree N_IDS /
 * N_ROWS times too. */
static void rows_are_used_evenly_and_lookups_are_independent(void **state)
{
    struct scene *s = *state;
    const double mean = (double)N_IDS / N_ROWS, off = 6.0 * sqrt(mean);
    struct id_mapping m = map(LEARN_BLOOM, &s->problem);
    assert_int_equal(m.n_lookups, 4);
    for (uint32_t l = 0; l < m.n_lookups; l++) {
        unsigned uses[N_ROWS] = {0}, agreements = 0;
        for (size_t i = 0; i < N_IDS; i++) {
            uses[m.rows_of[i * m.n_lookups + l]]++;
            agreements +=
                m.rows_of[i * m.n_lookups + l] == m.rows_of[i * m.n_lookups + (l + 1) % m.n_lookups];
        }
        for (int r = 0; r < N_ROWS; r++)
            assert_true(fabs(uses[r] - mean) < off);
        assert_true(fabs(agreements - mean) < off);
    }
    id_mapping_free(&m);
}

static void hybrid_keeps_the_frequent_ids_apart(void **state)
{
    struct scene *s = *state;
    const float shares[] = {0.0f, 0.25f, 0.999f};
    const uint32_t n_private[] = {N_ROWS / 2, N_ROWS / 4, N_ROWS - 1};
    for (int k = 0; k < 3; k++) {
        struct mapping_problem p = s->problem;
        p.settings.private_share = shares[k];
        struct id_mapping m = map(LEARN_HYBRID, &p);
        uint32_t n_heads = 0, least_frequent_head = UINT32_MAX, most_frequent_other = 0;
        uint32_t owners[N_ROWS] = {0};
        for (size_t i = 0; i < N_IDS; i++) {
            const uint32_t *rows = m.rows_of + 2 * i;
            if (rows[0] < n_private[k]) {
                assert_int_equal(rows[0], rows[1]);
                assert_int_equal(owners[rows[0]]++, 0);
                n_heads++;
                least_frequent_head = s->counts[i] < least_frequent_head ? s->counts[i] : least_frequent_head;
                continue;
            }
            for (uint32_t l = 0; l < 2; l++)
                assert_int_equal(rows[l],
                                 n_private[k] + hashed_row(s->dense_ids[i], l, 2, 5, N_ROWS - n_private[k]));
            most_frequent_other = s->counts[i] > most_frequent_other ? s->counts[i] : most_frequent_other;
        }
        assert_int_equal(n_heads, n_private[k]);
        assert_true(least_frequent_head >= most_frequent_other);
        id_mapping_free(&m);
    }
}

static void frequency_takes_the_same_share(void **state)
{
    struct scene *s = *state;
    struct mapping_problem p = s->problem;
    p.settings.private_share = 0.25f;
    struct id_mapping m = map(LEARN_FREQUENCY, &p);
    uint32_t n_heads = 0;
    for (size_t i = 0; i < N_IDS; i++) {
        n_heads += m.rows_of[i] < N_ROWS / 4;
        if (m.rows_of[i] >= N_ROWS / 4)
            assert_int_equal(m.rows_of[i], N_ROWS / 4 + s->dense_ids[i] % (N_ROWS - N_ROWS / 4));
    }
    assert_int_equal(n_heads, N_ROWS / 4);
    id_mapping_free(&m);
    p.settings.private_share = 1.0f;
    expect_refusal(LEARN_FREQUENCY, &p, "share");
    expect_refusal(LEARN_HYBRID, &p, "share");
}

/* Of dense ids below 10: 5 remainders and 2 quotients are 7 rows, 6 and 2 would be 8. */
static void quotient_and_remainder_are_as_many_as_rows_allow(void **state)
{
    struct scene *s = *state;
    const uint32_t dense_ids[] = {0, 1, 3, 4, 5, 7, 9};
    const enum learn_method methods[] = {LEARN_QR, LEARN_QR_MULTIPLY};
    struct mapping_problem p = s->problem;
    p.n_ids = 7;
    p.n_space_ids = 10;
    p.dense_ids = dense_ids;
    p.n_rows = 7;
    for (int k = 0; k < 2; k++) {
        struct id_mapping m = map(methods[k], &p);
        assert_int_equal(m.combine, k == 0 ? COMBINE_SUM : COMBINE_MULTIPLY);
        assert_int_equal(m.n_rows, 7);
        for (int i = 0; i < 7; i++) {
            assert_int_equal(m.rows_of[2 * i], dense_ids[i] % 5);
            assert_int_equal(m.rows_of[2 * i + 1], 5 + dense_ids[i] / 5);
        }
        id_mapping_free(&m);
    }
    p.n_rows = 4; /* of half the width: 8 */
    struct id_mapping m = map(LEARN_QR_CONCAT, &p);
    assert_int_equal(m.width, DIM / 2);
    assert_int_equal(m.n_rows, 8);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(m.rows_of[2 * i], dense_ids[i] % 6);
        assert_int_equal(m.rows_of[2 * i + 1], 6 + dense_ids[i] / 6);
    }
    id_mapping_free(&m);
    p.n_rows = 6; /* 2 and 5, 3 and 4 or 5 and 2 are 7 */
    expect_refusal(LEARN_QR, &p, "quotient and remainder");
}

static void no_two_ids_have_the_same_quotient_and_remainder(void **state)
{
    struct scene *s = *state;
    struct mapping_problem p = roomy(s);
    struct id_mapping m = map(LEARN_QR, &p);
    bool *seen = calloc((size_t)m.n_rows * m.n_rows, sizeof *seen);
    assert_non_null(seen);
    for (size_t i = 0; i < N_IDS; i++) {
        bool *cell = &seen[(size_t)m.rows_of[2 * i] * m.n_rows + m.rows_of[2 * i + 1]];
        assert_false(*cell);
        *cell = true;
    }
    free(seen);
    id_mapping_free(&m);
}

/* Charikar: two vectors at angle t are on the same side of a random hyperplane with probability 1 - t / pi.
 * Among two rows, one such side is what is left of the codes once all four occur. Ids 0 and 1 have no partner
 * in common (pi / 2), 0 and 2 half of theirs (pi / 3), 0 and 3 all. */
static void lsh_tells_ids_apart_by_the_angle_of_their_interactions(void **state)
{
    struct scene *s = *state;
    enum { N_SEEDS = 1000 };
    const uint32_t starts[4] = {0, 10, 4, 0};
    struct mapping_problem p = s->problem;
    unsigned together[4] = {0};
    for (uint32_t i = 0; i < 4; i++)
        for (uint32_t k = 0; k < PARTNERS_OF_ONE; k++)
            s->partner_values[i * PARTNERS_OF_ONE + k] = starts[i] + k;
    p.n_ids = 200;
    p.n_rows = 2;
    for (p.seed = 0; p.seed < N_SEEDS; p.seed++) {
        struct id_mapping m = map(LEARN_LSH, &p);
        for (int i = 1; i < 4; i++)
            together[i] += m.rows_of[0] == m.rows_of[i];
        id_mapping_free(&m);
    }
    /* Five standard deviations, 0.5 / sqrt(N_SEEDS) each. */
    assert_true(fabs(together[1] / (double)N_SEEDS - 0.5) < 0.08);
    assert_true(fabs(together[2] / (double)N_SEEDS - 2.0 / 3.0) < 0.08);
    assert_int_equal(together[3], N_SEEDS);
}

/* The sides of the hyperplanes that partner's part of the stream gives, 7 for 64 .. 127 rows. */
static uint32_t lsh_code(const struct scene *s, size_t id)
{
    double sums[7] = {0};
    uint32_t code = 0;
    for (size_t k = s->offsets[id]; k < s->offsets[id + 1]; k++) {
        struct rng rng = rng_seeded(s->problem.seed, s->partner_values[k]);
        for (int b = 0; b < 7; b++)
            sums[b] += rng_normal(&rng);
    }
    for (int b = 0; b < 7; b++)
        code |= (uint32_t)(sums[b] > 0.0) << b;
    return code;
}

/* At random 6000 ids have all 128 codes, so with 101 rows 27 pairs have to share. */
static void lsh_unites_the_rarest_pairs_of_codes_until_they_fit(void **state)
{
    struct scene *s = *state;
    struct id_mapping m = map(LEARN_LSH, &s->problem);
    uint32_t row_of_code[128], sizes[64] = {0}, n_united = 0, largest_united = 0, smallest_split = N_IDS;
    memset(row_of_code, 0xff, sizeof row_of_code);
    assert_int_equal(m.n_rows, N_ROWS);
    for (size_t i = 0; i < N_IDS; i++) {
        uint32_t code = lsh_code(s, i), *row = &row_of_code[code];
        *row = *row == UINT32_MAX ? m.rows_of[i] : *row;
        assert_int_equal(m.rows_of[i], *row);
        sizes[code / 2]++;
    }
    for (uint32_t code = 0; code < 128; code += 2) {
        const uint32_t row = row_of_code[code], next = row_of_code[code + 1], size = sizes[code / 2];
        assert_int_equal(row, code == 0 ? 0 : row_of_code[code - 1] + 1);
        assert_true(next == row || next == row + 1);
        n_united += next == row;
        if (next == row)
            largest_united = size > largest_united ? size : largest_united;
        else
            smallest_split = size < smallest_split ? size : smallest_split;
    }
    assert_int_equal(n_united, 128 - N_ROWS);
    assert_true(largest_united <= smallest_split);
    id_mapping_free(&m);
}

static void only_hash_embeddings_weigh_lookups(void **state)
{
    struct scene *s = *state;
    for (int k = 0; k < N_FAMILY; k++) {
        struct mapping_problem p = roomy(s);
        struct id_mapping m = map(hash_family[k], &p);
        assert_true((m.lookup_weights != NULL) == (hash_family[k] == LEARN_HASHEMB));
        for (size_t e = 0; m.lookup_weights && e < (size_t)N_IDS * m.n_lookups; e++)
            assert_true(m.lookup_weights[e] == 1.0f / sqrtf(DIM));
        id_mapping_free(&m);
    }
}

/* Chunks of each shape: dim, chunks asked for, and the lookups that come of them. */
static void robe_reads_runs_of_a_flat_array(void **state)
{
    struct scene *s = *state;
    static const struct {
        uint32_t dim, n_asked, n_chunks, n_lookups;
    } cases[] = {{32, 0, 4, 8},   {64, 0, 4, 16}, {64, 2, 2, 16},
                 {128, 0, 4, 16}, {8, 2, 2, 2},   {96, 0, 4, 12}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct mapping_problem p = s->problem;
        p.dim = cases[k].dim;
        p.settings.n_lookups = cases[k].n_asked;
        struct id_mapping m = map(LEARN_ROBE, &p);
        const uint32_t n_chunks = cases[k].n_chunks, run = cases[k].n_lookups / n_chunks;
        assert_int_equal(m.n_lookups, cases[k].n_lookups);
        assert_int_equal(m.n_parts, m.n_lookups);
        assert_int_equal(m.n_rows, N_ROWS * m.n_parts);
        uint32_t n_wrapped = 0;
        for (size_t i = 0; i < N_IDS; i++)
            for (uint32_t l = 0; l < m.n_lookups; l++) {
                uint32_t start = hashed_row(s->dense_ids[i], l / run, n_chunks, 5, m.n_rows);
                assert_int_equal(m.rows_of[i * m.n_lookups + l], (start + l % run) % m.n_rows);
                n_wrapped += start + l % run >= m.n_rows;
            }
        assert_true(run == 1 || n_wrapped > 0);
        id_mapping_free(&m);
    }
    struct mapping_problem p = s->problem;
    p.dim = 24; /* four chunks of 6 */
    expect_refusal(LEARN_ROBE, &p, "multiple of 16");
    p.dim = 30;
    expect_refusal(LEARN_ROBE, &p, "multiple of 16");
}

static void parts_of_compositional_codes_have_tables_of_their_own(void **state)
{
    struct scene *s = *state;
    const uint32_t asked[] = {0, 2, 16};
    for (int k = 0; k < 3; k++) {
        struct mapping_problem p = s->problem;
        p.settings.n_lookups = asked[k];
        struct id_mapping m = map(LEARN_CE, &p);
        const uint32_t n_parts = asked[k] ? asked[k] : 4;
        assert_int_equal(m.n_parts, n_parts);
        assert_int_equal(m.n_lookups, n_parts);
        for (size_t i = 0; i < N_IDS; i++)
            for (uint32_t part = 0; part < n_parts; part++)
                assert_int_equal(m.rows_of[i * n_parts + part],
                                 part * N_ROWS + hashed_row(s->dense_ids[i], part, n_parts, 5, N_ROWS));
        id_mapping_free(&m);
    }
}

/* What the rows of a part are, worked out from who shares them. */
static double residual_of(const struct scene *s, const struct id_mapping *m, size_t id, uint32_t part,
                          uint32_t d)
{
    const uint32_t centroid = m->rows_of[id * m->n_lookups + 2 * part];
    return (double)s->vectors[id * DIM + part * m->width + d] - (double)m->rows[centroid * m->width + d];
}

static void check_part_of_cce(const struct scene *s, const struct id_mapping *m, uint32_t part)
{
    const uint32_t first = part * N_ROWS, n_centroids = (N_ROWS + 1) / 2;
    for (uint32_t d = 0; d < m->width; d++) {
        double sums[N_ROWS] = {0}, masses[N_ROWS] = {0}, before = 0.0, after = 0.0;
        for (size_t i = 0; i < N_IDS; i++) {
            const uint32_t *rows = m->rows_of + i * m->n_lookups + 2 * part;
            const double weight = sqrt(s->counts[i] + 1.0), residual = residual_of(s, m, i, part, d);
            assert_true(rows[0] >= first && rows[0] < first + n_centroids);
            assert_int_equal(rows[1], first + n_centroids +
                                          hashed_row(s->dense_ids[i], part, 4, 5, N_ROWS - n_centroids));
            sums[rows[0] - first] += weight * (double)s->vectors[i * DIM + part * m->width + d];
            sums[rows[1] - first] += weight * residual;
            masses[rows[0] - first] += weight;
            masses[rows[1] - first] += weight;
            double left = residual - (double)m->rows[rows[1] * m->width + d];
            before += weight * residual * residual;
            after += weight * left * left;
        }
        for (uint32_t r = 0; r < N_ROWS; r++)
            assert_true(fabs((double)m->rows[(first + r) * m->width + d] - sums[r] / masses[r]) < 1e-4);
        assert_true(after < before);
    }
}

static void cce_starts_at_centroids_and_mean_residuals(void **state)
{
    struct scene *s = *state;
    struct id_mapping m = map(LEARN_CCE, &s->problem);
    assert_int_equal(m.n_parts, 4);
    assert_int_equal(m.n_lookups, 8);
    for (uint32_t part = 0; part < 4; part++)
        check_part_of_cce(s, &m, part);
    id_mapping_free(&m);
    struct mapping_problem p = s->problem;
    p.n_rows = 1;
    expect_refusal(LEARN_CCE, &p, "at least 2");
}

static void what_a_method_cannot_do_is_refused(void **state)
{
    struct scene *s = *state;
    const enum learn_method fixed[] = {LEARN_MODULO, LEARN_HASH, LEARN_DOUBLE,
                                       LEARN_HYBRID, LEARN_QR,   LEARN_LSH};
    struct mapping_problem p = s->problem;
    p.settings.n_lookups = 3;
    for (size_t k = 0; k < sizeof fixed / sizeof *fixed; k++)
        expect_refusal(fixed[k], &p, "leave the number of lookups out");
    expect_refusal(LEARN_CE, &p, "dim 32");
    expect_refusal(LEARN_CCE, &p, "multiple of 2");
    p.settings.n_lookups = MODEL_MAX_LOOKUPS + 1;
    expect_refusal(LEARN_BLOOM, &p, "up to 16");
    p.settings.n_lookups = 4;
    p.n_rows = 1u << 30;
    expect_refusal(LEARN_CE, &p, "give fewer");
}

static int create(void **state)
{
    *state = scene_create();
    return 0;
}

static int destroy(void **state)
{
    scene_destroy(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(budgets_are_kept_and_spent),
        TEST(seeds_and_nothing_else_decide),
        TEST(computed_rows_are_those_of_the_format),
        TEST(rows_are_computed_as_they_are_mapped),
        TEST(the_example_of_the_format_holds),
        TEST(rows_are_used_evenly_and_lookups_are_independent),
        TEST(hybrid_keeps_the_frequent_ids_apart),
        TEST(frequency_takes_the_same_share),
        TEST(quotient_and_remainder_are_as_many_as_rows_allow),
        TEST(no_two_ids_have_the_same_quotient_and_remainder),
        TEST(lsh_tells_ids_apart_by_the_angle_of_their_interactions),
        TEST(lsh_unites_the_rarest_pairs_of_codes_until_they_fit),
        TEST(only_hash_embeddings_weigh_lookups),
        TEST(robe_reads_runs_of_a_flat_array),
        TEST(parts_of_compositional_codes_have_tables_of_their_own),
        TEST(cce_starts_at_centroids_and_mean_residuals),
        TEST(what_a_method_cannot_do_is_refused),
    };
    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
