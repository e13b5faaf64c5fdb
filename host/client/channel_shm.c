#include "client/channel.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/spin.h"
#include "transport/shm_ring.h"
#include "transport/shm_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    SPIN_NS = 20000,          /* before it sleeps: less than what waking costs */
    LOOKS_PER_CLOCK = 32,     /* the clock costs as much as some looks */
    LOOKS_PER_HEARING = 8192, /* and the question whether the server is still there as some hundred */
    HELLO_TIMEOUT_S = 5,
};

struct channel_shm {
    struct channel channel;
    struct shm_client_end end;
    int fd;
    enum channel_wait wait;
    unsigned n_looks;
    char name[108];
    /* What is reserved; the server is looking at the slot itself. */
    _Alignas(64) uint8_t bytes[WIRE_MAX_BYTES];
};

static uint8_t *reserve(struct channel *channel)
{
    struct channel_shm *c = (struct channel_shm *)channel;
    return shm_ring_is_full(&c->end) ? NULL : c->bytes;
}

static enum collide_status submit(struct channel *channel, size_t n_bytes, struct collide_error *err)
{
    struct channel_shm *c = (struct channel_shm *)channel;
    (void)err;
    shm_ring_submit(&c->end, c->bytes, n_bytes);
    return COLLIDE_OK;
}

static enum collide_status flush(struct channel *channel, struct collide_error *err)
{
    struct channel_shm *c = (struct channel_shm *)channel;
    (void)err;
    if (shm_sleeper_needs_bell(&c->end.ring->server))
        shm_bell_ring(c->fd);
    return COLLIDE_OK;
}

static enum collide_status server_is_gone(const struct channel_shm *c, struct collide_error *err)
{
    return error_set(err, COLLIDE_IO,
                     "the server of shared memory \"%.100s\" is gone; start it and connect anew", c->name);
}

/* Sleeps until the bell rings, the server is gone or until_ns. */
static void sleep_until(struct channel_shm *c, uint64_t now_ns, uint64_t until_ns)
{
    struct shm_sleeper *me = &c->end.ring->client;
    struct pollfd bell = {.fd = c->fd, .events = POLLIN};
    uint64_t wait_ns = until_ns - now_ns;
    struct timespec timeout = {(time_t)(wait_ns / 1000000000), (long)(wait_ns % 1000000000)};
    shm_sleeper_lie_down(me);
    if (!shm_ring_has_answer(&c->end))
        ppoll(&bell, 1, &timeout, NULL);
    shm_sleeper_get_up(me);
}

/* One answer that is no more than a mark that its datagram was dropped is passed over. */
static bool collect(struct channel_shm *c, const uint8_t **bytes, size_t *n_bytes)
{
    while (shm_ring_collect(&c->end, bytes, n_bytes))
        if (*n_bytes)
            return true;
    *bytes = NULL;
    return false;
}

/* COLLIDE_IO only when nothing is left to collect. */
static enum collide_status hear(struct channel_shm *c, struct collide_error *err)
{
    return shm_bell_hear(c->fd) || shm_ring_has_answer(&c->end) ? COLLIDE_OK : server_is_gone(c, err);
}

static enum collide_status receive(struct channel *channel, uint64_t until_ns, const uint8_t **bytes,
                                   size_t *n_bytes, struct collide_error *err)
{
    struct channel_shm *c = (struct channel_shm *)channel;
    enum collide_status status = COLLIDE_OK;
    uint64_t spin_until_ns = 0;
    while (!collect(c, bytes, n_bytes) && status == COLLIDE_OK) {
        if (++c->n_looks % LOOKS_PER_HEARING == 0)
            status = hear(c, err);
        if (until_ns == 0)
            break;
        spin_pause();
        if (c->n_looks % LOOKS_PER_CLOCK)
            continue;
        uint64_t now_ns = clock_now_ns();
        if (now_ns >= until_ns)
            break;
        if (spin_until_ns == 0)
            spin_until_ns = now_ns + SPIN_NS;
        if (c->wait == CHANNEL_SLEEP && now_ns >= spin_until_ns && status == COLLIDE_OK) {
            sleep_until(c, now_ns, until_ns);
            status = hear(c, err);
        }
    }
    return status;
}

static void destroy(struct channel *channel)
{
    struct channel_shm *c = (struct channel_shm *)channel;
    if (c->end.ring)
        munmap(c->end.ring, sizeof *c->end.ring);
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}

static const struct channel_make make = {
    .reserve = reserve, .send = submit, .flush = flush, .receive = receive, .destroy = destroy};

