#include "transport/shm_socket.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void a_word_is_an_abstract_name(void **state)
{
    (void)state;
    struct shm_name name;
    assert_int_equal(shm_name_parse("scores", &name, NULL), COLLIDE_OK);
    assert_true(name.is_abstract);
    assert_int_equal(name.n_bytes, offsetof(struct sockaddr_un, sun_path) + 1 + strlen("collide.scores"));
    assert_memory_equal(name.address.sun_path, "\0collide.scores", 15);
}

static void a_slash_makes_it_a_path(void **state)
{
    (void)state;
    struct shm_name name;
    assert_int_equal(shm_name_parse("./scores", &name, NULL), COLLIDE_OK);
    assert_false(name.is_abstract);
    assert_string_equal(name.address.sun_path, "./scores");
}

static void names_that_no_socket_can_have_are_refused(void **state)
{
    (void)state;
    char text[200];
    struct shm_name name;
    struct collide_error err;
    assert_int_equal(shm_name_parse("", &name, &err), COLLIDE_INVALID);
    for (size_t n = 1; n < sizeof text; n++) {
        memset(text, 'x', n);
        text[n] = '\0';
        assert_int_equal(shm_name_parse(text, &name, &err) == COLLIDE_OK, n <= 98);
        text[0] = '/';
        assert_int_equal(shm_name_parse(text, &name, &err) == COLLIDE_OK, n <= 106);
    }
    assert_non_null(strstr(err.text, "is too long for a socket: at most 98 characters"));
}

static void a_hello_brings_its_memory_along(void **state)
{
    (void)state;
    struct shm_hello sent = {.magic = SHM_MAGIC, .version = SHM_VERSION, .max_clients = 5}, got;
    int ends[2], memory = memfd_create("test", 0), received;
    struct stat about;
    assert_int_equal(ftruncate(memory, 4321), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    assert_true(shm_hello_send(ends[0], &sent, memory));
    assert_true(shm_hello_receive(ends[1], &got, &received));
    assert_memory_equal(&sent, &got, sizeof sent);
    assert_int_equal(fstat(received, &about), 0);
    assert_int_equal(about.st_size, 4321);
    close(received);
    sent.outcome = SHM_FULL;
    assert_true(shm_hello_send(ends[0], &sent, -1));
    assert_true(shm_hello_receive(ends[1], &got, &received));
    assert_int_equal(got.outcome, SHM_FULL);
    assert_int_equal(received, -1);
    close(memory);
    close(ends[0]);
    close(ends[1]);
}

static void what_is_no_hello_is_refused(void **state)
{
    (void)state;
    struct shm_hello hello = {.magic = SHM_MAGIC + 1};
    int ends[2], received;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    assert_true(shm_hello_send(ends[0], &hello, ends[0]));
    assert_false(shm_hello_receive(ends[1], &hello, &received));
    assert_int_equal(received, -1);
    assert_int_equal(send(ends[0], "hi", 2, 0), 2);
    assert_false(shm_hello_receive(ends[1], &hello, &received));
    close(ends[0]);
    assert_false(shm_hello_receive(ends[1], &hello, &received));
    assert_int_equal(errno, 0);
    close(ends[1]);
}

static void bells_are_heard_until_the_other_end_is_gone(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    assert_true(shm_bell_hear(ends[1]));
    shm_bell_ring(ends[0]);
    assert_true(shm_bell_hear(ends[1]));
    for (int i = 0; i < 100000; i++)
        shm_bell_ring(ends[0]); /* never blocks */
    assert_true(shm_bell_hear(ends[1]));
    close(ends[0]);
    int n_heard = 0;
    while (shm_bell_hear(ends[1]))
        assert_true(n_heard++ < 100000);
    shm_bell_ring(ends[1]); /* raises no SIGPIPE */
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_an_abstract_name),
        cmocka_unit_test(a_slash_makes_it_a_path),
        cmocka_unit_test(names_that_no_socket_can_have_are_refused),
        cmocka_unit_test(a_hello_brings_its_memory_along),
        cmocka_unit_test(what_is_no_hello_is_refused),
        cmocka_unit_test(bells_are_heard_until_the_other_end_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
