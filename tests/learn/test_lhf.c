#include "base/log.h"
#include "base/rng.h"
#include "learn/map/id_mapping.h"
#include "learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_IDS = 90, DIM = 4, N_ROWS = 12 };

/* Id i was seen counts[i] times, all different: the most frequent one is id 37, then 74, then 21... */
struct ids {
    uint32_t dense_ids[N_IDS];
    uint32_t counts[N_IDS];
    float vectors[N_IDS * DIM];
};

static uint32_t id_of_rank(uint32_t rank)
{
    return (rank + 1) * 37 % N_IDS;
}

static void ids_fill(struct ids *ids)
{
    struct rng rng = rng_seeded(2, 0);
    for (uint32_t rank = 0; rank < N_IDS; rank++) {
        ids->dense_ids[rank] = 2 * rank;
        ids->counts[id_of_rank(rank)] = 1000 - 7 * rank;
    }
    for (int k = 0; k < N_IDS * DIM; k++)
        ids->vectors[k] = (float)rng_normal(&rng);
}

static enum collide_status map_to(const struct ids *ids, uint32_t n_rows, struct method_settings settings,
                                  bool ids_may_move, struct id_mapping *out)
{
    struct parallel *team = fixture_team(2);
    const struct mapping_problem p = {.n_ids = N_IDS,
                                      .dense_ids = ids->dense_ids,
                                      .counts = ids->counts,
                                      .n_rows = n_rows,
                                      .dim = DIM,
                                      .ids_may_move = ids_may_move,
                                      .vectors = ids->vectors,
                                      .settings = settings,
                                      .seed = 4,
                                      .team = team};
    enum collide_status status = id_mapping_create(LEARN_LHF, &p, out, NULL);
    parallel_destroy(team);
    return status;
}

static enum collide_status map(const struct ids *ids, uint32_t n_rows, struct method_settings settings,
                               struct id_mapping *out)
{
    return map_to(ids, n_rows, settings, false, out);
}

static double weight_by_root(const struct ids *ids, uint32_t id)
{
    return sqrt(ids->counts[id] + 1.0);
}

static double weight_by_count(const struct ids *ids, uint32_t id)
{
    return ids->counts[id] + 1.0;
}

static double weight_of_one(const struct ids *ids, uint32_t id)
{
    (void)ids;
    (void)id;
    return 1.0;
}

static void assert_rows_are_means(const struct ids *ids, const struct id_mapping *m,
                                  double (*weight)(const struct ids *, uint32_t))
{
    for (uint32_t row = 0; row < m->n_rows; row++) {
        double sum[DIM] = {0}, total = 0.0;
        for (uint32_t i = 0; i < N_IDS; i++) {
            if (m->rows_of[i] != row)
                continue;
            total += weight(ids, i);
            for (uint32_t d = 0; d < DIM; d++)
                sum[d] += weight(ids, i) * (double)ids->vectors[i * DIM + d];
        }
        assert_true(total > 0.0);
        for (uint32_t d = 0; d < DIM; d++)
            assert_true(fabs(sum[d] / total - (double)m->rows[row * DIM + d]) < 1e-5);
    }
}

static void frequency_pulls_rows_unless_only_the_embedding_is_to_count(void **state)
{
    (void)state;
    struct ids ids;
    struct id_mapping m;
    ids_fill(&ids);
    assert_int_equal(map(&ids, N_ROWS, (struct method_settings){0}, &m), COLLIDE_OK);
    assert_rows_are_means(&ids, &m, weight_by_root);
    id_mapping_free(&m);
    assert_int_equal(map(&ids, N_ROWS, (struct method_settings){.signals = SIGNALS_EMBEDDING}, &m),
                     COLLIDE_OK);
    assert_rows_are_means(&ids, &m, weight_of_one);
    id_mapping_free(&m);
}

static void ids_that_training_moves_weigh_by_their_count(void **state)
{
    (void)state;
    struct ids ids;
    struct id_mapping m;
    ids_fill(&ids);
    assert_int_equal(map_to(&ids, N_ROWS, (struct method_settings){0}, true, &m), COLLIDE_OK);
    assert_rows_are_means(&ids, &m, weight_by_count);
    assert_int_equal(m.n_open_rows, N_ROWS);
    id_mapping_free(&m);
    assert_int_equal(map_to(&ids, N_ROWS, (struct method_settings){.private_share = 0.34f}, true, &m),
                     COLLIDE_OK);
    assert_int_equal(m.n_open_rows, N_ROWS - 4);
    id_mapping_free(&m);
    const enum mapping_signals alone[] = {SIGNALS_FREQUENCY, SIGNALS_EMBEDDING};
    for (int k = 0; k < 2; k++) {
        assert_int_equal(map_to(&ids, N_ROWS, (struct method_settings){.signals = alone[k]}, true, &m),
                         COLLIDE_OK);
        assert_rows_are_means(&ids, &m, k == 0 ? weight_by_root : weight_of_one);
        assert_int_equal(m.n_open_rows, 0);
        id_mapping_free(&m);
    }
}

