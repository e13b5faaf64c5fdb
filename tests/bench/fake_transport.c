#include "fake_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t fake_now_ns(void *self)
{
    return ((struct fake *)self)->now_ns;
}

/* Of one server, after those before it. */
static uint64_t ready_at(struct fake *f)
{
    uint64_t begin_ns = f->now_ns;
    if (f->per_request_ns > 0) {
        begin_ns = f->free_ns > f->now_ns ? f->free_ns : f->now_ns;
        f->free_ns = begin_ns + f->per_request_ns;
    }
    return begin_ns + f->service_ns;
}

static void fake_send(void *self, unsigned lane, const struct message *message)
{
    struct fake *f = self;
    assert_non_null(message->bytes);
    assert_true(f->lanes[lane].ready_ns == UINT64_MAX);
    uint64_t ready_ns = ready_at(f);
    if (ready_ns >= f->stall_begin_ns && ready_ns < f->stall_end_ns)
        ready_ns = f->stall_end_ns;
    f->lanes[lane].ready_ns = ready_ns;
    f->n_sent++;
    f->lanes[lane].code = f->refuse_each && f->n_sent % f->refuse_each == 0 ? 500 : 200;
}

static size_t fake_poll(void *self, uint64_t until_ns, const struct completion **done)
{
    struct fake *f = self;
    uint64_t next_ns = until_ns;
    for (unsigned i = 0; i < FAKE_N_LANES; i++)
        if (f->lanes[i].ready_ns < next_ns)
            next_ns = f->lanes[i].ready_ns;
    assert_true(next_ns != UINT64_MAX);
    if (next_ns > f->now_ns)
        f->now_ns = next_ns;
    size_t n = 0;
    for (unsigned i = 0; i < FAKE_N_LANES; i++) {
        if (f->lanes[i].ready_ns > f->now_ns)
            continue;
        f->done[n++] = (struct completion){.lane = i,
                                           .outcome = f->outcome,
                                           .code = f->lanes[i].code,
                                           .at_ns = f->lanes[i].ready_ns,
                                           .stages = f->stages[0] ? f->stages : NULL};
        f->lanes[i].ready_ns = UINT64_MAX;
    }
    *done = f->done;
    return n;
}

struct fake fake_make(uint64_t service_ns)
{
    struct fake f = {.now_ns = 17000000000, .service_ns = service_ns};
    for (unsigned i = 0; i < FAKE_N_LANES; i++)
        f.lanes[i].ready_ns = UINT64_MAX;
    return f;
}

void fake_stall(struct fake *f, uint64_t begin_ns, uint64_t end_ns)
{
    f->stall_begin_ns = f->now_ns + begin_ns;
    f->stall_end_ns = f->now_ns + end_ns;
}

struct transport fake_transport(struct fake *f)
{
    static const struct transport_ops ops = {.now_ns = fake_now_ns, .send = fake_send, .poll = fake_poll};
    return (struct transport){&ops, f, FAKE_N_LANES};
}
