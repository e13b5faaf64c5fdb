/* The device's side of the ring that a resident kernel takes its work from; see types.h for what lies in its
 * memory. One work-item runs it: it takes a descriptor, runs the kernel's body for each group of each step,
 * on the regions of that descriptor, completes it, and so on until there is none to take. It beats after each
 * group, and within those that may take long.
 *
 * RING_OFFERED is defined where the compiler has the atomics for it: OpenCL C 2.0, or 3.0 with the feature.
 */
#ifndef KERNELS_RING_H
#define KERNELS_RING_H

#if defined(__opencl_c_atomic_order_acq_rel) || __OPENCL_C_VERSION__ == 200
#define RING_OFFERED

/* PoCL 3 has shared virtual memory with atomics but not the name of their scope; on CPUs all scopes are one.
 */
#if defined(__opencl_c_atomic_scope_all_devices) || __OPENCL_C_VERSION__ == 200
#define RING_SCOPE memory_scope_all_svm_devices
#else
#define RING_SCOPE memory_scope_device
#endif

/* Leaves the core to its sibling between two looks. */
#if defined(__x86_64__) || defined(__i386__)
#define RING_PAUSE() __builtin_ia32_pause()
#else
#define RING_PAUSE()
#endif

static uint ring_load(__global uint *word, memory_order order)
{
    return atomic_load_explicit((volatile __global atomic_uint *)word, order, RING_SCOPE);
}

static void ring_store(__global uint *word, uint value, memory_order order)
{
    atomic_store_explicit((volatile __global atomic_uint *)word, value, order, RING_SCOPE);
}

/* Says that the kernel is alive: after each work-group, and every BEAT_TURNS look-ups within one, so that
 * long work is not taken for a stuck kernel. */
#define BEAT_TURNS 256
static void ring_beat(__global uchar *ring)
{
    __global ring_control *control = (__global ring_control *)ring;
    ring_store(&control->beats, ring_load(&control->beats, memory_order_relaxed) + 1, memory_order_relaxed);
}

static __global ring_descriptor *ring_head(__global uchar *ring, uint ticket)
{
    __global ring_control *control = (__global ring_control *)ring;
    return (__global ring_descriptor *)(control + 1) + (ticket & (control->n_descriptors - 1));
}

/* The next piece of work; 0: the kernel is to return. Completed before the next one is taken. */
static __global ring_descriptor *ring_take(__global uchar *ring)
{
    __global ring_control *control = (__global ring_control *)ring;
    uint ticket = ring_load(&control->head, memory_order_relaxed);
    __global ring_descriptor *d = ring_head(ring, ticket);
    for (uint n_idle = 0; n_idle < control->max_idle; n_idle++) {
        if (ring_load(&d->turn, memory_order_acquire) == ticket + 1)
            return d;
        if (ring_load(&control->stop, memory_order_acquire))
            return 0;
        ring_beat(ring);
        RING_PAUSE();
    }
    return 0;
}

/* Tells the producer, then gives the descriptor to whoever has its next ticket. */
static void ring_complete(__global uchar *ring, __global ring_descriptor *d)
{
    __global ring_control *control = (__global ring_control *)ring;
    uint ticket = ring_load(&control->head, memory_order_relaxed);
    ring_store((__global uint *)(ring + (ulong)d->done * RING_UNIT_BYTES), 1, memory_order_release);
    ring_store(&control->head, ticket + 1, memory_order_relaxed);
    ring_beat(ring);
    ring_store(&d->turn, ticket + control->n_descriptors, memory_order_release);
}

static __global uchar *ring_region(__global uchar *ring, __global const ring_descriptor *d, uint region)
{
    return ring + (ulong)d->regions[region] * RING_UNIT_BYTES;
}

#endif
#endif
