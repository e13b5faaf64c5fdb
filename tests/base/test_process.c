/* Another program, run to its end: what it has of this one, and how it ends. */
#include "base/process.h"

#include "support/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static enum collide_status run_shell(const char *script, unsigned timeout_s, struct collide_error *err)
{
    const char *const words[] = {"the shell", "-c", script, NULL};
    return process_run(&(struct process_options){.path = "/bin/sh", .words = words, .timeout_s = timeout_s},
                       err);
}

static void assert_fails(const char *script, const char *says)
{
    struct collide_error err = {0};
    assert_int_equal(run_shell(script, 60, &err), COLLIDE_IO);
    assert_string_equal(err.text, says);
}

static void how_it_ended_is_told(void **state)
{
    (void)state;
    assert_int_equal(run_shell("exit 0", 60, NULL), COLLIDE_OK);
    assert_fails("exit 3", "the shell ended with exit code 3");
    assert_fails("kill -KILL $$", "the shell was ended by signal 9");
}

static void a_program_that_is_not_there_cannot_be_started(void **state)
{
    const char *const words[] = {"nothing", NULL};
    struct collide_error err = {0};
    (void)state;
    assert_int_equal(
        process_run(&(struct process_options){.path = "/nowhere/at/all", .words = words, .timeout_s = 60},
                    &err),
        COLLIDE_IO);
    assert_string_equal(err.text, "cannot start /nowhere/at/all: No such file or directory");
}

static void it_has_no_descriptor_but_the_standard_ones(void **state)
{
    char script[128];
    (void)state;
    int fd = open("/dev/null", O_RDONLY); /* it would be inherited */
    assert_true(fd > STDERR_FILENO);
    snprintf(script, sizeof script, "[ ! -e /proc/$$/fd/%d ]", fd);
    assert_int_equal(run_shell(script, 60, NULL), COLLIDE_OK);
    for (int standard = 0; standard <= STDERR_FILENO; standard++) {
        snprintf(script, sizeof script, "[ /proc/$$/fd/%d -ef /dev/null ]", standard);
        assert_int_equal(run_shell(script, 60, NULL), COLLIDE_OK);
    }
    close(fd);
}

static void no_signal_is_blocked_or_ignored(void **state)
{
    sigset_t blocked, before;
    (void)state;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    signal(SIGPIPE, SIG_IGN);
    assert_fails("kill -TERM $$", "the shell was ended by signal 15");
    assert_fails("kill -PIPE $$", "the shell was ended by signal 13");
    signal(SIGPIPE, SIG_DFL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* All that hold the pipe open for writing have ended, after they had written a byte. */
static void assert_all_have_ended(int fd)
{
    char byte;
    assert_int_equal(read(fd, &byte, 1), 1);
    for (int i = 0; i < 1000 && read(fd, &byte, 1) != 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_int_equal(read(fd, &byte, 1), 0);
}

static void one_that_takes_too_long_is_ended_with_all_it_started(void **state)
{
    struct scratch folder;
    struct collide_error err = {0};
    char path[2 * SCRATCH_PATH_BYTES], script[3 * SCRATCH_PATH_BYTES];
    (void)state;
    scratch_create(&folder);
    scratch_path(&folder, "pipe", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    snprintf(script, sizeof script, "exec 9>'%s'; echo >&9; sleep 1000 & sleep 1000", path);
    assert_int_equal(run_shell(script, 1, &err), COLLIDE_IO);
    assert_string_equal(err.text, "the shell took longer than 1 s");
    assert_all_have_ended(fd);
    snprintf(script, sizeof script, "exec 9>'%s'; echo >&9; sleep 1000 &", path); /* it ends well itself */
    assert_int_equal(run_shell(script, 60, NULL), COLLIDE_OK);
    assert_all_have_ended(fd);
    close(fd);
    scratch_destroy(&folder);
}

static bool say_stop(void *context)
{
    unsigned *n_asked = context;
    return ++*n_asked > 3;
}

static void it_ends_when_it_is_to(void **state)
{
    const char *const words[] = {"sleep", "1000", NULL};
    struct collide_error err = {0};
    unsigned n_asked = 0;
    const struct process_options options = {
        .path = "/bin/sleep", .words = words, .timeout_s = 900, .is_to_end = say_stop, .context = &n_asked};
    (void)state;
    assert_int_equal(process_run(&options, &err), COLLIDE_BUSY);
    assert_int_equal(n_asked, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_it_ended_is_told),
        cmocka_unit_test(a_program_that_is_not_there_cannot_be_started),
        cmocka_unit_test(it_has_no_descriptor_but_the_standard_ones),
        cmocka_unit_test(no_signal_is_blocked_or_ignored),
        cmocka_unit_test(one_that_takes_too_long_is_ended_with_all_it_started),
        cmocka_unit_test(it_ends_when_it_is_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
