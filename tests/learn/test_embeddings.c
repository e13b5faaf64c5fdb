/* Tables from files, rows fitted to them, and the models that come out. */
#include "../support/scratch.h"
#include "base/rng.h"
#include "learn/embeddings/embedding_learn.h"
#include "learn/map/row_fit.h"
#include "learn/store/dequantize.h"
#include "model/cost.h"
#include "model/id_values.h"
#include "model/read.h"
#include "model/safetensors.h"
#include "model/write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_ITEMS = 240, N_USERS = 90, N_KINDS = 30, DIM = 16 };

static float items[N_ITEMS * DIM], users[N_USERS * DIM], bias[N_ITEMS];
static uint32_t counts[N_ITEMS];

/* Ids i of one i % N_KINDS are the same but for a little noise. */
static void draw_table(struct rng *rng, uint32_t n, double noise, float *out)
{
    float kinds[N_KINDS * DIM];
    for (int k = 0; k < N_KINDS * DIM; k++)
        kinds[k] = (float)(4.0 * rng_normal(rng));
    for (uint32_t k = 0; k < n * DIM; k++)
        out[k] = kinds[k / DIM % N_KINDS * DIM + k % DIM] + (float)(noise * rng_normal(rng));
}

static int draw_tables(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(1, 0);
    draw_table(&rng, N_ITEMS, 0.1, items);
    draw_table(&rng, N_USERS, 0.1, users);
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        bias[i] = (float)rng_normal(&rng);
        counts[i] = 1 + 1000 / (i + 1);
    }
    return 0;
}

static struct embedding_tables all_tables(void)
{
    return (struct embedding_tables){.n_items = N_ITEMS,
                                     .n_users = N_USERS,
                                     .dim = DIM,
                                     .items = items,
                                     .users = users,
                                     .bias = bias,
                                     .counts = counts};
}

static struct embedding_tables item_table(void)
{
    struct embedding_tables t = all_tables();
    t.n_users = 0;
    t.users = t.bias = NULL;
    return t;
}

static struct embedding_options options_of(enum learn_method method, uint32_t n_rows, enum row_form form)
{
    return (struct embedding_options){.items = {.method = method, .n_rows = n_rows},
                                      .users = {.method = method, .n_rows = n_rows},
                                      .form = form,
                                      .mapping = ENTRIES_STORED,
                                      .pooling = POOLING_MEAN,
                                      .seed = 1,
                                      .n_threads = 2};
}

