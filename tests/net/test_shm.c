#include "net/shm_fixture.h"

#include "net/other_process.h"
#include "support/scratch.h"
#include "transport/shm_ring.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void answers_come_however_both_ends_wait(void **state)
{
    (void)state;
    static const enum poll_policy policies[] = {POLL_SLEEP, POLL_ADAPTIVE, POLL_SPIN};
    for (size_t i = 0; i < 3; i++) {
        struct echo_service e;
        struct shm_server *server = shm_test_serve(&e, shm_test_name(), policies[i]);
        struct channel *sleeper = shm_test_reach(shm_test_name(), CHANNEL_SLEEP);
        struct channel *spinner = shm_test_reach(shm_test_name(), CHANNEL_SPIN);
        echo_many(sleeper, 2000, 1);
        echo_many(spinner, 2000, 1);
        echo_many(sleeper, 20000, SHM_MAX_IN_FLIGHT);
        echo_many(spinner, 20000, SHM_MAX_IN_FLIGHT);
        assert_int_equal(atomic_load(&e.n_datagrams), 44000);
        assert_int_equal(atomic_load(&e.n_workers), 3);
        sleeper->make->destroy(sleeper);
        spinner->make->destroy(spinner);
        shm_server_destroy(server);
    }
}

struct crowd_member {
    pthread_t thread;
    struct channel *channel;
};

static void *ask_much(void *context)
{
    struct crowd_member *m = context;
    echo_many(m->channel, 3000, 16);
    return NULL;
}

