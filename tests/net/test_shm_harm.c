#include "base/rng.h"
#include "net/other_process.h"
#include "net/shm_fixture.h"
#include "support/scratch.h"
#include "transport/shm_ring.h"
#include "transport/shm_socket.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static unsigned n_rings_mapped(void)
{
    char line[512];
    unsigned n = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps))
        n += strstr(line, "memfd:collide-ring") != NULL;
    fclose(maps);
    return n;
}

static unsigned n_files_open(void)
{
    unsigned n = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

/* Until no more than these are left, of both ends' rings and of all files. */
static void await_rings(unsigned n_rings, unsigned n_files)
{
    for (int n_tries = 0; n_rings_mapped() > n_rings || n_files_open() > n_files; n_tries++) {
        assert_true(n_tries < PATIENCE);
        usleep(10000);
    }
}

static void ask_without_waiting(const char *name)
{
    struct channel *c;
    if (channel_shm_create(name, CHANNEL_SLEEP, &c, NULL) != COLLIDE_OK)
        _exit(1);
    for (uint64_t i = 0; i < 40; i++)
        echo_send(c, i, 1000);
}

static void a_client_killed_mid_request_takes_only_its_own_with_it(void **state)
{
    static const enum poll_policy policies[] = {POLL_SLEEP, POLL_SPIN};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct echo_service e;
        struct other others[4];
        char name[64];
        snprintf(name, sizeof name, "%s", shm_test_name());
        for (size_t k = 0; k < 4; k++)
            other_start(&others[k], ask_without_waiting, name);
        struct shm_server *server = shm_test_serve(&e, name, policies[i]);
        unsigned n_files = n_files_open();
        struct channel *c = shm_test_reach(name, CHANNEL_SLEEP);
        atomic_store(&e.pause_us, 20000);
        for (size_t k = 0; k < 4; k++)
            other_go(&others[k]);
        for (size_t k = 0; k < 4; k++)
            other_wait(&others[k]);
        echo_send(c, 0, 100);
        for (size_t k = 0; k < 4; k++)
            other_kill(&others[k]);
        n_files -= 8; /* pipes to the others */
        echo_receive(c, 0, 100);
        atomic_store(&e.pause_us, 0);
        echo_many(c, 1000, 16);
        await_rings(2, UINT_MAX);
        c->make->destroy(c);
        await_rings(0, n_files);
        shm_server_destroy(server);
    }
}

static void serve_forever(const char *name)
{
    static struct echo_service e;
    shm_test_serve(&e, name, POLL_ADAPTIVE);
    atomic_store(&e.pause_us, 100);
}

static void a_killed_server_is_noticed_and_its_successor_served(void **state)
{
    (void)state;
    struct scratch folder;
    char path[2 * SCRATCH_PATH_BYTES];
    scratch_create(&folder);
    scratch_path(&folder, "socket", path);
    const char *names[] = {shm_test_name(), path};
    for (size_t i = 0; i < 2; i++)
        for (enum channel_wait wait = CHANNEL_SPIN; wait <= CHANNEL_SLEEP; wait++) {
            struct other other;
            struct echo_service e;
            struct collide_error err;
            other_start(&other, serve_forever, names[i]);
            other_go(&other);
            other_wait(&other);
            struct channel *c = shm_test_reach(names[i], wait);
            echo_many(c, 100, 8);
            other_kill(&other);
            echo_send(c, 0, 8);
            assert_true(echo_sees_end(c, &err));
            assert_non_null(strstr(err.text, "is gone; start it and connect anew"));
            c->make->destroy(c);
            struct shm_server *server = shm_test_serve(&e, names[i], POLL_SLEEP);
            c = shm_test_reach(names[i], wait);
            echo_many(c, 100, 8);
            c->make->destroy(c);
            shm_server_destroy(server);
        }
    scratch_destroy(&folder);
}

static struct shm_ring *join_bare(const char *name, int *fd, int *memory)
{
    struct shm_name at;
    struct shm_hello hello;
    *fd = shm_socket_open(0);
    if (shm_name_parse(name, &at, NULL) != COLLIDE_OK ||
        connect(*fd, (struct sockaddr *)&at.address, at.n_bytes) != 0 ||
        !shm_hello_receive(*fd, &hello, memory))
        _exit(1);
    return mmap(NULL, sizeof(struct shm_ring), PROT_READ | PROT_WRITE, MAP_SHARED, *memory, 0);
}

/* Until killed, writes nonsense to every word, most often to those that mean something; lets pages vanish,
 * floods the bell and passes files along. */