/* The model of these tables, as it is read back from a file. */
static struct model_file *learn(const struct embedding_tables *t, const struct embedding_options *o,
                                struct embedding_report *report)
{
    struct learned *learned = NULL;
    struct model_file *file = NULL;
    struct collide_error err = {0};
    struct scratch scratch;
    char path[2 * SCRATCH_PATH_BYTES];
    scratch_create(&scratch);
    scratch_path(&scratch, "model", path);
    if (embedding_learn(t, o, &learned, report, &err) != COLLIDE_OK ||
        model_write(learned_model(learned), path, &err) != COLLIDE_OK ||
        model_file_open(path, MODEL_CHECK_CONTENTS, &file, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    learned_destroy(learned);
    scratch_destroy(&scratch);
    return file;
}

static double relative_error(const struct embedding_errors *e)
{
    return embedding_errors_rms(e) / embedding_errors_rms_length(e);
}

static double error_of(enum learn_method method, uint32_t n_rows)
{
    const struct embedding_tables t = item_table();
    const struct embedding_options o = options_of(method, n_rows, ROWS_F32);
    struct embedding_report report;
    model_file_close(learn(&t, &o, &report));
    return relative_error(&report.items);
}

static void refused(const struct embedding_tables *t, const struct embedding_options *o,
                    enum collide_status status, const char *text)
{
    struct learned *learned = NULL;
    struct embedding_report report;
    struct collide_error err = {0};
    assert_int_equal(embedding_learn(t, o, &learned, &report, &err), status);
    if (!strstr(err.text, text))
        fail_msg("%s", err.text);
}

/* ---- */

static void a_row_for_every_id_is_the_table(void **state)
{
    (void)state;
    const struct embedding_tables t = all_tables();
    const struct embedding_options o = options_of(LEARN_FULL, 0, ROWS_F32);
    struct embedding_report report;
    struct model_file *file = learn(&t, &o, &report);
    const struct model *m = model_file_model(file);
    float embedding[DIM];
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        dequantize_embedding(m, &m->item, i, embedding);
        assert_memory_equal(embedding, items + i * DIM, sizeof embedding);
        assert_true(model_bias_of(m, i) == bias[i]);
        assert_true(model_weight_of(&m->item, i) == 1.0f);
    }
    for (uint32_t u = 0; u < N_USERS; u++) {
        dequantize_embedding(m, &m->user, u, embedding);
        assert_memory_equal(embedding, users + u * DIM, sizeof embedding);
    }
    assert_true(report.items.squared_errors == 0.0 && report.users.squared_errors == 0.0);
    assert_int_equal(report.items.n, N_ITEMS);
    assert_int_equal(report.users.n, N_USERS);
    assert_true(m->logit_scale == 1.0f);
    assert_int_equal(m->pooling, POOLING_MEAN);
    assert_true(m->user_is_embedded);
    assert_null(m->item.weights);
    model_file_close(file);
}

static void unknown_ids_are_zeros_and_have_the_lowest_bias(void **state)
{
    (void)state;
    const struct embedding_tables t = all_tables();
    const struct embedding_options o = options_of(LEARN_LHF, N_KINDS, ROWS_I8);
    const float zeros[DIM] = {0};
    float embedding[DIM], lowest = bias[0];
    struct embedding_report report;
    struct model_file *file = learn(&t, &o, &report);
    const struct model *m = model_file_model(file);
    dequantize_embedding(m, &m->item, N_ITEMS, embedding);
    assert_memory_equal(embedding, zeros, sizeof zeros);
    dequantize_embedding(m, &m->user, N_USERS, embedding);
    assert_memory_equal(embedding, zeros, sizeof zeros);
    for (uint32_t i = 0; i < N_ITEMS; i++)
        lowest = fminf(lowest, bias[i]);
    assert_true(model_bias_of(m, N_ITEMS) == lowest);
    model_file_close(file);
}

/* With noise of 0.1 a value, embeddings of length 16, and a row a kind, k-means loses 0.4 in 16 or so; parts
 * of two values, as cce has them, have kinds that look alike. */
static void learned_mappings_find_what_is_alike(void **state)
{
    (void)state;
    assert_true(error_of(LEARN_LHF, 2 * N_KINDS) < 0.03);
    assert_true(error_of(LEARN_RQ, 4 * N_KINDS) < 0.03);
    assert_true(error_of(LEARN_PQ, 2 * N_KINDS) < 0.03);
    assert_true(error_of(LEARN_CCE, 4 * N_KINDS) < 0.1);
}

/* Folded by a multiple of the kinds, only alike ids share rows; by anything else all kinds do. */
static void folded_rows_are_the_means_of_their_ids(void **state)
{
    (void)state;
    assert_true(error_of(LEARN_MODULO, 2 * N_KINDS) < 0.03);
    assert_true(error_of(LEARN_MODULO, 2 * N_KINDS - 1) > 0.5);
}

static void every_method_that_needs_no_log_learns(void **state)
{
    (void)state;
    static const enum learn_method methods[] = {LEARN_LHF,    LEARN_MODULO, LEARN_FREQUENCY, LEARN_FULL,
                                                LEARN_RQ,     LEARN_PQ,     LEARN_HASH,      LEARN_DOUBLE,
                                                LEARN_HYBRID, LEARN_BLOOM,  LEARN_QR,        LEARN_QR_CONCAT,
                                                LEARN_ROBE,   LEARN_CE,     LEARN_CCE};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        const struct embedding_tables t = all_tables();
        struct embedding_options o = options_of(methods[i], 48, ROWS_F16);
        struct embedding_report report;
        o.mapping = i % 2 ? ENTRIES_PACKED : ENTRIES_STORED;
        struct model_file *file = learn(&t, &o, &report);
        if (!(relative_error(&report.items) < 1.0 && relative_error(&report.users) < 1.0))
            fail_msg("%s: %g and %g", learn_method_name(methods[i]), relative_error(&report.items),
                     relative_error(&report.users));
        model_file_close(file);
    }
}

