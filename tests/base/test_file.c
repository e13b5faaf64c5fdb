#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct folder {
    char path[64];
    char file[80];
};

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void assert_file_holds(const char *path, const char *text)
{
    struct file_map map;
    struct collide_error err;
    assert_int_equal(file_map(path, &map, &err), COLLIDE_OK);
    assert_int_equal(map.n_bytes, strlen(text));
    assert_memory_equal(map.bytes, text, map.n_bytes);
    file_unmap(&map);
    assert_null(map.bytes);
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

/* A folder with one file, "old". */
static int make_folder(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    snprintf(f->path, sizeof f->path, "/tmp/collide-test-XXXXXX");
    if (!mkdtemp(f->path))
        return -1;
    snprintf(f->file, sizeof f->file, "%s/model", f->path);
    write_file(f->file, "old");
    *state = f;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *f = *state;
    unlink(f->file);
    int failed = rmdir(f->path);
    free(f);
    return failed;
}

static void committed_bytes_replace_the_file(void **state)
{
    struct folder *f = *state;
    struct file_replace r;
    struct collide_error err;
    assert_int_equal(file_replace_begin(f->file, &r, &err), COLLIDE_OK);
    assert_int_equal(file_write_all(r.fd, "new bytes", 9, f->file, &err), COLLIDE_OK);
    assert_file_holds(f->file, "old");
    assert_int_equal(file_replace_commit(&r, &err), COLLIDE_OK);
    assert_file_holds(f->file, "new bytes");
    assert_int_equal(count_files(f->path), 1);
}

static void a_file_that_does_not_exist_yet_can_be_replaced(void **state)
{
    struct folder *f = *state;
    struct file_replace r;
    struct collide_error err;
    unlink(f->file);
    assert_int_equal(file_replace_begin(f->file, &r, &err), COLLIDE_OK);
    assert_int_equal(file_write_all(r.fd, "first", 5, f->file, &err), COLLIDE_OK);
    assert_int_equal(file_replace_commit(&r, &err), COLLIDE_OK);
    assert_file_holds(f->file, "first");
}

static void two_writers_of_one_path_do_not_mix(void **state)
{
    struct folder *f = *state;
    struct file_replace first, second;
    struct collide_error err;
    assert_int_equal(file_replace_begin(f->file, &first, &err), COLLIDE_OK);
    assert_int_equal(file_replace_begin(f->file, &second, &err), COLLIDE_OK);
    assert_int_equal(file_write_all(first.fd, "first", 5, f->file, &err), COLLIDE_OK);
    assert_int_equal(file_write_all(second.fd, "2nd", 3, f->file, &err), COLLIDE_OK);
    assert_int_equal(file_replace_commit(&first, &err), COLLIDE_OK);
    assert_file_holds(f->file, "first");
    assert_int_equal(file_replace_commit(&second, &err), COLLIDE_OK);
    assert_file_holds(f->file, "2nd");
    assert_int_equal(count_files(f->path), 1);
}

static void behind_a_link_its_target_is_replaced(void **state)
{
    struct folder *f = *state;
    struct file_replace r;
    struct collide_error err;
    char link[sizeof f->file + 8];
    struct stat st;
    snprintf(link, sizeof link, "%s.link", f->file);
    write_file(f->file, "old");
    assert_int_equal(symlink(f->file, link), 0);
    assert_int_equal(file_replace_begin(link, &r, &err), COLLIDE_OK);
    assert_int_equal(file_write_all(r.fd, "new", 3, link, &err), COLLIDE_OK);
    assert_int_equal(file_replace_commit(&r, &err), COLLIDE_OK);
    assert_file_holds(f->file, "new");
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    unlink(link);
}

static void what_is_no_file_is_not_replaced(void **state)
{
    struct folder *f = *state;
    struct file_replace r;
    struct collide_error err;
    struct stat st;
    unlink(f->file);
    assert_int_equal(mkfifo(f->file, 0600), 0);
    assert_int_equal(file_replace_begin(f->file, &r, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, f->file));
    assert_int_equal(stat(f->file, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(file_replace_begin("/dev/null", &r, &err), COLLIDE_INVALID);
}

static void abandoning_leaves_the_old_file(void **state)
{
    struct folder *f = *state;
    struct file_replace r;
    struct collide_error err;
    assert_int_equal(file_replace_begin(f->file, &r, &err), COLLIDE_OK);
    assert_int_equal(file_write_all(r.fd, "half", 4, f->file, &err), COLLIDE_OK);
    file_replace_abandon(&r);
    assert_file_holds(f->file, "old");
    assert_int_equal(count_files(f->path), 1);
}

/* /dev/full refuses every write and every sync, as a full or broken disk would. */
static void break_disk_under(struct file_replace *r)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    assert_true(dup2(full, r->fd) == r->fd);
    close(full);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
    struct folder *f = *state;
    struct file_replace r;
    struct collide_error err;
    assert_int_equal(file_replace_begin(f->file, &r, &err), COLLIDE_OK);
    break_disk_under(&r);
    assert_int_equal(file_write_all(r.fd, "new", 3, f->file, &err), COLLIDE_IO);
    assert_non_null(strstr(err.text, f->file));
    file_replace_abandon(&r);
    assert_file_holds(f->file, "old");
    assert_int_equal(count_files(f->path), 1);
}

static void a_failed_commit_leaves_the_old_file(void **state)
{
    struct folder *f = *state;
    struct file_replace r;
    struct collide_error err;
    assert_int_equal(file_replace_begin(f->file, &r, &err), COLLIDE_OK);
    break_disk_under(&r);
    assert_int_equal(file_replace_commit(&r, &err), COLLIDE_IO);
    assert_non_null(strstr(err.text, "the old file is unchanged"));
    assert_file_holds(f->file, "old");
    assert_int_equal(count_files(f->path), 1);
}

static void unusable_files_are_refused_by_kind(void **state)
{
    struct folder *f = *state;
    struct file_map map;
    struct file_replace r;
    struct collide_error err;
    assert_int_equal(file_map("/nonexistent/file", &map, &err), COLLIDE_NOT_FOUND);
    assert_int_equal(file_map(f->path, &map, &err), COLLIDE_INVALID);
    unlink(f->file);
    assert_int_equal(mkfifo(f->file, 0600), 0);
    assert_int_equal(file_map(f->file, &map, &err), COLLIDE_INVALID);
    unlink(f->file);
    write_file(f->file, "");
    assert_int_equal(file_map(f->file, &map, &err), COLLIDE_CORRUPT);
    assert_int_equal(file_replace_begin("/nonexistent/file", &r, &err), COLLIDE_IO);
}

static void an_output_in_an_input_s_place_is_refused(void **state)
{
    struct folder *f = *state;
    char link_to_file[96], other[96];
    struct collide_error err;
    snprintf(link_to_file, sizeof link_to_file, "%s/link", f->path);
    snprintf(other, sizeof other, "%s/other", f->path);
    assert_int_equal(symlink(f->file, link_to_file), 0);
    assert_int_equal(file_check_apart(f->file, f->file, &err), COLLIDE_INVALID);
    assert_int_equal(file_check_apart(link_to_file, f->file, &err), COLLIDE_INVALID);
    assert_int_equal(file_check_apart(other, f->file, &err), COLLIDE_OK);
    assert_int_equal(file_check_apart(f->file, NULL, &err), COLLIDE_OK);
    assert_int_equal(file_check_apart(NULL, f->file, &err), COLLIDE_OK);
    assert_int_equal(unlink(link_to_file), 0);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(committed_bytes_replace_the_file),
        IN_FOLDER(a_file_that_does_not_exist_yet_can_be_replaced),
        IN_FOLDER(two_writers_of_one_path_do_not_mix),
        IN_FOLDER(behind_a_link_its_target_is_replaced),
        IN_FOLDER(what_is_no_file_is_not_replaced),
        IN_FOLDER(abandoning_leaves_the_old_file),
        IN_FOLDER(a_full_disk_leaves_the_old_file),
        IN_FOLDER(a_failed_commit_leaves_the_old_file),
        IN_FOLDER(unusable_files_are_refused_by_kind),
        IN_FOLDER(an_output_in_an_input_s_place_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
