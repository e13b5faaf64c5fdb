#include "xdp/xdp_socket.h"

#include "base/error.h"
#include "xdp/permission.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <xdp/xsk.h>

enum {
    HUGE_PAGE_BYTES = 2 << 20,
    CACHE_LINE_BYTES = 64,
    PREFETCHED_BYTES = 256, /* of each frame */
    STAMP_BYTES = 8,        /* before the frame: when it came */
    SENT_PER_CALL = 16,     /* at least, by the kernel's own budgets */
    BUSY_POLL_BUDGET = 64,  /* frames */
    N_BUSY_TRIES = 50,
    BUSY_PAUSE_NS = 20000000,
};

struct xdp_socket {
    struct xsk_ring_prod fill, tx;
    struct xsk_ring_cons rx, completion;
    uint8_t *memory;
    struct xsk_socket *socket;
    struct xsk_umem *umem;
    int fd;
    unsigned n_frames, n_receive;
    unsigned n_filled, n_sending, n_in_hand, n_free; /* frames: to be received into, sent, in hand, free */
    unsigned n_fill_ready, n_tx_ready;               /* written to the rings, not yet told */
    bool polls_driver, is_zero_copy;
    uint32_t free[]; /* (n_frames), n_free of them: offsets in memory */
};

uint8_t *xdp_memory_allocate(size_t n_frames)
{
    size_t n_bytes = n_frames * XDP_FRAME_BYTES;
    void *memory = NULL;
    if (posix_memalign(&memory, HUGE_PAGE_BYTES, n_bytes) != 0)
        return NULL;
    madvise(memory, n_bytes, MADV_HUGEPAGE);
    return memset(memory, 0, n_bytes);
}

/* A frame that nobody uses: back to the kernel, or free to be sent. */
static void give_back(struct xdp_socket *s, uint64_t at)
{
    uint64_t frame = at & ~(uint64_t)(XDP_FRAME_BYTES - 1);
    if (s->n_filled == s->n_receive) {
        s->free[s->n_free++] = (uint32_t)frame;
        return;
    }
    /* Where the driver has no room for a stamp, none must be read. */
    memset(s->memory + frame + XDP_RECEIVED_AT - STAMP_BYTES, 0, STAMP_BYTES);
    uint32_t slot = 0;
    xsk_ring_prod__reserve(&s->fill, 1, &slot);
    *xsk_ring_prod__fill_addr(&s->fill, slot) = frame;
    s->n_filled++;
    s->n_fill_ready++;
}

static void fill(struct xdp_socket *s)
{
    if (s->n_fill_ready == 0)
        return;
    xsk_ring_prod__submit(&s->fill, s->n_fill_ready);
    s->n_fill_ready = 0;
}

static enum collide_status bind_error(int saved_errno, const struct xdp_socket_options *options,
                                      struct collide_error *err)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (saved_errno == ENOBUFS || saved_errno == ENOMEM)
        return error_set(err, COLLIDE_UNSUPPORTED,
                         "cannot lock %u KiB of memory for queue %u of %s: the limit is %llu KiB; raise it "
                         "(`ulimit -l`, or LimitMEMLOCK= of systemd), or " PERMISSION_REMEDY,
                         options->n_frames * XDP_FRAME_BYTES / 1024, options->queue, options->interface,
                         (unsigned long long)limit.rlim_cur / 1024);
    if (saved_errno == EBUSY)
        return error_set(err, COLLIDE_BUSY,
                         "another AF_XDP socket has queue %u of %s: stop the process that has it",
                         options->queue, options->interface);
    return permission_error(err, saved_errno, "bind an AF_XDP socket", options->interface);
}

/* 0, or errno. Memory that a bind has failed with cannot be bound again, so that each attempt shares it anew.
 */
static int bind_as(struct xdp_socket *s, const struct xdp_socket_options *options, unsigned copy_flag)
{
    const struct xsk_umem_config shared = {
        .fill_size = s->n_frames,
        .comp_size = s->n_frames,
        .frame_size = XDP_FRAME_BYTES,
        .frame_headroom = XDP_HEADROOM,
    };
    const struct xsk_socket_config config = {
        .rx_size = s->n_frames,
        .tx_size = s->n_frames,
        .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
        .bind_flags = (uint16_t)(XDP_USE_NEED_WAKEUP | copy_flag),
    };
    uint64_t n_bytes = (uint64_t)s->n_frames * XDP_FRAME_BYTES;
    int failed = -xsk_umem__create(&s->umem, s->memory, n_bytes, &s->fill, &s->completion, &shared);
    if (failed)
        return failed;
    failed =
        -xsk_socket__create(&s->socket, options->interface, options->queue, s->umem, &s->rx, &s->tx, &config);
    if (failed) {
        xsk_umem__delete(s->umem);
        s->umem = NULL;
        s->socket = NULL;
    }
    return failed;
}