static void methods_that_need_a_log_are_refused(void **state)
{
    (void)state;
    const struct embedding_tables t = all_tables(), without_bias = item_table();
    static const enum learn_method methods[] = {LEARN_LSH,  LEARN_GRAPHHASH, LEARN_LEIDEN,
                                                LEARN_BACO, LEARN_HASHEMB,   LEARN_QR_MULTIPLY};
    struct embedding_options o;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        o = options_of(methods[i], 20, ROWS_F32);
        refused(&t, &o, COLLIDE_UNSUPPORTED, learn_method_name(methods[i]));
    }
    o = options_of(LEARN_PQ, 20, ROWS_F32);
    o.users.method = LEARN_LHF;
    refused(&t, &o, COLLIDE_INVALID, "in different ways");
    o = options_of(LEARN_LHF, 20, ROWS_F32);
    o.scalar_bits = 4;
    refused(&without_bias, &o, COLLIDE_INVALID, "there are no biases");
    o = options_of(LEARN_LHF, 0, ROWS_F32);
    refused(&t, &o, COLLIDE_INVALID, "0 rows for items");
    o = options_of(LEARN_RQ, 2, ROWS_F32);
    refused(&t, &o, COLLIDE_INVALID, "too few for the 4 codebooks");
}

static void biases_may_be_shared(void **state)
{
    (void)state;
    const struct embedding_tables t = all_tables();
    struct embedding_options o = options_of(LEARN_LHF, N_KINDS, ROWS_I8);
    struct embedding_report report;
    o.scalar_bits = 8;
    struct model_file *file = learn(&t, &o, &report);
    const struct model *m = model_file_model(file);
    assert_non_null(m->item.classes.words);
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        assert_true(fabsf(model_bias_of(m, i) - bias[i]) < 0.2f);
        assert_true(model_weight_of(&m->item, i) == 1.0f);
    }
    model_file_close(file);
}

/* The first half of the items have all the rows' attention. */
static void frequent_items_are_nearer(void **state)
{
    (void)state;
    uint32_t skewed[N_ITEMS];
    float noise[N_ITEMS * DIM];
    struct rng rng = rng_seeded(2, 0);
    for (uint32_t i = 0; i < N_ITEMS; i++)
        skewed[i] = i < N_ITEMS / 2 ? 1000000 : 0;
    for (uint32_t k = 0; k < N_ITEMS * DIM; k++)
        noise[k] = (float)rng_normal(&rng);
    struct embedding_tables t = item_table();
    t.items = noise;
    t.counts = skewed;
    static const enum learn_method methods[] = {LEARN_LHF, LEARN_RQ, LEARN_DOUBLE};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        const struct embedding_options o = options_of(methods[i], 60, ROWS_F32);
        struct embedding_report report;
        struct embedding_errors halves[2] = {0};
        struct model_file *file = learn(&t, &o, &report);
        const struct model *m = model_file_model(file);
        for (uint32_t id = 0; id < N_ITEMS; id++) {
            float embedding[DIM];
            dequantize_embedding(m, &m->item, id, embedding);
            embedding_errors_add(&halves[id >= N_ITEMS / 2], noise + id * DIM, embedding, DIM);
        }
        assert_true(embedding_errors_rms(&halves[0]) < 0.9 * embedding_errors_rms(&halves[1]));
        model_file_close(file);
    }
}

/* Far from 1 long, embeddings are mapped as they would be otherwise. */
static void lengths_do_not_matter(void **state)
{
    (void)state;
    static const float factors[] = {1.0f, 1e-30f, 1e13f};
    double errors[3];
    for (int f = 0; f < 3; f++) {
        float scaled[N_ITEMS * DIM];
        for (uint32_t k = 0; k < N_ITEMS * DIM; k++)
            scaled[k] = factors[f] * items[k];
        struct embedding_tables t = item_table();
        t.items = scaled;
        const struct embedding_options o = options_of(LEARN_LHF, N_KINDS, ROWS_F32);
        struct embedding_report report;
        model_file_close(learn(&t, &o, &report));
        errors[f] = relative_error(&report.items);
    }
    assert_true(fabs(errors[1] - errors[0]) < 1e-4 && fabs(errors[2] - errors[0]) < 1e-4);
}

