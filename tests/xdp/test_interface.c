/* Interfaces and queues as people write them. */
#include "xdp/interface.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_QUEUES = 3 };

static enum collide_status parse(char text[64], const char *written, unsigned *queues, unsigned *n)
{
    struct collide_error err = {0};
    snprintf(text, 64, "%s", written);
    enum collide_status status = interface_parse(text, queues, MAX_QUEUES, n, &err);
    assert_true(status == COLLIDE_OK || err.text[0]);
    return status;
}

static void queues_are_read_in_their_order(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned n, queues[MAX_QUEUES];
    } cases[] = {
        {"eth0", 1, {0}}, {"eth0:0", 1, {0}}, {"eth0:7", 1, {7}}, {"eth0:2,0,65535", 3, {2, 0, 65535}}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        unsigned queues[MAX_QUEUES] = {9, 9, 9}, n = 0;
        assert_int_equal(parse(text, cases[i].text, queues, &n), COLLIDE_OK);
        assert_string_equal(text, "eth0");
        assert_int_equal(n, cases[i].n);
        assert_memory_equal(queues, cases[i].queues, n * sizeof queues[0]);
    }
}

static void what_names_no_queues_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"eth0:",    "eth0:x",   "eth0:1,",    "eth0:,1",     "eth0:-1",
                                        "eth0:1;2", "eth0:1,1", "eth0:65536", "eth0:0,1,2,3"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        unsigned queues[MAX_QUEUES], n = 99;
        assert_int_equal(parse(text, cases[i], queues, &n), COLLIDE_INVALID);
        assert_int_equal(n, 99);
    }
}

static void the_loopback_is_found_and_others_are_not(void **state)
{
    (void)state;
    struct interface found;
    struct collide_error err;
    assert_int_equal(interface_find("lo", &found, &err), COLLIDE_OK);
    assert_true(found.index > 0 && found.mtu > 0);
    assert_int_equal(found.n_queues, 1);
    assert_int_equal(interface_find("no-such-interface", &found, &err), COLLIDE_NOT_FOUND);
    assert_non_null(strstr(err.text, "no-such-interface"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queues_are_read_in_their_order),
        cmocka_unit_test(what_names_no_queues_is_refused),
        cmocka_unit_test(the_loopback_is_found_and_others_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
