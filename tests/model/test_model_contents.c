/* Sound containers with hostile contents: every tensor missing, of another type, shape or length, and every
 * value that the format rules out. */
#include "model_change.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct fixture_kind u64_model = {
    .precision = PRECISION_F32, .keys = KEYS_U64, .parts = FIXTURE_ALL};
static const struct fixture_kind string_model = {
    .precision = PRECISION_I8, .keys = KEYS_STRING, .parts = FIXTURE_ALL};
static const struct fixture_kind half_model = {
    .precision = PRECISION_F16, .keys = KEYS_DENSE, .parts = FIXTURE_ALL};

static void rename_tensor(struct draft *d, const char *name, const char *to)
{
    snprintf(draft_tensor(d, name)->name, sizeof d->tensors[0].name, "%s", to);
}

/* The same bytes as another type of the same size. */
static void retype(struct draft *d, const char *name)
{
    static const char *const others[][2] = {
        {"F32", "U32"}, {"U32", "F32"}, {"U64", "F64"}, {"I8", "BOOL"}, {"U8", "I8"}};
    struct draft_tensor *t = draft_tensor(d, name);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(t->dtype, others[i][0]) == 0) {
            snprintf(t->dtype, sizeof t->dtype, "%s", others[i][1]);
            return;
        }
}

/* The same bytes with one dimension more. */
static void add_dimension(struct draft *d, const char *name)
{
    draft_tensor(d, name)->shape[draft_tensor(d, name)->n_dims++] = 1;
}

static const char *const u64_names[] = {"item.rows", "item.remap",     "item.weights",         "item.bias",
                                        "item.keys", "item.key_slots", "user.history_offsets", "user.history",
                                        "user.keys", "user.key_slots"};
static const char *const string_names[] = {"item.rows",        "item.scales",    "item.key_bytes",
                                           "item.key_offsets", "item.key_slots", "user.key_bytes",
                                           "user.key_offsets", "user.key_slots"};

enum {
    N_U64_NAMES = sizeof u64_names / sizeof u64_names[0],
    N_STRING_NAMES = sizeof string_names / sizeof string_names[0]
};

/* Messages about missing parts of keys name the space, others the tensor. */
static const char *expected_name(const char *name)
{
    if (strncmp(name + 5, "key", 3) != 0)
        return name;
    return name[0] == 'i' ? "item" : "user";
}

static bool may_be_missing(const char *name)
{
    return strcmp(name, "item.weights") == 0 || strcmp(name, "item.bias") == 0;
}

static void a_missing_tensor_is_named(void **state)
{
    const struct folder *folder = *state;
    for (size_t i = 0; i < N_U64_NAMES; i++)
        if (may_be_missing(u64_names[i]))
            ACCEPTED(u64_model, rename_tensor(&d, u64_names[i], "x"));
        else
            CORRUPT(u64_model, expected_name(u64_names[i]), rename_tensor(&d, u64_names[i], "x"));
    for (size_t i = 0; i < N_STRING_NAMES; i++)
        CORRUPT(string_model, expected_name(string_names[i]), rename_tensor(&d, string_names[i], "x"));
}

static void a_tensor_of_another_type_is_named(void **state)
{
    const struct folder *folder = *state;
    for (size_t i = 0; i < N_U64_NAMES; i++)
        REFUSED(u64_model, i ? COLLIDE_CORRUPT : COLLIDE_UNSUPPORTED, u64_names[i], retype(&d, u64_names[i]));
    for (size_t i = 0; i < N_STRING_NAMES; i++)
        REFUSED(string_model, i ? COLLIDE_CORRUPT : COLLIDE_UNSUPPORTED, string_names[i],
                retype(&d, string_names[i]));
}

static void a_tensor_of_another_number_of_dimensions_is_named(void **state)
{
    const struct folder *folder = *state;
    for (size_t i = 0; i < N_U64_NAMES; i++)
        CORRUPT(u64_model, u64_names[i], add_dimension(&d, u64_names[i]));
    for (size_t i = 0; i < N_STRING_NAMES; i++)
        CORRUPT(string_model, string_names[i], add_dimension(&d, string_names[i]));
}

