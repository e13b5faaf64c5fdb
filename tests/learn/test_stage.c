#include "base/log.h"
#include "learn/stage.h"
#include "learn/store/assemble.h"
#include "learn_fixture.h"
#include "support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct synth_options made_up = {.n_users = 150,
                                             .n_items = 80,
                                             .n_interactions = 2000,
                                             .n_clusters = 5,
                                             .zipf_exponent = 1.1,
                                             .taste = 0.5,
                                             .seed = 3};
enum { N_ROWS = 30, DIM = 4, N_EPOCHS = 20, MAX_IDS = 200 };

/* Items have two rows each, and weights for them; users share rows. */
struct scene {
    struct interactions log;
    struct csr held_out;
    struct corpus corpus;
    struct parallel *team;
    uint32_t rows_of_items[2 * MAX_IDS], rows_of_users[MAX_IDS];
    float weights[2 * MAX_IDS];
    struct id_mapping items, users;
    struct trainer *trainer;
    /* The models that are measured rank by how many have an item, the most first at the best_call-th call and
     * the least first at all others; these are the rows of the former. */
    unsigned n_calls, best_call;
    unsigned dies_at; /* call; 0: never */
    float best_rows[N_ROWS * DIM];
};

static void scene_create(struct scene *s, enum backbone backbone, uint64_t seed)
{
    *s = (struct scene){0};
    fixture_synth(&made_up, &s->log, &s->held_out);
    assert_int_equal(corpus_create(&s->log, 2, &s->corpus, NULL), COLLIDE_OK);
    s->team = fixture_team(1);
    for (uint32_t i = 0; i < MAX_IDS; i++) {
        s->rows_of_items[2 * i] = i % N_ROWS;
        s->rows_of_items[2 * i + 1] = (i / 2) % N_ROWS;
        s->weights[2 * i] = s->weights[2 * i + 1] = 1.0f;
        s->rows_of_users[i] = (i / 3) % N_ROWS;
    }
    s->items = (struct id_mapping){.n_ids = s->corpus.n_items,
                                   .n_rows = N_ROWS,
                                   .n_lookups = 2,
                                   .n_parts = 1,
                                   .width = DIM,
                                   .rows_of = s->rows_of_items,
                                   .lookup_weights = s->weights};
    s->users = (struct id_mapping){.n_ids = s->corpus.histories.n_rows,
                                   .n_rows = N_ROWS,
                                   .n_lookups = 1,
                                   .n_parts = 1,
                                   .width = DIM,
                                   .rows_of = s->rows_of_users};
    struct trainer_problem p = {.corpus = &s->corpus,
                                .items = &s->items,
                                .users = backbone == BACKBONE_BAG ? NULL : &s->users,
                                .dim = DIM,
                                .item_lengths = ITEM_LENGTHS_NEAR_ONE,
                                .training = training_default(),
                                .seed = seed};
    p.training.backbone = backbone;
    p.training.temperature = 0.2f;
    p.training.batch_users = 16;
    p.training.n_negatives = 30;
    assert_int_equal(trainer_create(&p, s->team, &s->trainer, NULL), COLLIDE_OK);
}

static void scene_destroy(struct scene *s)
{
    trainer_destroy(s->trainer);
    parallel_destroy(s->team);
    corpus_free(&s->corpus);
    csr_free(&s->held_out);
    interactions_free(&s->log);
}

static enum collide_status assemble(void *context, struct learned **out, struct collide_error *err)
{
    struct scene *s = context;
    if (s->n_calls + 1 == s->dies_at)
        return COLLIDE_IO;
    const bool is_best = ++s->n_calls == s->best_call;
    const float rows[DIM] = {1.0f};
    static uint32_t row_of_all[MAX_IDS];
    float bias[MAX_IDS];
    for (uint32_t i = 0; i < s->corpus.n_items; i++)
        bias[i] = (is_best ? 1.0f : -1.0f) * (float)s->corpus.counts[i];
    if (is_best)
        memcpy(s->best_rows, trainer_rows(s->trainer), sizeof s->best_rows);
    const struct id_mapping mapping = {.n_ids = s->corpus.n_items,
                                       .n_rows = 1,
                                       .n_lookups = 1,
                                       .n_parts = 1,
                                       .width = DIM,
                                       .rows_of = row_of_all};
    const struct trained trained = {.items = {.mapping = &mapping,
                                              .rows = rows,
                                              .dense_ids = s->corpus.dense_ids,
                                              .counts = s->corpus.counts},
                                    .weights = s->corpus.weights,
                                    .bias = bias,
                                    .dim = DIM,
                                    .pooling = POOLING_NORMALISED,
                                    .temperature = 0.2f};
    struct learn_options options = learn_options_default();
    options.form = ROWS_F32;
    options.dim = DIM;
    return learned_create(&s->log, &trained, &options, out, err);
}

struct terms {
    struct checkpoint *checkpoint;
    bool is_judged;
    uint32_t patience;
};

