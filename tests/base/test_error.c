#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void status_and_text_are_set_and_returned(void **state)
{
    (void)state;
    struct collide_error err = {0};
    assert_int_equal(error_set(&err, COLLIDE_CORRUPT, "%s: line %d", "a.log", 3), COLLIDE_CORRUPT);
    assert_int_equal(err.status, COLLIDE_CORRUPT);
    assert_string_equal(err.text, "a.log: line 3");
}

static void errno_is_spelled_out(void **state)
{
    (void)state;
    struct collide_error err = {0};
    assert_int_equal(error_set_errno(&err, COLLIDE_IO, ENOENT, "cannot open %s", "x"), COLLIDE_IO);
    assert_string_equal(err.text, "cannot open x: No such file or directory");
    assert_int_equal(error_no_memory(&err, "rows"), COLLIDE_NO_MEMORY);
    assert_string_equal(err.text, "out of memory for rows");
}

static void long_texts_are_cut_and_terminated(void **state)
{
    (void)state;
    struct collide_error err;
    memset(&err, 'x', sizeof err);
    error_set_errno(&err, COLLIDE_IO, ENOENT, "%2000d", 1);
    assert_int_equal(strnlen(err.text, sizeof err.text), sizeof err.text - 1);
}

static void what_a_text_quotes_cannot_break_its_line(void **state)
{
    (void)state;
    struct collide_error err = {0};
    error_set(&err, COLLIDE_CORRUPT, "tensor %s is missing", "a\nb\x1b[2J\x7f\xc3\xa9");
    assert_string_equal(err.text, "tensor a?b?[2J?\xc3\xa9 is missing");
    error_set_errno(&err, COLLIDE_IO, ENOENT, "cannot open %s", "\r\n");
    assert_string_equal(err.text, "cannot open ??: No such file or directory");
}

static void nobody_need_listen(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, COLLIDE_BUSY, "unread"), COLLIDE_BUSY);
    assert_int_equal(error_set_errno(NULL, COLLIDE_IO, EIO, "unread"), COLLIDE_IO);
}

static void every_status_has_its_own_name(void **state)
{
    (void)state;
    for (int a = COLLIDE_OK; a <= COLLIDE_BUSY; a++) {
        assert_string_not_equal(collide_status_name((enum collide_status)a), "unknown");
        for (int b = COLLIDE_OK; b < a; b++)
            assert_string_not_equal(collide_status_name((enum collide_status)a),
                                    collide_status_name((enum collide_status)b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_and_text_are_set_and_returned),
        cmocka_unit_test(errno_is_spelled_out),
        cmocka_unit_test(long_texts_are_cut_and_terminated),
        cmocka_unit_test(nobody_need_listen),
        cmocka_unit_test(what_a_text_quotes_cannot_break_its_line),
        cmocka_unit_test(every_status_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
