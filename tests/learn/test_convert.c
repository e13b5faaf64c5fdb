#include "learn/store/convert.h"
#include "model/mapping.h"
#include "model/read.h"
#include "model/write.h"
#include "model_draft.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct convert_options unchanged = {.form = ROWS_UNCHANGED, .mapping = MAPPING_UNCHANGED};
#define NO_LIMIT (UINT64_C(1) << 40)

static struct converted *convert(const struct draft *d, const struct convert_options *options)
{
    struct converted *c = NULL;
    struct collide_error err = {0};
    if (convert_model(&d->model, options, &c, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return c;
}

/* What the rows of the converted model's lookup should be: out: (width of the converted rows). */
static void exact_row(const struct model *from, const struct model *to, const struct space *space,
                      uint32_t id, uint32_t lookup, double *out)
{
    if (to->mapping.n_lookups == from->mapping.n_lookups) {
        draft_row(from, space, id, lookup, out);
        return;
    }
    double first[DRAFT_MAX_DIM], second[DRAFT_MAX_DIM];
    uint32_t width = from->rows.width;
    draft_row(from, space, id, 2 * lookup, first);
    draft_row(from, space, id, 2 * lookup + 1, second);
    for (uint32_t d = 0; d < width; d++) {
        out[d] = to->rows.width > width                      ? first[d]
                 : from->mapping.combine == COMBINE_MULTIPLY ? first[d] * second[d]
                                                             : first[d] + second[d];
        if (to->rows.width > width)
            out[width + d] = second[d];
    }
}

struct extent {
    double low, high, length;
};

static struct extent extent_of(const double *row, uint32_t width)
{
    struct extent e = {row[0], row[0], 0.0};
    for (uint32_t d = 0; d < width; d++) {
        e.low = fmin(e.low, row[d]);
        e.high = fmax(e.high, row[d]);
        e.length = hypot(e.length, row[d]);
    }
    return e;
}

/* How far a stored row may lie from what it should be. Half a step an element, and as much again where the
 * length is restored; of line rows (largest: of all rows) all rows together have n squared half steps. Single
 * precision, in which rows are added up and scaled, adds a few roundings; and the scale s and offset o of n +
 * 1 levels are rounded to halves twice, which moves an element by 2^-11 (n |s| + |o|) each time. The levels o
 * and o + n s lie in the row's range, widened by as much again to either side. */
static double row_bound(const struct model *to, const double *row, double largest)
{
    const double width = to->rows.width;
    struct extent e = extent_of(row, to->rows.width);
    double rounding = 1e-6 * (e.length + sqrt(width) * fmax(fabs(e.low), fabs(e.high)));
    switch (row_form_of(&to->rows)) {
    case ROWS_F16:
        return 0x1p-11 * e.length + sqrt(width) * 0x1p-25 + rounding;
    case ROWS_I8:
        return 2.0 * sqrt(width) * 0.5 * fmax(fabs(e.low), fabs(e.high)) / 127.0 + rounding;
    case ROWS_I8_LINE:
        return sqrt(to->rows.n * width) * 0.5 * largest / 127.0 + 1e-6 * sqrt(width) * largest;
    case ROWS_I4:
    case ROWS_I3:
    case ROWS_I2:
        return sqrt(width) *
                   ((e.high - e.low) / ((1 << precision_bits(to->rows.precision)) - 1) +
                    0x1p-10 * (4.0 * (e.high - e.low) + fmax(fabs(e.low), fabs(e.high))) + 0x1p-20) +
               rounding;
    default:
        return rounding;
    }
}

static double largest_element(const struct model *from, const struct model *to)
{
    double largest = 0.0, row[DRAFT_MAX_DIM];
    for (size_t s = 0; s < model_n_spaces(from); s++)
        for (uint32_t id = 0; id <= model_space(from, s)->n_ids; id++)
            for (uint32_t l = 0; l < to->mapping.n_lookups; l++) {
                exact_row(from, to, model_space(from, s), id, l, row);
                struct extent e = extent_of(row, to->rows.width);
                largest = fmax(largest, fmax(fabs(e.low), fabs(e.high)));
            }
    return largest;
}

/* Rows x_l off by e_l: a sum and what is put side by side are off by the sum of e_l, a product by
 * prod (|x_l| + e_l) - prod |x_l|, for |x y| <= |x| |y|. */
static double embedding_bound(const struct model *from, const struct model *to, size_t s, uint32_t id,
                              double largest)
{
    double sum = 0.0, product = 1.0, lengths = 1.0, row[DRAFT_MAX_DIM];
    for (uint32_t l = 0; l < to->mapping.n_lookups; l++) {
        exact_row(from, to, model_space(from, s), id, l, row);
        double bound = row_bound(to, row, largest), length = extent_of(row, to->rows.width).length;
        sum += bound;
        product *= length + bound;
        lengths *= length;
    }
    return from->mapping.combine == COMBINE_MULTIPLY ? product - lengths : sum;
}

static double error_of(const struct model *from, const struct model *to, size_t s, uint32_t id)
{
    double x[DRAFT_MAX_DIM], y[DRAFT_MAX_DIM], error = 0.0;
    draft_embedding(from, model_space(from, s), id, x);
    draft_embedding(to, model_space(to, s), id, y);
    for (uint32_t d = 0; d < from->dim; d++)
        error = hypot(error, y[d] - x[d]);
    return error;
}

/* Every embedding is within its bound, and the report says how far they are off. */
static void check_embeddings(const struct model *from, const struct converted *c)
{
    const struct model *to = converted_model(c);
    double largest = largest_element(from, to), largest_error = 0.0, squares = 0.0, n = 0.0;
    for (size_t s = 0; s < model_n_spaces(from); s++)
        for (uint32_t id = 0; id <= model_space(from, s)->n_ids; id++) {
            double error = error_of(from, to, s, id);
            if (error > embedding_bound(from, to, s, id, largest))
                fail_msg("%s rows, %u lookups: space %zu, id %u is off by %g, not %g",
                         row_form_name(row_form_of(&to->rows)), to->mapping.n_lookups, s, id, error,
                         embedding_bound(from, to, s, id, largest));
            largest_error = fmax(largest_error, error);
            squares += error * error;
            n++;
        }
    const struct conversion *report = converted_report(c);
    assert_true(fabs(report->largest_error - largest_error) <= 1e-4 * largest_error + 1e-5);
    assert_true(fabs(report->rms_error - sqrt(squares / n)) <= 1e-4 * sqrt(squares / n) + 1e-5);
}

/* It goes into a file and comes back the same. */
static void check_file(const struct model *m)
{
    char path[] = "/tmp/collide-converted-XXXXXX";
    struct collide_error err = {0};
    struct model_file *file = NULL;
    close(mkstemp(path));
    if (model_write(m, path, &err) != COLLIDE_OK ||
        model_file_open(path, MODEL_CHECK_CONTENTS, &file, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    const struct model *back = model_file_model(file);
    assert_int_equal(back->mapping.n_lookups, m->mapping.n_lookups);
    assert_int_equal(row_form_of(&back->rows), row_form_of(&m->rows));
    for (uint32_t id = 0; id <= m->item.n_ids; id++)
        assert_true(error_of(m, back, SPACE_ITEM, id) == 0.0);
    model_file_close(file);
    unlink(path);
}

static void check_conversion(const struct draft *d, const struct convert_options *options)
{
    const struct model *from = &d->model;
    struct converted *c = convert(d, options);
    const struct model *to = converted_model(c);
    if (options->form != ROWS_UNCHANGED)
        assert_int_equal(row_form_of(&to->rows), options->form);
    assert_int_equal(to->mapping.n_lookups,
                     options->max_merged_bytes ? from->mapping.n_lookups / 2 : from->mapping.n_lookups);
    check_embeddings(from, c);
    check_file(to);
    converted_destroy(c);
}

static const struct {
    enum precision precision;
    enum scaling scaling;
} stored_forms[] = {{PRECISION_F32, SCALING_NONE},      {PRECISION_F16, SCALING_NONE},
                    {PRECISION_I8, SCALING_ROW},        {PRECISION_I8, SCALING_ROW_OFFSET},
                    {PRECISION_I4, SCALING_ROW_OFFSET}, {PRECISION_I8, SCALING_DIM},
                    {PRECISION_I3, SCALING_ROW_OFFSET}, {PRECISION_I2, SCALING_ROW_OFFSET}};
enum { N_STORED_FORMS = sizeof stored_forms / sizeof stored_forms[0] };

static void every_form_becomes_every_other_within_its_bound(void **state)
{
    (void)state;
    for (size_t f = 0; f < N_STORED_FORMS; f++)
        for (int form = 0; form < N_ROW_FORMS; form++) {
            static struct draft d;
            const struct draft_shape shape = {.n_lookups = 2,
                                              .width = DRAFT_MAX_WIDTH,
                                              .precision = stored_forms[f].precision,
                                              .scaling = stored_forms[f].scaling};
            struct convert_options options = unchanged;
            options.form = (enum row_form)form;
            draft_fill(&d, &shape, f);
            check_conversion(&d, &options);
        }
}

static void merged_lookups_stay_within_their_bound(void **state)
{
    (void)state;
    for (size_t f = 0; f < N_STORED_FORMS; f++)
        for (int combine = COMBINE_SUM; combine <= COMBINE_CONCAT; combine++)
            for (uint32_t n_lookups = 2; n_lookups <= 6; n_lookups += 2)
                for (int form = 0; form <= ROWS_UNCHANGED; form++) {
                    static struct draft d;
                    const struct draft_shape shape = {.n_lookups = n_lookups,
                                                      .width = DRAFT_MAX_WIDTH,
                                                      .combine = (enum combine)combine,
                                                      .precision = stored_forms[f].precision,
                                                      .scaling = stored_forms[f].scaling};
                    const struct convert_options options = {.form = (enum row_form)form,
                                                            .mapping = (enum mapping_choice)(form % 3),
                                                            .max_merged_bytes = NO_LIMIT};
                    draft_fill(&d, &shape, f + n_lookups);
                    check_conversion(&d, &options);
                }
}

/* Lookups of one part are added up, and so there are as many parts afterwards. */
static void parts_of_several_lookups_stay_parts(void **state)
{
    (void)state;
    static const uint32_t n_parts[] = {1, 2, 3};
    for (size_t f = 0; f < N_STORED_FORMS; f++)
        for (size_t p = 0; p < sizeof n_parts / sizeof n_parts[0]; p++)
            for (uint64_t max_merged_bytes = 0; max_merged_bytes <= NO_LIMIT; max_merged_bytes += NO_LIMIT) {
                static struct draft d;
                const struct draft_shape shape = {.n_lookups = 2 * n_parts[p],
                                                  .combine = COMBINE_CONCAT,
                                                  .n_parts = n_parts[p],
                                                  .width = DRAFT_MAX_WIDTH,
                                                  .precision = stored_forms[f].precision,
                                                  .scaling = stored_forms[f].scaling};
                const struct convert_options options = {ROWS_UNCHANGED, MAPPING_TO_PACKED, max_merged_bytes};
                draft_fill(&d, &shape, f + p);
                struct converted *c = convert(&d, &options);
                assert_int_equal(mapping_n_parts(&converted_model(c)->mapping), n_parts[p]);
                assert_int_equal(converted_model(c)->rows.width, DRAFT_MAX_WIDTH);
                converted_destroy(c);
                check_conversion(&d, &options);
            }
}

static void spaces_of_fewer_lookups_stay_such(void **state)
{
    (void)state;
    for (size_t f = 0; f < N_STORED_FORMS; f++)
        for (int form = 0; form <= ROWS_UNCHANGED; form++)
            for (uint32_t n_few = 1; n_few < 4; n_few++) {
                static struct draft d;
                const struct draft_shape shape = {.n_lookups = 4,
                                                  .n_few = n_few,
                                                  .width = DRAFT_MAX_WIDTH,
                                                  .precision = stored_forms[f].precision,
                                                  .scaling = stored_forms[f].scaling};
                struct convert_options options = {(enum row_form)form, (enum mapping_choice)(n_few % 3), 0};
                draft_fill(&d, &shape, f + n_few);
                check_conversion(&d, &options);
                options.max_merged_bytes = NO_LIMIT;
                check_conversion(&d, &options);
                struct converted *c = convert(&d, &options);
                assert_int_equal(converted_model(c)->item.n_lookups, (n_few + 1) / 2);
                assert_int_equal(converted_model(c)->features[0].space.n_lookups, (n_few + 1) / 2);
                assert_int_equal(converted_model(c)->user.n_lookups, 2);
                converted_destroy(c);
            }
}

/* Rows are read as they are, weights applied after. */
static void lookup_weights_are_kept(void **state)
{
    (void)state;
    for (size_t f = 0; f < N_STORED_FORMS; f++)
        for (uint32_t n_few = 0; n_few < 2; n_few++) {
            static struct draft d;
            const struct draft_shape shape = {.n_lookups = 2,
                                              .n_few = n_few,
                                              .has_lookup_weights = true,
                                              .width = DRAFT_MAX_WIDTH,
                                              .precision = stored_forms[f].precision,
                                              .scaling = stored_forms[f].scaling};
            struct convert_options options = {ROWS_UNCHANGED, MAPPING_TO_PACKED, 0};
            draft_fill(&d, &shape, f);
            struct converted *c = convert(&d, &options);
            assert_ptr_equal(converted_model(c)->item.lookup_weights, d.lookup_weights);
            for (uint32_t id = 0; id <= DRAFT_ITEMS; id++)
                assert_true(error_of(&d.model, converted_model(c), SPACE_ITEM, id) == 0.0);
            assert_true(converted_report(c)->largest_error == 0.0);
            check_file(converted_model(c));
            converted_destroy(c);
            options.form = ROWS_F32;
            check_conversion(&d, &options);
        }
}

static void mappings_take_every_form(void **state)
{
    (void)state;
    const enum mapping_kind wanted[][3] = {
        [MAPPING_STORED] = {MAPPING_STORED, MAPPING_PACKED, MAPPING_STORED},
        [MAPPING_PACKED] = {MAPPING_STORED, MAPPING_PACKED, MAPPING_PACKED},
        [MAPPING_HASHED] = {MAPPING_STORED, MAPPING_PACKED, MAPPING_HASHED},
        [MAPPING_MODULO] = {MAPPING_STORED, MAPPING_PACKED, MAPPING_MODULO},
        [MAPPING_QUOTIENT] = {MAPPING_STORED, MAPPING_PACKED, MAPPING_QUOTIENT}};
    static const uint32_t n_lookups[] = {[MAPPING_STORED] = 3,
                                         [MAPPING_PACKED] = 3,
                                         [MAPPING_HASHED] = 3,
                                         [MAPPING_MODULO] = 1,
                                         [MAPPING_QUOTIENT] = 2};
    for (int kind = MAPPING_STORED; kind <= MAPPING_QUOTIENT; kind++)
        for (int choice = MAPPING_TO_STORED; choice <= MAPPING_UNCHANGED; choice++) {
            static struct draft d;
            const struct draft_shape shape = {.n_lookups = n_lookups[kind],
                                              .mapping = (enum mapping_kind)kind};
            struct convert_options options = unchanged;
            options.mapping = (enum mapping_choice)choice;
            draft_fill(&d, &shape, 9);
            struct converted *c = convert(&d, &options);
            const struct model *m = converted_model(c);
            assert_int_equal(m->mapping.kind, wanted[kind][choice]);
            for (size_t s = 0; s < model_n_spaces(m); s++)
                for (uint32_t id = 0; id <= model_space(m, s)->n_ids; id++)
                    assert_true(error_of(&d.model, m, s, id) == 0.0);
            check_file(m);
            converted_destroy(c);
        }
}

/* Kept where the mapping stays what it is, given up where rows are numbered anew. */
static void rows_of_a_space_stay_its_own_where_they_can(void **state)
{
    (void)state;
    static const struct {
        enum mapping_kind kind;
        struct convert_options options;
        uint32_t n_own;
    } cases[] = {{MAPPING_PACKED, {ROWS_UNCHANGED, MAPPING_UNCHANGED, 0}, 4 * DRAFT_LOOKUP_ROWS},
                 {MAPPING_PACKED, {ROWS_I8, MAPPING_TO_PACKED, 0}, 4 * DRAFT_LOOKUP_ROWS},
                 {MAPPING_PACKED, {ROWS_UNCHANGED, MAPPING_TO_STORED, 0}, 0},
                 {MAPPING_PACKED, {ROWS_UNCHANGED, MAPPING_TO_PACKED, NO_LIMIT}, 0},
                 {MAPPING_HASHED, {ROWS_I4, MAPPING_UNCHANGED, 0}, 4 * DRAFT_LOOKUP_ROWS},
                 {MAPPING_HASHED, {ROWS_UNCHANGED, MAPPING_TO_PACKED, 0}, 0},
                 {MAPPING_HASHED, {ROWS_UNCHANGED, MAPPING_UNCHANGED, NO_LIMIT}, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct draft d;
        const struct draft_shape shape = {.n_lookups = 4, .mapping = cases[i].kind, .has_own_rows = true};
        draft_fill(&d, &shape, i);
        struct converted *c = convert(&d, &cases[i].options);
        const struct model *m = converted_model(c);
        assert_int_equal(m->item.own_rows.n, cases[i].n_own);
        assert_int_equal(m->user.own_rows.n, cases[i].n_own);
        assert_int_equal(m->features[0].space.own_rows.n, cases[i].n_own);
        converted_destroy(c);
        check_conversion(&d, &cases[i].options);
    }
}

static void what_is_not_converted_stays_as_it_was(void **state)
{
    (void)state;
    static struct draft d;
    const struct draft_shape shape = {.n_lookups = 2};
    draft_fill(&d, &shape, 4);
    struct convert_options options = unchanged;
    options.mapping = MAPPING_TO_PACKED;
    struct converted *c = convert(&d, &options);
    const struct model *m = converted_model(c);
    assert_ptr_equal(m->rows.values, d.values);
    assert_ptr_equal(m->item.weights, d.weights);
    assert_ptr_equal(m->bias, d.bias);
    assert_ptr_equal(m->histories.items, d.history);
    assert_true(m->logit_scale == 3.0f && m->pooling == POOLING_MEAN && m->user_is_embedded);
    assert_string_equal(m->features[0].name, "country");
    converted_destroy(c);
    options = unchanged;
    options.form = ROWS_I8;
    c = convert(&d, &options);
    assert_ptr_equal(converted_model(c)->item.remap, d.item_remap);
    assert_ptr_equal(converted_model(c)->features[0].space.remap, d.country_remap);
    converted_destroy(c);
}

static void classes_stay_as_they_were(void **state)
{
    (void)state;
    static struct draft d;
    static const uint32_t words[DRAFT_ITEMS / 32 + 2] = {0x5a5a5a5a, 0x0f0f0f0f};
    static const float class_weights[] = {0.0f, 1.0f}, class_bias[] = {-1.0f, 2.0f};
    const struct draft_shape shape = {.n_lookups = 2};
    const struct convert_options options = {ROWS_I4, MAPPING_TO_PACKED, NO_LIMIT};
    draft_fill(&d, &shape, 6);
    d.model.item.weights = d.model.bias = NULL;
    d.model.item.classes = (struct id_classes){words, 1, class_weights, class_bias};
    struct converted *c = convert(&d, &options);
    const struct id_classes *classes = &converted_model(c)->item.classes;
    assert_true(classes->words == words && classes->bits == 1);
    assert_true(classes->weights == class_weights && classes->bias == class_bias);
    check_file(converted_model(c));
    converted_destroy(c);
}

static const char *note_of(const struct model *m)
{
    for (size_t i = 0; i < m->n_provenance; i++)
        if (strcmp(m->provenance[i].name, "converted") == 0)
            return m->provenance[i].value;
    return "";
}

static void provenance_tells_each_conversion(void **state)
{
    (void)state;
    static struct draft d;
    const struct draft_shape shape = {.n_lookups = 2};
    draft_fill(&d, &shape, 5);
    struct converted *nothing = convert(&d, &unchanged);
    assert_int_equal(converted_model(nothing)->n_provenance, 1);
    converted_destroy(nothing);
    struct convert_options options = {ROWS_I8_LINE, MAPPING_TO_PACKED, NO_LIMIT};
    struct converted *first = convert(&d, &options), *second = NULL;
    assert_string_equal(converted_model(first)->provenance[0].value, "made up");
    assert_string_equal(note_of(converted_model(first)),
                        "rows from f32 to i8-line, mapping from stored to packed, lookups from 2 to 1");
    options = unchanged;
    options.form = ROWS_F16;
    assert_int_equal(convert_model(converted_model(first), &options, &second, NULL), COLLIDE_OK);
    assert_int_equal(converted_model(second)->n_provenance, 2);
    assert_string_equal(note_of(converted_model(second)),
                        "rows from f32 to i8-line, mapping from stored to packed, lookups from 2 to 1; "
                        "rows from i8-line to f16");
    converted_destroy(second);
    converted_destroy(first);
}

/* Rows of 48 bytes are in one line or in two, equally often. 88 entries share at most 49 pairs of lookups; i4
 * rows of 12 values take 6 bytes, two of 32 go over the end of a line, and 4 of scale and offset; of 16 words
 * one is the last of its line. */
static void costs_are_counted(void **state)
{
    (void)state;
    static struct draft d;
    const struct draft_shape shape = {.n_lookups = 2};
    draft_fill(&d, &shape, 6);
    const struct convert_options options = {ROWS_I4, MAPPING_TO_PACKED, NO_LIMIT};
    struct converted *c = convert(&d, &options);
    const struct conversion *r = converted_report(c);
    const uint64_t n_entries = DRAFT_ITEMS + DRAFT_USERS + DRAFT_COUNTRIES + 3;
    assert_int_equal(r->before.n_lookups, 2);
    assert_true(r->before.lookup_lines == 1.5);
    assert_true(r->before.id_lines == 1 + 2 * 1.5);
    assert_int_equal(r->before.n_rows, 14);
    assert_int_equal(r->before.row_bytes, 14 * 12 * 4);
    assert_int_equal(r->before.mapping_bytes, n_entries * 2 * 4);
    assert_int_equal(r->after.n_lookups, 1);
    assert_true(r->after.lookup_lines == 1.0625 + 1);
    assert_true(r->after.id_lines == 1.0625 + 1.0625 + 1);
    assert_in_range(r->after.n_rows, 33, 49);
    assert_int_equal(r->after.row_bytes, r->after.n_rows * (6 + 4));
    /* 61, 21 and 6 entries of 6 bits: 12, 4 and 2 words, and one more each. */
    assert_int_equal(r->after.mapping_bytes, (12 + 4 + 2 + 3) * 4);
    converted_destroy(c);
}

static void expect_refused(const struct draft *d, struct convert_options options, enum collide_status status,
                           const char *words)
{
    struct converted *c = NULL;
    struct collide_error err = {0};
    assert_int_equal(convert_model(&d->model, &options, &c, &err), status);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    assert_null(c);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static struct draft d;
    struct draft_shape shape = {.n_lookups = 2};
    draft_fill(&d, &shape, 7);
    struct convert_options options = {ROWS_F32, MAPPING_UNCHANGED, NO_LIMIT};
    struct converted *c = convert(&d, &options);
    options.max_merged_bytes = converted_report(c)->after.row_bytes;
    converted_destroy(c);
    check_conversion(&d, &options);
    options.max_merged_bytes--;
    expect_refused(&d, options, COLLIDE_INVALID, "allowed");
    shape.n_lookups = 3;
    draft_fill(&d, &shape, 7);
    expect_refused(&d, options, COLLIDE_INVALID, "merged by twos");
    shape = (struct draft_shape){
        .n_lookups = 2, .combine = COMBINE_CONCAT, .precision = PRECISION_I8, .scaling = SCALING_DIM};
    draft_fill(&d, &shape, 7);
    options = (struct convert_options){ROWS_F32, MAPPING_UNCHANGED, 0};
    expect_refused(&d, options, COLLIDE_UNSUPPORTED, "scale rows differently");
    options.max_merged_bytes = NO_LIMIT;
    check_conversion(&d, &options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_becomes_every_other_within_its_bound),
        cmocka_unit_test(merged_lookups_stay_within_their_bound),
        cmocka_unit_test(parts_of_several_lookups_stay_parts),
        cmocka_unit_test(spaces_of_fewer_lookups_stay_such),
        cmocka_unit_test(lookup_weights_are_kept),
        cmocka_unit_test(mappings_take_every_form),
        cmocka_unit_test(rows_of_a_space_stay_its_own_where_they_can),
        cmocka_unit_test(classes_stay_as_they_were),
        cmocka_unit_test(what_is_not_converted_stays_as_it_was),
        cmocka_unit_test(provenance_tells_each_conversion),
        cmocka_unit_test(costs_are_counted),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
