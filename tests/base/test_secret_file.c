#include "base/secret_file.h"

#include "support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct scratch folder;
    char path[2 * SCRATCH_PATH_BYTES];
};

static void write_file(const struct fixture *f, const char *text, mode_t mode)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(f->path, mode), 0);
}

static int set_up(void **state)
{
    static struct fixture f;
    scratch_create(&f.folder);
    scratch_path(&f.folder, "secret", f.path);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    scratch_destroy(&((struct fixture *)*state)->folder);
    return 0;
}

static void what_is_closed_to_others_is_read(void **state)
{
    const struct fixture *f = *state;
    static const mode_t modes[] = {0600, 0640, 0400, 0440};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct secret s;
        write_file(f, "swordfish\n", modes[i]);
        assert_int_equal(secret_file_read(f->path, &s, NULL), COLLIDE_OK);
        assert_int_equal(s.n_bytes, 10);
        assert_string_equal(s.bytes, "swordfish\n");
        secret_free(&s);
        assert_null(s.bytes);
        assert_int_equal(unlink(f->path), 0);
    }
}

static void what_others_may_read_or_change_is_refused_with_the_remedy(void **state)
{
    const struct fixture *f = *state;
    static const mode_t modes[] = {0644, 0604, 0602, 0660, 0666};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct secret s;
        struct collide_error err;
        char wanted[64];
        write_file(f, "swordfish", modes[i]);
        assert_int_equal(secret_file_read(f->path, &s, &err), COLLIDE_INVALID);
        snprintf(wanted, sizeof wanted, "its mode is %04o", (unsigned)modes[i]);
        assert_non_null(strstr(err.text, wanted));
        assert_non_null(strstr(err.text, "run chmod 640 "));
        assert_null(strstr(err.text, "swordfish"));
    }
}

static void an_empty_file_is_an_empty_secret(void **state)
{
    const struct fixture *f = *state;
    struct secret s;
    write_file(f, "", 0600);
    assert_int_equal(secret_file_read(f->path, &s, NULL), COLLIDE_OK);
    assert_int_equal(s.n_bytes, 0);
    assert_string_equal(s.bytes, "");
    secret_free(&s);
}

static void no_file_a_folder_a_pipe_and_a_huge_file_are_refused(void **state)
{
    const struct fixture *f = *state;
    struct secret s;
    struct collide_error err;
    assert_int_equal(secret_file_read(f->path, &s, &err), COLLIDE_NOT_FOUND);
    assert_int_equal(secret_file_read(f->folder.folder, &s, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "is not a regular file"));
    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_int_equal(secret_file_read(f->path, &s, &err), COLLIDE_INVALID);
    assert_int_equal(unlink(f->path), 0);
    write_file(f, "", 0600);
    assert_int_equal(truncate(f->path, (1 << 20) + 1), 0);
    assert_int_equal(secret_file_read(f->path, &s, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "is larger than"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_closed_to_others_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_others_may_read_or_change_is_refused_with_the_remedy, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_empty_file_is_an_empty_secret, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_file_a_folder_a_pipe_and_a_huge_file_are_refused, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