static void grow(struct draft *d, const char *name, int by)
{
    struct draft_tensor *t = draft_tensor(d, name);
    draft_resize(t, (uint64_t)((int64_t)t->shape[0] + by));
}

static void a_tensor_of_another_length_is_refused(void **state)
{
    const struct folder *folder = *state;
    for (int by = -1; by <= 1; by += 2) {
        for (size_t i = 2; i < N_U64_NAMES; i++) /* any number of rows may be there; the remap decides */
            CORRUPT(u64_model, "", grow(&d, u64_names[i], by));
        for (size_t i = 1; i < N_STRING_NAMES; i++)
            CORRUPT(string_model, "", grow(&d, string_names[i], by));
    }
    CORRUPT(u64_model, "item.remap maps id 3 to row 4 of 4", grow(&d, "item.rows", -1));
    CORRUPT(u64_model, "item.weights has 8 entries where 9 are needed", grow(&d, "item.remap", 1));
    CORRUPT(string_model, "item.scales has 5 entries where 4 are needed", grow(&d, "item.rows", -1));
    ACCEPTED(u64_model, grow(&d, "item.rows", 1));
}

static void empty_tensors_are_refused(void **state)
{
    const struct folder *folder = *state;
    for (size_t i = 0; i < N_U64_NAMES; i++)
        CORRUPT(u64_model, "", draft_resize(draft_tensor(&d, u64_names[i]), 0));
    for (size_t i = 0; i < N_STRING_NAMES; i++)
        CORRUPT(string_model, "", draft_resize(draft_tensor(&d, string_names[i]), 0));
}

/* item.rows becomes (rows, dim) of as many bytes. */
static void reshape_rows(struct draft *d, uint64_t n_rows, uint64_t dim)
{
    struct draft_tensor *t = draft_tensor(d, "item.rows");
    free(t->bytes);
    t->bytes = calloc(n_rows * dim + 1, sizeof(float));
    assert_non_null(t->bytes);
    t->n_bytes = n_rows * dim * sizeof(float);
    t->shape[0] = n_rows;
    t->shape[1] = dim;
}

static void rows_of_impossible_shape_are_refused(void **state)
{
    const struct folder *folder = *state;
    CORRUPT(u64_model, "tensor item.rows must be (rows, width)", reshape_rows(&d, FIXTURE_ROWS, 0));
    CORRUPT(u64_model, "tensor item.rows must be (rows, width)", reshape_rows(&d, 0, FIXTURE_DIM));
    CORRUPT(u64_model, "tensor item.rows must be (rows, width)", reshape_rows(&d, 1ull << 32, 0));
    CORRUPT(u64_model, "tensor item.rows must be (rows, width)", reshape_rows(&d, FIXTURE_ROWS, 1025));
    CORRUPT(u64_model, "tensor item.rows must be (rows, width)", reshape_rows(&d, FIXTURE_ROWS, 2000));
    ACCEPTED(u64_model, reshape_rows(&d, FIXTURE_ROWS, 1));
    ACCEPTED(u64_model, reshape_rows(&d, FIXTURE_ROWS, 1024));
}

static void a_mapping_to_no_row_is_refused(void **state)
{
    const struct folder *folder = *state;
    for (unsigned i = 0; i <= FIXTURE_ITEMS; i++) { /* the unknown item's entry, too */
        char text[80];
        snprintf(text, sizeof text, "item.remap maps id %u to row 5 of 5", i);
        CORRUPT(u64_model, text, u32(&d, "item.remap")[i] = FIXTURE_ROWS);
        CORRUPT(u64_model, "item.remap", u32(&d, "item.remap")[i] = UINT32_MAX);
    }
}

