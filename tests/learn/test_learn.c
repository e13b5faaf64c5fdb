#include "base/log.h"
#include "learn/evaluate.h"
#include "learn/learn.h"
#include "learn/store/dequantize.h"
#include "learn_fixture.h"
#include "model/mapping.h"
#include "model/read.h"
#include "model/write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct synth_options structured = {.n_users = 1500,
                                                .n_items = 600,
                                                .n_interactions = 24000,
                                                .n_clusters = 30,
                                                .zipf_exponent = 1.1,
                                                .taste = 0.9,
                                                .seed = 1};

static struct learn_options quick_options(void)
{
    struct learn_options o = learn_options_default();
    o.items.n_rows = 60;
    o.dim = 24;
    o.n_threads = 2;
    o.training.teacher_epochs = 6;
    o.training.mapped_epochs = 3;
    o.training.n_negatives = 256;
    return o;
}

static void assert_same_provenance(const struct model *a, const struct model *b)
{
    assert_int_equal(a->n_provenance, b->n_provenance);
    for (size_t i = 0; i < a->n_provenance; i++) {
        assert_string_equal(a->provenance[i].name, b->provenance[i].name);
        assert_string_equal(a->provenance[i].value, b->provenance[i].value);
    }
}

static void the_same_seed_and_threads_give_the_same_model(void **state)
{
    (void)state;
    struct interactions log;
    struct csr held_out;
    fixture_synth(&structured, &log, &held_out);
    struct learn_options o = quick_options();
    for (unsigned n_threads = 1; n_threads <= 3; n_threads++) {
        o.n_threads = n_threads;
        struct learned *first = fixture_learn(&log, &o), *second = fixture_learn(&log, &o);
        const struct model *a = learned_model(first), *b = learned_model(second);
        size_t n_entries = a->item.n_ids + 1u;
        assert_memory_equal(a->rows.values, b->rows.values, a->rows.n * row_bytes(&a->rows));
        assert_memory_equal(a->rows.scales, b->rows.scales, a->rows.n * sizeof(float));
        assert_memory_equal(a->item.remap, b->item.remap, n_entries * sizeof(uint32_t));
        assert_memory_equal(a->item.weights, b->item.weights, n_entries * sizeof(float));
        assert_memory_equal(a->bias, b->bias, n_entries * sizeof(float));
        assert_same_provenance(a, b);
        learned_destroy(first);
        learned_destroy(second);
    }
    csr_free(&held_out);
    interactions_free(&log);
}

static double recall_of(const struct interactions *log, const struct csr *held_out,
                        const struct learn_options *o)
{
    struct learned *l = fixture_learn(log, o);
    struct parallel *team = fixture_team(1);
    struct evaluation e = {.histories = &log->histories, .relevant = held_out, .cutoff = 10};
    struct quality q;
    assert_int_equal(evaluate_model(learned_model(l), &e, team, &q, NULL), COLLIDE_OK);
    parallel_destroy(team);
    learned_destroy(l);
    return q.recall;
}

/* The methods that read one row an id and ask for no more than 1 .. n_items rows, of any dim. */
enum { N_STORED_METHODS = LEARN_FULL + 1 };

static void learned_maps_beat_frequency_which_beats_modulo(void **state)
{
    (void)state;
    struct interactions log;
    struct csr held_out;
    fixture_synth(&structured, &log, &held_out);
    struct learn_options o = quick_options();
    o.items.n_rows = 150;
    o.training.teacher_epochs = 20;
    o.training.mapped_epochs = 10;
    double recall[N_STORED_METHODS];
    for (int m = 0; m < N_STORED_METHODS; m++) {
        o.items.method = (enum learn_method)m;
        recall[m] = recall_of(&log, &held_out, &o);
        print_message("%-10s recall@10 %.4f\n", learn_method_name(o.items.method), recall[m]);
    }
    assert_true(recall[LEARN_LHF] > recall[LEARN_FREQUENCY] + 0.01);
    assert_true(recall[LEARN_FREQUENCY] > recall[LEARN_MODULO] + 0.01);
    /* Another team size sums in another order; that must not cost quality. */
    o.items.method = LEARN_LHF;
    o.n_threads = 1;
    assert_true(fabs(recall_of(&log, &held_out, &o) - recall[LEARN_LHF]) < 0.02);
    csr_free(&held_out);
    interactions_free(&log);
}