static void scribble(const char *name)
{
    static const uint32_t favourites[] = {0, 1, 2, 3, 64, WIRE_MAX_BYTES, WIRE_MAX_BYTES + 1, UINT32_MAX};
    int fd, memory;
    struct shm_ring *ring = join_bare(name, &fd, &memory);
    struct rng rng = rng_seeded(13, 0);
    uint32_t *words = (uint32_t *)ring;
    uint32_t due[SHM_SLOTS]; /* the turn at which the server takes the slot */
    if (ftruncate(memory, 0) == 0 || ftruncate(memory, 1 << 20) == 0)
        _exit(1);
    for (size_t k = 0; k < SHM_SLOTS; k++)
        due[k] = 1;
    for (uint32_t i = 0;; i++) {
        struct shm_slot *slot = &ring->slots[i % SHM_SLOTS];
        uint32_t *next = &due[i % SHM_SLOTS];
        __atomic_store_n(&words[rng_below(&rng, sizeof *ring / 4)], (uint32_t)rng_u64(&rng),
                         __ATOMIC_RELAXED);
        __atomic_store_n(&slot->n_bytes, favourites[rng_below(&rng, 8)], __ATOMIC_RELAXED);
        uint32_t ahead = __atomic_load_n(&slot->turn, __ATOMIC_RELAXED) - *next;
        *next += ahead % 2 == 1 && ahead < 8 ? ahead + 1 : 0;
        uint32_t nonsense = (uint32_t)rng_u64(&rng), lap = (uint32_t)rng_below(&rng, 4);
        /* Where answers were written over, the server is some laps ahead. */
        uint32_t turn = rng_below(&rng, 8) ? *next + 2 * lap : nonsense;
        __atomic_store_n(&slot->turn, turn, __ATOMIC_RELAXED);
        __atomic_store_n(&ring->server.rest, favourites[rng_below(&rng, 8)], __ATOMIC_RELAXED);
        __atomic_store_n(&ring->client.rest, favourites[rng_below(&rng, 8)], __ATOMIC_RELAXED);
        if (i % 64 == 0)
            shm_bell_ring(fd);
        if (i % 4096 == 0)
            send(fd, ring, 10000, MSG_DONTWAIT);
        if (i % 4096 == 1)
            shm_hello_send(fd, &(struct shm_hello){0}, memory);
        if (i % 65536 == 2)
            fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096 * (off_t)rng_below(&rng, 24),
                      4096);
    }
}

/* Starts two that scribble, on either thread, beside one honest client; each of whose answers is checked. */
static void a_client_that_scribbles_harms_only_itself(void **state)
{
    static const enum poll_policy policies[] = {POLL_SLEEP, POLL_ADAPTIVE, POLL_SPIN};
    (void)state;
    char name[64];
    snprintf(name, sizeof name, "%s", shm_test_name());
    for (size_t i = 0; i < 3; i++) {
        struct echo_service e;
        struct other others[N_THREADS];
        for (size_t k = 0; k < N_THREADS; k++)
            other_start(&others[k], scribble, name);
        struct shm_server *server = shm_test_serve(&e, name, policies[i]);
        unsigned n_files = n_files_open();
        struct channel *c = shm_test_reach(name, CHANNEL_SLEEP);
        for (size_t k = 0; k < N_THREADS; k++)
            other_go(&others[k]);
        echo_many(c, 5000, 1);
        echo_many(c, 20000, 32);
        for (int n_tries = 0; atomic_load(&e.n_datagrams) < 25000 + 5000; n_tries++) {
            assert_true(n_tries < PATIENCE);
            usleep(10000);
        }
        for (size_t k = 0; k < N_THREADS; k++)
            other_kill(&others[k]);
        n_files -= 2 * N_THREADS;
        echo_many(c, 1000, 8);
        c->make->destroy(c);
        await_rings(0, n_files);
        shm_server_destroy(server);
    }
}

static void a_client_that_leaves_at_once_is_forgotten(void **state)
{
    (void)state;
    struct echo_service e;
    struct shm_name at;
    struct shm_server *server = shm_test_serve(&e, shm_test_name(), POLL_SLEEP);
    assert_int_equal(shm_name_parse(shm_test_name(), &at, NULL), COLLIDE_OK);
    for (int i = 0; i < 500; i++) {
        int fd = shm_socket_open(0);
        assert_int_equal(connect(fd, (struct sockaddr *)&at.address, at.n_bytes), 0);
        close(fd);
    }
    await_rings(0, UINT_MAX);
    struct channel *c = shm_test_reach(shm_test_name(), CHANNEL_SLEEP);
    echo_many(c, 10, 1);
    c->make->destroy(c);
    shm_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_killed_mid_request_takes_only_its_own_with_it),
        cmocka_unit_test(a_killed_server_is_noticed_and_its_successor_served),
        cmocka_unit_test(a_client_that_scribbles_harms_only_itself),
        cmocka_unit_test(a_client_that_leaves_at_once_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
