/* Kernels whose results the host knows, as bodies that launched kernels, a resident one and a function that is
 * called share:
 *
 *   multiply   out[i] = factor * in[i] + addends[i % 4], the addends in two banks
 *   churn      a long loop over in[i]
 *   stage      scratch[i] = in[i] ^ factor, in groups of STAGE_WIDTH work-items
 *   gather     out[i] = scratch[n_groups - 1 - i] + in[i]: reads what other groups of the step before it wrote */
#include "types.h"
#include "ring.h"
#include "call.h"

#define STAGE_WIDTH  4
#define CHURN_ROUNDS 2000

#define TABLES         __global const uint *low, __global const uint *high, __global const uint *factor
#define ARGUMENTS      TABLES, __global const uint *in, __global uint *scratch, __global uint *out
#define KERNEL(width)  __kernel __attribute__((reqd_work_group_size(width, 1, 1))) void
#define JOB            {low, high, factor, in, scratch, out}

typedef struct {
    __global const uint *low, *high, *factor, *in;
    __global uint *scratch, *out;
} job;

static void multiply_group(const job *j, uint i)
{
    j->out[i] = j->factor[0] * j->in[i] + (i & 2 ? j->high : j->low)[i & 1];
}

static void churn_group(const job *j, uint i)
{
    uint x = j->in[i];
    for (uint n = 0; n < CHURN_ROUNDS; n++)
        x = (x ^ x >> 15) * j->factor[0] + n;
    j->out[i] = x;
}

/* Work-item `item` of n, by which the width is spread. */
static void stage_group(const job *j, uint group, uint item, uint n)
{
    for (uint i = item; i < STAGE_WIDTH; i += n)
        j->scratch[group * STAGE_WIDTH + i] = j->in[group * STAGE_WIDTH + i] ^ j->factor[0];
}

static void gather_group(const job *j, uint i, uint n_groups)
{
    j->out[i] = j->scratch[n_groups - 1 - i] + j->in[i];
}

KERNEL(1) multiply(ARGUMENTS)
{
    job j = JOB;
    multiply_group(&j, (uint)get_group_id(0));
}

KERNEL(1) churn(ARGUMENTS)
{
    job j = JOB;
    churn_group(&j, (uint)get_group_id(0));
}

KERNEL(STAGE_WIDTH) stage(ARGUMENTS)
{
    job j = JOB;
    stage_group(&j, (uint)get_group_id(0), (uint)get_local_id(0), (uint)get_local_size(0));
}

KERNEL(1) gather(ARGUMENTS)
{
    job j = JOB;
    gather_group(&j, (uint)get_group_id(0), (uint)get_num_groups(0));
}

static void run_group(const job *j, uint kernel_number, uint group, uint n_groups)
{
    switch (kernel_number) {
    case 0:
        multiply_group(j, group);
        break;
    case 1:
        churn_group(j, group);
        break;
    case 2:
        stage_group(j, group, 0, 1);
        break;
    default:
        gather_group(j, group, n_groups);
    }
}

#if CALL
DECLARE_CALLED(run_groups);

CALLED run_groups(CALLED_ARGUMENTS)
{
    const job j = {(__global const uint *)addresses[0], (__global const uint *)addresses[1],
                   (__global const uint *)addresses[2], (__global const uint *)addresses[3],
                   (__global uint *)addresses[4],       (__global uint *)addresses[5]};
    for (uint group = 0; group < n_groups; group++)
        run_group(&j, kernel_number, group, n_groups);
}

KERNEL(1) call(__global ulong *out)
{
    CALL_INTO(out, run_groups);
}

/* Has nothing to say. */
KERNEL(1) call_nothing(__global ulong *out)
{
    out[0] = 0;
}
#endif

#ifdef RING_OFFERED

static void run_work(TABLES, __global uchar *ring, __global const ring_descriptor *d)
{
    __global const uint *in = (__global const uint *)ring_region(ring, d, 0);
    __global uint *scratch = (__global uint *)ring_region(ring, d, 1);
    __global uint *out = (__global uint *)ring_region(ring, d, 2);
    job j = JOB;
    for (uint step = 0; step < RING_MAX_STEPS; step++)
        for (uint group = 0; group < d->n_groups[step]; group++) {
            run_group(&j, d->kernels[step], group, d->n_groups[step]);
            ring_beat(ring);
        }
}

KERNEL(1) resident(TABLES, __global uchar *ring)
{
    for (__global ring_descriptor *d = ring_take(ring); d; d = ring_take(ring)) {
        run_work(low, high, factor, ring, d);
        ring_complete(ring, d);
    }
}

/* Stops at its first work, as a broken kernel would, until that work's first number is 0. */
KERNEL(1) resident_stuck(TABLES, __global uchar *ring)
{
    for (__global ring_descriptor *d = ring_take(ring); d; d = ring_take(ring)) {
        while (ring_load((__global uint *)ring_region(ring, d, 0), memory_order_acquire))
            RING_PAUSE();
        ring_complete(ring, d);
    }
}

/* Takes as long over its work, but says that it is alive. */
KERNEL(1) resident_slow(TABLES, __global uchar *ring)
{
    for (__global ring_descriptor *d = ring_take(ring); d; d = ring_take(ring)) {
        while (ring_load((__global uint *)ring_region(ring, d, 0), memory_order_acquire))
            ring_beat(ring);
        ring_complete(ring, d);
    }
}

/* Never looks at its ring's descriptors. */
KERNEL(1) resident_silent(TABLES, __global uchar *ring)
{
    while (!ring_load(&((__global ring_control *)ring)->stop, memory_order_acquire))
        RING_PAUSE();
}

#endif
