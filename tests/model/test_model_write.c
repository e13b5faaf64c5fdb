/* What is written is read back, is safetensors by the format's own rules, and keeps its promises of layout.
 */
#include "model_fixture.h"
#include "model_walk.h"
#include "safetensors_draft.h"

#include "model/write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include <cmocka.h>

static void assert_keys_equal(const struct keys *a, const struct keys *b, uint32_t n_ids)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->n_slots, b->n_slots);
    if (a->kind == KEYS_DENSE)
        return;
    assert_memory_equal(a->slots, b->slots, a->n_slots * sizeof *a->slots);
    if (a->kind == KEYS_U64) {
        assert_memory_equal(a->u64, b->u64, n_ids * sizeof *a->u64);
        return;
    }
    assert_memory_equal(a->offsets, b->offsets, (n_ids + 1) * sizeof *a->offsets);
    assert_memory_equal(a->bytes, b->bytes, a->offsets[n_ids]);
}

static void assert_floats_equal(const float *a, const float *b, size_t n)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a)
        assert_memory_equal(a, b, n * sizeof *a);
}

static void assert_classes_equal(const struct id_classes *a, const struct id_classes *b, uint32_t n_ids)
{
    assert_int_equal(a->words == NULL, b->words == NULL);
    assert_int_equal(a->bits, b->bits);
    if (a->words)
        assert_memory_equal(a->words, b->words, ((n_ids + 1) * a->bits + 31) / 32 * sizeof *a->words);
    assert_floats_equal(a->weights, b->weights, (size_t)1 << a->bits);
    assert_floats_equal(a->bias, b->bias, (size_t)1 << a->bits);
}

static void assert_spaces_equal(const struct model *m, const struct space *a, const struct space *b)
{
    assert_int_equal(a->n_ids, b->n_ids);
    assert_int_equal(a->own_rows.first, b->own_rows.first);
    assert_int_equal(a->own_rows.n, b->own_rows.n);
    assert_int_equal(a->remap == NULL, b->remap == NULL);
    size_t n = (a->n_ids + 1) * m->mapping.n_lookups;
    if (m->mapping.kind == MAPPING_PACKED)
        n = (n * m->mapping.bits + 31) / 32;
    if (a->remap)
        assert_memory_equal(a->remap, b->remap, n * sizeof *a->remap);
    assert_floats_equal(a->weights, b->weights, a->n_ids + 1);
    assert_classes_equal(&a->classes, &b->classes, a->n_ids);
    assert_keys_equal(&a->keys, &b->keys, a->n_ids);
}

static void assert_users_equal(const struct model *a, const struct model *b)
{
    uint32_t n = a->user.n_ids;
    assert_int_equal(a->user_is_embedded, b->user_is_embedded);
    assert_spaces_equal(a, &a->user, &b->user);
    assert_int_equal(a->histories.offsets == NULL, b->histories.offsets == NULL);
    if (!a->histories.offsets)
        return;
    assert_memory_equal(a->histories.offsets, b->histories.offsets, (n + 2) * sizeof *a->histories.offsets);
    assert_memory_equal(a->histories.items, b->histories.items,
                        a->histories.offsets[n] * sizeof *a->histories.items);
}

static void assert_models_equal(const struct model *a, const struct model *b)
{
    assert_int_equal(a->dim, b->dim);
    assert_int_equal(a->pooling, b->pooling);
    assert_true(a->logit_scale == b->logit_scale);
    assert_int_equal(a->rows.n, b->rows.n);
    assert_int_equal(a->rows.width, b->rows.width);
    assert_int_equal(a->rows.precision, b->rows.precision);
    assert_int_equal(a->rows.scaling, b->rows.scaling);
    assert_memory_equal(a->rows.values, b->rows.values, a->rows.n * row_bytes(&a->rows));
    assert_int_equal(a->rows.scales == NULL, b->rows.scales == NULL);
    if (a->rows.scales)
        assert_memory_equal(a->rows.scales, b->rows.scales, row_scale_bytes(a));
    assert_int_equal(a->mapping.kind, b->mapping.kind);
    assert_int_equal(a->mapping.combine, b->mapping.combine);
    assert_int_equal(a->mapping.n_lookups, b->mapping.n_lookups);
    assert_int_equal(a->mapping.bits, b->mapping.bits);
    assert_true(a->mapping.seed == b->mapping.seed);
    assert_spaces_equal(a, &a->item, &b->item);
    assert_floats_equal(a->bias, b->bias, a->item.n_ids + 1);
    assert_users_equal(a, b);
    assert_int_equal(a->n_features, b->n_features);
    for (size_t i = 0; i < a->n_features; i++) {
        assert_string_equal(a->features[i].name, b->features[i].name);
        assert_spaces_equal(a, &a->features[i].space, &b->features[i].space);
    }
    assert_int_equal(a->n_provenance, b->n_provenance);
    for (size_t i = 0; i < a->n_provenance; i++) {
        assert_string_equal(a->provenance[i].name, b->provenance[i].name);
        assert_string_equal(a->provenance[i].value, b->provenance[i].value);
    }
}