static void histories_out_of_range_are_refused(void **state)
{
    const struct folder *folder = *state;
    for (unsigned i = 0; i < 6; i++) {
        CORRUPT(u64_model, "user.history holds item 7 of 7", u32(&d, "user.history")[i] = FIXTURE_ITEMS);
        CORRUPT(u64_model, "user.history holds item", u32(&d, "user.history")[i] = UINT32_MAX);
    }
    CORRUPT(u64_model, "must start at 0", u32(&d, "user.history_offsets")[0] = 1);
    CORRUPT(u64_model, "falls at user 1", u32(&d, "user.history_offsets")[1] = 4);
    CORRUPT(u64_model, "falls at user 1", u32(&d, "user.history_offsets")[1] = UINT32_MAX);
    CORRUPT(u64_model, "the unknown user, is empty", u32(&d, "user.history_offsets")[3] = 5);
    CORRUPT(u64_model, "end twice at 6", u32(&d, "user.history_offsets")[4] = 7);
    CORRUPT(u64_model, "end twice at 6",
            u32(&d, "user.history_offsets")[3] = u32(&d, "user.history_offsets")[4] = 7);
    CORRUPT(u64_model, "falls at user 3", u32(&d, "user.history_offsets")[4] = 5);
    ACCEPTED(u64_model, u32(&d, "user.history_offsets")[1] = 0);
}

/* The slots of a space with these in front and the rest free. */
static void set_slots(struct draft *d, const char *name, unsigned n, const uint32_t *front)
{
    memset(u32(d, name), 0xff, draft_tensor(d, name)->n_bytes);
    memcpy(u32(d, name), front, n * sizeof *front);
}

static void an_index_that_could_lead_astray_is_refused(void **state)
{
    const struct folder *folder = *state;
    static const uint32_t outside[] = {0, 1, 2, 3, 4, 5, 7}, twice[] = {0, 1, 2, 3, 4, 5, 6, 6},
                          one_short[] = {0, 1, 2, 3, 4, 5}, none[1] = {0}, full[] = {0, 1, 2, 3, 4, 5, 6, 0};
    const struct fixture_kind kinds[] = {u64_model, string_model};
    for (size_t k = 0; k < 2; k++) {
        CORRUPT(kinds[k], "item.key_slots names id 7 of 7", set_slots(&d, "item.key_slots", 7, outside));
        CORRUPT(kinds[k], "item.key_slots holds 8 ids where there are 7",
                set_slots(&d, "item.key_slots", 8, twice));
        CORRUPT(kinds[k], "item.key_slots holds 6 ids where there are 7",
                set_slots(&d, "item.key_slots", 6, one_short));
        CORRUPT(kinds[k], "item.key_slots holds 0 ids", set_slots(&d, "item.key_slots", 0, none));
        CORRUPT(kinds[k], "item.key_slots holds 16 ids",
                memset(u32(&d, "item.key_slots"), 0, FIXTURE_SLOTS * sizeof(uint32_t)));
        CORRUPT(kinds[k], "item.key_slots must have a power of two of entries",
                grow(&d, "item.key_slots", 3));
        CORRUPT(kinds[k], "item.key_slots holds 8 ids", draft_resize(draft_tensor(&d, "item.key_slots"), 8);
                set_slots(&d, "item.key_slots", 8, full));
        CORRUPT(kinds[k], "user.key_slots names id 3 of 3", u32(&d, "user.key_slots")[15] = 3;
                u32(&d, "user.key_slots")[14] = 3);
        CORRUPT(kinds[k], "user.key_slots must have a power of two of entries, more than ids",
                draft_resize(draft_tensor(&d, "user.key_slots"), 2));
    }
}

