#include "support/devices.h"
#include "support/scratch.h"

#include "base/file.h"
#include "device/program.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A device, a cache folder of this test's own, and a program that writes VALUE. */
struct program_fixture {
    struct device *device;
    struct scratch cache;
};

static const char SOURCE[] =
    "__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void write_value(__global int *out)\n"
    "{\n"
    "    out[0] = VALUE;\n"
    "}\n";

static int set_up(void **state)
{
    static struct program_fixture f;
    devices_list();
    f.device = devices_open(&(struct device_setup){.device = 0});
    scratch_create(&f.cache);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct program_fixture *f = *state;
    devices_close(f->device);
    scratch_destroy(&f->cache);
    return 0;
}

static struct program *build(struct program_fixture *f, int value, const char *cache_dir)
{
    char options[32];
    snprintf(options, sizeof options, "-DVALUE=%d", value);
    const struct program_source source = {SOURCE, sizeof SOURCE - 1, options};
    struct collide_error err = {0};
    struct program *p;
    if (program_build(f->device, &source, cache_dir, &p, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return p;
}

/* What the program's kernel writes. */
static int run(struct program_fixture *f, const struct program *p)
{
    cl_context context = device_context(f->device);
    cl_device_id id = device_info(f->device)->id;
    const size_t one = 1;
    cl_int codes[3], out = 0;
    cl_command_queue queue = clCreateCommandQueueWithProperties(context, id, NULL, &codes[0]);
    cl_mem buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, sizeof out, NULL, &codes[1]);
    cl_kernel kernel = clCreateKernel(program_handle(p), "write_value", &codes[2]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(codes[i], CL_SUCCESS);
    assert_int_equal(clSetKernelArg(kernel, 0, sizeof buffer, &buffer), CL_SUCCESS);
    assert_int_equal(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &one, &one, 0, NULL, NULL), CL_SUCCESS);
    assert_int_equal(clEnqueueReadBuffer(queue, buffer, CL_TRUE, 0, sizeof out, &out, 0, NULL, NULL),
                     CL_SUCCESS);
    clReleaseKernel(kernel);
    clReleaseMemObject(buffer);
    clReleaseCommandQueue(queue);
    return out;
}

/* Builds, runs and destroys; says where the program came from. */
static enum program_origin build_and_run(struct program_fixture *f, int value, const char *cache_dir)
{
    struct program *p = build(f, value, cache_dir);
    enum program_origin origin = program_origin(p);
    assert_int_equal(run(f, p), value);
    program_destroy(p);
    return origin;
}

/* The paths of the cache's entries, at most max of them. */
static size_t entries(const struct program_fixture *f, char paths[][2 * SCRATCH_PATH_BYTES], size_t max)
{
    DIR *folder = opendir(f->cache.folder);
    size_t n = 0;
    assert_non_null(folder);
    for (const struct dirent *e = readdir(folder); e; e = readdir(folder)) {
        if (e->d_name[0] == '.')
            continue;
        assert_true(n < max);
        scratch_path(&f->cache, e->d_name, paths[n++]);
    }
    closedir(folder);
    return n;
}

static void write_file(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
}

static void first_build_is_from_source_and_second_from_cache(void **state)
{
    struct program_fixture *f = *state;
    assert_int_equal(build_and_run(f, 11, f->cache.folder), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, 11, f->cache.folder), PROGRAM_FROM_CACHE);
}

static void other_options_are_another_entry(void **state)
{
    struct program_fixture *f = *state;
    assert_int_equal(build_and_run(f, 21, f->cache.folder), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, 22, f->cache.folder), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, 21, f->cache.folder), PROGRAM_FROM_CACHE);
    assert_int_equal(build_and_run(f, 22, f->cache.folder), PROGRAM_FROM_CACHE);
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
    scratch_path(&f->cache, "a/b/c", deep);
    assert_int_equal(build_and_run(f, 41, deep), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, 41, deep), PROGRAM_FROM_CACHE);
}