static void tables_of_zeros_are_no_trouble(void **state)
{
    (void)state;
    float zeros[N_ITEMS * DIM] = {0};
    struct embedding_tables t = item_table();
    t.items = zeros;
    static const enum learn_method methods[] = {LEARN_FULL, LEARN_LHF, LEARN_RQ, LEARN_PQ, LEARN_DOUBLE};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        const struct embedding_options o = options_of(methods[i], 40, ROWS_I8);
        struct embedding_report report;
        model_file_close(learn(&t, &o, &report));
        assert_true(report.items.squared_errors == 0.0);
    }
}

static void as_many_rows_as_a_budget_holds(void **state)
{
    (void)state;
    const struct embedding_tables t = all_tables();
    static const uint64_t budgets[] = {8000, 12000, 20000};
    for (size_t i = 0; i < sizeof budgets / sizeof budgets[0]; i++) {
        struct embedding_options o = options_of(LEARN_LHF, 0, ROWS_F32);
        struct embedding_report report;
        struct collide_error err = {0};
        assert_int_equal(embedding_fit_rows(&t, budgets[i], &o, &err), COLLIDE_OK);
        struct model_file *file = learn(&t, &o, &report);
        const uint64_t n_bytes = bytes_of_model(model_file_model(file), 0);
        assert_in_range(n_bytes, budgets[i] - 2 * DIM * sizeof(float), budgets[i]);
        model_file_close(file);
    }
    struct embedding_options o = options_of(LEARN_LHF, 0, ROWS_F32);
    struct collide_error err = {0};
    assert_int_equal(embedding_fit_rows(&t, 100, &o, &err), COLLIDE_INVALID);
}

/* ---- */

static double weighted_error(const struct id_mapping *m, const float *rows, const float *weights)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < m->n_ids; i++) {
        float embedding[DIM];
        id_mapping_embed(m, rows, NULL, i, embedding);
        for (uint32_t d = 0; d < DIM; d++)
            sum += (double)weights[i] * pow((double)embedding[d] - (double)items[i * DIM + d], 2.0);
    }
    return sum;
}

/* No value of any row can be changed for the better: at a minimum of a sum of squares that is the least. What
 * is left of the way there after some turns is allowed for. */
static void fitted_rows_are_the_best(void **state)
{
    (void)state;
    enum { N_ROWS = 24 };
    static const struct {
        uint32_t n_lookups, n_parts;
        double slack; /* of the error */
    } shapes[] = {{1, 1, 1e-6}, {2, 1, 1e-3}, {4, 4, 1e-6}, {4, 2, 1e-3}};
    struct rng rng = rng_seeded(3, 0);
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        uint32_t rows_of[N_ITEMS * 4];
        float weights[N_ITEMS], rows[N_ROWS * DIM];
        const struct id_mapping m = {.n_ids = N_ITEMS,
                                     .n_rows = N_ROWS,
                                     .n_lookups = shapes[s].n_lookups,
                                     .n_parts = shapes[s].n_parts,
                                     .width = DIM / shapes[s].n_parts,
                                     .rows_of = rows_of};
        for (uint32_t e = 0; e < N_ITEMS * m.n_lookups; e++)
            rows_of[e] =
                (uint32_t)rng_below(&rng, N_ROWS - 1); /* some id has a row twice, none the last one */
        for (uint32_t i = 0; i < N_ITEMS; i++)
            weights[i] = 0.5f + (float)rng_double(&rng);
        assert_int_equal(fit_rows(&m, items, weights, rows, NULL), COLLIDE_OK);
        const double least = weighted_error(&m, rows, weights);
        for (uint32_t k = 0; k < N_ROWS * m.width; k++)
            for (int side = -1; side <= 1; side += 2) {
                const float kept = rows[k];
                rows[k] += (float)side * 0.05f;
                assert_true(weighted_error(&m, rows, weights) > least * (1.0 - shapes[s].slack));
                rows[k] = kept;
            }
    }
}

/* ---- Files. */

static void write_bytes(const char *path, const char *header, const void *values, size_t n_bytes)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    const size_t n_header = strlen(header);
    fwrite("\x93NUMPY\x01\0", 1, 8, f);
    fputc((int)(n_header & 255), f);
    fputc((int)(n_header >> 8), f);
    fwrite(header, 1, n_header, f);
    fwrite(values, 1, n_bytes, f);
    assert_int_equal(fclose(f), 0);
}

