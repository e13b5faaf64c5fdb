/* Lines on standard error, whoever reads them. */
#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Standard error is a pipe until restored. */
static int redirect(int pipe_ends[2])
{
    int saved = dup(STDERR_FILENO);
    assert_true(saved >= 0);
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(pipe_ends[1], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(dup2(pipe_ends[1], STDERR_FILENO), STDERR_FILENO);
    return saved;
}

static void restore(int saved, const int pipe_ends[2])
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void lines_up_to_the_level_are_written(void **state)
{
    int ends[2], saved = redirect(ends);
    char text[64] = "";
    (void)state;
    log_set_level(LOG_INFO);
    log_warning("%d lines", 2);
    log_info("the second");
    log_debug("a third");
    ssize_t n = read(ends[0], text, sizeof text - 1);
    restore(saved, ends);
    assert_true(n > 0);
    assert_string_equal(text, "warning: 2 lines\nthe second\n");
}

static void a_stuck_reader_misses_the_line(void **state)
{
    static const char page[4096];
    int ends[2], saved = redirect(ends);
    (void)state;
    while (write(ends[1], page, sizeof page) > 0)
        ;
    fcntl(ends[1], F_SETFL, 0);
    log_set_level(LOG_INFO);
    log_info("nobody reads this");
    restore(saved, ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_up_to_the_level_are_written),
        cmocka_unit_test(a_stuck_reader_misses_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
