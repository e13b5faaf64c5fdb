/* What only some kinds of models have - scales and offsets, several lookups, packed and hashed mappings,
 * embedded users, features: accepted where it makes sense, refused where it does not. */
#include "model_change.h"

#include "model/id_values.h"
#include "model/mapping.h"
#include "model/write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define EVERYTHING (FIXTURE_ALL | FIXTURE_EMBEDDED_USERS | FIXTURE_FEATURES)

static const struct fixture_kind plain = {.precision = PRECISION_F32, .parts = FIXTURE_ALL};
static const struct fixture_kind i8 = {.precision = PRECISION_I8};
static const struct fixture_kind i8_offset = {.precision = PRECISION_I8, .scaling = SCALING_ROW_OFFSET};
static const struct fixture_kind i8_lines = {.precision = PRECISION_I8, .scaling = SCALING_DIM};
static const struct fixture_kind i4 = {.precision = PRECISION_I4};
static const struct fixture_kind i3 = {.precision = PRECISION_I3};
static const struct fixture_kind i2 = {.precision = PRECISION_I2};
static const struct fixture_kind two_lookups = {.n_lookups = 2, .parts = EVERYTHING};
static const struct fixture_kind concat = {.n_lookups = 3, .combine = COMBINE_CONCAT};
static const struct fixture_kind sums = {.n_lookups = 4, .combine = COMBINE_CONCAT, .n_parts = 2};
static const struct fixture_kind few = {.n_lookups = 2, .n_few = 1, .parts = EVERYTHING};
static const struct fixture_kind few_packed = {
    .n_lookups = 3, .n_few = 2, .parts = EVERYTHING, .mapping = MAPPING_PACKED};
static const struct fixture_kind lookup_weighted = {.n_lookups = 2,
                                                    .parts = EVERYTHING | FIXTURE_LOOKUP_WEIGHTS};
static const struct fixture_kind packed = {.mapping = MAPPING_PACKED, .parts = EVERYTHING};
static const struct fixture_kind books = {
    .mapping = MAPPING_PACKED, .n_lookups = 2, .parts = EVERYTHING | FIXTURE_OWN_ROWS};
static const struct fixture_kind with_books_of_items = {
    .mapping = MAPPING_PACKED, .n_lookups = 2, .parts = FIXTURE_ALL | FIXTURE_OWN_ROWS};
static const struct fixture_kind classed = {.parts = FIXTURE_HISTORIES | FIXTURE_EMBEDDED_USERS |
                                                     FIXTURE_FEATURES | FIXTURE_CLASSES};
static const struct fixture_kind classed_items = {.parts = FIXTURE_HISTORIES | FIXTURE_CLASSES};
static const struct fixture_kind hashed = {.mapping = MAPPING_HASHED, .parts = EVERYTHING};
static const struct fixture_kind with_features = {.parts = EVERYTHING};

static void set(struct draft *d, const char *name, const char *value)
{
    draft_set_metadata(d, name, value);
}

static void reshape(struct draft *d, const char *name, unsigned n_dims, uint64_t first, uint64_t second)
{
    struct draft_tensor *t = draft_tensor(d, name);
    t->n_dims = n_dims;
    t->shape[0] = first;
    t->shape[1] = second;
}

static void scaling_that_rows_cannot_have_is_refused(void **state)
{
    const struct folder *folder = *state;
    static const char *const wrong[] = {"", "rows", "ROW", "0"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CORRUPT(i8, "collide.scaling", set(&d, "collide.scaling", wrong[i]));
    CORRUPT(plain, "item.scales is missing", set(&d, "collide.scaling", "row"));
    CORRUPT(i8, "item.scales is there, but", set(&d, "collide.scaling", "none"));
    CORRUPT(i8, "item.scales must be F16 of 2 dimensions", set(&d, "collide.scaling", "row_offset"));
    CORRUPT(i8, "item.scales has 5 entries where 6 are needed", set(&d, "collide.scaling", "dim"));
    CORRUPT(i8_lines, "item.scales has 6 entries where 5 are needed", set(&d, "collide.scaling", NULL));
    CORRUPT(i8_offset, "item.scales must be F32 of 1 dimensions", set(&d, "collide.scaling", "dim"));
    CORRUPT(i8_offset, "item.scales must be F16", strcpy(draft_tensor(&d, "item.scales")->dtype, "F32");
            reshape(&d, "item.scales", 1, 5, 0); reshape(&d, "item.scales", 2, 5, 1));
    CORRUPT(i8_offset, "a scale and an offset a row", draft_resize(draft_tensor(&d, "item.scales"), 15);
            reshape(&d, "item.scales", 2, 5, 6));
    CORRUPT(i4, "i4 rows cannot have", set(&d, "collide.scaling", "row");
            strcpy(draft_tensor(&d, "item.scales")->dtype, "F32"); reshape(&d, "item.scales", 1, 5, 0));
    CORRUPT(i4, "item.scales is missing", draft_remove(&d, "item.scales"));
}

static void bits_of_a_value_are_those_of_the_rows(void **state)
{
    const struct folder *folder = *state;
    static const char *const wrong[] = {"", "0", "9", "three", "3.0", "-3"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CORRUPT(i3, "collide.row_bits", set(&d, "collide.row_bits", wrong[i]));
    REFUSED(i3, COLLIDE_UNSUPPORTED, "collide.row_bits is 5; this program reads 4, 3 and 2",
            set(&d, "collide.row_bits", "5"));
    CORRUPT(i8, "collide.row_bits is there, but item.rows is not U8", set(&d, "collide.row_bits", "3"));
    CORRUPT(i2, "item.rows has rows of 2 bytes, which values of 3 bits do not fill",
            set(&d, "collide.row_bits", "3"));
    CORRUPT(i2, "i2 rows cannot have", set(&d, "collide.scaling", "row");
            strcpy(draft_tensor(&d, "item.scales")->dtype, "F32"); reshape(&d, "item.scales", 1, 5, 0));
    CORRUPT(i2, "embeddings of 1 to 1024 values", draft_resize(draft_tensor(&d, "item.rows"), 257);
            reshape(&d, "item.rows", 2, 2, 257));
    ACCEPTED(i4, set(&d, "collide.row_bits", "4"));
    ACCEPTED(i3, set(&d, "collide.row_bits", NULL)); /* then they are i4 */
}

/* The same 3 bytes. */
static void rows_of_few_bits_have_the_width_that_their_bytes_give(void **state)
{
    const struct folder *folder = *state;
    static const char *const bits[] = {NULL, "4", "3", "2"};
    static const uint32_t widths[] = {6, 6, 8, 12};
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        struct draft d;
        draft_begin(folder, i4, &d);
        set(&d, "collide.row_bits", bits[i]);
        draft_end(folder, &d);
        struct model_file *file = open_model(folder->file);
        assert_int_equal(model_file_model(file)->rows.width, widths[i]);
        assert_int_equal(model_file_model(file)->dim, widths[i]);
        assert_int_equal(row_bytes(&model_file_model(file)->rows), 3);
        model_file_close(file);
    }
}

static void scaling_is_told_by_shapes_where_it_is_not_said(void **state)
{
    const struct folder *folder = *state;
    const struct fixture_kind kinds[] = {plain, i8, i8_offset, i4};
    static const enum scaling expected[] = {SCALING_NONE, SCALING_ROW, SCALING_ROW_OFFSET,
                                            SCALING_ROW_OFFSET};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct draft d;
        draft_begin(folder, kinds[i], &d);
        set(&d, "collide.scaling", NULL);
        draft_end(folder, &d);
        struct model_file *file = open_model(folder->file);
        assert_int_equal(model_file_model(file)->rows.scaling, expected[i]);
        assert_int_equal(model_file_model(file)->dim, FIXTURE_DIM);
        model_file_close(file);
    }
}

