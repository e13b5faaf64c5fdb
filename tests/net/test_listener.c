#include "net/listener.h"

#include "support/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct scratch folder;
    char path[2 * SCRATCH_PATH_BYTES];
    char address[2 * SCRATCH_PATH_BYTES + 8]; /* unix:PATH */
};

static int set_up(void **state)
{
    static struct fixture f;
    scratch_create(&f.folder);
    scratch_path(&f.folder, "http.sock", f.path);
    snprintf(f.address, sizeof f.address, "unix:%s", f.path);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    scratch_destroy(&((struct fixture *)*state)->folder);
    return 0;
}

static int connect_to(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    memcpy(to.sun_path, path, strnlen(path, sizeof to.sun_path - 1));
    int result = connect(fd, (struct sockaddr *)&to, sizeof to);
    int failed = errno;
    close(fd);
    errno = failed;
    return result;
}

static void a_unix_socket_is_for_its_owner_and_group_and_goes_when_closed(void **state)
{
    const struct fixture *f = *state;
    struct listener l;
    struct stat about;
    assert_int_equal(listener_open(f->address, &l, NULL), COLLIDE_OK);
    assert_string_equal(l.address, f->address);
    assert_int_equal(l.reach, LISTENER_UNIX);
    assert_int_equal(stat(f->path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0660);
    assert_int_equal(connect_to(f->path), 0);
    assert_true(fcntl(l.fd, F_GETFL) & O_NONBLOCK);
    listener_close(&l);
    assert_int_equal(access(f->path, F_OK), -1);
    listener_close(&l);
}

static void a_path_in_use_stays_its_owners(void **state)
{
    const struct fixture *f = *state;
    struct listener first, second;
    struct collide_error err;
    char wanted[sizeof f->address + 128];
    assert_int_equal(listener_open(f->address, &first, NULL), COLLIDE_OK);
    assert_int_equal(listener_open(f->address, &second, &err), COLLIDE_IO);
    snprintf(wanted, sizeof wanted,
             "cannot listen on %s (stop what listens there, or choose another path): Address already in use",
             f->address);
    assert_string_equal(err.text, wanted);
    assert_int_equal(connect_to(f->path), 0);
    listener_close(&first);
}

static void a_path_left_behind_is_taken_over_but_no_file(void **state)
{
    const struct fixture *f = *state;
    struct listener l;
    struct collide_error err;
    assert_int_equal(listener_open(f->address, &l, NULL), COLLIDE_OK);
    close(l.fd); /* as one that was killed */
    assert_int_equal(connect_to(f->path), -1);
    assert_int_equal(listener_open(f->address, &l, NULL), COLLIDE_OK);
    assert_int_equal(connect_to(f->path), 0);
    listener_close(&l);

    int file = open(f->path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(file >= 0);
    close(file);
    assert_int_equal(listener_open(f->address, &l, &err), COLLIDE_IO);
    assert_int_equal(access(f->path, F_OK), 0);
}

static void reach_tells_who_can_come(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        enum listener_reach reach;
    } cases[] = {{"127.0.0.1:0", LISTENER_LOOPBACK},
                 {"127.1.2.3:0", LISTENER_LOOPBACK},
                 {"0.0.0.0:0", LISTENER_NETWORK},
                 {":0", LISTENER_NETWORK}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct listener l;
        assert_int_equal(listener_open(cases[i].address, &l, NULL), COLLIDE_OK);
        assert_int_equal(l.reach, cases[i].reach);
        listener_close(&l);
    }
}

static void ipv6s_loopback_is_one(void **state)
{
    (void)state;
    struct listener l;
    if (listener_open("[::1]:0", &l, NULL) != COLLIDE_OK)
        skip();
    assert_int_equal(l.reach, LISTENER_LOOPBACK);
    listener_close(&l);
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    struct listener l;
    struct collide_error err;
    char long_path[256];
    memset(long_path, 'x', sizeof long_path);
    memcpy(long_path, "unix:/", 6);
    long_path[sizeof long_path - 1] = '\0';
    assert_int_equal(listener_open("unix:", &l, &err), COLLIDE_INVALID);
    assert_int_equal(listener_open(long_path, &l, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "is too long for a socket"));
    assert_int_equal(listener_open("8080", &l, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "write HOST:PORT"));
}

/* As systemd does: sockets from descriptor 3 on, ours the second, and the environment. */
static void activate(const char *names, const char *pid)
{
    struct sockaddr_un any = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof any.sun_family), 0);
    assert_int_equal(listen(fd, 1), 0);
    if (fd != 4) {
        assert_int_equal(dup2(fd, 4), 4);
        close(fd);
    }
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "2", 1);
    setenv("LISTEN_FDNAMES", names, 1);
}

static void systemds_sockets_are_found_by_name_and_number(void **state)
{
    (void)state;
    static const char *const texts[] = {"fd:http", "fd:4"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct listener l;
        struct collide_error err;
        char pid[16];
        snprintf(pid, sizeof pid, "%d", getpid());
        activate("other:http", pid);
        if (listener_open(texts[i], &l, &err) != COLLIDE_OK)
            fail_msg("%s", err.text);
        assert_int_equal(l.fd, 4);
        assert_int_equal(l.reach, LISTENER_UNIX);
        assert_int_equal(strncmp(l.address, "unix:@", 6), 0);
        assert_true(fcntl(4, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(4, F_GETFL) & O_NONBLOCK);
        listener_close(&l);
        assert_int_equal(fcntl(4, F_GETFD), -1);
    }
}

static void another_processs_sockets_and_unknown_ones_are_refused(void **state)
{
    (void)state;
    struct listener l;
    struct collide_error err;
    char pid[16];
    snprintf(pid, sizeof pid, "%d", getpid());
    activate("other:http", "1");
    assert_int_equal(listener_open("fd:http", &l, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "fd:http is no socket that this process was started with"));
    activate("other:http", pid);
    assert_int_equal(listener_open("fd:htt", &l, &err), COLLIDE_INVALID);
    assert_int_equal(listener_open("fd:", &l, &err), COLLIDE_INVALID);
    assert_int_equal(listener_open("fd:-1", &l, &err), COLLIDE_INVALID);
    unsetenv("LISTEN_FDNAMES");
    assert_int_equal(listener_open("fd:http", &l, &err), COLLIDE_INVALID);
    close(4);
}

static void descriptors_that_do_not_listen_are_refused(void **state)
{
    (void)state;
    struct listener l;
    struct collide_error err;
    int fds[2];
    char text[32];
    assert_int_equal(listener_open("fd:1000000", &l, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "is no stream socket that listens"));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    snprintf(text, sizeof text, "fd:%d", fds[0]);
    assert_int_equal(listener_open(text, &l, &err), COLLIDE_INVALID);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_unix_socket_is_for_its_owner_and_group_and_goes_when_closed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_path_in_use_stays_its_owners, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_path_left_behind_is_taken_over_but_no_file, set_up, tear_down),
        cmocka_unit_test(reach_tells_who_can_come),
        cmocka_unit_test(ipv6s_loopback_is_one),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(systemds_sockets_are_found_by_name_and_number),
        cmocka_unit_test(another_processs_sockets_and_unknown_ones_are_refused),
        cmocka_unit_test(descriptors_that_do_not_listen_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