static enum collide_status connect_server(struct channel_shm *c, struct collide_error *err)
{
    struct timeval patience = {.tv_sec = HELLO_TIMEOUT_S};
    struct shm_name name;
    enum collide_status status = shm_name_parse(c->name, &name, err);
    if (status != COLLIDE_OK)
        return status;
    c->fd = shm_socket_open(0);
    if (c->fd >= 0 && setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
        connect(c->fd, (const struct sockaddr *)&name.address, name.n_bytes) == 0)
        return COLLIDE_OK;
    bool is_absent = errno == ECONNREFUSED || errno == ENOENT;
    return error_set_errno(err, COLLIDE_IO, errno, "cannot connect to shared memory \"%.100s\"%s", c->name,
                           is_absent ? " (start `collide serve --shm` with this name)" : "");
}

static enum collide_status lays_out_otherwise(const struct channel_shm *c, struct collide_error *err)
{
    return error_set(err, COLLIDE_UNSUPPORTED, "the server of \"%.100s\" lays out its memory otherwise",
                     c->name);
}

static enum collide_status map_ring(struct channel_shm *c, int memory_fd, struct collide_error *err)
{
    struct stat about;
    if (fstat(memory_fd, &about) != 0 || about.st_size != sizeof(struct shm_ring))
        return lays_out_otherwise(c, err);
    void *memory =
        mmap(NULL, sizeof(struct shm_ring), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, memory_fd, 0);
    if (memory == MAP_FAILED)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot map shared memory \"%.100s\"", c->name);
    c->end.ring = memory;
    shm_sleeper_set(&c->end.ring->client, c->wait == CHANNEL_SLEEP ? SHM_AWAKE : SHM_NEVER_SLEEPS);
    return COLLIDE_OK;
}

static enum collide_status check_hello(const struct channel_shm *c, const struct shm_hello *hello,
                                       int memory_fd, struct collide_error *err)
{
    if (hello->version != SHM_VERSION)
        return error_set(
            err, COLLIDE_UNSUPPORTED,
            "the server of \"%.100s\" speaks version %u of shared memory, this client %d; use the "
            "same release for both",
            c->name, hello->version, SHM_VERSION);
    if (hello->outcome == SHM_FULL)
        return error_set(err, COLLIDE_BUSY,
                         "the server of \"%.100s\" has its %u clients; close one, or let it have more",
                         c->name, hello->max_clients);
    if (hello->outcome == SHM_FORBIDDEN)
        return error_set(err, COLLIDE_IO,
                         "the server of \"%.100s\" belongs to another user; serve at a path to let in others",
                         c->name);
    if (hello->outcome != SHM_WELCOME || memory_fd < 0)
        return error_set(err, COLLIDE_IO,
                         "the server of \"%.100s\" lacks memory or file descriptors for another client",
                         c->name);
    if (hello->n_slots != SHM_SLOTS || hello->slot_bytes != sizeof(struct shm_slot) ||
        hello->ring_bytes != sizeof(struct shm_ring))
        return lays_out_otherwise(c, err);
    return COLLIDE_OK;
}

static enum collide_status meet(struct channel_shm *c, struct collide_error *err)
{
    struct shm_hello hello;
    int memory_fd = -1;
    enum collide_status status = connect_server(c, err);
    if (status != COLLIDE_OK)
        return status;
    if (!shm_hello_receive(c->fd, &hello, &memory_fd)) {
        if (errno == 0)
            return error_set(err, COLLIDE_IO, "what serves \"%.100s\" is no server of shared memory",
                             c->name);
        return error_set_errno(err, COLLIDE_IO, errno,
                               "the server of shared memory \"%.100s\" does not answer", c->name);
    }
    status = check_hello(c, &hello, memory_fd, err);
    if (status == COLLIDE_OK)
        status = map_ring(c, memory_fd, err);
    if (memory_fd >= 0)
        close(memory_fd);
    return status;
}

enum collide_status channel_shm_create(const char *name, enum channel_wait wait, struct channel **out,
                                       struct collide_error *err)
{
    struct channel_shm *c = aligned_alloc(_Alignof(struct channel_shm), sizeof *c);
    if (!c)
        return error_no_memory(err, "a client of shared memory");
    *c = (struct channel_shm){
        .channel = {.make = &make, .max_in_flight = SHM_MAX_IN_FLIGHT}, .fd = -1, .wait = wait};
    snprintf(c->name, sizeof c->name, "%s", name);
    enum collide_status status = meet(c, err);
    if (status != COLLIDE_OK) {
        destroy(&c->channel);
        return status;
    }
    *out = &c->channel;
    return COLLIDE_OK;
}