static enum collide_status try_stage(struct scene *s, const struct terms *terms, double *loss,
                                     struct collide_error *err)
{
    const struct oversight oversight = {.checkpoint = terms->checkpoint,
                                        .judges = terms->is_judged ? &s->held_out : NULL,
                                        .histories = &s->log.histories,
                                        .patience = terms->patience,
                                        .team = s->team};
    const struct stage stage = {"rows", N_EPOCHS, s->trainer, assemble, s};
    return stage_run(&stage, &oversight, loss, err);
}

static double run_stage(struct scene *s, const struct terms *terms)
{
    struct collide_error err = {0};
    double loss = -1.0;
    if (try_stage(s, terms, &loss, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return loss;
}

/* Of twenty epochs every second one is measured. */
static void the_best_parameters_are_kept(void **state)
{
    (void)state;
    for (unsigned best = 1; best <= 10; best += 3) {
        struct scene s;
        scene_create(&s, BACKBONE_BAG, 1);
        s.best_call = best;
        run_stage(&s, &(struct terms){.is_judged = true});
        assert_int_equal(s.n_calls, 10);
        assert_memory_equal(trainer_rows(s.trainer), s.best_rows, sizeof s.best_rows);
        scene_destroy(&s);
    }
}

static void a_stage_ends_when_patience_does(void **state)
{
    (void)state;
    static const struct {
        unsigned best;
        uint32_t patience;
        unsigned expected;
    } cases[] = {{1, 1, 2}, {1, 3, 4}, {4, 3, 7}, {3, 2, 5}, {8, 3, 4}, {9, 20, 10}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s;
        scene_create(&s, BACKBONE_BAG, 1);
        s.best_call = cases[i].best;
        run_stage(&s, &(struct terms){.is_judged = true, .patience = cases[i].patience});
        assert_int_equal(s.n_calls, cases[i].expected);
        if (cases[i].best <= cases[i].expected)
            assert_memory_equal(trainer_rows(s.trainer), s.best_rows, sizeof s.best_rows);
        scene_destroy(&s);
    }
}

static void nothing_is_measured_without_judges(void **state)
{
    (void)state;
    struct scene watched, plain;
    double loss;
    scene_create(&watched, BACKBONE_BOTH, 1);
    scene_create(&plain, BACKBONE_BOTH, 1);
    double watched_loss = run_stage(&watched, &(struct terms){.patience = 1});
    assert_int_equal(watched.n_calls, 0);
    assert_int_equal(trainer_run(plain.trainer, N_EPOCHS, "rows", &loss, NULL), COLLIDE_OK);
    assert_true(watched_loss == loss);
    assert_memory_equal(trainer_rows(watched.trainer), trainer_rows(plain.trainer),
                        N_ROWS * DIM * sizeof(float));
    scene_destroy(&watched);
    scene_destroy(&plain);
}

/* ---- Going on. */

enum { MAX_STATE_BYTES = 1 << 16 };

static size_t copy_state(const struct scene *s, enum state_extent extent, char *out)
{
    struct training_state state;
    trainer_state(s->trainer, extent, &state);
    assert_true(training_state_bytes(&state) <= MAX_STATE_BYTES);
    training_state_copy_out(&state, out);
    return training_state_bytes(&state);
}

/* Ends a run after some epochs, with a copy of the state. */
struct cut {
    const struct scene *scene;
    uint32_t n_epochs;
    char state[MAX_STATE_BYTES];
};

static enum collide_status cut_short(void *context, uint32_t n_done, double loss, enum epoch_verdict *verdict,
                                     struct collide_error *err)
{
    (void)loss, (void)err;
    struct cut *c = context;
    if (n_done == c->n_epochs) {
        copy_state(c->scene, STATE_ALL, c->state);
        *verdict = EPOCHS_END;
    }
    return COLLIDE_OK;
}

static void a_trainer_goes_on_from_a_state_as_if_uncut(void **state)
{
    (void)state;
    static const enum backbone backbones[] = {BACKBONE_BAG, BACKBONE_USER, BACKBONE_BOTH};
    static char expected[MAX_STATE_BYTES], found[MAX_STATE_BYTES];
    static struct cut cut;
    for (int b = 0; b < 3; b++)
        for (uint32_t n = 1; n <= N_EPOCHS; n += 19) {
            struct scene whole, first, second;
            struct training_state all;
            double whole_loss, loss;
            scene_create(&whole, backbones[b], 1);
            scene_create(&first, backbones[b], 1);
            scene_create(&second, backbones[b], 2);
            assert_int_equal(trainer_run(whole.trainer, N_EPOCHS, "whole", &whole_loss, NULL), COLLIDE_OK);
            cut = (struct cut){.scene = &first, .n_epochs = n};
            const struct epoch_watcher watcher = {cut_short, &cut};
            assert_int_equal(trainer_run_watched(first.trainer, N_EPOCHS, "first", &watcher, &loss, NULL),
                             COLLIDE_OK);
            trainer_state(second.trainer, STATE_ALL, &all);
            training_state_copy_in(&all, cut.state);
            assert_int_equal(trainer_run(second.trainer, N_EPOCHS, "second", &loss, NULL), COLLIDE_OK);
            size_t n_bytes = copy_state(&whole, STATE_ALL, expected);
            assert_int_equal(copy_state(&second, STATE_ALL, found), n_bytes);
            assert_memory_equal(expected, found, n_bytes);
            assert_true(whole_loss == loss);
            scene_destroy(&whole);
            scene_destroy(&first);
            scene_destroy(&second);
        }
}

static enum collide_status refuse(void *context, uint32_t n_done, double loss, enum epoch_verdict *verdict,
                                  struct collide_error *err)
{
    (void)context, (void)loss, (void)verdict, (void)err;
    return n_done == 3 ? COLLIDE_IO : COLLIDE_OK;
}

static void what_a_watcher_says_ends_a_run(void **state)
{
    (void)state;
    struct scene s;
    double loss = -1.0;
    const struct epoch_watcher watcher = {refuse, NULL};
    scene_create(&s, BACKBONE_BAG, 1);
    assert_int_equal(trainer_run_watched(s.trainer, N_EPOCHS, "rows", &watcher, &loss, NULL), COLLIDE_IO);
    assert_true(loss == -1.0);
    scene_destroy(&s);
}

static struct checkpoint *open_checkpoint(const char *folder)
{
    struct checkpoint *c = NULL;
    struct collide_error err = {0};
    if (checkpoint_open(folder, "run 1\n", &c, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return c;
}

/* Cut short in a measurement, in whichever; the resumed trainer starts otherwise, and its measurements are
 * counted on. */
static void a_stage_goes_on_from_its_checkpoint(void **state)
{
    (void)state;
    static const struct {
        unsigned best;
        uint32_t patience;
    } cases[] = {{1, 0}, {4, 0}, {10, 0}, {2, 3}, {5, 2}};
    static char expected[MAX_STATE_BYTES], found[MAX_STATE_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene whole;
        struct terms terms = {.is_judged = true, .patience = cases[i].patience};
        scene_create(&whole, BACKBONE_BOTH, 1);
        whole.best_call = cases[i].best;
        double whole_loss = run_stage(&whole, &terms);
        size_t n_bytes = copy_state(&whole, STATE_PARAMETERS, expected);
        for (unsigned dies_at = 1; dies_at <= whole.n_calls; dies_at++) {
            struct scratch scratch;
            struct scene first, second;
            double loss;
            scratch_create(&scratch);
            terms.checkpoint = open_checkpoint(scratch.folder);
            scene_create(&first, BACKBONE_BOTH, 1);
            first.best_call = cases[i].best;
            first.dies_at = dies_at;
            assert_int_equal(try_stage(&first, &terms, &loss, NULL), COLLIDE_IO);
            checkpoint_close(terms.checkpoint);
            terms.checkpoint = open_checkpoint(scratch.folder);
            scene_create(&second, BACKBONE_BOTH, 2);
            second.best_call = cases[i].best;
            second.n_calls = first.n_calls;
            assert_true(run_stage(&second, &terms) == whole_loss);
            assert_int_equal(second.n_calls, whole.n_calls);
            assert_int_equal(copy_state(&second, STATE_PARAMETERS, found), n_bytes);
            assert_memory_equal(expected, found, n_bytes);
            checkpoint_close(terms.checkpoint);
            scene_destroy(&first);
            scene_destroy(&second);
            scratch_destroy(&scratch);
        }
        scene_destroy(&whole);
    }
}

/* Once it is through, or out of patience, nothing of it is done again. */
static void a_finished_stage_is_not_run_again(void **state)
{
    (void)state;
    static const uint32_t patience[] = {0, 3};
    static char expected[MAX_STATE_BYTES], found[MAX_STATE_BYTES];
    for (int i = 0; i < 2; i++) {
        struct scratch scratch;
        struct scene first, second;
        struct terms terms = {.is_judged = true, .patience = patience[i]};
        scratch_create(&scratch);
        scene_create(&first, BACKBONE_BAG, 1);
        scene_create(&second, BACKBONE_BAG, 2);
        first.best_call = 3;
        terms.checkpoint = open_checkpoint(scratch.folder);
        double loss = run_stage(&first, &terms);
        checkpoint_close(terms.checkpoint);
        terms.checkpoint = open_checkpoint(scratch.folder);
        assert_true(run_stage(&second, &terms) == loss);
        assert_int_equal(second.n_calls, 0);
        size_t n_bytes = copy_state(&first, STATE_PARAMETERS, expected);
        copy_state(&second, STATE_PARAMETERS, found);
        assert_memory_equal(expected, found, n_bytes);
        checkpoint_close(terms.checkpoint);
        scene_destroy(&first);
        scene_destroy(&second);
        scratch_destroy(&scratch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_parameters_are_kept),
        cmocka_unit_test(a_stage_ends_when_patience_does),
        cmocka_unit_test(nothing_is_measured_without_judges),
        cmocka_unit_test(a_trainer_goes_on_from_a_state_as_if_uncut),
        cmocka_unit_test(what_a_watcher_says_ends_a_run),
        cmocka_unit_test(a_stage_goes_on_from_its_checkpoint),
        cmocka_unit_test(a_finished_stage_is_not_run_again),
    };
    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