static void every_kind_of_model_is_read_back_as_written(void **state)
{
    const struct folder *folder = *state;
    for (unsigned i = 0; i < FIXTURE_N_KINDS; i++) {
        struct fixture f;
        fixture_model(fixture_kind(i), &f);
        write_model(&f.model, folder->file);
        struct model_file *file = open_model(folder->file);
        assert_models_equal(&f.model, model_file_model(file));
        const char *wrong = model_walk(file);
        if (wrong)
            fail_msg("kind %u: %s", i, wrong);
        model_file_close(file);
    }
}

static void a_model_read_and_written_again_has_the_same_bytes(void **state)
{
    const struct folder *folder = *state;
    char again[96];
    snprintf(again, sizeof again, "%s/again", folder->path);
    for (unsigned i = 0; i < FIXTURE_N_KINDS; i++) {
        struct fixture f;
        fixture_model(fixture_kind(i), &f);
        write_model(&f.model, folder->file);
        struct model_file *file = open_model(folder->file);
        write_model(model_file_model(file), again);
        model_file_close(file);
        size_t n_first, n_second;
        unsigned char *first = read_bytes(folder->file, &n_first), *second = read_bytes(again, &n_second);
        assert_int_equal(n_first, n_second);
        assert_memory_equal(first, second, n_first);
        free(first);
        free(second);
    }
}

static void require_layout(const struct draft *d)
{
    assert_int_equal(d->tensors[0].position % 4096, 0);
    for (unsigned i = 0; i < d->n; i++) {
        const struct draft_tensor *t = &d->tensors[i];
        if (strncmp(t->name, "__pad", 5) != 0) {
            assert_int_equal(t->position % 128, 0);
            char name[64], sum[20];
            snprintf(name, sizeof name, "xxh3.%s", t->name);
            snprintf(sum, sizeof sum, "%016llx", (unsigned long long)XXH3_64bits(t->bytes, t->n_bytes));
            assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(d->metadata, name)), sum);
            continue;
        }
        assert_string_equal(t->dtype, "U8");
        assert_in_range(t->n_bytes, 1, 127);
        for (size_t b = 0; b < t->n_bytes; b++)
            assert_int_equal(t->bytes[b], 0);
    }
}

static void files_are_safetensors_with_every_tensor_aligned_and_summed(void **state)
{
    const struct folder *folder = *state;
    for (unsigned i = 0; i < FIXTURE_N_KINDS; i++) {
        struct fixture f;
        fixture_model(fixture_kind(i), &f);
        write_model(&f.model, folder->file);
        size_t n_bytes;
        unsigned char *bytes = read_bytes(folder->file, &n_bytes);
        struct draft d;
        draft_read(bytes, n_bytes, &d);
        require_layout(&d);
        draft_free(&d);
        free(bytes);
    }
}

static void a_file_laid_out_by_another_writer_is_read_the_same(void **state)
{
    const struct folder *folder = *state;
    for (unsigned i = 0; i < FIXTURE_N_KINDS; i++) {
        struct fixture f;
        fixture_model(fixture_kind(i), &f);
        write_model(&f.model, folder->file);
        size_t n_bytes;
        unsigned char *bytes = read_bytes(folder->file, &n_bytes);
        struct draft d;
        draft_read(bytes, n_bytes, &d);
        draft_arrange(&d);
        draft_save(&d, folder->file);
        struct model_file *file = open_model(folder->file);
        assert_models_equal(&f.model, model_file_model(file));
        model_file_close(file);
        draft_free(&d);
        free(bytes);
    }
}

static void any_finite_scale_is_read_back_exactly(void **state)
{
    const struct folder *folder = *state;
    static const float scales[] = {
        0.0f,          1.0f,        -1.0f,       0.1f,      1e-45f, -1.1754944e-38f,
        3.4028235e38f, 16777217.0f, 0.33333334f, 123456.79f};
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        struct fixture f;
        fixture_model((struct fixture_kind){.parts = FIXTURE_ALL}, &f);
        f.model.logit_scale = scales[i];
        write_model(&f.model, folder->file);
        struct model_file *file = open_model(folder->file);
        assert_true(model_file_model(file)->logit_scale == scales[i]);
        model_file_close(file);
    }
}

