#include "net/shm_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

const char *shm_test_name(void)
{
    static char name[64];
    snprintf(name, sizeof name, "test-shm-%d", (int)getpid());
    return name;
}

struct shm_server *shm_test_serve(struct echo_service *e, const char *name, enum poll_policy poll)
{
    struct shm_options options = {
        .name = name, .n_threads = N_THREADS, .max_clients = MAX_CLIENTS, .poll = poll};
    struct shm_server *server;
    struct collide_error err;
    *e = (struct echo_service){0};
    if (shm_server_create(echo_as_service(e), &options, &server, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return server;
}

struct channel *shm_test_reach(const char *name, enum channel_wait wait)
{
    struct channel *c;
    struct collide_error err;
    if (channel_shm_create(name, wait, &c, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return c;
}