/* The kernel frees a queue some time after the last process that had it is gone. */
static enum collide_status bind_socket(struct xdp_socket *s, const struct xdp_socket_options *options,
                                       struct collide_error *err)
{
    int failed = EBUSY;
    for (unsigned n_tries = 0; failed == EBUSY && n_tries < N_BUSY_TRIES; n_tries++) {
        if (n_tries > 0)
            nanosleep(&(struct timespec){.tv_nsec = BUSY_PAUSE_NS}, NULL);
        failed = bind_as(s, options, XDP_ZEROCOPY);
        s->is_zero_copy = failed == 0;
        if (failed && failed != EBUSY)
            failed = bind_as(s, options, XDP_COPY);
    }
    return failed ? bind_error(failed, options, err) : COLLIDE_OK;
}

static enum collide_status poll_driver(struct xdp_socket *s, unsigned busy_poll_us, struct collide_error *err)
{
    const int prefer = 1, us = (int)busy_poll_us, budget = BUSY_POLL_BUDGET;
    if (setsockopt(s->fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &prefer, sizeof prefer) != 0 ||
        setsockopt(s->fd, SOL_SOCKET, SO_BUSY_POLL, &us, sizeof us) != 0 ||
        setsockopt(s->fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof budget) != 0)
        return error_set_errno(err, COLLIDE_UNSUPPORTED, errno, "cannot busy-poll the driver");
    s->polls_driver = true;
    return COLLIDE_OK;
}

enum collide_status xdp_socket_create(const struct xdp_socket_options *options, struct xdp_socket **out,
                                      struct collide_error *err)
{
    assert((options->n_frames & (options->n_frames - 1)) == 0 && options->n_receive <= options->n_frames);
    struct xdp_socket *s = calloc(1, sizeof *s + options->n_frames * sizeof s->free[0]);
    if (!s)
        return error_no_memory(err, "an AF_XDP socket");
    s->memory = options->memory;
    s->n_frames = options->n_frames;
    s->n_receive = options->n_receive;
    enum collide_status status = bind_socket(s, options, err);
    if (status == COLLIDE_OK) {
        s->fd = xsk_socket__fd(s->socket);
        fcntl(s->fd, F_SETFD, FD_CLOEXEC);
        for (uint64_t i = 0; i < s->n_frames; i++)
            give_back(s, i * XDP_FRAME_BYTES);
        fill(s);
    }
    if (status == COLLIDE_OK && options->busy_poll_us)
        status = poll_driver(s, options->busy_poll_us, err);
    if (status != COLLIDE_OK) {
        xdp_socket_destroy(s);
        return status;
    }
    *out = s;
    return COLLIDE_OK;
}

void xdp_socket_destroy(struct xdp_socket *s)
{
    if (!s)
        return;
    xsk_socket__delete(s->socket);
    if (s->umem)
        xsk_umem__delete(s->umem);
    free(s);
}

int xdp_socket_fd(const struct xdp_socket *s)
{
    return s->fd;
}

bool xdp_socket_is_zero_copy(const struct xdp_socket *s)
{
    return s->is_zero_copy;
}

static void take_back_sent(struct xdp_socket *s)
{
    uint32_t slot = 0, n = xsk_ring_cons__peek(&s->completion, s->n_sending, &slot);
    if (n == 0)
        return;
    for (uint32_t i = 0; i < n; i++)
        give_back(s, *xsk_ring_cons__comp_addr(&s->completion, slot + i));
    xsk_ring_cons__release(&s->completion, n);
    s->n_sending -= n;
}

static uint32_t n_in_producer(const struct xsk_ring_prod *ring)
{
    return __atomic_load_n(ring->producer, __ATOMIC_RELAXED) -
           __atomic_load_n(ring->consumer, __ATOMIC_RELAXED);
}

static uint32_t n_in_consumer(const struct xsk_ring_cons *ring)
{
    return __atomic_load_n(ring->producer, __ATOMIC_RELAXED) -
           __atomic_load_n(ring->consumer, __ATOMIC_RELAXED);
}

