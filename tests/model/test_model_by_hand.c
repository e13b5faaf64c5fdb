/* The models of docs/FORMAT.md, byte for byte as it writes them: what is documented is accepted and means
 * what is said there. */
#include "model_fixture.h"

#include "score/model_handle.h"
#include "score/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const float rows[4][2] = {{1, 0}, {0, 1}, {0.6f, 0.8f}, {0, 0}};
static const uint32_t remap[6] = {0, 1, 1, 2, 0, 3};

static void write_file(const char *path, size_t alignment, const char *text, const void *data, size_t n_bytes)
{
    size_t length = (8 + strlen(text) + alignment - 1) / alignment * alignment - 8;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 8; i++)
        fputc((int)(length >> (8 * i) & 255), file);
    fprintf(file, "%-*s", (int)length, text);
    assert_int_equal(fwrite(data, n_bytes, 1, file), 1);
    assert_int_equal(fclose(file), 0);
}

/* Header, rows, remap, as json.dumps and tobytes make them. */
static void write_tiny(const char *path, size_t alignment)
{
    static const char text[] =
        "{\"__metadata__\": {\"collide.format\": \"1\", \"collide.pooling\": \"mean\", "
        "\"collide.logit_scale\": \"10\"}, "
        "\"item.rows\": {\"dtype\": \"F32\", \"shape\": [4, 2], \"data_offsets\": [0, 32]}, "
        "\"item.remap\": {\"dtype\": \"U32\", \"shape\": [6], \"data_offsets\": [32, 56]}}";
    unsigned char data[sizeof rows + sizeof remap];
    memcpy(data, rows, sizeof rows);
    memcpy(data + sizeof rows, remap, sizeof remap);
    write_file(path, alignment, text, data, sizeof data);
}

/* As the Python package orders tensors: by the size of their elements. */
static void write_pairs(const char *path)
{
    static const struct {
        float scales[2];
        uint32_t remap[5][2];
        int8_t rows[5][2];
        char none[2]; /* of the structure, not of the file */
    } data = {{0.5f, 0.25f}, {{0, 2}, {0, 3}, {1, 2}, {1, 3}, {4, 4}}, {{2, 0}, {0, 4}, {1, 2}, {2, 1}}, ""};
    write_file(path, 8,
               "{\"__metadata__\": {\"collide.format\": \"1\", \"collide.lookups\": \"2\", "
               "\"collide.scaling\": \"dim\"}, "
               "\"item.scales\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 8]}, "
               "\"item.remap\": {\"dtype\": \"U32\", \"shape\": [5, 2], \"data_offsets\": [8, 48]}, "
               "\"item.rows\": {\"dtype\": \"I8\", \"shape\": [5, 2], \"data_offsets\": [48, 58]}}",
               &data, 58);
}

/* Scales, remap, rows: 1 to 7 and 0, 0 to 7, zeros. */
static void write_eights(const char *path)
{
    static const struct {
        uint32_t remap[3];
        uint16_t scales[3][2];
        uint8_t rows[3][3];
        char none[3]; /* of the structure, not of the file */
    } data = {{0, 1, 2}, {{0x3800, 0xbc00}, {0x3400, 0x3800}}, {{0xd1, 0x58, 0x1f}, {0x88, 0xc6, 0xfa}}, ""};
    write_file(path, 8,
               "{\"__metadata__\": {\"collide.format\": \"1\", \"collide.row_bits\": \"3\"}, "
               "\"item.remap\": {\"dtype\": \"U32\", \"shape\": [3], \"data_offsets\": [0, 12]}, "
               "\"item.scales\": {\"dtype\": \"F16\", \"shape\": [3, 2], \"data_offsets\": [12, 24]}, "
               "\"item.rows\": {\"dtype\": \"U8\", \"shape\": [3, 3], \"data_offsets\": [24, 33]}}",
               &data, 33);
}

