#include "net/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* systemd's end, at an abstract name that the kernel chooses. */
static int set_up(void **state)
{
    static int fd;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t n = sizeof at;
    char name[sizeof at.sun_path + 1];
    fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (bind(fd, (struct sockaddr *)&at, sizeof at.sun_family) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &n) != 0)
        return -1;
    snprintf(name, sizeof name, "@%.*s", (int)(n - sizeof at.sun_family - 1), at.sun_path + 1);
    setenv("NOTIFY_SOCKET", name, 1);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    *state = &fd;
    return 0;
}

static int tear_down(void **state)
{
    close(*(int *)*state);
    unsetenv("NOTIFY_SOCKET");
    return 0;
}

static void assert_told(int fd, const char *wanted)
{
    char text[256];
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text, wanted);
}

static void what_happens_is_told(void **state)
{
    int fd = *(int *)*state;
    struct notify n;
    assert_int_equal(notify_open(&n, NULL), COLLIDE_OK);
    notify_ready(&n, "2 models");
    assert_told(fd, "READY=1\nSTATUS=2 models");
    notify_alive(&n);
    assert_told(fd, "WATCHDOG=1");
    notify_stopping(&n);
    assert_told(fd, "STOPPING=1");
    notify_close(&n);
    notify_alive(&n);
}

static void a_reload_is_told_with_its_time(void **state)
{
    int fd = *(int *)*state;
    struct notify n;
    char text[256] = "";
    unsigned long long us = 0;
    assert_int_equal(notify_open(&n, NULL), COLLIDE_OK);
    notify_reloading(&n);
    assert_true(recv(fd, text, sizeof text - 1, MSG_DONTWAIT) > 0);
    assert_int_equal(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%llu", &us), 1);
    assert_true(us > 0);
    notify_close(&n);
}

static void the_watchdog_is_fed_twice_as_often_as_it_wants(void **state)
{
    (void)state;
    struct notify n;
    char pid[16];
    snprintf(pid, sizeof pid, "%d", getpid());
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(notify_open(&n, NULL), COLLIDE_OK);
    assert_int_equal(n.watchdog_ns, 15000000000);
    notify_close(&n);
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_open(&n, NULL), COLLIDE_OK);
    assert_int_equal(n.watchdog_ns, 15000000000);
    notify_close(&n);
    setenv("WATCHDOG_PID", "1", 1); /* another process's */
    assert_int_equal(notify_open(&n, NULL), COLLIDE_OK);
    assert_int_equal(n.watchdog_ns, 0);
    notify_close(&n);
}

static void nobody_is_told_where_nobody_asks(void **state)
{
    int fd = *(int *)*state;
    struct notify n;
    char byte;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(notify_open(&n, NULL), COLLIDE_OK);
    notify_ready(&n, "");
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    notify_close(&n);
}

static void a_socket_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct notify n;
    struct collide_error err;
    setenv("NOTIFY_SOCKET", "/nowhere/notify", 1);
    assert_int_equal(notify_open(&n, &err), COLLIDE_IO);
    assert_non_null(strstr(err.text, "cannot reach NOTIFY_SOCKET=/nowhere/notify"));
    setenv("NOTIFY_SOCKET", "vsock:2:9", 1);
    assert_int_equal(notify_open(&n, &err), COLLIDE_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_happens_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_is_told_with_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_watchdog_is_fed_twice_as_often_as_it_wants, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_is_told_where_nobody_asks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_socket_that_is_not_there_is_an_error, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