static void write_npy(const struct scratch *s, const char *name, const char *descr, const char *shape,
                      const void *values, size_t n_bytes, char *path)
{
    char header[128];
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape);
    scratch_path(s, name, path);
    write_bytes(path, header, values, n_bytes);
}

static void read_well(const struct embedding_files *files, struct embedding_tables *t)
{
    struct collide_error err = {0};
    if (embedding_tables_read(files, t, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

static void read_badly(const struct embedding_files *files, const char *text)
{
    struct embedding_tables t;
    struct collide_error err = {0};
    assert_int_not_equal(embedding_tables_read(files, &t, &err), COLLIDE_OK);
    if (!strstr(err.text, text))
        fail_msg("expected \"%s\": %s", text, err.text);
}

static const float six[] = {1.0f, -2.0f, 0.5f, 4.0f, 0.0f, -6.0f};

static void floats_of_every_type_are_read(void **state)
{
    (void)state;
    static const double doubles[] = {1.0, -2.0, 0.5, 4.0, 0.0, -6.0};
    static const uint16_t halves[] = {0x3c00, 0xc000, 0x3800, 0x4400, 0x0000, 0xc600};
    static const uint16_t brains[] = {0x3f80, 0xc000, 0x3f00, 0x4080, 0x0000, 0xc0c0};
    struct scratch s;
    char paths[4][2 * SCRATCH_PATH_BYTES];
    scratch_create(&s);
    write_npy(&s, "f4.npy", "<f4", "(3, 2)", six, sizeof six, paths[0]);
    write_npy(&s, "f8", "<f8", "(3, 2)", doubles, sizeof doubles, paths[1]);
    write_npy(&s, "f2", "<f2", "(3, 2)", halves, sizeof halves, paths[2]);
    const struct tensor tensors[] = {
        {"first", DTYPE_BF16, 2, {3, 2}, brains, sizeof brains},
        {"a:0", DTYPE_F64, 2, {3, 2}, doubles, sizeof doubles},
        {"list", DTYPE_F32, 1, {6}, six, sizeof six},
    };
    scratch_path(&s, "tensors", paths[3]);
    assert_int_equal(safetensors_write(paths[3], tensors, 3, NULL, 0, NULL), COLLIDE_OK);
    char first[3 * SCRATCH_PATH_BYTES], second[3 * SCRATCH_PATH_BYTES], list[3 * SCRATCH_PATH_BYTES],
        none[3 * SCRATCH_PATH_BYTES];
    snprintf(first, sizeof first, "%s:first", paths[3]);
    snprintf(second, sizeof second, "%s:a:0", paths[3]);
    snprintf(list, sizeof list, "%s:list", paths[3]);
    snprintf(none, sizeof none, "%s:none", paths[3]);
    const char *files[] = {paths[0], paths[1], paths[2], first, second};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct embedding_tables t;
        read_well(&(struct embedding_files){.items = files[i]}, &t);
        assert_int_equal(t.n_items, 3);
        assert_int_equal(t.dim, 2);
        assert_memory_equal(t.items, six, sizeof six);
        assert_memory_equal(t.counts, ((uint32_t[]){1, 1, 1}), 3 * sizeof(uint32_t));
        embedding_tables_free(&t);
    }
    read_badly(&(struct embedding_files){.items = paths[3]}, "several tensors that it could be");
    read_badly(&(struct embedding_files){.items = list}, "has 1 dimensions; give a table of two");
    read_badly(&(struct embedding_files){.items = none}, "no tensor none");
    scratch_destroy(&s);
}

static void lists_go_with_their_items(void **state)
{
    (void)state;
    static const int64_t whole[] = {7, 0, 4000000000};
    static const int64_t large[] = {1, 0, INT64_C(1) << 40};
    static const float shares[] = {0.25f, 0.0f, 0.5f};
    static const float negative[] = {1.0f, -1.0f, 2.0f};
    static const float biases[] = {0.5f, -1.5f, 3.0f};
    struct scratch s;
    char table[2 * SCRATCH_PATH_BYTES], other[2 * SCRATCH_PATH_BYTES];
    struct embedding_tables t;
    struct embedding_files files = {.items = table, .frequencies = other};
    scratch_create(&s);
    write_npy(&s, "table", "<f4", "(3, 2)", six, sizeof six, table);
    write_npy(&s, "whole", "<i8", "(3,)", whole, sizeof whole, other);
    read_well(&files, &t);
    assert_memory_equal(t.counts, ((uint32_t[]){7, 0, 4000000000}), 3 * sizeof(uint32_t));
    embedding_tables_free(&t);
    write_npy(&s, "shares", "<f4", "(3,)", shares, sizeof shares, other);
    read_well(&files, &t);
    assert_memory_equal(t.counts, ((uint32_t[]){1 << 23, 0, 1 << 24}), 3 * sizeof(uint32_t));
    embedding_tables_free(&t);
    write_npy(&s, "large", "<i8", "(3,)", large, sizeof large, other);
    read_well(&files, &t);
    assert_memory_equal(t.counts, ((uint32_t[]){0, 0, 1 << 24}), 3 * sizeof(uint32_t));
    embedding_tables_free(&t);
    write_npy(&s, "negative", "<f4", "(3,)", negative, sizeof negative, other);
    read_badly(&files, "the frequency of item 1 is -1");
    write_npy(&s, "short", "<f4", "(2,)", negative, 8, other);
    read_badly(&files, "2 values for 3 items");
    files = (struct embedding_files){.items = table, .bias = other};
    write_npy(&s, "bias", "<f4", "(3,)", biases, sizeof biases, other);
    read_well(&files, &t);
    assert_memory_equal(t.bias, biases, sizeof biases);
    embedding_tables_free(&t);
    write_npy(&s, "whole", "<i8", "(3,)", whole, sizeof whole, other);
    read_badly(&files, "I64 values; give floats");
    files = (struct embedding_files){.items = table, .users = other};
    write_npy(&s, "users", "<f4", "(2, 3)", six, sizeof six, other);
    read_badly(&files, "embeddings of 3 values, the items of 2");
    scratch_destroy(&s);
}

static void values_that_cannot_be_are_named(void **state)
{
    (void)state;
    struct scratch s;
    char path[2 * SCRATCH_PATH_BYTES];
    const struct embedding_files files = {.items = path};
    float values[6];
    scratch_create(&s);
    const float bad[] = {NAN, INFINITY, -INFINITY, 3e38f};
    for (size_t i = 0; i < 4; i++) {
        memcpy(values, six, sizeof six);
        values[3] = bad[i];
        write_npy(&s, "table", "<f4", "(3, 2)", values, sizeof values, path);
        read_badly(&files, "row 1, column 1 is");
    }
    write_npy(&s, "table", "<f4", "(0, 2)", six, 0, path);
    read_badly(&files, "0 rows of 2 values");
    write_npy(&s, "table", "<f4", "(3, 0)", six, 0, path);
    read_badly(&files, "3 rows of 0 values");
    write_npy(&s, "table", "<i4", "(3, 2)", six, sizeof six, path);
    read_badly(&files, "I32 values; give floats");
    static const float wide[1025];
    write_npy(&s, "table", "<f4", "(1, 1025)", wide, sizeof wide, path);
    read_badly(&files, "1025 values; models have 1024 at the most");
    scratch_path(&s, "nowhere", path);
    read_badly(&files, "cannot open");
    scratch_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_for_every_id_is_the_table),
        cmocka_unit_test(unknown_ids_are_zeros_and_have_the_lowest_bias),
        cmocka_unit_test(learned_mappings_find_what_is_alike),
        cmocka_unit_test(folded_rows_are_the_means_of_their_ids),
        cmocka_unit_test(every_method_that_needs_no_log_learns),
        cmocka_unit_test(methods_that_need_a_log_are_refused),
        cmocka_unit_test(biases_may_be_shared),
        cmocka_unit_test(frequent_items_are_nearer),
        cmocka_unit_test(lengths_do_not_matter),
        cmocka_unit_test(tables_of_zeros_are_no_trouble),
        cmocka_unit_test(as_many_rows_as_a_budget_holds),
        cmocka_unit_test(fitted_rows_are_the_best),
        cmocka_unit_test(floats_of_every_type_are_read),
        cmocka_unit_test(lists_go_with_their_items),
        cmocka_unit_test(values_that_cannot_be_are_named),
    };
    return cmocka_run_group_tests(tests, draw_tables, NULL);
}
