#include "net/shm.h"

#include "base/error.h"
#include "base/log.h"
#include "net/listen_unix.h"
#include "net/shm_port.h"
#include "transport/shm_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BACKLOG = 128, EXHAUSTED_MS = 100 };

struct shm_thread {
    struct shm_port *port;
    struct burst_loop *loop;
};

struct shm_server {
    struct shm_name name;
    int listener, stop_fd;
    bool is_running; /* the acceptor */
    pthread_t acceptor;
    unsigned max_clients;
    enum shm_rest rest; /* of the serving threads */
    unsigned n_threads;
    struct shm_thread threads[]; /* (n_threads) */
};

static bool is_welcome(const struct shm_server *s, int fd)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t n = sizeof peer;
    if (!s->name.is_abstract)
        return true;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

/* NULL: all are full. */
static struct shm_port *least_loaded(const struct shm_server *s)
{
    struct shm_port *best = NULL;
    unsigned n_least = s->max_clients;
    for (unsigned i = 0; i < s->n_threads; i++) {
        unsigned n = shm_port_n_clients(s->threads[i].port);
        if (n < n_least) {
            best = s->threads[i].port;
            n_least = n;
        }
    }
    return best;
}

/* A ring in a memory file that nobody can cut short: a page that is gone would kill the server. -1: errno. */
static int ring_create(enum shm_rest rest, struct shm_ring **out)
{
    int fd = memfd_create("collide-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -1;
    void *memory = MAP_FAILED;
    if (ftruncate(fd, sizeof(struct shm_ring)) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        memory =
            mmap(NULL, sizeof(struct shm_ring), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (memory == MAP_FAILED) {
        close(fd);
        return -1;
    }
    *out = memory;
    shm_sleeper_set(&(*out)->server, rest);
    return fd;
}

static void say_hello(const struct shm_server *s, int fd, enum shm_outcome outcome, int memory_fd)
{
    const struct shm_hello hello = {.magic = SHM_MAGIC,
                                    .version = SHM_VERSION,
                                    .outcome = outcome,
                                    .n_slots = SHM_SLOTS,
                                    .slot_bytes = sizeof(struct shm_slot),
                                    .ring_bytes = sizeof(struct shm_ring),
                                    .max_clients = s->n_threads * s->max_clients};
    shm_hello_send(fd, &hello, memory_fd);
}

/* Takes the connection. One that a hello no longer reaches is noticed by the thread that has it. */
static void admit(struct shm_server *s, int fd)
{
    struct shm_port *port = least_loaded(s);
    struct shm_ring *ring = NULL;
    enum shm_outcome outcome = !is_welcome(s, fd) ? SHM_FORBIDDEN : port ? SHM_WELCOME : SHM_FULL;
    int memory_fd = outcome == SHM_WELCOME ? ring_create(s->rest, &ring) : -1;
    if (outcome == SHM_WELCOME && memory_fd < 0)
        outcome = SHM_FAILED;
    say_hello(s, fd, outcome, memory_fd);
    if (memory_fd >= 0)
        close(memory_fd);
    if (outcome == SHM_WELCOME && shm_port_add(port, fd, ring) == COLLIDE_OK)
        return;
    if (ring)
        munmap(ring, sizeof *ring);
    close(fd);
}

static void *accept_clients(void *context)
{
    struct shm_server *s = context;
    struct pollfd fds[] = {{.fd = s->stop_fd, .events = POLLIN}, {.fd = s->listener, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0 || !fds[0].revents) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            admit(s, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            log_warning("cannot accept a client of shared memory: %s", strerror(errno));
            poll(fds, 1, EXHAUSTED_MS);
        }
    }
    return NULL;
}

static enum collide_status open_listener(struct shm_server *s, const char *name, struct collide_error *err)
{
    s->listener = listen_unix(SOCK_SEQPACKET, &s->name.address, s->name.n_bytes, BACKLOG);
    if (s->listener >= 0)
        return COLLIDE_OK;
    int failed = errno;
    return error_set_errno(err, COLLIDE_IO, failed, "cannot serve shared memory as \"%.100s\"%s", name,
                           failed == EADDRINUSE ? " (stop what serves it, or choose another name)" : "");
}

static enum collide_status start(struct shm_server *s, struct service *service,
                                 const struct shm_options *options, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    for (unsigned i = 0; i < options->n_threads && status == COLLIDE_OK; i++) {
        struct shm_thread *t = &s->threads[i];
        struct burst_loop_options loop = {.service = service,
                                          .worker = options->first_worker + i,
                                          .poll = options->poll,
                                          .cpu = options->cpus ? options->cpus[i] : -1};
        status = shm_port_create(options->max_clients, &t->port, err);
        s->n_threads = i + 1;
        if (status == COLLIDE_OK)
            status = burst_loop_start(shm_port_burst(t->port), &loop, &t->loop, err);
    }
    if (status != COLLIDE_OK)
        return status;
    s->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (s->stop_fd < 0)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot serve shared memory");
    int failed = pthread_create(&s->acceptor, NULL, accept_clients, s);
    if (failed)
        return error_set_errno(err, COLLIDE_NO_MEMORY, failed, "cannot start a thread for shared memory");
    s->is_running = true;
    return COLLIDE_OK;
}

enum collide_status shm_server_create(struct service *service, const struct shm_options *options,
                                      struct shm_server **out, struct collide_error *err)
{
    struct shm_server *s = calloc(1, sizeof *s + options->n_threads * sizeof *s->threads);
    if (!s)
        return error_no_memory(err, "the shared memory's server");
    s->listener = s->stop_fd = -1;
    s->max_clients = options->max_clients;
    s->rest = options->poll == POLL_SPIN ? SHM_NEVER_SLEEPS : SHM_AWAKE;
    enum collide_status status = shm_name_parse(options->name, &s->name, err);
    if (status == COLLIDE_OK)
        status = open_listener(s, options->name, err);
    if (status == COLLIDE_OK)
        status = start(s, service, options, err);
    if (status == COLLIDE_OK)
        *out = s;
    else
        shm_server_destroy(s);
    return status;
}

void shm_server_destroy(struct shm_server *s)
{
    if (!s)
        return;
    if (s->is_running) {
        eventfd_write(s->stop_fd, 1);
        pthread_join(s->acceptor, NULL);
    }
    if (s->listener >= 0 && !s->name.is_abstract)
        unlink(s->name.address.sun_path);
    if (s->listener >= 0)
        close(s->listener);
    if (s->stop_fd >= 0)
        close(s->stop_fd);
    for (unsigned i = 0; i < s->n_threads; i++) {
        burst_loop_stop(s->threads[i].loop);
        shm_port_destroy(s->threads[i].port);
    }
    free(s);
}