static void keys_of_two_kinds_or_of_half_a_kind_are_refused(void **state)
{
    const struct folder *folder = *state;
    static const uint64_t seven[] = {7}, keys[7] = {0};
    CORRUPT(string_model, "item ids need the tensors", draft_add(&d, "item.keys", "U64", 1, seven, keys));
    CORRUPT(u64_model, "item ids need the tensors", draft_add(&d, "item.key_bytes", "U8", 1, seven, keys));
    CORRUPT(u64_model, "item ids need the tensors", draft_remove(&d, "item.key_slots"));
    CORRUPT(u64_model, "user ids need the tensors", draft_remove(&d, "user.keys"));
    CORRUPT(string_model, "user ids need the tensors", draft_remove(&d, "user.key_bytes"));
    CORRUPT(string_model, "user ids need the tensors", draft_remove(&d, "user.key_offsets"));
    ACCEPTED(u64_model, draft_remove(&d, "item.keys"); draft_remove(&d, "item.key_slots"));
}

static void key_texts_out_of_range_are_refused(void **state)
{
    const struct folder *folder = *state;
    CORRUPT(string_model, "item.key_offsets falls at id 2", u64(&d, "item.key_offsets")[3] = 0);
    CORRUPT(string_model, "item.key_offsets falls at id 3", u64(&d, "item.key_offsets")[3] = UINT64_MAX);
    CORRUPT(string_model, "item.key_offsets must run from 0 to 28", u64(&d, "item.key_offsets")[7] = 29);
    CORRUPT(string_model, "item.key_offsets must run from 0 to 28", u64(&d, "item.key_offsets")[7] = 27);
    CORRUPT(string_model, "item.key_offsets must run from 0 to 28", u64(&d, "item.key_offsets")[0] = 1);
    CORRUPT(string_model, "user.key_offsets must run from 0 to 6",
            u64(&d, "user.key_offsets")[3] = 1ull << 63);
}

static void scales_go_with_integer_rows_only(void **state)
{
    const struct folder *folder = *state;
    static const uint64_t five[] = {FIXTURE_ROWS};
    static const float scales[FIXTURE_ROWS] = {1, 1, 1, 1, 1};
    CORRUPT(u64_model, "item.scales is there, but", draft_add(&d, "item.scales", "F32", 1, five, scales));
    CORRUPT(string_model, "item.scales is missing", draft_remove(&d, "item.scales"));
}

static void values_that_are_not_finite_are_found_when_contents_are_checked(void **state)
{
    const struct folder *folder = *state;
    static const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    static const uint16_t bad_halves[] = {0x7c00, 0xfc00, 0x7e00, 0x7c01, 0xffff};
#define NOT_FINITE(kind, text, change)                                                                       \
    REFUSED_AT(MODEL_CHECK_CONTENTS, kind, COLLIDE_CORRUPT, text " is not finite", change)
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        NOT_FINITE(u64_model, "item.rows: value 29", f32(&d, "item.rows")[29] = bad[i]);
        NOT_FINITE(u64_model, "item.weights: value 7", f32(&d, "item.weights")[7] = bad[i]);
        NOT_FINITE(u64_model, "item.bias: value 7", f32(&d, "item.bias")[7] = bad[i]);
        NOT_FINITE(string_model, "item.scales: value 4", f32(&d, "item.scales")[4] = bad[i]);
    }
    for (size_t i = 0; i < sizeof bad_halves / sizeof bad_halves[0]; i++)
        NOT_FINITE(half_model, "item.rows: value 29", f16(&d, "item.rows")[29] = bad_halves[i]);
    ACCEPTED(half_model, f16(&d, "item.rows")[29] = 0xfbff); /* the largest half, negative */
}

