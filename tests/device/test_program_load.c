#include "device/program_fixture.h"

#include "device/program_manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include <cmocka.h>

/* Saves a program of these options, launched once, in the fixture's folder. path: (2 * SCRATCH_PATH_BYTES) */
static void save_value(struct program_fixture *f, const char *options, char *path)
{
    struct program *p = program_build_value(f, options, "");
    struct collide_error err = {0};
    scratch_path(&f->folder, "kernels.bin", path);
    program_run(f, p);
    if (program_save(p, path, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    program_destroy(p);
}

static void assert_not_loaded(struct program_fixture *f, struct program_source source, const char *path,
                              enum collide_status status, const char *says)
{
    struct collide_error err = {0};
    struct program *p = NULL;
    enum collide_status got = program_load(f->device, &source, path, &p, &err);
    if (got != status || !strstr(err.text, says))
        fail_msg("%s: \"%s\", expected %s with \"%s\"", collide_status_name(got), err.text,
                 collide_status_name(status), says);
    assert_null(p);
    assert_int_equal(device_n_objects(f->device), 0);
}

/* ... and told how to build it anew. */
static void assert_stale(struct program_fixture *f, struct program_source source, const char *path,
                         const char *says)
{
    assert_not_loaded(f, source, path, COLLIDE_INVALID, says);
    assert_not_loaded(f, source, path, COLLIDE_INVALID, "collide kernels build");
}

static void assert_corrupt(struct program_fixture *f, const char *path, const char *says)
{
    struct program_manifest manifest;
    assert_not_loaded(f, program_value_source("-DVALUE=7"), path, COLLIDE_CORRUPT, says);
    assert_int_equal(program_manifest_read(path, &manifest, NULL), COLLIDE_CORRUPT);
}

static void load_and_run(struct program_fixture *f, const char *path)
{
    const struct program_source source = program_value_source("-DVALUE=7");
    struct collide_error err = {0};
    struct program *p;
    size_t source_bytes = 99;
    if (program_load(f->device, &source, path, &p, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    assert_int_equal(program_origin(p), PROGRAM_FROM_FILE);
    assert_int_equal(clGetProgramInfo(program_handle(p), CL_PROGRAM_SOURCE, 0, NULL, &source_bytes),
                     CL_SUCCESS);
    assert_true(source_bytes <= 1);
    assert_int_equal(program_run(f, p), 7);
    program_destroy(p);
}

static void a_saved_program_loads_without_a_compiler_and_computes(void **state)
{
    struct program_fixture *f = *state;
    char path[2 * SCRATCH_PATH_BYTES];
    save_value(f, "-DVALUE=7", path);
    ((struct device_info *)(uintptr_t)device_info(f->device))->has_compiler = false;
    load_and_run(f, path);
}

static void every_device_loads_what_it_saved(void **state)
{
    struct program_fixture *f = *state;
    char path[2 * SCRATCH_PATH_BYTES];
    for (unsigned i = 0; i < devices_list()->n_devices; i++) {
        struct program_fixture on_device = *f;
        on_device.device = devices_open(&(struct device_setup){.device = i});
        save_value(&on_device, "-DVALUE=7", path);
        load_and_run(&on_device, path);
        devices_close(on_device.device);
    }
}

static void a_manifest_says_what_a_file_is(void **state)
{
    struct program_fixture *f = *state;
    const struct device_info *info = device_info(f->device);
    char path[2 * SCRATCH_PATH_BYTES];
    struct program_manifest m;
    struct collide_error err = {0};
    size_t n;
    save_value(f, "-DVALUE=7 -DDIM=64", path);
    assert_int_equal(program_manifest_read(path, &m, &err), COLLIDE_OK);
    assert_string_equal(m.device, info->name);
    assert_string_equal(m.platform, info->platform);
    assert_string_equal(m.driver, info->driver);
    assert_string_equal(m.options, "-DVALUE=7 -DDIM=64");
    assert_int_equal(strlen(m.source), 32);
    assert_int_equal(strspn(m.source, "0123456789abcdef"), 32);
    free(read_whole_file(path, &n));
    assert_true(m.binary_bytes > 0 && m.binary_bytes < n);
}

static void a_line_break_in_a_value_adds_no_line(void **state)
{
    (void)state;
    struct device_info d = {.name = "fast\ndriver: 9", .driver = "1"};
    const struct program_source source = program_value_source("");
    struct buffer text = {0};
    manifest_append(&text, &d, &source);
    struct text driver = manifest_value((struct text){text.bytes, text.n_bytes}, "driver");
    assert_int_equal(driver.n_bytes, 1);
    assert_int_equal(driver.bytes[0], '1');
    buffer_free(&text);
}

static void another_specialisation_is_refused_by_its_option(void **state)
{
    struct program_fixture *f = *state;
    char path[2 * SCRATCH_PATH_BYTES];
    save_value(f, "-DVALUE=7 -DDIM=64 -DBANKS", path);
    assert_stale(f, program_value_source("-DVALUE=7 -DDIM=32 -DBANKS"), path, "-DDIM=64, -DDIM=32 is needed");
    assert_stale(f, program_value_source("-DVALUE=7 -DDIM=64"), path, "with -DBANKS, which is not wanted");
    assert_stale(f, program_value_source("-DVALUE=7 -DDIM=64 -DBANKS -DL=2"), path, "without -DL=2");
    assert_stale(f, program_value_source("-DVALUE=7 -DDIM=6 -DBANKS"), path, "-DDIM=6 is needed");
    assert_stale(f, program_value_source("-DDIM=64 -DVALUE=7 -DBANKS"), path, "another order");
    assert_stale(f, program_value_source(""), path, "which is not wanted");
}

static void other_kernels_are_refused(void **state)
{
    struct program_fixture *f = *state;
    char path[2 * SCRATCH_PATH_BYTES];
    save_value(f, "-DVALUE=7", path);
    struct program_source newer = program_value_source("-DVALUE=7");
    newer.n_bytes--;
    assert_stale(f, newer, path, "other kernels");
}

static void a_foreign_device_or_driver_is_refused_by_name(void **state)
{
    struct program_fixture *f = *state;
    struct device_info *info = (struct device_info *)(uintptr_t)device_info(f->device), own = *info;
    char path[2 * SCRATCH_PATH_BYTES];
    save_value(f, "-DVALUE=7", path);
    const struct program_source source = program_value_source("-DVALUE=7");
    snprintf(info->name, sizeof info->name, "Alveo U50");
    assert_stale(f, source, path, "here it is \"Alveo U50\"");
    assert_stale(f, source, path, own.name);
    *info = own;
    snprintf(info->driver, sizeof info->driver, "99.9");
    assert_stale(f, source, path, "the driver \"");
    assert_stale(f, source, path, "here it is \"99.9\"");
    *info = own;
    snprintf(info->version, sizeof info->version, "OpenCL 9");
    assert_stale(f, source, path, "here it is \"OpenCL 9\"");
    *info = own;
    snprintf(info->platform, sizeof info->platform, "Another");
    assert_stale(f, source, path, "the platform \"");
    *info = own;
    load_and_run(f, path);
}

static void a_file_cut_short_or_made_longer_is_refused(void **state)
{
    struct program_fixture *f = *state;
    char path[2 * SCRATCH_PATH_BYTES];
    size_t n;
    save_value(f, "-DVALUE=7", path);
    uint8_t *bytes = read_whole_file(path, &n);
    const size_t lengths[] = {8, 16, 31, 32, 33, 200, n / 2, n - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        write_whole_file(path, bytes, lengths[i]);
        assert_corrupt(f, path, "cut short");
    }
    write_whole_file(path, bytes, 7);
    assert_corrupt(f, path, "no device binary");
    write_whole_file(path, bytes, 0);
    assert_corrupt(f, path, "empty");
    bytes = realloc(bytes, n + 1);
    assert_non_null(bytes);
    bytes[n] = 0;
    write_whole_file(path, bytes, n + 1);
    assert_corrupt(f, path, "damaged");
    free(bytes);
}

static void any_damaged_byte_is_noticed(void **state)
{
    struct program_fixture *f = *state;
    char path[2 * SCRATCH_PATH_BYTES];
    size_t n;
    save_value(f, "-DVALUE=7", path);
    uint8_t *bytes = read_whole_file(path, &n);
    for (size_t i = 0; i < n; i += i < 512 ? 1 : n / 50) {
        bytes[i] ^= 0x10;
        write_whole_file(path, bytes, n);
        assert_corrupt(f, path, path);
        bytes[i] ^= 0x10;
    }
    free(bytes);
}

static void what_is_no_device_binary_is_refused(void **state)
{
    struct program_fixture *f = *state;
    const struct program_source source = program_value_source("-DVALUE=7");
    char path[2 * SCRATCH_PATH_BYTES];
    scratch_path(&f->folder, "unrelated", path);
    assert_not_loaded(f, source, path, COLLIDE_NOT_FOUND, path);
    write_whole_file(path, source.text, source.n_bytes);
    assert_corrupt(f, path, "no device binary of collide");
    assert_not_loaded(f, source, f->folder.folder, COLLIDE_INVALID, "not a regular file");
}

static void another_version_of_the_format_is_refused(void **state)
{
    struct program_fixture *f = *state;
    char path[2 * SCRATCH_PATH_BYTES];
    size_t n;
    save_value(f, "-DVALUE=7", path);
    uint8_t *bytes = read_whole_file(path, &n);
    bytes[16] = 2;
    uint64_t sum = XXH3_64bits(bytes + 16, n - 16);
    for (int i = 0; i < 8; i++)
        bytes[8 + i] = (uint8_t)(sum >> (8 * i));
    write_whole_file(path, bytes, n);
    assert_stale(f, program_value_source("-DVALUE=7"), path, "version 2");
    free(bytes);
}

static void a_binary_that_the_driver_refuses_is_an_error(void **state)
{
    struct program_fixture *f = *state;
    const struct program_source source = program_value_source("-DVALUE=7");
    char path[2 * SCRATCH_PATH_BYTES];
    struct buffer manifest = {0};
    scratch_path(&f->folder, "garbage", path);
    manifest_append(&manifest, device_info(f->device), &source);
    static const char garbage[4096] = "no program at all";
    assert_int_equal(program_file_write(path, (struct text){manifest.bytes, manifest.n_bytes},
                                        (struct text){garbage, sizeof garbage}, NULL),
                     COLLIDE_OK);
    assert_not_loaded(f, source, path, COLLIDE_DEVICE, "refuses");
    buffer_free(&manifest);
}

static void saving_where_nothing_can_be_written_says_so(void **state)
{
    struct program_fixture *f = *state;
    struct program *p = program_build_value(f, "-DVALUE=7", "");
    char path[2 * SCRATCH_PATH_BYTES];
    struct collide_error err = {0};
    scratch_path(&f->folder, "missing/kernels.bin", path);
    assert_int_not_equal(program_save(p, path, &err), COLLIDE_OK);
    assert_non_null(strstr(err.text, path));
    program_destroy(p);
}

static void origins_have_names(void **state)
{
    (void)state;
    assert_string_equal(program_origin_name(PROGRAM_FROM_FILE), "file");
    assert_string_equal(program_origin_name(PROGRAM_FROM_CACHE), "cache");
    assert_string_equal(program_origin_name(PROGRAM_FROM_SOURCE), "source");
}

#define LOAD_TEST(name) cmocka_unit_test_setup_teardown(name, program_set_up, program_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOAD_TEST(a_saved_program_loads_without_a_compiler_and_computes),
        LOAD_TEST(every_device_loads_what_it_saved),
        LOAD_TEST(a_manifest_says_what_a_file_is),
        cmocka_unit_test(a_line_break_in_a_value_adds_no_line),
        LOAD_TEST(another_specialisation_is_refused_by_its_option),
        LOAD_TEST(other_kernels_are_refused),
        LOAD_TEST(a_foreign_device_or_driver_is_refused_by_name),
        LOAD_TEST(a_file_cut_short_or_made_longer_is_refused),
        LOAD_TEST(any_damaged_byte_is_noticed),
        LOAD_TEST(what_is_no_device_binary_is_refused),
        LOAD_TEST(another_version_of_the_format_is_refused),
        LOAD_TEST(a_binary_that_the_driver_refuses_is_an_error),
        LOAD_TEST(saving_where_nothing_can_be_written_says_so),
        cmocka_unit_test(origins_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