/* Without libc's point of cancellation, which costs a process with threads 40 ns. */
static bool send_some(const struct xdp_socket *s)
{
    return syscall(SYS_sendto, s->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0;
}

/* The kernel sends some frames a call, and says so with an error; what a full device leaves is tried again by
 * the next receive. */
static void push(struct xdp_socket *s)
{
    for (unsigned left = s->n_sending; left > 0 && xsk_ring_prod__needs_wakeup(&s->tx);
         left -= left < SENT_PER_CALL ? left : SENT_PER_CALL) {
        if (send_some(s) || (errno != EAGAIN && errno != EBUSY))
            return;
    }
}

static void read_stamp(const struct xdp_socket *s, uint64_t at, struct xdp_frame *out)
{
    out->arrived_ns = 0;
    if (at % XDP_FRAME_BYTES == XDP_RECEIVED_AT)
        memcpy(&out->arrived_ns, s->memory + at - STAMP_BYTES, STAMP_BYTES);
}

/* Nothing has come: what may be amiss. */
static void nudge(struct xdp_socket *s)
{
    if (s->n_sending) {
        take_back_sent(s);
        if (s->n_sending && n_in_producer(&s->tx))
            push(s);
    }
    fill(s);
    if (s->polls_driver || xsk_ring_prod__needs_wakeup(&s->fill))
        recvfrom(s->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

size_t xdp_socket_receive(struct xdp_socket *s, struct xdp_frame *out, size_t max)
{
    uint32_t slot = 0, n = xsk_ring_cons__peek(&s->rx, (uint32_t)max, &slot);
    if (n == 0) {
        nudge(s);
        return 0;
    }
    /* Another CPU has just written them: all misses of a burst at once. */
    for (uint32_t i = 0; i < n; i++) {
        const struct xdp_desc *d = xsk_ring_cons__rx_desc(&s->rx, slot + i);
        for (uint32_t at = 0; at < d->len && at < PREFETCHED_BYTES; at += CACHE_LINE_BYTES)
            __builtin_prefetch(s->memory + d->addr + at);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct xdp_desc *d = xsk_ring_cons__rx_desc(&s->rx, slot + i);
        out[i].bytes = s->memory + d->addr;
        out[i].n_bytes = d->len;
        read_stamp(s, d->addr, &out[i]);
    }
    xsk_ring_cons__release(&s->rx, n);
    s->n_filled -= n;
    s->n_in_hand += n;
    return n;
}

uint8_t *xdp_socket_reserve(struct xdp_socket *s)
{
    if (s->n_free == 0)
        take_back_sent(s);
    if (s->n_free == 0)
        return NULL;
    s->n_in_hand++;
    return s->memory + s->free[--s->n_free];
}

void xdp_socket_queue(struct xdp_socket *s, const uint8_t *bytes, uint32_t n_bytes)
{
    uint32_t slot = 0;
    xsk_ring_prod__reserve(&s->tx, 1, &slot);
    *xsk_ring_prod__tx_desc(&s->tx, slot) =
        (struct xdp_desc){.addr = (uint64_t)(bytes - s->memory), .len = n_bytes};
    s->n_in_hand--;
    s->n_tx_ready++;
}

void xdp_socket_release(struct xdp_socket *s, const uint8_t *bytes)
{
    s->n_in_hand--;
    give_back(s, (uint64_t)(bytes - s->memory));
}

void xdp_socket_flush(struct xdp_socket *s)
{
    if (s->n_tx_ready) {
        xsk_ring_prod__submit(&s->tx, s->n_tx_ready);
        s->n_sending += s->n_tx_ready;
        s->n_tx_ready = 0;
        push(s);
    }
    if (s->n_sending)
        take_back_sent(s);
    fill(s);
}

void xdp_socket_wait(struct xdp_socket *s, unsigned timeout_ms)
{
    struct pollfd at = {.fd = s->fd, .events = POLLIN};
    if (poll(&at, 1, (int)timeout_ms) > 0 && !(at.revents & POLLIN))
        poll(NULL, 0, (int)timeout_ms); /* the interface is gone: asking again at once would spin */
}

void xdp_socket_census(const struct xdp_socket *s, struct xdp_census *out)
{
    *out = (struct xdp_census){
        .fill = n_in_producer(&s->fill) + s->n_fill_ready,
        .rx = n_in_consumer(&s->rx),
        .tx = n_in_producer(&s->tx) + s->n_tx_ready,
        .completion = n_in_consumer(&s->completion),
        .in_hand = s->n_in_hand,
        .free = s->n_free,
        .n_frames = s->n_frames,
    };
}

uint32_t xdp_census_found(const struct xdp_census *c)
{
    return c->fill + c->rx + c->tx + c->completion + c->in_hand + c->free;
}

void xdp_socket_drops(const struct xdp_socket *s, struct xdp_drops *out)
{
    struct xdp_statistics found = {0};
    socklen_t n_bytes = sizeof found;
    getsockopt(s->fd, SOL_XDP, XDP_STATISTICS, &found, &n_bytes);
    uint64_t n_empty = found.rx_fill_ring_empty_descs; /* which rx_dropped counts as well */
    *out = (struct xdp_drops){
        .n_rx_other = found.rx_dropped > n_empty ? found.rx_dropped - n_empty : 0,
        .n_rx_fill_empty = n_empty,
        .n_rx_invalid = found.rx_invalid_descs,
        .n_tx_invalid = found.tx_invalid_descs,
    };
}
