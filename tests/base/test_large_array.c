#include "base/large_array.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static int make_folder(void **state)
{
    char *folder = strdup("/tmp/collide-test-XXXXXX");
    *state = folder;
    return folder && mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    int result = rmdir(*state); /* which it refuses if there is a file */
    free(*state);
    return result;
}

static int count_files(const char *path)
{
    DIR *d = opendir(path);
    assert_non_null(d);
    int n = 0;
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void resize(struct large_array *a, size_t n_bytes)
{
    struct collide_error err;
    if (large_array_resize(a, n_bytes, "numbers", &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    assert_int_equal(a->n_bytes, n_bytes);
}

static void check_contents(const char *spill)
{
    struct large_array a = {.spill = spill};
    size_t n = 0;
    const size_t sizes[] = {1, 1000, 100000, 1000000, 30000, 500000, 3};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        resize(&a, sizes[s] * sizeof(uint32_t));
        uint32_t *numbers = a.bytes;
        for (size_t i = 0; i < (n < sizes[s] ? n : sizes[s]); i++)
            assert_int_equal(numbers[i], i);
        for (n = 0; n < sizes[s]; n++)
            numbers[n] = (uint32_t)n;
        large_array_expect(&a, s % 2 ? ACCESS_RANDOM : ACCESS_NORMAL);
    }
    large_array_free(&a);
    assert_null(a.bytes);
    resize(&a, 8);
    resize(&a, 0);
    assert_null(a.bytes);
}

static void contents_outlive_a_new_size(void **state)
{
    check_contents(NULL);
    check_contents(*state);
}

static void a_file_has_no_name(void **state)
{
    struct large_array a = {.spill = *state};
    resize(&a, 1 << 20);
    assert_int_equal(count_files(*state), 0);
    large_array_free(&a);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct collide_error err;
    struct large_array a = {.spill = "/nowhere/at all"};
    assert_int_equal(large_array_resize(&a, 10, "numbers", &err), COLLIDE_IO);
    assert_non_null(strstr(err.text, "/nowhere/at all"));
    assert_int_equal(a.n_bytes, 0);
    large_array_free(&a);
}

/* Files may grow to 1 MiB. */
static void a_full_disk_is_an_error_that_loses_nothing(void **state)
{
    struct collide_error err;
    struct rlimit limit;
    struct large_array a = {.spill = *state}, other = {.spill = *state};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){1 << 20, limit.rlim_max}), 0);
    resize(&a, 1 << 20);
    memset(a.bytes, 7, a.n_bytes);
    assert_int_equal(large_array_resize(&a, (1 << 20) + 1, "numbers", &err), COLLIDE_IO);
    assert_non_null(strstr(err.text, "has no room for numbers (2 MB)"));
    assert_int_equal(a.n_bytes, 1 << 20);
    for (size_t i = 0; i < a.n_bytes; i++)
        assert_int_equal(((const char *)a.bytes)[i], 7);
    assert_int_equal(large_array_resize(&other, 1 << 21, "numbers", &err), COLLIDE_IO);
    assert_int_equal(other.n_bytes, 0);
    resize(&other, 4096);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    large_array_free(&other);
    large_array_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(contents_outlive_a_new_size, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_file_has_no_name, make_folder, remove_folder),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
        cmocka_unit_test_setup_teardown(a_full_disk_is_an_error_that_loses_nothing, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