/* Item 2 is a gap in dense ids: nobody has it. */
static const char tiny_log[] = "0 0\n0 1\n0 3\n1 1\n1 3\n2 4\n3 0\n3 4\n4 1\n4 4\n4 3\n";

static void unknown_items_and_gaps_share_one_entry(void **state)
{
    (void)state;
    struct interactions log;
    fixture_log(tiny_log, &log);
    struct learn_options o = quick_options();
    o.items.n_rows = 2;
    for (int f = 0; f < N_ROW_FORMS; f++) {
        o.form = (enum row_form)f;
        if (precision_bits(row_form_precision(o.form)) < 8)
            continue;
        struct learned *l = fixture_learn(&log, &o);
        const struct model *m = learned_model(l);
        const struct space *item = &m->item;
        assert_int_equal(item->n_ids, 5);
        assert_int_equal(m->rows.n, 3);
        float row[24], lowest = INFINITY;
        for (uint32_t i = 0; i < 5; i++)
            if (i != 2) {
                lowest = fminf(lowest, m->bias[i]);
                assert_true(item->remap[i] < 2 && item->weights[i] > 0.0f);
            }
        for (uint32_t i = 2; i <= 5; i += 3) {
            assert_int_equal(item->remap[i], 2);
            assert_true(item->weights[i] == 0.0f && m->bias[i] == lowest);
        }
        dequantize_row(&m->rows, 2, 0, row);
        for (uint32_t d = 0; d < o.dim; d++)
            assert_true(row[d] == 0.0f);
        learned_destroy(l);
    }
    interactions_free(&log);
}

/* f32: rounding of a sum of squares; f16: each element off by 2^-11 of itself at most; i8: see quantize.h, in
 * float. i8-line: the four rows' squared errors in a dimension add up to four squared half steps at most, and
 * elements are below 1. i4, i3, i2: an element x = s q + o is off by 2^-11 (|s q| + |o|) <= 2^-11 (|x| + 2
 * |o|), and the offset is within the range, of sqrt(2) at most, widened by as much again. */
static void rows_are_of_length_one(void **state)
{
    (void)state;
    const double of_halves = 0x1p-11 * (1.0 + 2.0 * (1.0 + sqrt(2.0)) * sqrt(24.0));
    const double tolerance[] = {1e-6,      0x1p-11,   1e-6,     0.5 / 127.0 * sqrt(4.0 * 24.0),
                                of_halves, of_halves, of_halves};
    struct interactions log;
    fixture_log(tiny_log, &log);
    struct learn_options o = quick_options();
    o.items.n_rows = 3;
    for (int f = 0; f < N_ROW_FORMS; f++) {
        o.form = (enum row_form)f;
        struct learned *l = fixture_learn(&log, &o);
        for (uint32_t r = 0; r < 3; r++) {
            float row[24];
            double sum = 0.0;
            dequantize_row(&learned_model(l)->rows, r, 0, row);
            for (uint32_t d = 0; d < o.dim; d++)
                sum += (double)row[d] * (double)row[d];
            assert_true(fabs(sqrt(sum) - 1.0) < tolerance[f]);
        }
        learned_destroy(l);
    }
    interactions_free(&log);
}

/* weights[i] * row(i) is as long in every form: what a row lost or gained in length, weights make up for.
 * Rows of fewer than eight bits are trained for that, so theirs are others. */
static void terms_of_bags_keep_their_length_in_every_form(void **state)
{
    (void)state;
    struct interactions log;
    fixture_log(tiny_log, &log);
    struct learn_options o = quick_options();
    o.items.n_rows = 3;
    double wanted[5] = {0};
    for (int f = 0; f < N_ROW_FORMS; f++) {
        o.form = (enum row_form)f;
        if (precision_bits(row_form_precision(o.form)) < 8)
            continue;
        struct learned *l = fixture_learn(&log, &o);
        const struct model *m = learned_model(l);
        for (uint32_t i = 0; i < 5; i++) {
            float row[24];
            double sum = 0.0;
            dequantize_embedding(m, &m->item, i, row);
            for (uint32_t d = 0; d < o.dim; d++)
                sum += (double)row[d] * (double)row[d];
            double length = sqrt(sum) * (double)m->item.weights[i];
            wanted[i] = f == ROWS_F32 ? length : wanted[i];
            assert_true(fabs(length - wanted[i]) <= 2e-6 * wanted[i]);
        }
        learned_destroy(l);
    }
    interactions_free(&log);
}

