#include "net/frame_echo.h"

#include "base/clock.h"
#include "base/spin.h"
#include "xdp/frame.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_FRAMES = 256, BURST = 64, QUIET_NS = 20000000 };

struct queues {
    struct redirect *redirect;
    struct xdp_socket *sockets[ECHO_MAX_QUEUES];
    uint8_t *memory[ECHO_MAX_QUEUES];
    unsigned n;
};

static enum collide_status open_queues(struct queues *q, const struct frame_echo_options *o,
                                       struct collide_error *err)
{
    const struct redirect_options attach = {
        .interface = VETH_INTERFACE, .port = ECHO_PORT, .mode = o->mode, .flags = REDIRECT_STAMPS_ARRIVAL};
    enum collide_status status = redirect_create(&attach, &q->redirect, err);
    for (unsigned i = 0; status == COLLIDE_OK && i < o->n_queues; i++, q->n = i) {
        q->memory[i] = xdp_memory_allocate(N_FRAMES);
        const struct xdp_socket_options open = {.interface = VETH_INTERFACE,
                                                .queue = i,
                                                .memory = q->memory[i],
                                                .n_frames = N_FRAMES,
                                                .n_receive = N_FRAMES,
                                                .busy_poll_us = o->busy_poll_us};
        status = xdp_socket_create(&open, &q->sockets[i], err);
        if (status == COLLIDE_OK)
            status = redirect_to_socket(q->redirect, i, xdp_socket_fd(q->sockets[i]), err);
    }
    return status;
}

static void close_queues(struct queues *q)
{
    redirect_destroy(q->redirect);
    for (unsigned i = 0; i < ECHO_MAX_QUEUES; i++) {
        xdp_socket_destroy(q->sockets[i]);
        free(q->memory[i]);
    }
}

static void echo_one(struct xdp_socket *s, const struct xdp_frame *received, struct echo_state *state,
                     unsigned queue)
{
    struct frame frame;
    uint64_t now_ns = clock_now_ns();
    if (frame_read(received->bytes, received->n_bytes, &frame) != FRAME_ACCEPTED) {
        state->n_refused++;
        xdp_socket_release(s, received->bytes);
        return;
    }
    state->n_stamped += received->arrived_ns <= now_ns && received->arrived_ns + 1000000000 > now_ns;
    frame_turn(&frame, frame.n_payload);
    xdp_socket_queue(s, frame.bytes, frame.n_bytes);
    state->n_echoed[queue]++;
}

static size_t echo_burst(struct xdp_socket *s, struct echo_state *state, unsigned queue)
{
    struct xdp_frame burst[BURST];
    size_t n = xdp_socket_receive(s, burst, BURST);
    for (size_t i = 0; i < n; i++)
        echo_one(s, &burst[i], state, queue);
    if (n > 0)
        xdp_socket_flush(s);
    return n;
}

/* Stops only when nothing has come for a while, so that every frame is at rest. */
static void echo(struct queues *q, struct echo_state *state, enum echo_wait wait)
{
    uint64_t busy_ns = clock_now_ns();
    while (!state->stop || clock_now_ns() - busy_ns < QUIET_NS) {
        size_t n = 0;
        for (unsigned i = 0; i < q->n; i++)
            n += echo_burst(q->sockets[i], state, i);
        state->n_fragments = redirect_n_fragments(q->redirect);
        if (n > 0)
            busy_ns = clock_now_ns();
        else if (wait == ECHO_SLEEPS && q->n == 1)
            xdp_socket_wait(q->sockets[0], 10);
        else
            spin_pause();
    }
    for (unsigned i = 0; i < q->n; i++)
        xdp_socket_census(q->sockets[i], &state->census[i]);
}

static void run(const struct veth *v, const struct frame_echo_options *o, struct echo_state *state)
{
    struct queues q = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    veth_enter(v, VETH_FAR);
    if (o->before)
        o->before();
    state->status = open_queues(&q, o, &state->error);
    if (state->status == COLLIDE_OK)
        state->mode = redirect_mode(q.redirect);
    state->is_ready = 1;
    if (state->status == COLLIDE_OK)
        echo(&q, state, o->wait);
    close_queues(&q);
}

void frame_echo_start(struct frame_echo *e, const struct veth *v, const struct frame_echo_options *options)
{
    e->state = mmap(NULL, sizeof *e->state, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(e->state != MAP_FAILED);
    e->process = fork();
    assert_true(e->process >= 0);
    if (e->process == 0) {
        run(v, options, e->state);
        _exit(0);
    }
    while (!e->state->is_ready && waitpid(e->process, NULL, WNOHANG) == 0)
        usleep(1000);
    assert_true(e->state->is_ready);
}

static void end(struct frame_echo *e)
{
    int status = 0;
    if (e->process > 0 && waitpid(e->process, &status, 0) == e->process)
        assert_true(!WIFEXITED(status) || WEXITSTATUS(status) == 0);
    e->process = 0;
}

void frame_echo_stop(struct frame_echo *e)
{
    e->state->stop = 1;
    end(e);
}

void frame_echo_kill(struct frame_echo *e)
{
    kill(e->process, SIGKILL);
    end(e);
}

void frame_echo_free(struct frame_echo *e)
{
    munmap(e->state, sizeof *e->state);
}