/* Without differences in frequency, both signals are the embedding alone. */
static void equal_counts_leave_the_embedding_to_decide(void **state)
{
    (void)state;
    struct ids ids;
    struct id_mapping both, embedding;
    ids_fill(&ids);
    memset(ids.counts, 0, sizeof ids.counts);
    assert_int_equal(map(&ids, N_ROWS, (struct method_settings){0}, &both), COLLIDE_OK);
    assert_int_equal(map(&ids, N_ROWS, (struct method_settings){.signals = SIGNALS_EMBEDDING}, &embedding),
                     COLLIDE_OK);
    assert_memory_equal(both.rows_of, embedding.rows_of, N_IDS * sizeof *both.rows_of);
    id_mapping_free(&both);
    id_mapping_free(&embedding);
}

static void frequency_alone_looks_at_ranks(void **state)
{
    (void)state;
    struct ids ids;
    struct id_mapping m;
    ids_fill(&ids);
    assert_int_equal(map(&ids, N_ROWS, (struct method_settings){.signals = SIGNALS_FREQUENCY}, &m),
                     COLLIDE_OK);
    for (uint32_t rank = 0; rank < N_IDS; rank++)
        assert_int_equal(m.rows_of[id_of_rank(rank)], rank < 6 ? rank : 6 + (rank - 6) % 6);
    assert_rows_are_means(&ids, &m, weight_by_root);
    id_mapping_free(&m);
    const struct method_settings quarter = {.signals = SIGNALS_FREQUENCY, .private_share = 0.25f};
    assert_int_equal(map(&ids, N_ROWS, quarter, &m), COLLIDE_OK);
    for (uint32_t rank = 0; rank < N_IDS; rank++)
        assert_int_equal(m.rows_of[id_of_rank(rank)], rank < 3 ? rank : 3 + (rank - 3) % 9);
    id_mapping_free(&m);
}

static void private_rows_belong_to_the_most_frequent_alone(void **state)
{
    (void)state;
    struct ids ids;
    struct id_mapping m;
    ids_fill(&ids);
    assert_int_equal(map(&ids, N_ROWS, (struct method_settings){.private_share = 0.34f}, &m), COLLIDE_OK);
    for (uint32_t rank = 0; rank < N_IDS; rank++) {
        if (rank < 4)
            assert_int_equal(m.rows_of[id_of_rank(rank)], rank);
        else
            assert_in_range(m.rows_of[id_of_rank(rank)], 4, N_ROWS - 1);
    }
    assert_rows_are_means(&ids, &m, weight_by_root);
    id_mapping_free(&m);
}

static void shares_from_one_on_are_refused(void **state)
{
    (void)state;
    struct ids ids;
    struct id_mapping m;
    ids_fill(&ids);
    assert_int_equal(map(&ids, N_ROWS, (struct method_settings){.private_share = 1.0f}, &m), COLLIDE_INVALID);
    assert_int_equal(map(&ids, N_ROWS, (struct method_settings){.private_share = -0.5f}, &m),
                     COLLIDE_INVALID);
}

static void one_row_takes_all_ids_whatever_the_signals(void **state)
{
    (void)state;
    struct ids ids;
    struct id_mapping m;
    ids_fill(&ids);
    const enum mapping_signals signals[] = {SIGNALS_BOTH, SIGNALS_FREQUENCY, SIGNALS_EMBEDDING};
    for (int k = 0; k < 3; k++) {
        const struct method_settings settings = {.signals = signals[k], .private_share = 0.5f};
        assert_int_equal(map(&ids, 1, settings, &m), COLLIDE_OK);
        for (uint32_t i = 0; i < N_IDS; i++)
            assert_int_equal(m.rows_of[i], 0);
        id_mapping_free(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frequency_pulls_rows_unless_only_the_embedding_is_to_count),
        cmocka_unit_test(ids_that_training_moves_weigh_by_their_count),
        cmocka_unit_test(equal_counts_leave_the_embedding_to_decide),
        cmocka_unit_test(frequency_alone_looks_at_ranks),
        cmocka_unit_test(private_rows_belong_to_the_most_frequent_alone),
        cmocka_unit_test(shares_from_one_on_are_refused),
        cmocka_unit_test(one_row_takes_all_ids_whatever_the_signals),
    };
    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
