/* Several models from one log: each is what it would have been alone. */
#include "learn/learn.h"
#include "learn_fixture.h"
#include "model/cost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct synth_options structured = {.n_users = 200,
                                                .n_items = 150,
                                                .n_interactions = 3000,
                                                .n_clusters = 10,
                                                .zipf_exponent = 1.0,
                                                .taste = 0.9,
                                                .seed = 3};

static struct learn_options quick_options(void)
{
    struct learn_options o = learn_options_default();
    o.items.n_rows = 40;
    o.users.n_rows = 30;
    o.dim = 8;
    o.n_threads = 1;
    o.histories = HISTORIES_NONE;
    o.training.teacher_epochs = 3;
    o.training.mapped_epochs = 2;
    o.training.user_epochs = 1;
    o.training.n_negatives = 128;
    return o;
}

static uint64_t bytes_of(const struct model *m)
{
    return bytes_of_model(m, m->histories.offsets ? m->histories.offsets[m->user.n_ids] : 0);
}

static void assert_same_model(const struct model *a, const struct model *b)
{
    assert_int_equal(a->rows.n, b->rows.n);
    assert_memory_equal(a->rows.values, b->rows.values, a->rows.n * row_bytes(&a->rows));
    assert_memory_equal(a->rows.scales, b->rows.scales, row_scale_bytes(a));
    assert_memory_equal(a->item.weights, b->item.weights, (a->item.n_ids + 1ull) * sizeof(float));
    assert_memory_equal(a->bias, b->bias, (a->item.n_ids + 1ull) * sizeof(float));
    assert_int_equal(bytes_of(a), bytes_of(b));
    assert_int_equal(a->n_provenance, b->n_provenance);
    for (size_t i = 0; i < a->n_provenance; i++)
        assert_string_equal(a->provenance[i].value, b->provenance[i].value);
}

static struct learner *begin(const struct interactions *log, const struct learn_options *options)
{
    struct learner *l = NULL;
    struct collide_error err = {0};
    if (learner_create(log, options, &l, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return l;
}

static void check_each(const struct interactions *log, struct learn_options common)
{
    struct learner *learner = begin(log, &common);
    const struct space_plan plans[] = {{.method = LEARN_MODULO, .n_rows = 40},
                                       {.method = LEARN_LHF, .n_rows = 40},
                                       {.method = LEARN_FULL},
                                       {.method = LEARN_RQ, .n_rows = 40, .settings = {.n_lookups = 2}},
                                       {.method = LEARN_LHF, .n_rows = 1000000},
                                       {.method = LEARN_FREQUENCY, .n_rows = 30}};
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        struct learn_options o = common;
        struct learned *shared = NULL, *alone = NULL;
        double seconds = -1.0;
        o.items = plans[i];
        o.form = i % 2 ? ROWS_I8 : ROWS_I4;
        assert_int_equal(learner_learn(learner, &o, &shared, &seconds, NULL), COLLIDE_OK);
        assert_int_equal(learn_model(log, &o, &alone, NULL), COLLIDE_OK);
        assert_same_model(learned_model(shared), learned_model(alone));
        assert_true(seconds > 0.0);
        learned_destroy(shared);
        learned_destroy(alone);
    }
    learner_destroy(learner);
}

static void models_that_share_a_teacher_are_as_they_would_be_alone(void **state)
{
    (void)state;
    struct interactions log;
    struct csr held_out;
    fixture_synth(&structured, &log, &held_out);
    struct learn_options o = quick_options();
    check_each(&log, o);
    o.training.backbone = BACKBONE_USER;
    o.val = &held_out;
    check_each(&log, o);
    o.training.backbone = BACKBONE_BAG;
    o.val = NULL;
    o.hold_out = 0.1;
    check_each(&log, o);
    csr_free(&held_out);
    interactions_free(&log);
}

static void a_budget_does_not_change_what_comes_after(void **state)
{
    (void)state;
    struct interactions log;
    struct csr held_out;
    fixture_synth(&structured, &log, &held_out);
    struct learn_options o = quick_options(), chosen;
    o.val = &held_out;
    struct learner *learner = begin(&log, &o);
    struct learned *by_budget = NULL, *shared = NULL, *alone = NULL;
    chosen = o;
    chosen.budget_bytes = 2500;
    assert_int_equal(learner_learn(learner, &chosen, &by_budget, NULL, NULL), COLLIDE_OK);
    assert_true(bytes_of(learned_model(by_budget)) <= 2500);
    assert_int_equal(learner_learn(learner, &o, &shared, NULL, NULL), COLLIDE_OK);
    assert_int_equal(learn_model(&log, &o, &alone, NULL), COLLIDE_OK);
    assert_same_model(learned_model(shared), learned_model(alone));
    learned_destroy(by_budget);
    learned_destroy(shared);
    learned_destroy(alone);
    learner_destroy(learner);
    csr_free(&held_out);
    interactions_free(&log);
}

/* The most rows that fit: the model takes no more, one with a row more does. */
static void rows_are_as_many_as_fit(void **state)
{
    (void)state;
    struct interactions log;
    struct csr held_out;
    fixture_synth(&structured, &log, &held_out);
    struct learn_options o = quick_options();
    struct learner *learner = begin(&log, &o);
    const struct space_plan plans[] = {{.method = LEARN_MODULO},
                                       {.method = LEARN_LHF},
                                       {.method = LEARN_RQ, .settings = {.n_lookups = 2}},
                                       {.method = LEARN_PQ, .settings = {.n_lookups = 4}}};
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        const uint64_t budget = 2500;
        for (int is_over = 0; is_over < 2; is_over++) {
            struct learned *l = NULL;
            o.items = plans[i];
            o.mapping = ENTRIES_PACKED;
            assert_int_equal(learner_fit_rows(learner, budget, &o, NULL), COLLIDE_OK);
            o.items.n_rows += is_over ? (plans[i].method == LEARN_RQ ? 2 : 1) : 0;
            uint64_t n_bytes = 0;
            assert_int_equal(learner_bytes(learner, &o, &n_bytes, NULL), COLLIDE_OK);
            assert_int_equal(learner_learn(learner, &o, &l, NULL, NULL), COLLIDE_OK);
            assert_int_equal(bytes_of(learned_model(l)), n_bytes);
            assert_int_equal(n_bytes > budget, is_over);
            learned_destroy(l);
        }
    }
    learner_destroy(learner);
    csr_free(&held_out);
    interactions_free(&log);
}

static void what_cannot_fit_is_refused(void **state)
{
    (void)state;
    struct interactions log;
    struct csr held_out;
    struct collide_error err = {0};
    fixture_synth(&structured, &log, &held_out);
    struct learn_options o = quick_options();
    struct learner *learner = begin(&log, &o);
    assert_int_equal(learner_fit_rows(learner, 500, &o, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "500 bytes is too small for lhf"));
    o.items = (struct space_plan){.method = LEARN_LHF, .settings = {.n_lookups = 3}};
    assert_int_equal(learner_fit_rows(learner, 50000, &o, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "leave the number of lookups out"));
    uint64_t n_bytes;
    o.items.n_rows = 10;
    assert_int_equal(learner_bytes(learner, &o, &n_bytes, &err), COLLIDE_INVALID);
    learner_destroy(learner);
    csr_free(&held_out);
    interactions_free(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_that_share_a_teacher_are_as_they_would_be_alone),
        cmocka_unit_test(a_budget_does_not_change_what_comes_after),
        cmocka_unit_test(rows_are_as_many_as_fit),
        cmocka_unit_test(what_cannot_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