static void many_clients_at_once_get_their_own_answers(void **state)
{
    (void)state;
    struct echo_service e;
    struct crowd_member crowd[8];
    struct shm_server *server = shm_test_serve(&e, shm_test_name(), POLL_ADAPTIVE);
    for (size_t i = 0; i < 8; i++) {
        crowd[i].channel = shm_test_reach(shm_test_name(), CHANNEL_SLEEP);
        assert_int_equal(pthread_create(&crowd[i].thread, NULL, ask_much, &crowd[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(crowd[i].thread, NULL);
        crowd[i].channel->make->destroy(crowd[i].channel);
    }
    assert_int_equal(atomic_load(&e.n_datagrams), 24000);
    shm_server_destroy(server);
}

static void no_more_is_in_flight_than_the_ring_holds(void **state)
{
    (void)state;
    struct echo_service e;
    struct shm_server *server = shm_test_serve(&e, shm_test_name(), POLL_SLEEP);
    struct channel *c = shm_test_reach(shm_test_name(), CHANNEL_SLEEP);
    assert_int_equal(c->max_in_flight, SHM_MAX_IN_FLIGHT);
    for (uint64_t i = 0; i < c->max_in_flight; i++)
        echo_send(c, i, 8);
    assert_null(c->make->reserve(c));
    echo_receive(c, 0, 8);
    assert_non_null(c->make->reserve(c));
    c->make->destroy(c);
    shm_server_destroy(server);
}

static void what_is_dropped_is_passed_over(void **state)
{
    (void)state;
    struct echo_service e;
    struct collide_error err;
    struct shm_server *server = shm_test_serve(&e, shm_test_name(), POLL_SLEEP);
    struct channel *c = shm_test_reach(shm_test_name(), CHANNEL_SLEEP);
    for (int i = 0; i < 10; i++) {
        *c->make->reserve(c) = ECHO_SILENCE;
        assert_int_equal(c->make->send(c, 8, &err), COLLIDE_OK);
    }
    echo_send(c, 1, 8);
    echo_receive(c, 1, 8);
    c->make->destroy(c);
    shm_server_destroy(server);
}

static void one_client_too_many_is_told_so(void **state)
{
    (void)state;
    struct echo_service e;
    struct collide_error err;
    struct channel *c[N_THREADS * MAX_CLIENTS], *late;
    struct shm_server *server = shm_test_serve(&e, shm_test_name(), POLL_SLEEP);
    for (size_t i = 0; i < N_THREADS * MAX_CLIENTS; i++)
        c[i] = shm_test_reach(shm_test_name(), CHANNEL_SLEEP);
    assert_int_equal(channel_shm_create(shm_test_name(), CHANNEL_SLEEP, &late, &err), COLLIDE_BUSY);
    assert_non_null(strstr(err.text, "has its 64 clients; close one"));
    for (size_t i = 0; i < N_THREADS * MAX_CLIENTS; i++)
        echo_send(c[i], i, 100);
    for (size_t i = 0; i < N_THREADS * MAX_CLIENTS; i++)
        echo_receive(c[i], i, 100);
    c[5]->make->destroy(c[5]);
    int n_tries = 0;
    while (channel_shm_create(shm_test_name(), CHANNEL_SLEEP, &c[5], &err) == COLLIDE_BUSY) {
        assert_true(n_tries++ < PATIENCE);
        usleep(10000);
    }
    for (size_t i = 0; i < N_THREADS * MAX_CLIENTS; i++) {
        echo_many(c[i], 10, 1);
        c[i]->make->destroy(c[i]);
    }
    shm_server_destroy(server);
}

static void become_nobody_and_connect(const char *name)
{
    struct channel *c;
    struct collide_error err;
    if (setgid(65534) != 0 || setuid(65534) != 0)
        _exit(1);
    if (channel_shm_create(name, CHANNEL_SLEEP, &c, &err) != COLLIDE_IO ||
        !strstr(err.text, "belongs to another user"))
        _exit(1);
}

static void another_user_is_refused(void **state)
{
    (void)state;
    struct other other;
    struct echo_service e;
    char name[64];
    if (geteuid() != 0)
        skip();
    snprintf(name, sizeof name, "%s", shm_test_name());
    other_start(&other, become_nobody_and_connect, name);
    struct shm_server *server = shm_test_serve(&e, name, POLL_SLEEP);
    other_go(&other);
    other_wait(&other);
    other_kill(&other);
    shm_server_destroy(server);
}

static void a_path_is_for_user_and_group_and_goes_with_the_server(void **state)
{
    (void)state;
    struct scratch folder;
    struct echo_service e;
    struct stat about;
    struct collide_error err;
    char path[2 * SCRATCH_PATH_BYTES];
    struct shm_options options = {.name = path, .n_threads = 1, .max_clients = 1};
    struct shm_server *second;
    scratch_create(&folder);
    scratch_path(&folder, "socket", path);
    struct shm_server *server = shm_test_serve(&e, path, POLL_SLEEP);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode, S_IFSOCK | 0660);
    assert_int_equal(shm_server_create(echo_as_service(&e), &options, &second, &err), COLLIDE_IO);
    assert_non_null(strstr(err.text, "(stop what serves it, or choose another name)"));
    assert_int_equal(stat(path, &about), 0);
    shm_server_destroy(server);
    assert_int_not_equal(stat(path, &about), 0);

    FILE *file = fopen(path, "w");
    fclose(file);
    assert_int_equal(shm_server_create(echo_as_service(&e), &options, &second, &err), COLLIDE_IO);
    assert_int_equal(stat(path, &about), 0);
    assert_true(S_ISREG(about.st_mode));
    scratch_destroy(&folder);
}

static void names_are_taken_once_and_absent_ones_missed(void **state)
{
    (void)state;
    struct echo_service e;
    struct channel *c;
    struct collide_error err;
    struct shm_server *second, *server = shm_test_serve(&e, shm_test_name(), POLL_SLEEP);
    struct shm_options options = {.name = shm_test_name(), .n_threads = 1, .max_clients = 1};
    assert_int_equal(shm_server_create(echo_as_service(&e), &options, &second, &err), COLLIDE_IO);
    assert_non_null(strstr(err.text, "(stop what serves it, or choose another name)"));
    shm_server_destroy(server);
    assert_int_equal(channel_shm_create(shm_test_name(), CHANNEL_SLEEP, &c, &err), COLLIDE_IO);
    assert_non_null(strstr(err.text, "(start `collide serve --shm` with this name)"));
    assert_int_equal(channel_shm_create("/no/such/path", CHANNEL_SLEEP, &c, &err), COLLIDE_IO);
    assert_int_equal(channel_shm_create("", CHANNEL_SLEEP, &c, &err), COLLIDE_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_however_both_ends_wait),
        cmocka_unit_test(many_clients_at_once_get_their_own_answers),
        cmocka_unit_test(no_more_is_in_flight_than_the_ring_holds),
        cmocka_unit_test(what_is_dropped_is_passed_over),
        cmocka_unit_test(one_client_too_many_is_told_so),
        cmocka_unit_test(another_user_is_refused),
        cmocka_unit_test(a_path_is_for_user_and_group_and_goes_with_the_server),
        cmocka_unit_test(names_are_taken_once_and_absent_ones_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