static void metadata_that_says_something_else_is_refused(void **state)
{
    const struct folder *folder = *state;
    CORRUPT(u64_model, "the metadata has no collide.format", draft_set_metadata(&d, "collide.format", NULL));
    CORRUPT(u64_model, "the metadata has no collide.format", cJSON_Delete(d.metadata); d.metadata = NULL);
    static const char *const versions[] = {"2", "", "01", "1 ", "1.0", "one"};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        REFUSED(u64_model, COLLIDE_UNSUPPORTED, "collide.format",
                draft_set_metadata(&d, "collide.format", versions[i]));
    static const char *const poolings[] = {"", "maximum", "SUM", "sum ", "normalized", "0"};
    for (size_t i = 0; i < sizeof poolings / sizeof poolings[0]; i++)
        CORRUPT(u64_model, "collide.pooling", draft_set_metadata(&d, "collide.pooling", poolings[i]));
    static const char *const scales[] = {"",      "nan",  "NaN", "inf",  "-inf", "infinity", "1e39", "-1e39",
                                         "1e999", "text", "1x",  "0x10", "1,5",  "1.5 2",    "[1]",  "\"1\""};
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++)
        CORRUPT(u64_model, "collide.logit_scale", draft_set_metadata(&d, "collide.logit_scale", scales[i]));
    ACCEPTED(u64_model, draft_set_metadata(&d, "collide.logit_scale", NULL));
    ACCEPTED(u64_model, draft_set_metadata(&d, "collide.pooling", NULL));
}

static void a_checksum_that_does_not_fit_its_tensor_is_refused(void **state)
{
    const struct folder *folder = *state;
    static const char *const sums[] = {"0000000000000000", "", "x", "00000000000000000"};
    for (size_t i = 0; i < N_U64_NAMES; i++) {
        char name[64];
        snprintf(name, sizeof name, "xxh3.%s", u64_names[i]);
        for (size_t k = 0; k < sizeof sums / sizeof sums[0]; k++)
            REFUSED_AT(MODEL_CHECK_CONTENTS, u64_model, COLLIDE_CORRUPT, u64_names[i],
                       draft_set_metadata(&d, name, sums[k]));
    }
    REFUSED_AT(MODEL_CHECK_CONTENTS, u64_model, COLLIDE_CORRUPT, "there is no such tensor",
               draft_set_metadata(&d, "xxh3.item.scales", "0000000000000000"));
}

/* Any change of a tensor in a file of ours is found, even where each value alone would be legal. */
static void every_flipped_bit_of_a_tensor_is_found(void **state)
{
    const struct folder *folder = *state;
    struct fixture f;
    fixture_model(u64_model, &f);
    write_model(&f.model, folder->file);
    size_t n_bytes;
    unsigned char *bytes = read_bytes(folder->file, &n_bytes);
    struct draft d;
    draft_read(bytes, n_bytes, &d);
    for (unsigned i = 0; i < d.n; i++)
        for (size_t b = 0; b < d.tensors[i].n_bytes; b++) {
            if (strncmp(d.tensors[i].name, "__pad", 5) == 0)
                break;
            size_t at = d.tensors[i].position + b;
            bytes[at] ^= (unsigned char)(1 << b % 8);
            write_bytes(folder->file, bytes, n_bytes);
            assert_refused(folder->file, MODEL_CHECK_CONTENTS, COLLIDE_CORRUPT, "");
            bytes[at] ^= (unsigned char)(1 << b % 8);
        }
    draft_free(&d);
    free(bytes);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_missing_tensor_is_named),
        IN_FOLDER(a_tensor_of_another_type_is_named),
        IN_FOLDER(a_tensor_of_another_number_of_dimensions_is_named),
        IN_FOLDER(a_tensor_of_another_length_is_refused),
        IN_FOLDER(empty_tensors_are_refused),
        IN_FOLDER(rows_of_impossible_shape_are_refused),
        IN_FOLDER(a_mapping_to_no_row_is_refused),
        IN_FOLDER(histories_out_of_range_are_refused),
        IN_FOLDER(an_index_that_could_lead_astray_is_refused),
        IN_FOLDER(keys_of_two_kinds_or_of_half_a_kind_are_refused),
        IN_FOLDER(key_texts_out_of_range_are_refused),
        IN_FOLDER(scales_go_with_integer_rows_only),
        IN_FOLDER(values_that_are_not_finite_are_found_when_contents_are_checked),
        IN_FOLDER(metadata_that_says_something_else_is_refused),
        IN_FOLDER(a_checksum_that_does_not_fit_its_tensor_is_refused),
        IN_FOLDER(every_flipped_bit_of_a_tensor_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