/* How often a model's rows are looked up, by the log. */
/* Pairs of items that share a row and are equally frequent, but do not weigh the same in a bag. */
static uint32_t count_told_apart(const struct interactions *log, enum mapping_signals signals)
{
    struct learn_options o = quick_options();
    o.items.settings.signals = signals;
    struct learned *learned = fixture_learn(log, &o);
    const struct space *item = &learned_model(learned)->item;
    uint32_t *counts = calloc(log->items.n_ids, sizeof *counts), n = 0;
    assert_non_null(counts);
    interactions_count_items(log, counts);
    for (uint32_t i = 0; i < log->items.n_ids; i++)
        for (uint32_t j = 0; j < i; j++)
            n += item->remap[i] == item->remap[j] && counts[i] == counts[j] &&
                 fabsf(item->weights[i] - item->weights[j]) > 1e-4f * item->weights[i];
    free(counts);
    learned_destroy(learned);
    return n;
}

static void both_signals_say_what_an_item_weighs(void **state)
{
    (void)state;
    struct interactions log;
    struct csr held_out;
    fixture_synth(&structured, &log, &held_out);
    assert_true(count_told_apart(&log, SIGNALS_BOTH) > 100);
    assert_int_equal(count_told_apart(&log, SIGNALS_EMBEDDING), 0);
    csr_free(&held_out);
    interactions_free(&log);
}

static void count_accesses(const struct interactions *log, const struct model *m, uint64_t *counts)
{
    memset(counts, 0, m->rows.n * sizeof *counts);
    for (uint64_t k = 0; k < log->histories.offsets[log->users.n_ids]; k++)
        counts[model_row_of(m, &m->item, log->histories.values[k], 0)]++;
}

static void rows_with_more_accesses_come_first(void **state)
{
    (void)state;
    struct interactions log;
    struct csr held_out;
    fixture_synth(&structured, &log, &held_out);
    struct learn_options o = quick_options();
    uint64_t counts[601];
    for (int method = 0; method < N_STORED_METHODS; method++) {
        o.items.method = (enum learn_method)method;
        struct learned *l = fixture_learn(&log, &o);
        const struct model *m = learned_model(l);
        count_accesses(&log, m, counts);
        for (uint32_t r = 1; r < m->rows.n; r++)
            assert_true(counts[r] <= counts[r - 1]);
        assert_int_equal(counts[m->rows.n - 1], 0);
        assert_int_equal(m->item.remap[m->item.n_ids], m->rows.n - 1);
        learned_destroy(l);
    }
    csr_free(&held_out);
    interactions_free(&log);
}

static void packed_models_differ_in_their_mapping_alone(void **state)
{
    (void)state;
    struct interactions log;
    struct csr held_out;
    fixture_synth(&structured, &log, &held_out);
    struct learn_options o = quick_options();
    o.val = &held_out;
    struct learned *stored = fixture_learn(&log, &o);
    o.mapping = ENTRIES_PACKED;
    struct learned *packed = fixture_learn(&log, &o);
    const struct model *a = learned_model(stored), *b = learned_model(packed);
    assert_int_equal(b->mapping.kind, MAPPING_PACKED);
    assert_int_equal(b->mapping.bits, 6); /* 60 rows and the zero row */
    for (uint32_t id = 0; id <= a->item.n_ids; id++)
        assert_int_equal(model_row_of(b, &b->item, id, 0), a->item.remap[id]);
    assert_memory_equal(a->rows.values, b->rows.values, a->rows.n * row_bytes(&a->rows));
    assert_same_provenance(a, b);
    learned_destroy(stored);
    learned_destroy(packed);
    csr_free(&held_out);
    interactions_free(&log);
}

