#include "net/privileges.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What cannot be undone is done in a child, which answers with its exit code: 0 is yes. */
static void assert_in_child(bool (*is_so)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(is_so() ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool drops(void)
{
    struct user nobody;
    char text[4096] = "";
    if (user_find("nobody:daemon", &nobody, NULL) != COLLIDE_OK ||
        privileges_drop(&nobody, NULL) != COLLIDE_OK)
        return false;
    FILE *file = fopen("/proc/self/status", "r");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    return n > 0 && getuid() == nobody.id && getgid() == nobody.group && setuid(0) != 0 &&
           strstr(text, "CapEff:\t0000000000000000") && strstr(text, "CapPrm:\t0000000000000000") &&
           strstr(text, "NoNewPrivs:\t1") && prctl(PR_GET_DUMPABLE) == 0 && open("/etc/shadow", O_RDONLY) < 0;
}

static void root_becomes_a_user_for_good(void **state)
{
    (void)state;
    if (getuid() != 0)
        skip();
    assert_in_child(drops);
}

static bool needs_root(void)
{
    struct user nobody;
    struct collide_error err;
    if (getuid() == 0 && setresuid(12345, 12345, 12345) != 0)
        return false;
    return user_find("nobody", &nobody, NULL) == COLLIDE_OK &&
           privileges_drop(&nobody, &err) == COLLIDE_UNSUPPORTED &&
           strstr(err.text, "--user needs a start as root");
}

static void others_cannot_become_a_user(void **state)
{
    (void)state;
    assert_in_child(needs_root);
}

static bool is_confined(void)
{
    return privileges_confine(NULL) == COLLIDE_OK && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
           prctl(PR_GET_DUMPABLE) == 0;
}

static void a_confined_process_gains_nothing_and_shows_nothing(void **state)
{
    (void)state;
    assert_in_child(is_confined);
}

static void accounts_that_are_none_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum collide_status status;
        const char *wanted;
    } cases[] = {{"", COLLIDE_INVALID, "is no NAME or NAME:GROUP"},
                 {":daemon", COLLIDE_INVALID, "is no NAME or NAME:GROUP"},
                 {"no-such-user", COLLIDE_NOT_FOUND, "there is no user no-such-user"},
                 {"nobody:no-such-group", COLLIDE_NOT_FOUND, "there is no group no-such-group"},
                 {"root", COLLIDE_INVALID, "is root, which gives nothing up"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct user u;
        struct collide_error err;
        assert_int_equal(user_find(cases[i].text, &u, &err), cases[i].status);
        if (!strstr(err.text, cases[i].wanted))
            fail_msg("expected \"%s\" in \"%s\"", cases[i].wanted, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_becomes_a_user_for_good),
        cmocka_unit_test(others_cannot_become_a_user),
        cmocka_unit_test(a_confined_process_gains_nothing_and_shows_nothing),
        cmocka_unit_test(accounts_that_are_none_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
