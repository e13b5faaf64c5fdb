/* Hostile containers: whatever stands where the header should be, the answer is a refusal that names the file
 * and what is wrong. */
#include "model_fixture.h"
#include "safetensors_draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A valid file in parts: its header is put together anew for each case. */
struct parts {
    struct folder *folder;
    cJSON *header;
    unsigned char *data;
    size_t n_data;
};

static int parts_make(void **state)
{
    struct parts *p = calloc(1, sizeof *p);
    if (!p || folder_make((void **)&p->folder) != 0)
        return -1;
    struct fixture f;
    fixture_model((struct fixture_kind){.precision = PRECISION_F32, .keys = KEYS_U64, .parts = FIXTURE_ALL},
                  &f);
    write_model(&f.model, p->folder->file);
    size_t n_bytes;
    unsigned char *bytes = read_bytes(p->folder->file, &n_bytes);
    struct draft d;
    draft_read(bytes, n_bytes, &d);
    draft_arrange(&d);
    p->header = draft_header(&d);
    p->data = draft_data(&d, &p->n_data);
    draft_free(&d);
    free(bytes);
    *state = p;
    return 0;
}

static int parts_remove(void **state)
{
    struct parts *p = *state;
    cJSON_Delete(p->header);
    free(p->data);
    int failed = folder_remove((void **)&p->folder);
    free(p);
    return failed;
}

static void save_header(const struct parts *p, const cJSON *header)
{
    char *text = cJSON_PrintUnformatted(header);
    assert_non_null(text);
    image_save(p->folder->file, text, p->data, p->n_data);
    cJSON_free(text);
}

static void assert_corrupt(const struct parts *p, const char *text)
{
    assert_refused(p->folder->file, MODEL_CHECK_BOUNDS, COLLIDE_CORRUPT, text);
}

/* The header with this entry replaced (or added) by JSON text is refused with this message. */
static void assert_entry_refused(const struct parts *p, const char *name, const char *json, const char *text)
{
    cJSON *header = cJSON_Duplicate(p->header, true);
    cJSON_DeleteItemFromObjectCaseSensitive(header, name);
    cJSON_AddItemToObject(header, name, cJSON_CreateRaw(json));
    save_header(p, header);
    assert_corrupt(p, text);
    cJSON_Delete(header);
}

static void the_untouched_parts_are_a_model(void **state)
{
    const struct parts *p = *state;
    save_header(p, p->header);
    model_file_close(open_model(p->folder->file));
}

static void no_prefix_of_a_model_is_a_model(void **state)
{
    const struct parts *p = *state;
    save_header(p, p->header);
    size_t n_bytes;
    free(read_bytes(p->folder->file, &n_bytes));
    while (n_bytes-- > 0) {
        assert_int_equal(truncate(p->folder->file, (off_t)n_bytes), 0);
        assert_corrupt(p, "");
    }
}

static void bytes_after_the_last_tensor_are_refused(void **state)
{
    const struct parts *p = *state;
    save_header(p, p->header);
    FILE *file = fopen(p->folder->file, "ab");
    assert_non_null(file);
    fputc(0, file);
    fclose(file);
    assert_corrupt(p, "1 bytes follow the last tensor");
}

static void header_lengths_that_cannot_be_are_refused(void **state)
{
    const struct parts *p = *state;
    static const uint64_t lengths[] = {
        0, 1, 7, 16, 1 << 20, 100000001, INT64_MAX, UINT64_MAX, UINT64_MAX - 7, 1ull << 63};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        save_header(p, p->header);
        FILE *file = fopen(p->folder->file, "r+b");
        assert_non_null(file);
        for (int b = 0; b < 8; b++)
            fputc((int)(lengths[i] >> (8 * b) & 255), file);
        fclose(file);
        assert_corrupt(p, "header");
    }
}

static void a_header_beyond_the_limit_is_refused_unread(void **state)
{
    const struct parts *p = *state;
    size_t n = SAFETENSORS_MAX_HEADER_BYTES + 1;
    char *text = malloc(n + 1);
    assert_non_null(text);
    memset(text, ' ', n);
    memcpy(text, "{}", 2);
    text[n] = '\0';
    image_save(p->folder->file, text, "", 0);
    assert_corrupt(p, "1048584 bytes");
    free(text);
}

static void headers_that_are_no_json_object_are_refused(void **state)
{
    const struct parts *p = *state;
    static const char *const headers[] = {
        "",
        "x",
        "[]",
        "1",
        "\"{}\"",
        "null",
        "true",
        "{",
        "}",
        "{\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{}{}",
        "{}]",
        "{} x",
        "{},",
        " {}",
        "\n{}",
        "\xef\xbb\xbf{}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{\"\\ud800\":1}",
        "{}\n{}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        image_save(p->folder->file, headers[i], "", 0);
        assert_corrupt(p, "the header is not a JSON object");
    }
}

