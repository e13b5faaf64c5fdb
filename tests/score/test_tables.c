/* A model's arrays as the tables that kernels read. */
#include "score/tables.h"

#include "model/id_values.h"
#include "model/mapping.h"
#include "support/random_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct random_model spec_here(void)
{
    return (struct random_model){.seed = 81,
                                 .n_items = 50,
                                 .n_users = 7,
                                 .n_rows = 12,
                                 .dim = 4,
                                 .max_history = 9,
                                 .n_lookups = 2,
                                 .precision = PRECISION_I8};
}

static struct row_range all_rows(const struct model *m)
{
    return (struct row_range){0, m->rows.n};
}

static void create(const struct model *m, struct row_range rows, unsigned flags, struct tables *out)
{
    struct collide_error err = {0};
    if (tables_create(m, rows, flags, out, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

static void the_arrays_of_one_space_are_taken_as_they_are(void **state)
{
    (void)state;
    for (enum mapping_kind kind = MAPPING_STORED; kind <= MAPPING_QUOTIENT; kind++) {
        struct random_model spec = spec_here();
        spec.mapping = kind;
        spec.n_lookups = kind == MAPPING_MODULO ? 1 : 2;
        spec.n_rows = 20;
        struct collide_model *model = random_model_open(&spec);
        const struct model *m = model->model;
        struct tables t;
        create(m, all_rows(m), 0, &t);
        assert_int_equal(t.mapping, kind);
        assert_ptr_equal(t.sources[TABLE_REMAP].bytes, m->item.remap);
        assert_ptr_equal(t.sources[TABLE_ROWS].bytes, m->rows.values);
        assert_false(t.weighted || t.biased);
        assert_int_equal(t.params.n_entries, spec.n_items + 1);
        assert_int_equal(t.params.divisor, m->mapping.divisor);
        tables_free(&t);
        collide_model_close(model);
    }
}

static void classes_of_one_space_are_taken_as_they_are(void **state)
{
    (void)state;
    struct random_model spec = spec_here();
    spec.class_bits = 3;
    struct collide_model *model = random_model_open(&spec);
    const struct id_classes *classes = &model->model->item.classes;
    struct tables t;
    create(model->model, all_rows(model->model), 0, &t);
    assert_true(t.class_bits == 3 && t.weighted && t.biased);
    assert_ptr_equal(t.sources[TABLE_CLASSES].bytes, classes->words);
    assert_ptr_equal(t.sources[TABLE_CLASS_WEIGHTS].bytes, classes->weights);
    assert_ptr_equal(t.sources[TABLE_CLASS_BIAS].bytes, classes->bias);
    assert_int_equal(t.sources[TABLE_CLASSES].n_bytes, (51 * 3 / 32 + 1 + 1) * 4);
    assert_int_equal(t.sources[TABLE_CLASS_BIAS].n_bytes, 8 * sizeof(float));
    assert_int_equal(t.sources[TABLE_WEIGHTS].n_bytes + t.sources[TABLE_BIAS].n_bytes, 0);
    tables_free(&t);
    collide_model_close(model);
}

/* Entries of all embedded spaces, each followed by its unknown one, whatever their own mapping is. */
static void assert_joined(const struct model *m, const struct tables *t)
{
    const uint32_t *remap = t->sources[TABLE_REMAP].bytes;
    const float *weights = t->sources[TABLE_WEIGHTS].bytes;
    const float *lookup_weights = t->sources[TABLE_LOOKUP_WEIGHTS].bytes;
    uint64_t entry = 0;
    assert_int_equal(t->mapping, MAPPING_STORED);
    assert_true(t->weighted);
    for (size_t s = 0; s < model_n_spaces(m); s++) {
        const struct space *space = model_space(m, s);
        for (uint32_t id = 0; id <= space->n_ids && model_space_is_embedded(m, s); id++, entry++) {
            for (unsigned l = 0; l < m->mapping.n_lookups; l++)
                assert_int_equal(remap[entry * m->mapping.n_lookups + l],
                                 l < space->n_lookups ? model_row_of(m, space, id, l) : m->rows.n - 1);
            for (unsigned l = 0; l < m->mapping.n_lookups && lookup_weights; l++)
                assert_true(lookup_weights[entry * m->mapping.n_lookups + l] ==
                            (l >= space->n_lookups    ? 0.0f
                             : !space->lookup_weights ? 1.0f
                                                      : space->lookup_weights[id * space->n_lookups + l]));
            assert_true(weights[entry] == model_weight_of(space, id));
        }
    }
    const float *bias = t->sources[TABLE_BIAS].bytes;
    for (uint32_t id = 0; id <= m->item.n_ids; id++)
        assert_true((bias ? bias[id] : 0.0f) == model_bias_of(m, id));
    assert_true(t->class_bits == 0 && !t->sources[TABLE_CLASSES].bytes);
    assert_int_equal(t->params.n_entries, entry);
    assert_int_equal(t->sources[TABLE_REMAP].n_bytes, entry * m->mapping.n_lookups * sizeof(uint32_t));
    assert_int_equal(t->sources[TABLE_WEIGHTS].n_bytes, entry * sizeof(float));
}

static void several_spaces_are_put_behind_one_another(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5 * 16; i++) {
        struct random_model spec = spec_here();
        spec.mapping = i % 5;
        spec.n_lookups = spec.mapping == MAPPING_MODULO ? 1 : 2;
        spec.n_rows = 20;
        spec.flags = i / 5 % 2 ? RANDOM_WEIGHTS : 0;
        spec.flags |= i / 10 % 2 ? RANDOM_USER_EMBEDDED : 0;
        spec.flags |= i / 20 % 2 ? RANDOM_OWN_ROWS : 0;
        spec.class_bits = i / 40 ? 3 : 0;
        spec.n_features = i / 10 % 2 ? 1 : 2;
        spec.n_feature_ids = 5;
        struct collide_model *model = random_model_open(&spec);
        struct tables t;
        create(model->model, all_rows(model->model), 0, &t);
        assert_joined(model->model, &t);
        tables_free(&t);
        collide_model_close(model);
    }
}

static void lookup_weights_are_joined_where_any_space_has_them(void **state)
{
    (void)state;
    static const unsigned flags[] = {0, RANDOM_FEW_ITEM_LOOKUPS, RANDOM_FEW_OTHER_LOOKUPS};
    for (unsigned i = 0; i < 3 * 2; i++) {
        struct random_model spec = spec_here();
        spec.mapping = i % 2;
        spec.flags = RANDOM_LOOKUP_WEIGHTS | RANDOM_USER_EMBEDDED | flags[i / 2];
        spec.n_features = 1;
        spec.n_feature_ids = 5;
        struct collide_model *model = random_model_open(&spec);
        struct tables t;
        create(model->model, all_rows(model->model), 0, &t);
        assert_true(t.lookup_weighted);
        assert_int_equal(t.sources[TABLE_LOOKUP_WEIGHTS].n_bytes, t.params.n_entries * 2 * sizeof(float));
        assert_joined(model->model, &t);
        tables_free(&t);
        collide_model_close(model);
    }
}

/* Rows alone do not tell what an item scores then. */
static void items_are_not_listed_by_row_where_lookups_have_weights(void **state)
{
    (void)state;
    struct random_model spec = spec_here();
    spec.n_lookups = 1;
    spec.flags = RANDOM_WEIGHTS | RANDOM_LOOKUP_WEIGHTS;
    struct collide_model *model = random_model_open(&spec);
    struct tables t;
    create(model->model, all_rows(model->model), 0, &t);
    assert_false(t.selects_by_rows);
    assert_ptr_equal(t.sources[TABLE_LOOKUP_WEIGHTS].bytes, model->model->item.lookup_weights);
    tables_free(&t);
    collide_model_close(model);
}

static void missing_lookups_become_the_last_row(void **state)
{
    (void)state;
    static const unsigned few[] = {RANDOM_FEW_ITEM_LOOKUPS, RANDOM_FEW_OTHER_LOOKUPS};
    for (unsigned i = 0; i < 2 * 2; i++) {
        struct random_model spec = spec_here();
        spec.mapping = i % 2;
        spec.flags = RANDOM_USER_EMBEDDED | few[i / 2];
        spec.n_lookups = 3;
        struct collide_model *model = random_model_open(&spec);
        struct tables t;
        assert_int_equal(model->model->item.n_lookups, i / 2 ? 3 : 1);
        assert_int_equal(model->model->user.n_lookups, i / 2 ? 1 : 3);
        create(model->model, all_rows(model->model), 0, &t);
        assert_joined(model->model, &t);
        tables_free(&t);
        collide_model_close(model);
    }
}

/* Every item that something was learned of is listed with its row, the best bias first. */
static void assert_listed(const struct model *m, struct row_range rows, const struct tables *t)
{
    const uint32_t *offsets = t->sources[TABLE_ROW_OFFSETS].bytes, *items = t->sources[TABLE_ROW_ITEMS].bytes;
    const float *best = t->sources[TABLE_ROW_BEST].bytes;
    uint32_t n_listed = 0;
    assert_true(t->selects_by_rows);
    assert_int_equal(offsets[0], 0);
    for (uint32_t r = 0; r < rows.end - rows.begin; r++) {
        assert_true(best[r] ==
                    (offsets[r] < offsets[r + 1] ? model_bias_of(m, items[offsets[r]]) : -INFINITY));
        for (uint32_t j = offsets[r]; j < offsets[r + 1]; j++) {
            assert_int_equal(m->item.remap[items[j]], rows.begin + r);
            assert_false(model_item_is_blank(m, items[j]));
            float bias = model_bias_of(m, items[j]),
                  before = j > offsets[r] ? model_bias_of(m, items[j - 1]) : INFINITY;
            assert_true(before > bias || (before == bias && items[j - 1] < items[j]));
        }
    }
    for (uint32_t id = 0; id < m->item.n_ids; id++)
        n_listed +=
            !model_item_is_blank(m, id) && m->item.remap[id] >= rows.begin && m->item.remap[id] < rows.end;
    assert_int_equal(offsets[rows.end - rows.begin], n_listed);
    assert_int_equal(t->sources[TABLE_ROW_ITEMS].n_bytes, n_listed * sizeof(uint32_t));
}

static struct random_model listed_spec(void)
{
    struct random_model spec = spec_here();
    spec.n_lookups = 1;
    spec.flags = RANDOM_WEIGHTS | RANDOM_BIAS;
    return spec;
}

static void the_items_of_each_row_are_listed_where_they_are_many(void **state)
{
    (void)state;
    struct random_model spec = listed_spec();
    const struct row_range ranges[] = {{0, 12}, {0, 5}, {5, 12}, {11, 12}};
    for (size_t i = 0; i < 2 * sizeof ranges / sizeof *ranges; i++) {
        struct tables t;
        spec.class_bits = i % 2 ? 4 : 0;
        struct collide_model *model = random_model_open(&spec);
        create(model->model, ranges[i / 2], 0, &t);
        assert_listed(model->model, ranges[i / 2], &t);
        tables_free(&t);
        collide_model_close(model);
    }
    spec.n_rows = 13; /* fewer than four ids a row */
    struct collide_model *model = random_model_open(&spec);
    struct tables t;
    create(model->model, all_rows(model->model), 0, &t);
    assert_false(t.selects_by_rows);
    assert_int_equal(t.sources[TABLE_ROW_ITEMS].n_bytes, 0);
    tables_free(&t);
    collide_model_close(model);
}

static void a_shard_has_its_rows_and_their_scales(void **state)
{
    (void)state;
    struct random_model spec = spec_here();
    spec.scales = RANDOM_SCALES_OFFSET;
    struct collide_model *model = random_model_open(&spec);
    const struct model *m = model->model;
    struct tables t;
    create(m, (struct row_range){3, 8}, 0, &t);
    assert_ptr_equal(t.sources[TABLE_ROWS].bytes, (const char *)m->rows.values + 3 * row_bytes(&m->rows));
    assert_int_equal(t.sources[TABLE_ROWS].n_bytes, 5 * row_bytes(&m->rows));
    assert_ptr_equal(t.sources[TABLE_SCALES].bytes, (const uint16_t *)m->rows.scales + 3 * 2);
    assert_int_equal(t.sources[TABLE_SCALES].n_bytes, 5 * 2 * sizeof(uint16_t));
    assert_true(t.params.row_begin == 3 && t.params.row_end == 8 && t.params.n_rows == 12);
    tables_free(&t);
    collide_model_close(model);
}

static void keys_are_placed_where_they_are_asked_for(void **state)
{
    (void)state;
    struct random_model spec = spec_here();
    for (enum key_kind kind = KEYS_DENSE; kind <= KEYS_U64; kind++)
        for (unsigned flags = 0; flags <= TABLES_WITH_KEYS; flags++) {
            spec.keys = kind;
            struct collide_model *model = random_model_open(&spec);
            const struct model *m = model->model;
            struct tables t;
            create(m, all_rows(m), flags, &t);
            bool has_keys = kind == KEYS_U64 && flags;
            assert_int_equal(t.params.n_key_slots, has_keys ? m->item.keys.n_slots : 0);
            assert_int_equal(t.sources[TABLE_KEYS].n_bytes, has_keys ? spec.n_items * sizeof(uint64_t) : 0);
            tables_free(&t);
            collide_model_close(model);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_arrays_of_one_space_are_taken_as_they_are),
        cmocka_unit_test(classes_of_one_space_are_taken_as_they_are),
        cmocka_unit_test(several_spaces_are_put_behind_one_another),
        cmocka_unit_test(missing_lookups_become_the_last_row),
        cmocka_unit_test(lookup_weights_are_joined_where_any_space_has_them),
        cmocka_unit_test(items_are_not_listed_by_row_where_lookups_have_weights),
        cmocka_unit_test(the_items_of_each_row_are_listed_where_they_are_many),
        cmocka_unit_test(a_shard_has_its_rows_and_their_scales),
        cmocka_unit_test(keys_are_placed_where_they_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
