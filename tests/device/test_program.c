#include "device/program_fixture.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct program *build(struct program_fixture *f, int value, const char *cache_dir)
{
    char options[32];
    snprintf(options, sizeof options, "-DVALUE=%d", value);
    return program_build_value(f, options, cache_dir);
}

/* Builds, runs, keeps and destroys; says where the program came from. */
static enum program_origin build_and_run(struct program_fixture *f, int value, const char *cache_dir)
{
    struct program *p = build(f, value, cache_dir);
    enum program_origin origin = program_origin(p);
    assert_int_equal(program_run(f, p), value);
    program_keep(p);
    program_destroy(p);
    return origin;
}

/* The paths of the cache's entries, at most max of them. */
static size_t entries(const struct program_fixture *f, char paths[][2 * SCRATCH_PATH_BYTES], size_t max)
{
    DIR *folder = opendir(f->folder.folder);
    size_t n = 0;
    assert_non_null(folder);
    for (const struct dirent *e = readdir(folder); e; e = readdir(folder)) {
        if (e->d_name[0] == '.')
            continue;
        assert_true(n < max);
        scratch_path(&f->folder, e->d_name, paths[n++]);
    }
    closedir(folder);
    return n;
}

static void first_build_is_from_source_and_second_from_cache(void **state)
{
    struct program_fixture *f = *state;
    assert_int_equal(build_and_run(f, 11, f->folder.folder), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, 11, f->folder.folder), PROGRAM_FROM_CACHE);
}

static void what_must_be_built_already_is_not_compiled(void **state)
{
    struct program_fixture *f = *state;
    struct program_source source = program_value_source("-DVALUE=12");
    struct collide_error err = {0};
    struct program *p = NULL;
    source.means = PROGRAM_MUST_BE_BUILT;
    assert_int_equal(program_build(f->device, &source, f->folder.folder, &p, &err), COLLIDE_UNSUPPORTED);
    assert_non_null(strstr(err.text, "not in the cache, and this process compiles no more"));
    assert_int_equal(build_and_run(f, 12, f->folder.folder), PROGRAM_FROM_SOURCE);
    assert_int_equal(program_build(f->device, &source, f->folder.folder, &p, &err), COLLIDE_OK);
    assert_int_equal(program_origin(p), PROGRAM_FROM_CACHE);
    program_destroy(p);
}

static void what_is_not_kept_is_not_in_the_cache(void **state)
{
    struct program_fixture *f = *state;
    char paths[1][2 * SCRATCH_PATH_BYTES];
    struct program *p = build(f, 13, f->folder.folder);
    assert_int_equal(entries(f, paths, 1), 0);
    program_run(f, p);
    program_keep(p);
    assert_int_equal(entries(f, paths, 1), 1);
    assert_int_equal(unlink(paths[0]), 0);
    program_keep(p); /* once is enough */
    assert_int_equal(entries(f, paths, 1), 0);
    program_destroy(p);
}

/* As long as one of them lives, on its device, and is from where the other would be. */
static void programs_alike_are_one(void **state)
{
    struct program_fixture *f = *state;
    const struct program_source source = program_value_source("-DVALUE=14");
    struct program *first = build(f, 14, ""), *second = build(f, 14, ""), *other = build(f, 15, "");
    struct program *from_file, *again;
    struct collide_error err = {0};
    char path[2 * SCRATCH_PATH_BYTES];
    assert_ptr_equal(first, second);
    assert_ptr_not_equal(first, other);
    assert_int_equal(device_n_objects(f->device), 2);
    program_destroy(first);
    assert_int_equal(program_run(f, second), 14);
    assert_int_equal(program_run(f, other), 15);
    scratch_path(&f->folder, "kernels.bin", path);
    assert_int_equal(program_save(second, path, &err), COLLIDE_OK);
    assert_int_equal(program_load(f->device, &source, path, &from_file, &err), COLLIDE_OK);
    assert_ptr_not_equal(from_file, second);
    assert_int_equal(program_load(f->device, &source, path, &again, &err), COLLIDE_OK);
    assert_ptr_equal(again, from_file);
    program_destroy(again);
    program_destroy(second);
    assert_int_equal(program_run(f, from_file), 14);
    program_destroy(from_file);
    program_destroy(other);
    assert_int_equal(device_n_objects(f->device), 0);
}

static void other_options_are_another_entry(void **state)
{
    struct program_fixture *f = *state;
    assert_int_equal(build_and_run(f, 21, f->folder.folder), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, 22, f->folder.folder), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, 21, f->folder.folder), PROGRAM_FROM_CACHE);
    assert_int_equal(build_and_run(f, 22, f->folder.folder), PROGRAM_FROM_CACHE);
}

static void an_empty_cache_dir_means_no_cache(void **state)
{
    struct program_fixture *f = *state;
    assert_int_equal(build_and_run(f, 31, ""), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, 31, ""), PROGRAM_FROM_SOURCE);
}

static void cache_folders_are_made_on_the_way(void **state)
{
    struct program_fixture *f = *state;
    char deep[2 * SCRATCH_PATH_BYTES];
    scratch_path(&f->folder, "a/b/c", deep);
    assert_int_equal(build_and_run(f, 41, deep), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, 41, deep), PROGRAM_FROM_CACHE);
}

/* Puts bytes in place of an entry; the next build must see through them and repair the entry. */
static void assert_rebuilt(struct program_fixture *f, const char *path, const void *bytes, size_t n,
                           int value)
{
    write_whole_file(path, bytes, n);
    assert_int_equal(build_and_run(f, value, f->folder.folder), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, value, f->folder.folder), PROGRAM_FROM_CACHE);
}

