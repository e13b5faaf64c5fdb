#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void appended_bytes_are_kept_in_order(void **state)
{
    (void)state;
    struct buffer b = {0};
    for (int i = 0; i < 10000; i++)
        buffer_append(&b, (const char[]){(char)i, (char)(i >> 8)}, 2);
    assert_false(b.failed);
    assert_int_equal(b.n_bytes, 20000);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal((uint8_t)b.bytes[2 * i], i & 255);
        assert_int_equal((uint8_t)b.bytes[2 * i + 1], i >> 8);
    }
    buffer_free(&b);
    assert_null(b.bytes);
}

static void printing_grows_by_the_text_alone(void **state)
{
    (void)state;
    struct buffer b = {0};
    buffer_append_text(&b, "score ");
    buffer_printf(&b, "%d/%s", 7, "x");
    assert_int_equal(b.n_bytes, strlen("score 7/x"));
    assert_memory_equal(b.bytes, "score 7/x", b.n_bytes);
    buffer_printf(&b, "%300d", 1);
    assert_int_equal(b.n_bytes, strlen("score 7/x") + 300);
    buffer_free(&b);
}

static void reserved_room_becomes_content_when_counted(void **state)
{
    (void)state;
    struct buffer b = {0};
    char *at = buffer_reserve(&b, 1000);
    assert_non_null(at);
    assert_int_equal(b.n_bytes, 0);
    memset(at, 'x', 1000);
    b.n_bytes += 1000;
    buffer_append(&b, "y", 1);
    assert_int_equal(b.bytes[999], 'x');
    assert_int_equal(b.bytes[1000], 'y');
    buffer_free(&b);
}

static void running_out_of_memory_is_sticky_and_keeps_content(void **state)
{
    (void)state;
    struct buffer b = {0};
    buffer_append_text(&b, "kept");
    assert_null(buffer_reserve(&b, SIZE_MAX - 8));
    assert_true(b.failed);
    buffer_append_text(&b, "lost");
    buffer_printf(&b, "lost");
    assert_null(buffer_reserve(&b, 1));
    assert_int_equal(b.n_bytes, 4);
    assert_memory_equal(b.bytes, "kept", 4);
    buffer_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended_bytes_are_kept_in_order),
        cmocka_unit_test(printing_grows_by_the_text_alone),
        cmocka_unit_test(reserved_room_becomes_content_when_counted),
        cmocka_unit_test(running_out_of_memory_is_sticky_and_keeps_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