static void deep_nesting_is_refused(void **state)
{
    const struct parts *p = *state;
    enum { DEPTH = 100000 };
    char *text = malloc(6 * DEPTH);
    assert_non_null(text);
    memset(text, '[', DEPTH);
    text[DEPTH] = '\0';
    image_save(p->folder->file, text, "", 0);
    assert_corrupt(p, "the header is not a JSON object");
    for (size_t i = 0; i < DEPTH; i++)
        memcpy(text + 5 * i, "{\"a\":", 5);
    text[5 * DEPTH] = '\0';
    image_save(p->folder->file, text, "", 0);
    assert_corrupt(p, "the header is not a JSON object");
    free(text);
}

static void expand(const char *pattern, int begin, char json[256])
{
    size_t n = 0;
    for (const char *c = pattern; *c; c++)
        if (*c == 'B' || *c == 'E')
            n += (size_t)snprintf(json + n, 256 - n, "%d", *c == 'B' ? begin : begin + 32);
        else
            json[n++] = *c;
    json[n] = '\0';
    for (char *c = json; (c = strchr(c, '\''));)
        *c = '"';
}

/* Of item.remap, 8 entries of U32. In the cases ' stands for ", B and E for where the tensor begins and ends.
 */
static void wrong_descriptions_of_a_tensor_are_refused(void **state)
{
    const struct parts *p = *state;
    const cJSON *offsets = cJSON_GetObjectItem(cJSON_GetObjectItem(p->header, "item.remap"), "data_offsets");
    int begin = cJSON_GetArrayItem(offsets, 0)->valueint;
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"1", "needs dtype, shape and data_offsets"},
        {"null", "needs dtype, shape and data_offsets"},
        {"\"U32\"", "needs dtype, shape and data_offsets"},
        {"[]", "needs dtype, shape and data_offsets"},
        {"[1,2,3]", "needs dtype, shape and data_offsets"},
        {"{}", "needs dtype, shape and data_offsets"},
        {"{'shape':[8],'data_offsets':[B,E]}", "needs dtype, shape and data_offsets"},
        {"{'dtype':'U32','data_offsets':[B,E]}", "needs dtype, shape and data_offsets"},
        {"{'dtype':'U32','shape':[8]}", "needs dtype, shape and data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':[B,E],'x':1}", "needs dtype, shape and data_offsets"},
        {"{'dtype':'U32','dtype':'U32','shape':[8],'data_offsets':[B,E]}", "needs dtype"},
        {"{'dtype':'U32','dtype':'U32','shape':[8]}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'Data_offsets':[B,E]}", "data_offsets"},
        {"{'dtype':4,'shape':[8],'data_offsets':[B,E]}", "no known dtype"},
        {"{'dtype':null,'shape':[8],'data_offsets':[B,E]}", "no known dtype"},
        {"{'dtype':['U32'],'shape':[8],'data_offsets':[B,E]}", "no known dtype"},
        {"{'dtype':'','shape':[8],'data_offsets':[B,E]}", "no known dtype"},
        {"{'dtype':'u32','shape':[8],'data_offsets':[B,E]}", "no known dtype"},
        {"{'dtype':'U32 ','shape':[8],'data_offsets':[B,E]}", "no known dtype"},
        {"{'dtype':'F4','shape':[8],'data_offsets':[B,E]}", "no known dtype"},
        {"{'dtype':'U32','shape':8,'data_offsets':[B,E]}", "shape"},
        {"{'dtype':'U32','shape':'8','data_offsets':[B,E]}", "shape"},
        {"{'dtype':'U32','shape':{'a':8},'data_offsets':[B,E]}", "shape"},
        {"{'dtype':'U32','shape':null,'data_offsets':[B,E]}", "shape"},
        {"{'dtype':'U32','shape':['8'],'data_offsets':[B,E]}", "impossible shape"},
        {"{'dtype':'U32','shape':[[8]],'data_offsets':[B,E]}", "impossible shape"},
        {"{'dtype':'U32','shape':[-8],'data_offsets':[B,E]}", "impossible shape"},
        {"{'dtype':'U32','shape':[-1,-8],'data_offsets':[B,E]}", "impossible shape"},
        {"{'dtype':'U32','shape':[7.5],'data_offsets':[B,E]}", "impossible shape"},
        {"{'dtype':'U32','shape':[1e300],'data_offsets':[B,E]}", "impossible shape"},
        {"{'dtype':'U32','shape':[1e999],'data_offsets':[B,E]}", "impossible shape"},
        {"{'dtype':'U32','shape':[4294967296,1073741824],'data_offsets':[B,E]}", "impossible shape"},
        {"{'dtype':'U32','shape':[4294967296,4294967296],'data_offsets':[B,E]}", "impossible shape"},
        {"{'dtype':'U32','shape':[4611686018427387912],'data_offsets':[B,E]}", "impossible shape"},
        {"{'dtype':'U32','shape':[1,1,1,1,1,1,1,1,8],'data_offsets':[B,E]}", "shape"},
        {"{'dtype':'U32','shape':[7],'data_offsets':[B,E]}", "32 bytes where its shape needs 28"},
        {"{'dtype':'U32','shape':[9],'data_offsets':[B,E]}", "32 bytes where its shape needs 36"},
        {"{'dtype':'U32','shape':[0],'data_offsets':[B,E]}", "32 bytes where its shape needs 0"},
        {"{'dtype':'U32','shape':[],'data_offsets':[B,E]}", "32 bytes where its shape needs 4"},
        {"{'dtype':'U64','shape':[8],'data_offsets':[B,E]}", "32 bytes where its shape needs 64"},
        {"{'dtype':'U32','shape':[8],'data_offsets':B}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':'B'}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':{'a':B,'b':E}}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':[]}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':[B]}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':[B,E,E]}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':[E,B]}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':['B','E']}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':[-B,E]}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':[-32,0]}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':[B.5,E.5]}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':[B,1e300]}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':[1e300,1e300]}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':[B,18446744073709551615]}", "data_offsets"},
        {"{'dtype':'U32','shape':[8],'data_offsets':[B,9007199254740992]}", "truncated"},
        {"{'dtype':'U32','shape':[8],'data_offsets':[9007199254740960,9007199254740992]}", "truncated"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[256];
        expand(cases[i].json, begin, json);
        assert_entry_refused(p, "item.remap", json, cases[i].text);
        assert_entry_refused(p, "item.remap", json, "item.remap");
    }
}