static void histories_are_kept_or_left_out_as_asked(void **state)
{
    (void)state;
    struct interactions log;
    fixture_log(tiny_log, &log);
    struct learn_options o = quick_options();
    o.items.n_rows = 2;
    struct learned *l = fixture_learn(&log, &o);
    const struct model *m = learned_model(l);
    const uint32_t offsets[] = {0, 3, 5, 6, 8, 11, 11}, history[] = {0, 1, 3, 1, 3, 4, 0, 4, 1, 3, 4};
    assert_int_equal(m->user.n_ids, 5);
    assert_memory_equal(m->histories.offsets, offsets, sizeof offsets);
    assert_memory_equal(m->histories.items, history, sizeof history);
    learned_destroy(l);
    o.histories = HISTORIES_NONE;
    l = fixture_learn(&log, &o);
    assert_int_equal(learned_model(l)->user.n_ids, 0);
    learned_destroy(l);
    interactions_free(&log);
}

static void enough_rows_make_every_method_full(void **state)
{
    (void)state;
    struct interactions log;
    fixture_log(tiny_log, &log);
    struct learn_options o = quick_options();
    for (int method = 0; method < N_STORED_METHODS; method++) {
        o.items.method = (enum learn_method)method;
        o.items.n_rows = 4;
        struct learned *l = fixture_learn(&log, &o);
        const struct model *m = learned_model(l);
        assert_int_equal(m->rows.n, 5);
        assert_string_equal(m->provenance[0].value, "full");
        for (uint32_t i = 0; i < 5; i++)
            for (uint32_t j = 0; j < i; j++)
                assert_true(m->item.remap[i] != m->item.remap[j]);
        learned_destroy(l);
    }
    interactions_free(&log);
}

static void assert_finite_model(const struct model *m)
{
    float row[64];
    for (uint32_t r = 0; r < m->rows.n; r++) {
        dequantize_row(&m->rows, r, 0, row);
        for (uint32_t d = 0; d < m->dim; d++)
            assert_true(isfinite(row[d]));
    }
    for (uint32_t i = 0; i <= m->item.n_ids; i++)
        assert_true(isfinite(m->bias[i]) && isfinite(m->item.weights[i]));
}

static void smallest_sizes_are_learned_without_accident(void **state)
{
    (void)state;
    static const char *const logs[] = {tiny_log, "0 0\n0 1\n", "7 a\n7 b\n8 a\n"};
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        struct interactions log;
        fixture_log(logs[i], &log);
        for (int m = 0; m < N_STORED_METHODS; m++)
            for (uint32_t dim = 1; dim <= 17; dim += 16) {
                struct learn_options o = quick_options();
                o.items.method = (enum learn_method)m;
                o.items.n_rows = 1;
                o.dim = dim;
                struct learned *l = fixture_learn(&log, &o);
                assert_finite_model(learned_model(l));
                learned_destroy(l);
            }
        interactions_free(&log);
    }
}

static void logs_that_teach_nothing_are_refused(void **state)
{
    (void)state;
    static const char *const logs[] = {"0 0\n", "0 0\n1 1\n2 1\n"};
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        struct interactions log;
        struct learn_options o = quick_options();
        struct learned *l = NULL;
        struct collide_error err = {0};
        fixture_log(logs[i], &log);
        assert_int_equal(learn_model(&log, &o, &l, &err), COLLIDE_INVALID);
        assert_non_null(strstr(err.text, "two items"));
        assert_null(l);
        interactions_free(&log);
    }
}

