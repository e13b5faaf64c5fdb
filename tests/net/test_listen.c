#include "net/listen.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void port_0_takes_a_free_one_and_says_which(void **state)
{
    (void)state;
    char first[ADDRESS_CHARS], second[ADDRESS_CHARS];
    int a, b;
    unsigned port;
    assert_int_equal(listen_tcp("127.0.0.1:0", &a, first, NULL), COLLIDE_OK);
    assert_int_equal(listen_tcp("127.0.0.1:0", &b, second, NULL), COLLIDE_OK);
    assert_string_not_equal(first, second);
    assert_int_equal(sscanf(first, "127.0.0.1:%u", &port), 1);
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof to), 0);
    close(client);
    close(a);
    close(b);
}

static void a_port_in_use_is_named(void **state)
{
    (void)state;
    char bound[ADDRESS_CHARS], unused[ADDRESS_CHARS], wanted[256];
    struct collide_error err = {0};
    int fd, second = -1;
    assert_int_equal(listen_tcp("127.0.0.1:0", &fd, bound, &err), COLLIDE_OK);
    assert_int_equal(listen_tcp(bound, &second, unused, &err), COLLIDE_IO);
    assert_int_equal(second, -1);
    snprintf(wanted, sizeof wanted,
             "cannot listen on %s (stop what listens there, or choose another port): Address already in use",
             bound);
    assert_string_equal(err.text, wanted);
    close(fd);
    assert_int_equal(listen_tcp(bound, &fd, unused, &err), COLLIDE_OK);
    close(fd);
}

static void addresses_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "localhost",
                                        "8080",
                                        "127.0.0.1:",
                                        "127.0.0.1:x",
                                        "host:80x",
                                        "127.0.0.1:-1",
                                        "127.0.0.1:65536",
                                        "a:99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char bound[ADDRESS_CHARS];
        struct collide_error err = {0};
        int fd = -1;
        assert_int_equal(listen_tcp(wrong[i], &fd, bound, &err), COLLIDE_INVALID);
        assert_non_null(strstr(err.text, "write HOST:PORT, such as 127.0.0.1:8080"));
        assert_int_equal(fd, -1);
    }
}

static void a_name_that_does_not_resolve_is_named(void **state)
{
    (void)state;
    char bound[ADDRESS_CHARS];
    struct collide_error err = {0};
    int fd;
    assert_int_equal(listen_tcp("no-such-host.invalid:80", &fd, bound, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "cannot resolve \"no-such-host.invalid:80\": "));
}

static void names_and_no_host_at_all_listen_too(void **state)
{
    (void)state;
    static const char *const addresses[] = {"localhost:0", ":0"};
    struct addrinfo *found = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &found) != 0)
        skip(); /* a machine without /etc/hosts */
    freeaddrinfo(found);
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        char bound[ADDRESS_CHARS];
        struct collide_error err = {0};
        int fd;
        if (listen_tcp(addresses[i], &fd, bound, &err) != COLLIDE_OK)
            fail_msg("%s", err.text);
        close(fd);
    }
}

static void ipv6_stands_in_brackets(void **state)
{
    (void)state;
    char bound[ADDRESS_CHARS];
    int fd;
    int probe = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int has_ipv6 = probe >= 0 && bind(probe, (struct sockaddr *)&loopback, sizeof loopback) == 0;
    close(probe);
    if (!has_ipv6)
        skip();
    assert_int_equal(listen_tcp("[::1]:0", &fd, bound, NULL), COLLIDE_OK);
    assert_int_equal(strncmp(bound, "[::1]:", 6), 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_0_takes_a_free_one_and_says_which),
        cmocka_unit_test(a_port_in_use_is_named),
        cmocka_unit_test(addresses_that_are_none_are_refused),
        cmocka_unit_test(a_name_that_does_not_resolve_is_named),
        cmocka_unit_test(names_and_no_host_at_all_listen_too),
        cmocka_unit_test(ipv6_stands_in_brackets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