/* The header with ranges shifted so that two tensors overlap, or bytes between two belong to none. */
static void overlaps_and_holes_are_refused(void **state)
{
    const struct parts *p = *state;
    const char *text = "overlaps another or leaves a hole";
    assert_entry_refused(p, "item.remap", "{\"dtype\":\"U32\",\"shape\":[8],\"data_offsets\":[0,32]}", text);
    assert_entry_refused(p, "item.remap", "{\"dtype\":\"U32\",\"shape\":[0],\"data_offsets\":[0,0]}", text);
    cJSON *entry;
    for (int i = 0; i < cJSON_GetArraySize(p->header); i++)
        for (int shift = -8; shift <= 8; shift += 16) {
            cJSON *header = cJSON_Duplicate(p->header, true);
            entry = cJSON_GetArrayItem(header, i);
            cJSON *offsets = cJSON_GetObjectItem(entry, "data_offsets"), *number;
            if (offsets) {
                cJSON_ArrayForEach (number, offsets)
                    cJSON_SetNumberValue(number, number->valuedouble + shift);
                save_header(p, header);
                assert_corrupt(p, p->folder->file);
            }
            cJSON_Delete(header);
        }
}

static void a_tensor_that_nobody_asked_for_is_ignored_but_checked(void **state)
{
    const struct parts *p = *state;
    char json[128];
    cJSON *header = cJSON_Duplicate(p->header, true);
    snprintf(json, sizeof json, "{\"dtype\":\"BF16\",\"shape\":[0,3],\"data_offsets\":[%zu,%zu]}", p->n_data,
             p->n_data);
    cJSON_AddItemToObject(header, "optimizer.state", cJSON_CreateRaw(json));
    save_header(p, header);
    cJSON_Delete(header);
    model_file_close(open_model(p->folder->file));
    assert_entry_refused(p, "optimizer.state", "{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[0,9]}",
                         "overlaps another or leaves a hole");
}

static void a_tensor_off_its_alignment_is_refused(void **state)
{
    const struct parts *p = *state;
    static const char *const header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                                      "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[2,10]}}";
    image_save(p->folder->file, header, "0123456789", 10);
    assert_corrupt(p, "tensor b is not aligned");
}

