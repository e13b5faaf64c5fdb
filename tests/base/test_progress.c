#include "base/log.h"
#include "base/progress.h"

#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Standard error, put aside and led to `write_end`; whatever arrives is read from `read_end`. */
struct capture {
    int kept;
    int read_end;
    int write_end;
};

static void capture_begin(struct capture *c)
{
    assert_int_equal(fcntl(c->read_end, F_SETFL, O_NONBLOCK), 0);
    c->kept = dup(STDERR_FILENO);
    assert_true(c->kept >= 0 && dup2(c->write_end, STDERR_FILENO) >= 0);
}

static void capture_end(struct capture *c, char *text, size_t n_bytes)
{
    assert_true(dup2(c->kept, STDERR_FILENO) >= 0);
    size_t n = 0;
    ssize_t got;
    while (n < n_bytes - 1 && (got = read(c->read_end, text + n, n_bytes - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    close(c->kept);
    close(c->read_end);
    close(c->write_end);
}

static void capture_by_pipe(struct capture *c)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    *c = (struct capture){.read_end = ends[0], .write_end = ends[1]};
    capture_begin(c);
}

static void work(uint64_t total)
{
    struct progress p;
    progress_begin(&p, "counting", total);
    for (uint64_t i = 1; i <= total; i++)
        progress_update(&p, i, i == total ? "loss 4.21" : NULL);
    progress_end(&p);
}

static unsigned count(const char *text, char c)
{
    unsigned n = 0;
    for (; *text; text++)
        n += *text == c;
    return n;
}

static void a_file_gets_one_line_at_the_start_and_one_at_the_end(void **state)
{
    (void)state;
    struct capture c;
    char text[4096];
    capture_by_pipe(&c);
    work(1000);
    capture_end(&c, text, sizeof text);
    assert_int_equal(count(text, '\n'), 2);
    assert_int_equal(count(text, '\r'), 0);
    assert_non_null(strstr(text, "counting: started\n"));
    assert_non_null(strstr(text, "counting: done in "));
    assert_non_null(strstr(text, "loss 4.21\n"));
}

static void nothing_is_shown_below_the_level(void **state)
{
    (void)state;
    struct capture c;
    char text[4096];
    capture_by_pipe(&c);
    log_set_level(LOG_WARNING);
    work(1000);
    log_set_level(LOG_INFO);
    capture_end(&c, text, sizeof text);
    assert_string_equal(text, "");
}

static void a_terminal_sees_one_line_rewritten_ten_times_a_second_at_most(void **state)
{
    (void)state;
    struct capture c = {0};
    char text[65536];
    if (openpty(&c.read_end, &c.write_end, NULL, NULL, NULL) != 0)
        skip();
    capture_begin(&c);
    struct progress p;
    progress_begin(&p, "counting", 300);
    for (uint64_t i = 1; i <= 300; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        progress_update(&p, i, NULL);
    }
    double seconds = (double)(p.shown_ns - p.start_ns) * 1e-9;
    progress_end(&p);
    capture_end(&c, text, sizeof text);
    /* The line is rewritten after each tenth of a second and wiped at the end; a terminal adds \r to the \n.
     */
    unsigned n_shown = count(text, '%');
    assert_true(n_shown >= 2 && n_shown <= 10.0 * seconds + 1.0);
    assert_int_equal(count(text, '\r'), n_shown + 2);
    assert_int_equal(count(text, '\n'), 1);
    assert_non_null(strstr(text, "/s, "));
    assert_non_null(strstr(text, " s left"));
}

/* What was done before does not count as fast work; p.start_ns and p.shown_ns are moved back, as if time had
 * passed. */
static void the_rate_and_the_time_left_are_those_of_this_work(void **state)
{
    (void)state;
    static const struct {
        uint64_t seconds, first, done, total;
        const char *unit, *expected;
    } cases[] = {
        {100, 0, 2000, 3000, "users", "67%, 20 users/s, 50 s left, loss 1"},
        {100, 1000, 2500, 3500, "users", "71%, 15 users/s, 67 s left, loss 1"},
        {100, 1000, 2000, 6000, "", "33%, 10.00/s, 7 min left, loss 1"},
        {100, 0, 5000000, 1000000000, "", "50k/s, 5.5 h left, loss 1"},
        {100, 0, 25, 100, "files", "25%, 0.25 files/s, 5 min left, loss 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct capture c;
        char text[4096];
        struct progress p;
        capture_by_pipe(&c);
        progress_begin(&p, "counting", cases[i].total);
        p.unit = cases[i].unit;
        p.first = cases[i].first;
        p.start_ns -= cases[i].seconds * 1000000000u;
        p.shown_ns = 0;
        progress_update(&p, cases[i].done, "loss 1");
        capture_end(&c, text, sizeof text);
        if (!strstr(text, cases[i].expected))
            fail_msg("expected \"%s\" in \"%s\"", cases[i].expected, text);
    }
}

static void no_work_and_long_labels_are_fine(void **state)
{
    (void)state;
    struct capture c;
    char text[4096], label[1000];
    memset(label, 'x', sizeof label - 1);
    label[sizeof label - 1] = '\0';
    capture_by_pipe(&c);
    work(0);
    struct progress p;
    progress_begin(&p, label, 1);
    p.shown_ns = 0;
    progress_update(&p, 5, label);
    progress_end(&p);
    capture_end(&c, text, sizeof text);
    assert_non_null(strstr(text, "100%"));
}

int main(void)
{
    log_set_level(LOG_INFO);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_gets_one_line_at_the_start_and_one_at_the_end),
        cmocka_unit_test(nothing_is_shown_below_the_level),
        cmocka_unit_test(a_terminal_sees_one_line_rewritten_ten_times_a_second_at_most),
        cmocka_unit_test(the_rate_and_the_time_left_are_those_of_this_work),
        cmocka_unit_test(no_work_and_long_labels_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