static void scales_and_weights_that_are_not_finite_are_found(void **state)
{
    const struct folder *folder = *state;
#define NOT_FINITE(kind, text, change)                                                                       \
    REFUSED_AT(MODEL_CHECK_CONTENTS, kind, COLLIDE_CORRUPT, text " is not finite", change)
    NOT_FINITE(i8_offset, "item.scales: value 9", f16(&d, "item.scales")[9] = 0x7e00);
    NOT_FINITE(i8_lines, "item.scales: value 5", f32(&d, "item.scales")[5] = INFINITY);
    NOT_FINITE(i4, "item.scales: value 0", f16(&d, "item.scales")[0] = 0xfc00);
    NOT_FINITE(with_features, "user.weights: value 3", f32(&d, "user.weights")[3] = NAN);
    NOT_FINITE(with_features, "country.weights: value 0", f32(&d, "country.weights")[0] = NAN);
    NOT_FINITE(concat, "item.rows: value 9", f32(&d, "item.rows")[9] = NAN);
}

static void lookups_and_mappings_must_agree(void **state)
{
    const struct folder *folder = *state;
    static const char *const wrong[] = {
        "0", "17", "", "-1", "+2", " 2", "2 ", "2.0", "1e0", "0x2", "18446744073709551617"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CORRUPT(two_lookups, "collide.lookups", set(&d, "collide.lookups", wrong[i]));
    CORRUPT(two_lookups, "collide.lookups is 3, but no space has more than 2 rows an id",
            set(&d, "collide.lookups", "3"));
    CORRUPT(two_lookups, "item.remap has 2 rows an id where collide.lookups says 3",
            set(&d, "collide.combine", "multiply");
            set(&d, "collide.lookups", "3"));
    CORRUPT(two_lookups, "item.remap has 4 rows an id where collide.lookups says 2",
            reshape(&d, "item.remap", 2, 4, 4));
    CORRUPT(two_lookups, "item.remap must be U32 of 1 dimensions", set(&d, "collide.lookups", NULL));
    CORRUPT(plain, "item.remap must be U32 of 2 dimensions", set(&d, "collide.lookups", "2"));
    CORRUPT(two_lookups, "os.remap has 1 rows an id", set(&d, "collide.combine", "multiply");
            reshape(&d, "os.remap", 2, 8, 1));
    CORRUPT(two_lookups, "os.weights has 4 entries where 8 are needed", reshape(&d, "os.remap", 2, 8, 1));
    CORRUPT(plain, "collide.combine is \"add\"; it must be sum, multiply or concat",
            set(&d, "collide.combine", "add"));
    CORRUPT(two_lookups, "item.remap maps id 3 to row 5 of 5", u32(&d, "item.remap")[7] = FIXTURE_ROWS);
    CORRUPT(two_lookups, "user.remap maps id 3 to row 5 of 5", u32(&d, "user.remap")[6] = FIXTURE_ROWS);
    CORRUPT(two_lookups, "country.remap maps id 0 to row 5 of 5", u32(&d, "country.remap")[0] = FIXTURE_ROWS);
    ACCEPTED(two_lookups, set(&d, "collide.combine", "multiply"));
}

static void a_space_may_have_fewer_lookups_if_they_are_summed(void **state)
{
    const struct folder *folder = *state;
    CORRUPT(few,
            "user.remap has 1 rows an id where collide.lookups says 2; they may be fewer if they are summed",
            set(&d, "collide.combine", "multiply"));
    CORRUPT(few, "user.remap has 1 rows an id", set(&d, "collide.combine", "concat"));
    CORRUPT(few, "collide.lookups.user is there, but it goes with packed mappings only",
            set(&d, "collide.lookups.user", "1"));
    CORRUPT(few, "user.remap has 0 rows an id", draft_resize(draft_tensor(&d, "user.remap"), 0);
            reshape(&d, "user.remap", 2, 4, 0));
    static const char *const wrong[] = {"0", "4", "", "x"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CORRUPT(few_packed, "collide.lookups.user", set(&d, "collide.lookups.user", wrong[i]));
    CORRUPT(few_packed, "item.remap_packed has 4 entries where 3 are needed",
            set(&d, "collide.lookups.item", "2"));
    CORRUPT(few_packed, "user.remap_packed has 2 entries where 3 are needed",
            set(&d, "collide.lookups.user", NULL));
    CORRUPT(few_packed, "collide.lookups.city is there, but", set(&d, "collide.lookups.city", "1"));
    CORRUPT(few_packed, "user ids have 2 rows where collide.lookups says 3; they may be fewer",
            set(&d, "collide.combine", "multiply"));
}

static void the_last_row_is_zeros_where_a_space_has_fewer_lookups(void **state)
{
    const struct folder *folder = *state;
    enum { LAST = (FIXTURE_ROWS - 1) * FIXTURE_DIM };
    struct fixture_kind kind = few;
#define NOT_ZEROS(change)                                                                                    \
    REFUSED_AT(MODEL_CHECK_CONTENTS, kind, COLLIDE_CORRUPT,                                                  \
               "user ids have fewer rows than collide.lookups says, so the last row of item.rows must be "   \
               "zeros",                                                                                      \
               change)
    NOT_ZEROS(f32(&d, "item.rows")[LAST] = 1e-30f);
    NOT_ZEROS(f32(&d, "item.rows")[LAST + 5] = -1.0f);
    ACCEPTED(few, f32(&d, "item.rows")[LAST + 5] = -0.0f);
    ACCEPTED(two_lookups, f32(&d, "item.rows")[LAST + 5] = -1.0f);
    kind.precision = PRECISION_F16;
    NOT_ZEROS(f16(&d, "item.rows")[LAST + 5] = 1);
    ACCEPTED(kind, f16(&d, "item.rows")[LAST + 5] = 0x8000);
    kind.precision = PRECISION_I8;
    NOT_ZEROS(draft_tensor(&d, "item.rows")->bytes[LAST + 2] = 1);
    ACCEPTED(kind, draft_tensor(&d, "item.rows")->bytes[LAST + 2] = 1; f32(&d, "item.scales")[4] = 0.0f);
    kind.scaling = SCALING_ROW_OFFSET;
    NOT_ZEROS(f16(&d, "item.scales")[9] = 0x3c00);
    NOT_ZEROS(f16(&d, "item.scales")[8] = 0x3c00; draft_tensor(&d, "item.rows")->bytes[LAST] = 1);
    ACCEPTED(kind, draft_tensor(&d, "item.rows")->bytes[LAST] = 1);
}

static void lookup_weights_go_with_the_lookups_of_sums(void **state)
{
    const struct folder *folder = *state;
    static const float weights[8] = {0};
    ACCEPTED(lookup_weighted, f32(&d, "item.lookup_weights")[3] = -7.0f);
    ACCEPTED(lookup_weighted, draft_remove(&d, "user.lookup_weights"));
    ACCEPTED(plain, draft_add(&d, "item.lookup_weights", "F32", 2, (uint64_t[]){8, 1}, weights));
    CORRUPT(lookup_weighted, "item.lookup_weights goes with collide.combine sum only",
            set(&d, "collide.combine", "multiply"));
    CORRUPT(lookup_weighted, "item.lookup_weights goes with collide.combine sum only",
            set(&d, "collide.combine", "concat"));
    CORRUPT(lookup_weighted, "tensor os.lookup_weights has 4 weights an id, which has 2 rows",
            reshape(&d, "os.lookup_weights", 2, 2, 4));
    CORRUPT(lookup_weighted, "tensor item.lookup_weights has 7 entries where 8 are needed",
            draft_resize(draft_tensor(&d, "item.lookup_weights"), 7));
    CORRUPT(lookup_weighted, "item.lookup_weights must be F32 of 2 dimensions",
            reshape(&d, "item.lookup_weights", 1, 16, 0));
    CORRUPT(lookup_weighted, "item.lookup_weights must be F32",
            strcpy(draft_tensor(&d, "item.lookup_weights")->dtype, "U32"));
    CORRUPT(plain, "user.lookup_weights is there, but collide.features does not begin with user",
            draft_add(&d, "user.lookup_weights", "F32", 2, (uint64_t[]){4, 1}, weights));
    REFUSED_AT(MODEL_CHECK_CONTENTS, lookup_weighted, COLLIDE_CORRUPT,
               "country.lookup_weights: value 7 is not finite", f32(&d, "country.lookup_weights")[7] = NAN);
}

static void lookup_weights_come_back_as_they_were_written(void **state)
{
    const struct folder *folder = *state;
    struct fixture_kind kind = lookup_weighted;
    for (kind.n_few = 0; kind.n_few < 2; kind.n_few++) {
        struct fixture f;
        fixture_model(kind, &f);
        write_model(&f.model, folder->file);
        struct model_file *file = open_model(folder->file);
        const struct model *m = model_file_model(file);
        const uint32_t n = kind.n_few ? 1 : 2; /* of users and features */
        assert_memory_equal(m->item.lookup_weights, f.item.lookup_weights, 16 * sizeof(float));
        assert_memory_equal(m->user.lookup_weights, f.user.lookup_weights, 4 * n * sizeof(float));
        assert_true(model_lookup_weight(m, &m->item, 3, 1) == f.item.lookup_weights[7]);
        assert_true(model_lookup_weight(m, &m->user, 1, 1) == (n == 2 ? f.user.lookup_weights[3] : 0.0f));
        assert_true(model_has_lookup_weights(m));
        model_file_close(file);
    }
}

static void concatenated_rows_must_fit_the_largest_dim(void **state)
{
    const struct folder *folder = *state;
    ACCEPTED(two_lookups, set(&d, "collide.combine", "concat")); /* then dim is 12 */
    CORRUPT(concat, "tensor item.rows must be (rows, width)",
            draft_resize(draft_tensor(&d, "item.rows"), 342);
            reshape(&d, "item.rows", 2, 2, 342));
}

static void parts_must_divide_the_lookups(void **state)
{
    const struct folder *folder = *state;
    static const char *const wrong[] = {"0", "17", "", "two"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CORRUPT(sums, "collide.parts", set(&d, "collide.parts", wrong[i]));
    CORRUPT(sums, "collide.parts is 3, which does not divide the 4 of collide.lookups",
            set(&d, "collide.parts", "3"));
    CORRUPT(sums, "collide.parts is 8, which does not divide", set(&d, "collide.parts", "8"));
    CORRUPT(sums, "collide.parts is 2, but there are parts with collide.combine concat only",
            set(&d, "collide.combine", "sum"));
    CORRUPT(two_lookups, "collide.parts is 2, but there are parts", set(&d, "collide.combine", "multiply");
            set(&d, "collide.parts", "2"));
    ACCEPTED(two_lookups, set(&d, "collide.parts", "1"));
    ACCEPTED(sums, set(&d, "collide.parts", "1"));  /* dim 3 */
    ACCEPTED(sums, set(&d, "collide.parts", NULL)); /* dim 12 */
}

static void parts_come_back_as_they_were_written(void **state)
{
    const struct folder *folder = *state;
    const struct fixture_kind kinds[] = {sums, concat, two_lookups};
    static const uint32_t n_parts[] = {2, 3, 1}, widths[] = {3, 2, 6};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct fixture f;
        fixture_model(kinds[i], &f);
        write_model(&f.model, folder->file);
        struct model_file *file = open_model(folder->file);
        const struct model *m = model_file_model(file);
        assert_int_equal(mapping_n_parts(&m->mapping), n_parts[i]);
        assert_int_equal(m->rows.width, widths[i]);
        assert_int_equal(m->dim, FIXTURE_DIM);
        model_file_close(file);
    }
}

static void packed_mappings_out_of_bounds_are_refused(void **state)
{
    const struct folder *folder = *state;
    static const char *const wrong[] = {"0", "33", "", "x"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CORRUPT(packed, "collide.mapping_bits", set(&d, "collide.mapping_bits", wrong[i]));
    CORRUPT(packed, "collide.mapping_bits is missing", set(&d, "collide.mapping_bits", NULL));
    CORRUPT(packed, "collide.ids.item is missing", set(&d, "collide.ids.item", NULL));
    CORRUPT(packed, "item.remap_packed has 2 entries where 3 are needed", set(&d, "collide.ids.item", "10"));
    CORRUPT(packed, "item.remap_packed has 2 entries where 3 are needed",
            set(&d, "collide.mapping_bits", "5"));
    CORRUPT(packed, "item.remap_packed is missing", draft_remove(&d, "item.remap_packed"));
    CORRUPT(packed, "item.remap_packed has 3 entries where 2 are needed",
            draft_resize(draft_tensor(&d, "item.remap_packed"), 3));
    CORRUPT(packed, "item.remap_packed maps id 7 to row 7 of 5", u32(&d, "item.remap_packed")[0] |= 7u << 21);
    CORRUPT(packed, "os.remap_packed maps id 3 to row", u32(&d, "os.remap_packed")[0] |= 7u << 9);
    CORRUPT(packed, "user.remap_packed is missing", draft_remove(&d, "user.remap_packed"));
    ACCEPTED(packed, u32(&d, "item.remap_packed")[0] |= 0xffu << 24; u32(&d, "item.remap_packed")[1] = ~0u);
    static const uint64_t eight[] = {8};
    static const uint32_t zeros[8] = {0};
    CORRUPT(packed, "item.remap is there, but", draft_add(&d, "item.remap", "U32", 1, eight, zeros));
    CORRUPT(plain, "item.remap_packed is there, but",
            draft_add(&d, "item.remap_packed", "U32", 1, eight, zeros));
    CORRUPT(plain, "collide.mapping_bits is there, but", set(&d, "collide.mapping_bits", "3"));
}

/* Rows 0 to 3 in two codebooks; row 4 is that of unknown ids. */
static void rows_of_a_space_must_be_some_of_the_table(void **state)
{
    const struct folder *folder = *state;
    static const char *const wrong[] = {"",     "0",    "0,",  ",4",    "0,4,",         "0, 4",
                                        "-1,4", "0,+4", "a,b", "0x0,4", "4294967296,2", "0,4294967296"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CORRUPT(books, "collide.rows.item is \"", set(&d, "collide.rows.item", wrong[i]));
    CORRUPT(books, "collide.rows.user is of no rows", set(&d, "collide.rows.user", "2,0"));
    CORRUPT(hashed, "collide.rows.item is of no rows", set(&d, "collide.rows.item", "0,0"));
    CORRUPT(books, "collide.rows.os names 4 rows from 1 on of 5", set(&d, "collide.rows.os", "1,4"));
    CORRUPT(books, "collide.rows.os names 4 rows from 4294967295 on",
            set(&d, "collide.rows.os", "4294967295,4"));
    CORRUPT(hashed, "collide.rows.item names 5 rows from 0 on of 5", set(&d, "collide.rows.item", "0,5"));
    CORRUPT(books, "collide.rows.country names 3 rows, which do not make 2 codebooks",
            draft_resize(draft_tensor(&d, "item.rows"), 6);
            memset(u32(&d, "country.remap_packed"), 0, 4); set(&d, "collide.rows.country", "0,3"));
    CORRUPT(books, "item.remap_packed maps id 0 to row 2 of 2 of a codebook",
            u32(&d, "item.remap_packed")[0] ^= 2);
    CORRUPT(books, "item.remap_packed maps id 0 to row 1 of 1 of a codebook",
            set(&d, "collide.rows.item", "1,2"));
    CORRUPT(two_lookups, "collide.rows.item is there, but only packed and computed",
            set(&d, "collide.rows.item", "0,4"));
    CORRUPT(books, "collide.rows.city is there, but", set(&d, "collide.rows.city", "0,4"));
    CORRUPT(with_books_of_items, "collide.rows.user is there, but", set(&d, "collide.rows.user", "0,4"));
    ACCEPTED(books,
             u32(&d, "item.remap_packed")[1] |= 0x3fu << 10); /* the unknown item's, which nobody reads */
    ACCEPTED(books, draft_resize(draft_tensor(&d, "item.rows"), 6); set(&d, "collide.rows.item", "1,4"));
    ACCEPTED(books, set(&d, "collide.rows.user", NULL)); /* its entries then are rows of the table */
    ACCEPTED(hashed, set(&d, "collide.rows.item", "3,1"));
}

/* 8 ids of 3 bits: a word, and one more. */
static void classes_come_with_their_values_or_not_at_all(void **state)
{
    const struct folder *folder = *state;
    static const char *const wrong[] = {"0", "9", "", "x", "3.0"};
    static const uint64_t eight[] = {8}, two[] = {2};
    static const uint32_t words[8] = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CORRUPT(classed, "collide.class_bits is \"", set(&d, "collide.class_bits", wrong[i]));
    CORRUPT(classed, "collide.class_bits is missing", set(&d, "collide.class_bits", NULL));
    CORRUPT(classed, "item.class_weights has 8 entries where 4 are needed",
            set(&d, "collide.class_bits", "2"));
    CORRUPT(classed, "item.classes has 2 entries where 3 are needed", set(&d, "collide.class_bits", "5"));
    CORRUPT(classed, "item.classes has 3 entries where 2", draft_resize(draft_tensor(&d, "item.classes"), 3));
    CORRUPT(classed, "item.classes must be U32 of 1", reshape(&d, "item.classes", 2, 2, 1));
    CORRUPT(classed, "item.class_weights is missing", draft_remove(&d, "item.class_weights"));
    CORRUPT(classed, "os.class_weights is missing", draft_remove(&d, "os.class_weights"));
    CORRUPT(classed, "item.class_bias is missing", draft_remove(&d, "item.class_bias"));
    CORRUPT(classed, "item.class_bias has 7 entries", draft_resize(draft_tensor(&d, "item.class_bias"), 7));
    CORRUPT(classed, "user.class_weights is there, but", draft_remove(&d, "user.classes"));
    CORRUPT(classed, "item.weights is there, but", draft_add(&d, "item.weights", "F32", 1, eight, words));
    CORRUPT(classed, "item.bias is there, but", draft_add(&d, "item.bias", "F32", 1, eight, words));
    CORRUPT(plain, "item.class_weights is there, but",
            draft_add(&d, "item.class_weights", "F32", 1, eight, words));
    CORRUPT(plain, "item.class_bias is there, but", draft_add(&d, "item.class_bias", "F32", 1, eight, words));
    CORRUPT(plain, "collide.class_bits is there, but", set(&d, "collide.class_bits", "3"));
    CORRUPT(classed_items, "user.classes is there, but", draft_add(&d, "user.classes", "U32", 1, two, words));
    CORRUPT(classed_items, "user.class_weights is there, but",
            draft_add(&d, "user.class_weights", "F32", 1, eight, words));
    NOT_FINITE(classed, "item.class_weights: value 7", f32(&d, "item.class_weights")[7] = NAN);
    NOT_FINITE(classed, "item.class_bias: value 0", f32(&d, "item.class_bias")[0] = -INFINITY);
    NOT_FINITE(classed, "os.class_weights: value 3", f32(&d, "os.class_weights")[3] = NAN);
    ACCEPTED(classed, memset(u32(&d, "item.classes"), 0xff, 8)); /* any code is one of a class */
    ACCEPTED(classed, draft_remove(&d, "os.classes"); draft_remove(&d, "os.class_weights"));
}

static void values_of_classes_are_those_of_their_ids(void **state)
{
    const struct folder *folder = *state;
    struct fixture f;
    fixture_model(classed, &f);
    write_model(&f.model, folder->file);
    struct model_file *file = open_model(folder->file);
    const struct model *m = model_file_model(file);
    static const uint32_t codes[] = {0, 5, 2, 7, 4, 1, 6, 3};
    assert_true(space_is_weighted(&m->item) && model_is_biased(m));
    for (uint32_t id = 0; id <= FIXTURE_ITEMS; id++) {
        assert_int_equal(model_class_of(&m->item, id), codes[id]);
        assert_true(model_weight_of(&m->item, id) == 0.25f * (float)codes[id]);
        assert_true(model_bias_of(m, id) == 2.0f - (float)codes[id]);
    }
    for (uint32_t id = 0; id <= FIXTURE_USERS; id++)
        assert_true(model_weight_of(&m->user, id) == 0.25f * (float)codes[id]);
    model_file_close(file);
}

static void values_of_ids_without_classes_are_their_own(void **state)
{
    struct fixture f;
    (void)state;
    fixture_model(with_features, &f);
    assert_true(model_weight_of(&f.model.item, 3) == f.item.weights[3]);
    assert_true(model_bias_of(&f.model, 7) == f.bias[7]);
    assert_true(space_is_weighted(&f.model.item) && model_is_biased(&f.model));
    fixture_model(i8, &f);
    assert_true(model_weight_of(&f.model.item, 6) == 1.0f && model_weight_of(&f.model.item, 7) == 0.0f);
    assert_true(model_bias_of(&f.model, 3) == 0.0f);
    assert_false(space_is_weighted(&f.model.item) || model_is_biased(&f.model));
}

static void hashed_mappings_have_numbers_in_place_of_arrays(void **state)
{
    const struct folder *folder = *state;
    static const uint64_t eight[] = {8};
    static const uint32_t zeros[8] = {0};
    CORRUPT(hashed, "collide.ids.item is missing", set(&d, "collide.ids.item", NULL));
    CORRUPT(hashed, "collide.ids.country is missing", set(&d, "collide.ids.country", NULL));
    CORRUPT(hashed, "item.weights has 8 entries where 9 are needed", set(&d, "collide.ids.item", "8"));
    CORRUPT(hashed, "user.history_offsets has 5 entries where 6 are needed", draft_remove(&d, "user.weights");
            set(&d, "collide.ids.user", "4"));
    CORRUPT(hashed, "item.remap is there, but", draft_add(&d, "item.remap", "U32", 1, eight, zeros));
    CORRUPT(hashed, "item.remap_packed is there, but",
            draft_add(&d, "item.remap_packed", "U32", 1, eight, zeros));
    CORRUPT(hashed, "collide.seed", set(&d, "collide.seed", "18446744073709551616"));
    CORRUPT(plain, "collide.seed is there, but", set(&d, "collide.seed", "1"));
    CORRUPT(hashed, "collide.mapping is \"hash\"", set(&d, "collide.mapping", "hash"));
    CORRUPT(hashed, "a hashed mapping needs 2 rows", draft_resize(draft_tensor(&d, "item.rows"), 1));
    ACCEPTED(hashed, draft_resize(draft_tensor(&d, "item.rows"), 2));
    ACCEPTED(hashed, set(&d, "collide.seed", "18446744073709551615"));
    ACCEPTED(hashed, set(&d, "collide.seed", NULL));
}

/* A hashed model's file becomes one of another computed mapping. */
static void compute(struct draft *d, const char *mapping, const char *lookups, const char *divisor)
{
    set(d, "collide.mapping", mapping);
    set(d, "collide.lookups", lookups);
    set(d, "collide.divisor", divisor);
    set(d, "collide.seed", NULL);
}

static void a_modulo_mapping_has_one_lookup(void **state)
{
    const struct folder *folder = *state;
    ACCEPTED(hashed, compute(&d, "modulo", "1", NULL));
    CORRUPT(hashed, "collide.lookups is 2; a modulo mapping has 1", compute(&d, "modulo", "2", NULL));
    CORRUPT(hashed, "a modulo mapping needs 2 rows", compute(&d, "modulo", "1", NULL);
            draft_resize(draft_tensor(&d, "item.rows"), 1));
    CORRUPT(hashed, "collide.seed is there, but", compute(&d, "modulo", "1", NULL);
            set(&d, "collide.seed", "1"));
    CORRUPT(hashed, "collide.divisor is there, but", compute(&d, "modulo", "1", "2"));
    CORRUPT(hashed, "collide.ids.os is missing", compute(&d, "modulo", "1", NULL);
            set(&d, "collide.ids.os", NULL));
    CORRUPT(hashed, "collide.mapping is \"mod\"; it must be stored, packed, hashed, modulo or quotient",
            set(&d, "collide.mapping", "mod"));
    CORRUPT(plain, "item.remap is there, but", compute(&d, "modulo", "1", NULL));
}

/* Seven items: of divisor 2, 2 remainders and 4 quotients; of 3, 3 and 3. */
static void a_quotient_mapping_needs_rows_for_remainders_and_quotients(void **state)
{
    const struct folder *folder = *state;
#define OF_ROWS(n, divisor)                                                                                  \
    compute(&d, "quotient", "2", divisor);                                                                   \
    draft_resize(draft_tensor(&d, "item.rows"), n)
    ACCEPTED(hashed, OF_ROWS(7, "2"));
    ACCEPTED(hashed, OF_ROWS(7, "3"));
    ACCEPTED(hashed, OF_ROWS(9, "7"));
    ACCEPTED(hashed, OF_ROWS(9, "1"));
    ACCEPTED(hashed, OF_ROWS(7, "2"); set(&d, "collide.combine", "multiply"));
    CORRUPT(
        hashed,
        "collide.divisor is 2: 7 item ids then need 7 rows, the last being that of unknown ids, and there "
        "are 6",
        OF_ROWS(6, "2"));
    CORRUPT(hashed, "then need 9 rows", OF_ROWS(8, "1"));
    CORRUPT(hashed, "collide.divisor is 4294967295", OF_ROWS(8, "4294967295"));
    ACCEPTED(hashed, OF_ROWS(12, "2"); set(&d, "collide.rows.item", "5,6"));
    CORRUPT(hashed, "7 item ids then need 7 rows, the last being that of unknown ids, and there are 6",
            OF_ROWS(12, "2");
            set(&d, "collide.rows.item", "5,5"));
    CORRUPT(hashed, "collide.rows.item names 6 rows from 6 on of 12", OF_ROWS(12, "2");
            set(&d, "collide.rows.item", "6,6"));
    CORRUPT(hashed, "collide.lookups is 1; a quotient mapping has 2", compute(&d, "quotient", "1", "2"));
    CORRUPT(hashed, "collide.lookups is 3; a quotient mapping has 2", compute(&d, "quotient", "3", "2"));
    CORRUPT(hashed, "collide.divisor is missing", compute(&d, "quotient", "2", NULL));
    static const char *const wrong[] = {"0", "4294967296", "", "-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CORRUPT(hashed, "collide.divisor", compute(&d, "quotient", "2", wrong[i]));
    CORRUPT(hashed, "collide.divisor is there, but it goes with quotient mappings only",
            set(&d, "collide.divisor", "2"));
}

static void computed_mappings_come_back_as_they_were_written(void **state)
{
    const struct folder *folder = *state;
    for (enum mapping_kind kind = MAPPING_MODULO; kind <= MAPPING_QUOTIENT; kind++) {
        struct fixture f;
        fixture_model(hashed, &f);
        f.model.mapping = (struct row_mapping){.kind = kind, .n_lookups = 1};
        if (kind == MAPPING_QUOTIENT)
            f.model.mapping = (struct row_mapping){.kind = kind, .n_lookups = 2, .divisor = 1};
        f.model.item.n_ids = kind == MAPPING_QUOTIENT ? 3 : FIXTURE_ITEMS;
        f.model.item.n_lookups = f.model.user.n_lookups = 0;
        f.features[0].space.n_lookups = f.features[1].space.n_lookups = 0;
        f.model.histories = (struct stored_histories){.offsets = NULL};
        write_model(&f.model, folder->file);
        struct model_file *file = open_model(folder->file);
        const struct model *m = model_file_model(file);
        assert_null(model_walk(file));
        assert_int_equal(m->mapping.kind, kind);
        assert_int_equal(m->mapping.divisor, kind == MAPPING_QUOTIENT ? 1 : 0);
        assert_int_equal(m->item.n_ids, f.model.item.n_ids);
        assert_null(m->item.remap);
        model_file_close(file);
    }
}

static void counts_of_ids_must_be_those_of_the_spaces(void **state)
{
    const struct folder *folder = *state;
    ACCEPTED(plain, set(&d, "collide.ids.item", "7"));
    CORRUPT(plain, "collide.ids.item is 8, but tensor item.remap is of 7 ids",
            set(&d, "collide.ids.item", "8"));
    CORRUPT(plain, "collide.ids.item", set(&d, "collide.ids.item", "4294967295"));
    CORRUPT(plain, "collide.ids.user is there, but", set(&d, "collide.ids.user", "3"));
    CORRUPT(with_features, "collide.ids.city is there, but", set(&d, "collide.ids.city", "3"));
    CORRUPT(hashed, "more than 2^32 - 1 ids together", draft_remove(&d, "item.weights");
            draft_remove(&d, "item.bias"); set(&d, "collide.ids.item", "4294967290"));
}

static void features_need_names_of_their_own(void **state)
{
    const struct folder *folder = *state;
    static const char *const wrong[] = {"",
                                        ",",
                                        "user,",
                                        "country,user",
                                        "user,user",
                                        "item",
                                        "user,country,country",
                                        "user,country, os",
                                        "user,co-untry",
                                        "user,pa\xc3\xads",
                                        "user,a_name_of_thirty_three_characters"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CORRUPT(with_features, "collide.features names", set(&d, "collide.features", wrong[i]));
    char many[512] = "user", *at = many + strlen(many);
    for (int i = 0; i <= MODEL_MAX_FEATURES; i++)
        at += sprintf(at, ",f%d", i);
    CORRUPT(with_features, "more than 64", set(&d, "collide.features", many));
    CORRUPT(with_features, "city.remap is missing", set(&d, "collide.features", "user,country,os,city"));
    CORRUPT(with_features, "user.remap is there, but", set(&d, "collide.features", "country,os"));
    CORRUPT(with_features, "user.remap is missing", draft_remove(&d, "user.remap"));
    CORRUPT(with_features, "os.weights has 4 entries where 5 are needed",
            draft_resize(draft_tensor(&d, "os.remap"), 5));
    CORRUPT(with_features, "user.history_offsets has 5 entries",
            draft_resize(draft_tensor(&d, "user.remap"), 5);
            draft_remove(&d, "user.weights"));
    CORRUPT(plain, "user.weights is there, but",
            draft_add(&d, "user.weights", "F32", 1, (uint64_t[]){4}, (float[]){0, 0, 0, 0}));
    ACCEPTED(with_features, set(&d, "collide.features", "user,os")); /* others are nobody's tensors */
    ACCEPTED(with_features, draft_remove(&d, "user.history"); draft_remove(&d, "user.history_offsets"));
}

static void keys_of_features_are_checked_like_those_of_items(void **state)
{
    const struct folder *folder = *state;
    const struct fixture_kind kind = {.keys = KEYS_U64, .parts = EVERYTHING};
    CORRUPT(kind, "country.key_slots names id 9 of 3", u32(&d, "country.key_slots")[0] = 9);
    CORRUPT(kind, "country ids need the tensors", draft_remove(&d, "country.keys"));
    CORRUPT(kind, "tensor os.keys has 4 entries where 3 are needed",
            draft_resize(draft_tensor(&d, "os.keys"), 4));
}

/* A writer must not leave behind what the reader refuses. */
static void what_makes_no_sense_is_not_written(void **state)
{
    const struct folder *folder = *state;
#define NOT_WRITTEN(kind, expected, change)                                                                  \
    do {                                                                                                     \
        struct fixture f;                                                                                    \
        struct collide_error err = {0};                                                                      \
        fixture_model(kind, &f);                                                                             \
        change;                                                                                              \
        assert_int_equal(model_write(&f.model, folder->file, &err), COLLIDE_INVALID);                        \
        if (!strstr(err.text, expected))                                                                     \
            fail_msg("expected \"%s\" in: %s", expected, err.text);                                          \
        assert_int_equal(folder_n_files(folder), 0);                                                         \
    } while (0)
    NOT_WRITTEN(plain, "cannot have the collide.scaling dim", f.model.rows.scaling = SCALING_DIM);
    NOT_WRITTEN(i8, "item.scales does not go", f.model.rows.scales = NULL);
    NOT_WRITTEN(i4, "5 values, no multiple of 2", f.model.rows.width = f.model.dim = 5);
    NOT_WRITTEN(i3, "12 values, no multiple of 8", f.model.rows.width = f.model.dim = 12);
    NOT_WRITTEN(i2, "6 values, no multiple of 4", f.model.rows.width = f.model.dim = 6);
    NOT_WRITTEN(plain, "collide.lookups is 0", f.model.mapping.n_lookups = 0);
    NOT_WRITTEN(plain, "collide.lookups is 17", f.model.mapping.n_lookups = 17);
    NOT_WRITTEN(concat, "do not make up dim 6", f.model.rows.width = 6);
    NOT_WRITTEN(hashed, "item ids have 1 rows where collide.lookups says 2", f.model.mapping.n_lookups = 2);
    NOT_WRITTEN(concat, "item ids have 2 rows where collide.lookups says 3", f.model.item.n_lookups = 2);
    NOT_WRITTEN(two_lookups, "os ids have 3 rows where collide.lookups says 2",
                f.features[1].space.n_lookups = 3);
    NOT_WRITTEN(two_lookups, "collide.lookups is 2, but no space has more than 1 rows an id",
                f.model.item.n_lookups = f.model.user.n_lookups = f.features[0].space.n_lookups =
                    f.features[1].space.n_lookups = 1);
    NOT_WRITTEN(few, "must be zeros", f.rows.f32[FIXTURE_ROWS * FIXTURE_DIM - 1] = 1.0f);
    NOT_WRITTEN(plain, "do not make up dim 6", f.model.rows.width = 3);
    NOT_WRITTEN(sums, "do not make up dim 6", f.model.mapping.n_parts = 1);
    NOT_WRITTEN(sums, "collide.parts is 3", f.model.mapping.n_parts = 3);
    NOT_WRITTEN(two_lookups, "collide.parts is 2", f.model.mapping.n_parts = 2);
    NOT_WRITTEN(packed, "collide.mapping_bits is 33", f.model.mapping.bits = 33);
    NOT_WRITTEN(packed, "item.remap_packed maps id 0", f.item.words[0] |= 7);
    NOT_WRITTEN(hashed, "needs 2 rows", f.model.rows.n = 1);
    NOT_WRITTEN(hashed, "collide.divisor is 0", f.model.mapping.kind = MAPPING_QUOTIENT;
                f.model.mapping.n_lookups = 2; f.model.item.n_lookups = 2);
    NOT_WRITTEN(plain, "the item ids have no mapping", f.model.item.remap = NULL);
    NOT_WRITTEN(plain, "neither histories nor embeddings", f.model.histories.offsets = NULL);
    NOT_WRITTEN(with_features, "users are embedded, but there are none", f.model.user.n_ids = 0);
    NOT_WRITTEN(with_features, "the user ids have no mapping", f.model.user.remap = NULL);
    NOT_WRITTEN(with_features, "collide.features names \"user\"", f.features[1].name = "user");
    NOT_WRITTEN(with_features, "collide.features names \"country\"", f.features[1].name = "country");
    NOT_WRITTEN(two_lookups, "collide.rows.item is there, but", f.model.item.own_rows.n = 4);
    NOT_WRITTEN(books, "collide.rows.item names 4 rows from 2 on of 5", f.model.item.own_rows.first = 2);
    NOT_WRITTEN(with_books_of_items, "collide.rows.user is there, but", f.model.user.own_rows.n = 4);
    NOT_WRITTEN(classed, "collide.class_bits is 9 of item ids", f.model.item.classes.bits = 9);
    NOT_WRITTEN(classed, "collide.class_bits is 2 of user ids", f.model.user.classes.bits = 2);
    NOT_WRITTEN(classed, "item ids have classes beside", f.model.bias = f.bias);
    NOT_WRITTEN(classed, "os ids have classes beside", f.features[1].space.weights = f.bias);
    NOT_WRITTEN(classed_items, "user ids have classes beside", f.model.user.classes = f.model.item.classes);
    NOT_WRITTEN(classed, "go together or not at all", f.model.item.classes.bias = NULL);
    NOT_WRITTEN(classed, "go together or not at all", f.model.user.classes.weights = NULL);
    NOT_WRITTEN(classed, "go together or not at all", f.model.user.classes.bias = f.bias);
    NOT_WRITTEN(with_features, "go together or not at all", f.model.item.classes.weights = f.bias);
    NOT_WRITTEN(classed, "item.class_bias", f.item.class_bias[2] = NAN);
    NOT_WRITTEN(lookup_weighted, "item.lookup_weights goes with", f.model.mapping.combine = COMBINE_MULTIPLY);
    NOT_WRITTEN(lookup_weighted, "os.lookup_weights: value 6", f.of_features[1].lookup_weights[6] = INFINITY);
    NOT_WRITTEN(with_features, "os.weights", f.of_features[1].weights[2] = NAN);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(scaling_that_rows_cannot_have_is_refused),
        IN_FOLDER(bits_of_a_value_are_those_of_the_rows),
        IN_FOLDER(rows_of_few_bits_have_the_width_that_their_bytes_give),
        IN_FOLDER(scaling_is_told_by_shapes_where_it_is_not_said),
        IN_FOLDER(scales_and_weights_that_are_not_finite_are_found),
        IN_FOLDER(lookups_and_mappings_must_agree),
        IN_FOLDER(concatenated_rows_must_fit_the_largest_dim),
        IN_FOLDER(a_space_may_have_fewer_lookups_if_they_are_summed),
        IN_FOLDER(the_last_row_is_zeros_where_a_space_has_fewer_lookups),
        IN_FOLDER(lookup_weights_go_with_the_lookups_of_sums),
        IN_FOLDER(lookup_weights_come_back_as_they_were_written),
        IN_FOLDER(parts_must_divide_the_lookups),
        IN_FOLDER(parts_come_back_as_they_were_written),
        IN_FOLDER(packed_mappings_out_of_bounds_are_refused),
        IN_FOLDER(rows_of_a_space_must_be_some_of_the_table),
        IN_FOLDER(classes_come_with_their_values_or_not_at_all),
        IN_FOLDER(values_of_classes_are_those_of_their_ids),
        cmocka_unit_test(values_of_ids_without_classes_are_their_own),
        IN_FOLDER(hashed_mappings_have_numbers_in_place_of_arrays),
        IN_FOLDER(a_modulo_mapping_has_one_lookup),
        IN_FOLDER(a_quotient_mapping_needs_rows_for_remainders_and_quotients),
        IN_FOLDER(computed_mappings_come_back_as_they_were_written),
        IN_FOLDER(counts_of_ids_must_be_those_of_the_spaces),
        IN_FOLDER(features_need_names_of_their_own),
        IN_FOLDER(keys_of_features_are_checked_like_those_of_items),
        IN_FOLDER(what_makes_no_sense_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