static void names_given_twice_are_refused(void **state)
{
    const struct parts *p = *state;
    static const char *const names[] = {"item.rows", "__metadata__"};
    for (size_t i = 0; i < 2; i++) {
        cJSON *header = cJSON_Duplicate(p->header, true);
        cJSON_AddItemToObject(header, names[i], cJSON_Duplicate(cJSON_GetObjectItem(header, names[i]), true));
        save_header(p, header);
        assert_corrupt(p, names[i]);
        cJSON_Delete(header);
    }
    cJSON *header = cJSON_Duplicate(p->header, true), *metadata = cJSON_GetObjectItem(header, "__metadata__");
    cJSON_AddStringToObject(metadata, "collide.pooling", "sum");
    save_header(p, header);
    assert_corrupt(p, "two entries collide.pooling");
    cJSON_Delete(header);
}

static void metadata_that_is_no_object_of_strings_is_refused(void **state)
{
    const struct parts *p = *state;
    static const char *const not_objects[] = {"1", "null", "[]", "\"x\"", "true"};
    for (size_t i = 0; i < sizeof not_objects / sizeof not_objects[0]; i++)
        assert_entry_refused(p, "__metadata__", not_objects[i], "__metadata__ is not an object");
    static const char *const not_strings[] = {"1", "null", "[]", "{}", "true"};
    for (size_t i = 0; i < sizeof not_strings / sizeof not_strings[0]; i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"collide.format\":\"1\",\"seed\":%s}", not_strings[i]);
        assert_entry_refused(p, "__metadata__", json, "metadata seed is not a string");
    }
}

/* However many entries a header of legal length holds, opening it ends soon: the test's own time limit. */
static void a_header_full_of_tiny_entries_is_dealt_with(void **state)
{
    const struct parts *p = *state;
    char *text = malloc(SAFETENSORS_MAX_HEADER_BYTES + 1);
    assert_non_null(text);
    size_t n = (size_t)sprintf(text, "{\"__metadata__\":{");
    for (unsigned i = 0; n < SAFETENSORS_MAX_HEADER_BYTES - 64; i++)
        n += (size_t)sprintf(text + n, "\"%x\":\"\",", i);
    sprintf(text + n, "\"collide.format\":\"1\"}}");
    image_save(p->folder->file, text, "", 0);
    assert_corrupt(p, "item.rows is missing");
    free(text);
}

static void what_is_no_file_of_bytes_is_refused_by_kind(void **state)
{
    const struct parts *p = *state;
    const char *path = p->folder->file;
    assert_refused(p->folder->path, MODEL_CHECK_BOUNDS, COLLIDE_INVALID, "not a regular file");
    unlink(path);
    assert_refused(path, MODEL_CHECK_BOUNDS, COLLIDE_NOT_FOUND, "cannot open");
    write_bytes(path, "", 0);
    assert_refused(path, MODEL_CHECK_BOUNDS, COLLIDE_CORRUPT, "is empty");
}

static void a_file_without_permission_is_an_error_of_the_system(void **state)
{
    const struct parts *p = *state;
    uid_t user = geteuid();
    assert_int_equal(chmod(p->folder->file, 0), 0);
    assert_int_equal(chmod(p->folder->path, 0711), 0);
    if (user == 0 && seteuid(65534) != 0)
        skip();
    assert_refused(p->folder->file, MODEL_CHECK_BOUNDS, COLLIDE_IO, "cannot open");
    if (user == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(p->folder->path, 0700), 0);
}

int main(void)
{
#define ON_PARTS(test) cmocka_unit_test_setup_teardown(test, parts_make, parts_remove)
    const struct CMUnitTest tests[] = {
        ON_PARTS(the_untouched_parts_are_a_model),
        ON_PARTS(no_prefix_of_a_model_is_a_model),
        ON_PARTS(bytes_after_the_last_tensor_are_refused),
        ON_PARTS(header_lengths_that_cannot_be_are_refused),
        ON_PARTS(a_header_beyond_the_limit_is_refused_unread),
        ON_PARTS(headers_that_are_no_json_object_are_refused),
        ON_PARTS(deep_nesting_is_refused),
        ON_PARTS(wrong_descriptions_of_a_tensor_are_refused),
        ON_PARTS(overlaps_and_holes_are_refused),
        ON_PARTS(a_tensor_that_nobody_asked_for_is_ignored_but_checked),
        ON_PARTS(a_tensor_off_its_alignment_is_refused),
        ON_PARTS(names_given_twice_are_refused),
        ON_PARTS(metadata_that_is_no_object_of_strings_is_refused),
        ON_PARTS(a_header_full_of_tiny_entries_is_dealt_with),
        ON_PARTS(what_is_no_file_of_bytes_is_refused_by_kind),
        ON_PARTS(a_file_without_permission_is_an_error_of_the_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