static void a_model_of_no_items_is_read_back(void **state)
{
    const struct folder *folder = *state;
    for (enum key_kind kind = KEYS_DENSE; kind <= KEYS_STRING; kind++) {
        struct fixture f;
        fixture_model((struct fixture_kind){.keys = kind}, &f);
        f.model.item.n_ids = 0;
        memset(f.item.keys.slots, 0xff, sizeof f.item.keys.slots);
        write_model(&f.model, folder->file);
        struct model_file *file = open_model(folder->file);
        assert_int_equal(model_file_model(file)->item.n_ids, 0);
        assert_null(model_walk(file));
        model_file_close(file);
    }
}

/* A writer must not leave behind what the reader refuses. */
static void assert_not_written(const struct folder *folder, const struct model *m, const char *text)
{
    struct collide_error err = {0};
    assert_int_equal(model_write(m, folder->file, &err), COLLIDE_INVALID);
    if (!strstr(err.text, text))
        fail_msg("expected \"%s\" in: %s", text, err.text);
    assert_int_equal(folder_n_files(folder), 0);
}

static void a_model_that_could_not_be_read_is_not_written(void **state)
{
    const struct folder *folder = *state;
    struct fixture f;
    struct fixture_kind kind = {.precision = PRECISION_F32, .keys = KEYS_STRING, .parts = FIXTURE_ALL};
#define NOT_WRITTEN(change, text)                                                                            \
    do {                                                                                                     \
        fixture_model(kind, &f);                                                                             \
        change;                                                                                              \
        assert_not_written(folder, &f.model, text);                                                          \
    } while (0)
    NOT_WRITTEN(f.model.logit_scale = NAN, "collide.logit_scale");
    NOT_WRITTEN(f.model.dim = 0, "dim 0");
    NOT_WRITTEN(f.model.dim = MODEL_MAX_DIM + 1, "dim 1025");
    NOT_WRITTEN(f.model.rows.n = 0, "0 rows");
    NOT_WRITTEN(f.rows.f32[3] = INFINITY, "item.rows");
    NOT_WRITTEN(f.bias[3] = NAN, "item.bias");
    NOT_WRITTEN(f.item.remap[3] = FIXTURE_ROWS, "item.remap");
    NOT_WRITTEN(f.history[3] = FIXTURE_ITEMS, "user.history");
    NOT_WRITTEN(f.offsets[1] = 7, "user.history_offsets");
    NOT_WRITTEN(f.item.keys.offsets[2] = 0, "item.key_offsets");
    NOT_WRITTEN(f.item.keys.slots[0] ^= 0x80000000u, "item.key_slots");
    NOT_WRITTEN(memset(f.user.keys.slots, 0xff, sizeof f.user.keys.slots), "user.key_slots");
    NOT_WRITTEN(f.provenance[1].name = "method", "method");
    NOT_WRITTEN(f.provenance[1].name = "collide.format", "collide.format");
    NOT_WRITTEN(f.provenance[1].name = "xxh3.item.rows", "xxh3.item.rows");
    kind.precision = PRECISION_I8;
    NOT_WRITTEN(f.scales.f32[1] = NAN, "item.scales");
}

static void metadata_beyond_the_header_limit_is_not_written(void **state)
{
    const struct folder *folder = *state;
    struct fixture f;
    fixture_model((struct fixture_kind){.parts = 0}, &f);
    char *text = calloc(SAFETENSORS_MAX_HEADER_BYTES + 1, 1);
    assert_non_null(text);
    memset(text, 'x', SAFETENSORS_MAX_HEADER_BYTES);
    f.provenance[1].value = text;
    assert_not_written(folder, &f.model, "too long");
    text[SAFETENSORS_MAX_HEADER_BYTES - 8192] = '\0';
    write_model(&f.model, folder->file);
    model_file_close(open_model(folder->file));
    free(text);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(every_kind_of_model_is_read_back_as_written),
        IN_FOLDER(a_model_read_and_written_again_has_the_same_bytes),
        IN_FOLDER(files_are_safetensors_with_every_tensor_aligned_and_summed),
        IN_FOLDER(a_file_laid_out_by_another_writer_is_read_the_same),
        IN_FOLDER(any_finite_scale_is_read_back_exactly),
        IN_FOLDER(a_model_of_no_items_is_read_back),
        IN_FOLDER(a_model_that_could_not_be_read_is_not_written),
        IN_FOLDER(metadata_beyond_the_header_limit_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