static void expect_invalid(const struct interactions *log, struct learn_options options)
{
    struct learned *l = NULL;
    struct collide_error err = {0};
    assert_int_equal(learn_model(log, &options, &l, &err), COLLIDE_INVALID);
    assert_true(err.text[0] != '\0');
    assert_null(l);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    struct interactions log;
    fixture_log(tiny_log, &log);
    struct learn_options o = quick_options();
    o.items.n_rows = 0;
    expect_invalid(&log, o);
    o = quick_options(), o.dim = 0;
    expect_invalid(&log, o);
    o = quick_options(), o.dim = MODEL_MAX_DIM + 1;
    expect_invalid(&log, o);
    o = quick_options(), o.training.temperature = 0.001f;
    expect_invalid(&log, o);
    o = quick_options(), o.training.temperature = NAN;
    expect_invalid(&log, o);
    o = quick_options(), o.training.row_rate = INFINITY;
    expect_invalid(&log, o);
    o = quick_options(), o.training.input_share = 1.0f;
    expect_invalid(&log, o);
    o = quick_options(), o.training.batch_users = 0;
    expect_invalid(&log, o);
    o = quick_options(), o.training.mapped_epochs = 0;
    expect_invalid(&log, o);
    o = quick_options(), o.form = ROWS_I4, o.dim = 23;
    expect_invalid(&log, o);
    o = quick_options(), o.form = ROWS_I3, o.dim = 20;
    expect_invalid(&log, o);
    o = quick_options(), o.form = ROWS_I2, o.dim = 22;
    expect_invalid(&log, o);
    o = quick_options(), o.mapping = ENTRIES_COMPUTED;
    expect_invalid(&log, o);
    uint64_t offsets[] = {0, 0};
    struct csr val = {.n_rows = 1, .offsets = offsets, .values = NULL};
    o = quick_options(), o.val = &val;
    expect_invalid(&log, o);
    interactions_free(&log);
}

static void learned_models_are_valid_files(void **state)
{
    (void)state;
    static const char *const logs[] = {tiny_log, "7 a\n7 b\n8 a\n", "900000 5\n900000 7000000\n1 5\n"};
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        struct interactions log;
        fixture_log(logs[i], &log);
        for (int f = 0; f < 2 * N_ROW_FORMS; f++) {
            char path[] = "/tmp/collide-learned-XXXXXX";
            struct collide_error err = {0};
            struct model_file *file = NULL;
            struct learn_options o = quick_options();
            o.form = (enum row_form)(f % N_ROW_FORMS);
            o.mapping = f < N_ROW_FORMS ? ENTRIES_STORED : ENTRIES_PACKED;
            o.items.n_rows = 1;
            struct learned *l = fixture_learn(&log, &o);
            close(mkstemp(path));
            assert_int_equal(model_write(learned_model(l), path, &err), COLLIDE_OK);
            if (model_file_open(path, MODEL_CHECK_CONTENTS, &file, &err) != COLLIDE_OK)
                fail_msg("%s", err.text);
            assert_int_equal(model_file_model(file)->item.n_ids, log.items.n_ids);
            assert_int_equal(model_file_model(file)->user.n_ids, log.users.n_ids);
            model_file_close(file);
            unlink(path);
            learned_destroy(l);
        }
        interactions_free(&log);
    }
}

static void provenance_says_how_good_the_model_is(void **state)
{
    (void)state;
    struct interactions log;
    struct csr held_out;
    fixture_synth(&structured, &log, &held_out);
    struct learn_options o = quick_options();
    o.val = &held_out;
    struct learned *l = fixture_learn(&log, &o);
    double recall = -1.0;
    for (size_t i = 0; i < learned_model(l)->n_provenance; i++)
        if (strcmp(learned_model(l)->provenance[i].name, "val_recall_at_10") == 0)
            recall = atof(learned_model(l)->provenance[i].value);
    assert_true(fabs(recall - recall_of(&log, &held_out, &o)) < 1e-6);
    learned_destroy(l);
    csr_free(&held_out);
    interactions_free(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_and_threads_give_the_same_model),
        cmocka_unit_test(learned_maps_beat_frequency_which_beats_modulo),
        cmocka_unit_test(unknown_items_and_gaps_share_one_entry),
        cmocka_unit_test(rows_are_of_length_one),
        cmocka_unit_test(terms_of_bags_keep_their_length_in_every_form),
        cmocka_unit_test(both_signals_say_what_an_item_weighs),
        cmocka_unit_test(rows_with_more_accesses_come_first),
        cmocka_unit_test(packed_models_differ_in_their_mapping_alone),
        cmocka_unit_test(histories_are_kept_or_left_out_as_asked),
        cmocka_unit_test(enough_rows_make_every_method_full),
        cmocka_unit_test(smallest_sizes_are_learned_without_accident),
        cmocka_unit_test(logs_that_teach_nothing_are_refused),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(learned_models_are_valid_files),
        cmocka_unit_test(provenance_says_how_good_the_model_is),
    };
    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