static void a_damaged_entry_is_built_anew(void **state)
{
    struct program_fixture *f = *state;
    char paths[1][2 * SCRATCH_PATH_BYTES];
    build_and_run(f, 51, f->folder.folder);
    assert_int_equal(entries(f, paths, 1), 1);
    size_t n;
    uint8_t *bytes = read_whole_file(paths[0], &n);
    const size_t lengths[] = {0, 1, 15, 16, 40, n / 2, n - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        assert_rebuilt(f, paths[0], bytes, lengths[i], 51);
    const size_t flipped[] = {0, 8, 15, 16, 31, 32, 40, n / 2, n - 1};
    for (size_t i = 0; i < sizeof flipped / sizeof *flipped; i++) {
        bytes[flipped[i]] ^= 0x10;
        assert_rebuilt(f, paths[0], bytes, n, 51);
        bytes[flipped[i]] ^= 0x10;
    }
    free(bytes);
}

static void another_programs_entry_is_not_taken_for_this_one(void **state)
{
    struct program_fixture *f = *state;
    char paths[2][2 * SCRATCH_PATH_BYTES], first[2 * SCRATCH_PATH_BYTES];
    size_t n;
    build_and_run(f, 61, f->folder.folder);
    assert_int_equal(entries(f, paths, 2), 1);
    strcpy(first, paths[0]);
    build_and_run(f, 62, f->folder.folder);
    assert_int_equal(entries(f, paths, 2), 2);
    const char *second = strcmp(paths[0], first) ? paths[0] : paths[1];
    uint8_t *other = read_whole_file(second, &n);
    assert_rebuilt(f, first, other, n, 61);
    free(other);
}

static void an_entry_of_the_cache_is_a_device_binary(void **state)
{
    struct program_fixture *f = *state;
    const struct program_source source = program_value_source("-DVALUE=65");
    char paths[1][2 * SCRATCH_PATH_BYTES];
    struct collide_error err = {0};
    struct program *p;
    build_and_run(f, 65, f->folder.folder);
    assert_int_equal(entries(f, paths, 1), 1);
    if (program_load(f->device, &source, paths[0], &p, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    assert_int_equal(program_run(f, p), 65);
    program_destroy(p);
}

static void a_cache_that_cannot_be_written_only_warns(void **state)
{
    struct program_fixture *f = *state;
    char file[2 * SCRATCH_PATH_BYTES], below[2 * SCRATCH_PATH_BYTES];
    scratch_path(&f->folder, "file", file);
    scratch_path(&f->folder, "file/cache", below);
    write_whole_file(file, "x", 1);
    assert_int_equal(build_and_run(f, 71, below), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, 71, below), PROGRAM_FROM_SOURCE);
}

static void default_cache_is_under_xdg_cache_home(void **state)
{
    struct program_fixture *f = *state;
    char path[2 * SCRATCH_PATH_BYTES];
    assert_int_equal(setenv("XDG_CACHE_HOME", f->folder.folder, 1), 0);
    assert_int_equal(build_and_run(f, 81, NULL), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, 81, NULL), PROGRAM_FROM_CACHE);
    scratch_path(&f->folder, "collide", path);
    assert_int_equal(access(path, F_OK), 0);
}

static void a_program_that_does_not_compile_says_why(void **state)
{
    struct program_fixture *f = *state;
    static const char text[] =
        "__kernel void broken(__global int *out)\n{\n    out[0] = undeclared_name;\n}\n";
    const struct program_source source = {.text = text, .n_bytes = sizeof text - 1, .options = ""};
    struct collide_error err = {0};
    struct program *p = NULL;
    assert_int_equal(program_build(f->device, &source, f->folder.folder, &p, &err), COLLIDE_DEVICE);
    assert_null(p);
    assert_non_null(strstr(err.text, "undeclared_name"));
    assert_null(strchr(err.text, '\n'));
    char paths[1][2 * SCRATCH_PATH_BYTES];
    assert_int_equal(entries(f, paths, 1), 0);
}

static void a_device_without_a_compiler_is_told_of_device_binaries(void **state)
{
    struct program_fixture *f = *state;
    /* As devices_open does it: what this device says of itself is all that the floor goes by. */
    struct device_info *info = (struct device_info *)(uintptr_t)device_info(f->device);
    info->has_compiler = false;
    const struct program_source source = program_value_source("-DVALUE=91");
    struct collide_error err = {0};
    struct program *p = NULL;
    assert_int_equal(program_build(f->device, &source, "", &p, &err), COLLIDE_UNSUPPORTED);
    assert_null(p);
    assert_non_null(strstr(err.text, "collide kernels build"));
}

#define PROGRAM_TEST(name) cmocka_unit_test_setup_teardown(name, program_set_up, program_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM_TEST(first_build_is_from_source_and_second_from_cache),
        PROGRAM_TEST(what_must_be_built_already_is_not_compiled),
        PROGRAM_TEST(what_is_not_kept_is_not_in_the_cache),
        PROGRAM_TEST(programs_alike_are_one),
        PROGRAM_TEST(other_options_are_another_entry),
        PROGRAM_TEST(an_empty_cache_dir_means_no_cache),
        PROGRAM_TEST(cache_folders_are_made_on_the_way),
        PROGRAM_TEST(a_damaged_entry_is_built_anew),
        PROGRAM_TEST(another_programs_entry_is_not_taken_for_this_one),
        PROGRAM_TEST(an_entry_of_the_cache_is_a_device_binary),
        PROGRAM_TEST(a_cache_that_cannot_be_written_only_warns),
        PROGRAM_TEST(default_cache_is_under_xdg_cache_home),
        PROGRAM_TEST(a_program_that_does_not_compile_says_why),
        PROGRAM_TEST(a_device_without_a_compiler_is_told_of_device_binaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