/* Puts bytes in place of an entry; the next build must see through them and repair the entry. */
static void assert_rebuilt(struct program_fixture *f, const char *path, const void *bytes, size_t n,
                           int value)
{
    write_file(path, bytes, n);
    assert_int_equal(build_and_run(f, value, f->cache.folder), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, value, f->cache.folder), PROGRAM_FROM_CACHE);
}

static void a_damaged_entry_is_built_anew(void **state)
{
    struct program_fixture *f = *state;
    char paths[1][2 * SCRATCH_PATH_BYTES];
    struct file_map map;
    struct collide_error err;
    build_and_run(f, 51, f->cache.folder);
    assert_int_equal(entries(f, paths, 1), 1);
    assert_int_equal(file_map(paths[0], &map, &err), COLLIDE_OK);
    size_t n = map.n_bytes;
    uint8_t *bytes = malloc(n);
    assert_non_null(bytes);
    memcpy(bytes, map.bytes, n);
    file_unmap(&map);

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
    struct file_map other;
    struct collide_error err;
    build_and_run(f, 61, f->cache.folder);
    assert_int_equal(entries(f, paths, 2), 1);
    strcpy(first, paths[0]);
    build_and_run(f, 62, f->cache.folder);
    assert_int_equal(entries(f, paths, 2), 2);
    const char *second = strcmp(paths[0], first) ? paths[0] : paths[1];
    assert_int_equal(file_map(second, &other, &err), COLLIDE_OK);
    assert_rebuilt(f, first, other.bytes, other.n_bytes, 61);
    file_unmap(&other);
}

static void a_cache_that_cannot_be_written_only_warns(void **state)
{
    struct program_fixture *f = *state;
    char file[2 * SCRATCH_PATH_BYTES], below[2 * SCRATCH_PATH_BYTES];
    scratch_path(&f->cache, "file", file);
    scratch_path(&f->cache, "file/cache", below);
    write_file(file, "x", 1);
    assert_int_equal(build_and_run(f, 71, below), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, 71, below), PROGRAM_FROM_SOURCE);
}

static void default_cache_is_under_xdg_cache_home(void **state)
{
    struct program_fixture *f = *state;
    char path[2 * SCRATCH_PATH_BYTES];
    assert_int_equal(setenv("XDG_CACHE_HOME", f->cache.folder, 1), 0);
    assert_int_equal(build_and_run(f, 81, NULL), PROGRAM_FROM_SOURCE);
    assert_int_equal(build_and_run(f, 81, NULL), PROGRAM_FROM_CACHE);
    scratch_path(&f->cache, "collide", path);
    assert_int_equal(access(path, F_OK), 0);
}

static void a_program_that_does_not_compile_says_why(void **state)
{
    struct program_fixture *f = *state;
    static const char text[] =
        "__kernel void broken(__global int *out)\n{\n    out[0] = undeclared_name;\n}\n";
    const struct program_source source = {text, sizeof text - 1, ""};
    struct collide_error err = {0};
    struct program *p = NULL;
    assert_int_equal(program_build(f->device, &source, f->cache.folder, &p, &err), COLLIDE_DEVICE);
    assert_null(p);
    assert_non_null(strstr(err.text, "undeclared_name"));
    assert_null(strchr(err.text, '\n'));
    char paths[1][2 * SCRATCH_PATH_BYTES];
    assert_int_equal(entries(f, paths, 1), 0);
}

#define PROGRAM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM_TEST(first_build_is_from_source_and_second_from_cache),
        PROGRAM_TEST(other_options_are_another_entry),
        PROGRAM_TEST(an_empty_cache_dir_means_no_cache),
        PROGRAM_TEST(cache_folders_are_made_on_the_way),
        PROGRAM_TEST(a_damaged_entry_is_built_anew),
        PROGRAM_TEST(another_programs_entry_is_not_taken_for_this_one),
        PROGRAM_TEST(a_cache_that_cannot_be_written_only_warns),
        PROGRAM_TEST(default_cache_is_under_xdg_cache_home),
        PROGRAM_TEST(a_program_that_does_not_compile_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