/* By the size of elements, then by name. */
static void write_small(const char *path)
{
    static const struct {
        float class_bias[4], class_weights[4];
        uint32_t classes[2], remap_packed[2];
        float scales[2];
        int8_t rows[5][2];
        char none[2]; /* of the structure, not of the file */
    } data = {{-2, 0.25f, -0.5f, -2},
              {0, 1, 0.5f, 0},
              {0x99, 0},
              {0xd8, 0},
              {0.5f, 0.25f},
              {{2, 0}, {0, 4}, {1, 2}, {2, 1}},
              ""};
    write_file(path, 8,
               "{\"__metadata__\": {\"collide.format\": \"1\", \"collide.lookups\": \"2\", "
               "\"collide.scaling\": \"dim\", \"collide.mapping\": \"packed\", "
               "\"collide.mapping_bits\": \"1\", \"collide.ids.item\": \"4\", "
               "\"collide.rows.item\": \"0,4\", \"collide.class_bits\": \"2\"}, "
               "\"item.class_bias\": {\"dtype\": \"F32\", \"shape\": [4], \"data_offsets\": [0, 16]}, "
               "\"item.class_weights\": {\"dtype\": \"F32\", \"shape\": [4], \"data_offsets\": [16, 32]}, "
               "\"item.classes\": {\"dtype\": \"U32\", \"shape\": [2], \"data_offsets\": [32, 40]}, "
               "\"item.remap_packed\": {\"dtype\": \"U32\", \"shape\": [2], \"data_offsets\": [40, 48]}, "
               "\"item.scales\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [48, 56]}, "
               "\"item.rows\": {\"dtype\": \"I8\", \"shape\": [5, 2], \"data_offsets\": [56, 66]}}",
               &data, 66);
}

/* Of a history of item 0 and one more. */
static void assert_score(const struct collide_model *h, uint64_t other, uint64_t item, double expected)
{
    const struct collide_id history[] = {collide_id_number(0), collide_id_number(other)};
    const struct collide_id candidate = collide_id_number(item);
    struct collide_query query = {.history = history, .n_history = 2, .items = &candidate, .n_items = 1};
    struct reference_score score;
    assert_int_equal(reference_score(h, &query, &score, NULL), COLLIDE_OK);
    /* 0.6 and 0.8 are off by half a unit of 2^-24 each, and are taken times 5. */
    assert_true(score.value > expected - 1e-6 && score.value < expected + 1e-6);
}

static void the_documented_file_scores_as_documented(void **state)
{
    const struct folder *folder = *state;
    static const size_t alignments[] = {8, 4096}; /* that of the Python package, and ours */
    for (size_t i = 0; i < 2; i++) {
        write_tiny(folder->file, alignments[i]);
        struct collide_model *h = NULL;
        struct collide_error err = {0};
        if (collide_model_open(folder->file, &h, &err) != COLLIDE_OK)
            fail_msg("%s", err.text);
        assert_int_equal(h->model->item.n_ids, 5);
        assert_int_equal(h->model->user.n_ids, 0);
        assert_score(h, 1, 3, 7.0);
        assert_score(h, 1, 2, 5.0);
        assert_score(h, 1, 99, 0.0);
        collide_model_close(h);
    }
}

static void the_documented_line_rows_score_as_documented(void **state)
{
    const struct folder *folder = *state;
    struct collide_model *h = NULL;
    struct collide_error err = {0};
    write_pairs(folder->file);
    if (collide_model_open(folder->file, &h, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    assert_score(h, 3, 1, 5.4375);
    assert_score(h, 3, 2, 3.875);
    collide_model_close(h);
}

static void the_documented_rows_of_three_bits_score_as_documented(void **state)
{
    const struct folder *folder = *state;
    struct collide_model *h = NULL;
    struct collide_error err = {0};
    write_eights(folder->file);
    if (collide_model_open(folder->file, &h, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    assert_score(h, 99, 0, 15.0); /* an unknown id adds nothing */
    assert_score(h, 99, 1, 10.0);
    collide_model_close(h);
}

static void the_documented_codebooks_and_classes_score_as_documented(void **state)
{
    const struct folder *folder = *state;
    struct collide_model *h = NULL;
    struct collide_error err = {0};
    write_small(folder->file);
    if (collide_model_open(folder->file, &h, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    assert_score(h, 3, 1, 3.78125);
    assert_score(h, 3, 2, 2.9375);
    assert_score(h, 3, 99, -2.0);
    collide_model_close(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_documented_file_scores_as_documented, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(the_documented_line_rows_score_as_documented, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(the_documented_rows_of_three_bits_score_as_documented, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(the_documented_codebooks_and_classes_score_as_documented, folder_make,
                                        folder_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
