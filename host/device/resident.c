#include "device/resident.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/spin.h"
#include "device/cl_error.h"
#include "device/engine_make.h"
#include "device/ring_memory.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static_assert(sizeof(ring_descriptor) == RING_UNIT_BYTES, "a descriptor is one cache line");
static_assert(sizeof(ring_control) == 3 * RING_UNIT_BYTES, "no cache line of the control has two writers");
static_assert(RING_MAX_STEPS >= ENGINE_MAX_STEPS && RING_MAX_REGIONS >= ENGINE_MAX_REGIONS,
              "a descriptor holds any work");

enum {
    N_DESCRIPTORS = 1024,
    MIN_MEMORY_BYTES = 64 << 20,
    DEFAULT_MAX_IDLE_POLLS = 1 << 16, /* some milliseconds: a launch is next to nothing beside them */
    DEFAULT_WATCHDOG_MS = 5000,       /* far above BEAT_TURNS look-ups in tables that a disk still has */
    START_FACTOR = 6,                 /* drivers compile a kernel when it is launched for the first time */
    SPINS_PER_LOOK = 256, /* some microseconds; then others may need the core, the kernel among them */
    LONGEST_LOOK_MS =
        100, /* between two looks; if it was more, this process was not running, its kernel neither */
};

enum launcher_state { LAUNCHER_RUNS, LAUNCHER_HAS_ENDED, LAUNCHER_IS_LEFT };

struct resident {
    _Alignas(RING_UNIT_BYTES) atomic_uint tail; /* the next ticket */
    _Alignas(RING_UNIT_BYTES) ring_control *control;
    ring_descriptor *descriptors;
    unsigned char *carved; /* behind the descriptors */
    uint64_t watchdog_ns;
    atomic_bool failed;
    struct ring_memory *memory;
    struct device *device;
    cl_context context;
    struct shared tables_owner;
    cl_command_queue queue;
    cl_kernel kernel;
    pthread_t launcher;
    pthread_mutex_t mutex; /* over what follows */
    pthread_cond_t ended;
    enum launcher_state state;
    struct collide_error failure;
};

enum { HEADER_BYTES = sizeof(ring_control) + N_DESCRIPTORS * sizeof(ring_descriptor) };
enum { CARVED_AT = (HEADER_BYTES + RING_MEMORY_ALIGN - 1) / RING_MEMORY_ALIGN * RING_MEMORY_ALIGN };
enum { N_OBJECTS = 3 }; /* queue, kernel, shared memory */

/* The first failure stays. */
static void fail(struct resident *r, const struct collide_error *why)
{
    pthread_mutex_lock(&r->mutex);
    if (!atomic_load(&r->failed)) {
        r->failure = *why;
        atomic_store(&r->failed, true);
    }
    pthread_mutex_unlock(&r->mutex);
}

static enum collide_status give_failure(struct resident *r, struct collide_error *err)
{
    pthread_mutex_lock(&r->mutex);
    struct collide_error failure = r->failure;
    pthread_mutex_unlock(&r->mutex);
    return error_set(err, failure.status, "%s", failure.text);
}

/* ---- Launching. */

static cl_int run_once(struct resident *r)
{
    cl_event done;
    size_t one = 1;
    cl_int status = CL_COMPLETE;
    cl_int code = clEnqueueNDRangeKernel(r->queue, r->kernel, 1, NULL, &one, &one, 0, NULL, &done);
    if (code != CL_SUCCESS)
        return code;
    code = clWaitForEvents(1, &done);
    if (code == CL_SUCCESS)
        code = clGetEventInfo(done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL);
    clReleaseEvent(done);
    return code == CL_SUCCESS ? status : code;
}

/* Touches no struct device: one that is left behind may outlive it. */
static void resident_free(struct resident *r)
{
    if (r->kernel)
        clReleaseKernel(r->kernel);
    if (r->queue)
        clReleaseCommandQueue(r->queue);
    if (r->control)
        clSVMFree(r->context, r->control);
    clReleaseContext(r->context);
    ring_memory_destroy(r->memory);
    shared_release(&r->tables_owner);
    pthread_cond_destroy(&r->ended);
    pthread_mutex_destroy(&r->mutex);
    free(r);
}

static void *launch_until_stopped(void *argument)
{
    struct resident *r = argument;
    cl_int code = CL_SUCCESS;
    while (code == CL_SUCCESS && !__atomic_load_n(&r->control->stop, __ATOMIC_ACQUIRE)) {
        code = run_once(r);
        sched_yield();
    }
    if (code != CL_SUCCESS) {
        struct collide_error why = {0};
        cl_error_set(&why, code, "the resident kernel failed");
        fail(r, &why);
    }
    pthread_mutex_lock(&r->mutex);
    bool is_left = r->state == LAUNCHER_IS_LEFT;
    r->state = LAUNCHER_HAS_ENDED;
    pthread_cond_signal(&r->ended);
    pthread_mutex_unlock(&r->mutex);
    if (is_left)
        resident_free(r);
    return NULL;
}

/* Signals are for the program's own threads. */
static enum collide_status start_launcher(struct resident *r, struct collide_error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&r->launcher, NULL, launch_until_stopped, r);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return error_set_errno(err, COLLIDE_NO_MEMORY, code, "cannot start the ring's thread");
    device_count_objects(r->device, N_OBJECTS);
    return COLLIDE_OK;
}

static enum collide_status await_first_beat(struct resident *r, struct collide_error *err)
{
    const struct timespec pause = {.tv_nsec = 100000};
    uint64_t give_up_ns = clock_now_ns() + r->watchdog_ns * START_FACTOR;
    while (!__atomic_load_n(&r->control->beats, __ATOMIC_ACQUIRE)) {
        if (atomic_load(&r->failed))
            return give_failure(r, err);
        if (clock_now_ns() > give_up_ns)
            return error_set(err, COLLIDE_DEVICE,
                             "the resident kernel did not start within %.1f seconds; use the queued engine",
                             (double)r->watchdog_ns * START_FACTOR * 1e-9);
        nanosleep(&pause, NULL);
    }
    return COLLIDE_OK;
}

/* ---- Making. */

static const size_t MAX_MEMORY_BYTES = (size_t)4 << 30;

static bool allocate_bytes(struct resident *r, size_t n_bytes)
{
    r->control = clSVMAlloc(r->context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER | CL_MEM_SVM_ATOMICS,
                            CARVED_AT + n_bytes, RING_MEMORY_ALIGN);
    return r->control != NULL;
}

/* Address space, not pages: where there is less of it, half will do. 0 wanted: the default. */
static size_t allocate_memory(struct resident *r, size_t wanted_bytes)
{
    uint64_t half = device_info(r->device)->max_alloc_bytes / 2;
    size_t n_bytes = wanted_bytes, least = wanted_bytes;
    if (wanted_bytes == 0) {
        n_bytes = half < MAX_MEMORY_BYTES ? (size_t)half : MAX_MEMORY_BYTES;
        least = MIN_MEMORY_BYTES;
        n_bytes = n_bytes < least ? least : n_bytes;
    }
    while (!allocate_bytes(r, n_bytes) && n_bytes / 2 >= least)
        n_bytes /= 2;
    return n_bytes;
}

static enum collide_status create_memory(struct resident *r, const struct ring_options *options,
                                         struct collide_error *err)
{
    size_t n_bytes = allocate_memory(r, options->memory_bytes);
    r->memory = ring_memory_create(n_bytes);
    if (!r->control || !r->memory)
        return error_no_memory(err, "a ring's shared memory");
    memset(r->control, 0, CARVED_AT);
    r->control->n_descriptors = N_DESCRIPTORS;
    r->control->max_idle = options->max_idle_polls ? options->max_idle_polls : DEFAULT_MAX_IDLE_POLLS;
    r->descriptors = (ring_descriptor *)(r->control + 1);
    for (uint32_t i = 0; i < N_DESCRIPTORS; i++)
        r->descriptors[i].turn = i;
    r->carved = (unsigned char *)r->control + CARVED_AT;
    return COLLIDE_OK;
}

static enum collide_status create_launch(struct resident *r, const struct engine_spec *spec,
                                         struct collide_error *err)
{
    cl_uint n_set;
    enum collide_status status = engine_kernel_create(spec, spec->ring_kernel, NULL, &r->kernel, &n_set, err);
    if (status != COLLIDE_OK)
        return status;
    cl_int code = clSetKernelArgSVMPointer(r->kernel, n_set, r->control);
    if (code != CL_SUCCESS)
        return cl_error_set(err, code, "cannot set a kernel argument");
    r->queue = clCreateCommandQueueWithProperties(r->context, device_info(r->device)->id, NULL, &code);
    return code == CL_SUCCESS ? COLLIDE_OK : cl_error_set(err, code, "cannot create a command queue");
}

static struct resident *resident_create(const struct engine_spec *spec)
{
    struct resident *r = aligned_alloc(_Alignof(struct resident), sizeof *r);
    if (!r)
        return NULL;
    unsigned watchdog_ms = spec->ring.watchdog_ms ? spec->ring.watchdog_ms : DEFAULT_WATCHDOG_MS;
    memset(r, 0, sizeof *r);
    r->watchdog_ns = watchdog_ms * (uint64_t)1000000;
    r->device = spec->device;
    r->context = device_context(spec->device);
    clRetainContext(r->context);
    r->tables_owner = spec->tables_owner;
    shared_retain(&r->tables_owner);
    pthread_mutex_init(&r->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&r->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return r;
}

enum collide_status resident_start(const struct engine_spec *spec, struct resident **out,
                                   struct collide_error *err)
{
    struct resident *r = resident_create(spec);
    if (!r)
        return error_no_memory(err, "a ring");
    enum collide_status status = create_memory(r, &spec->ring, err);
    if (status == COLLIDE_OK)
        status = create_launch(r, spec, err);
    if (status == COLLIDE_OK)
        status = start_launcher(r, err);
    if (status != COLLIDE_OK) {
        resident_free(r);
        return status;
    }
    status = await_first_beat(r, err);
    if (status != COLLIDE_OK) {
        resident_stop(r);
        return status;
    }
    *out = r;
    return COLLIDE_OK;
}

static struct timespec time_after(uint64_t n_ns)
{
    uint64_t ns = clock_now_ns() + n_ns;
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
}

void resident_stop(struct resident *r)
{
    if (!r)
        return;
    struct timespec until = time_after(r->watchdog_ns);
    pthread_t launcher = r->launcher;
    int timed_out = 0;
    device_count_objects(r->device, -N_OBJECTS);
    __atomic_store_n(&r->control->stop, 1, __ATOMIC_RELEASE);
    pthread_mutex_lock(&r->mutex);
    while (r->state == LAUNCHER_RUNS && timed_out == 0)
        timed_out = pthread_cond_timedwait(&r->ended, &r->mutex, &until);
    bool has_ended = r->state == LAUNCHER_HAS_ENDED;
    if (!has_ended)
        r->state = LAUNCHER_IS_LEFT;
    pthread_mutex_unlock(&r->mutex);
    if (has_ended) {
        pthread_join(launcher, NULL);
        resident_free(r);
    } else {
        pthread_detach(launcher);
        log_error("the resident kernel does not return; it is left behind, with all that it reads");
    }
}

/* ---- Work. */

enum collide_status resident_carve(struct resident *r, size_t n_bytes, unsigned char **out,
                                   struct collide_error *err)
{
    size_t offset;
    if (!ring_memory_carve(r->memory, n_bytes, &offset))
        return error_set(
            err, COLLIDE_NO_MEMORY,
            "the ring's memory has no room for another lane of %zu bytes; use fewer threads, smaller "
            "batches, or the queued engine",
            n_bytes);
    *out = r->carved + offset;
    return COLLIDE_OK;
}

/* What a kernel that does not answer may still write to is given to nobody else. */
void resident_release(struct resident *r, unsigned char *memory)
{
    if (!atomic_load(&r->failed))
        ring_memory_release(r->memory, (size_t)(memory - r->carved));
}

unsigned char *resident_base(struct resident *r)
{
    return (unsigned char *)r->control;
}

enum collide_status resident_look(struct resident *r, struct resident_watch *w, struct collide_error *err)
{
    uint64_t now_ns = clock_now_ns();
    uint32_t beats = __atomic_load_n(&r->control->beats, __ATOMIC_RELAXED);
    uint64_t gap_ns = now_ns - w->looked_ns, longest_ns = LONGEST_LOOK_MS * (uint64_t)1000000;
    if (w->looked_ns == 0 || beats != w->beats)
        w->still_ns = 0;
    else
        w->still_ns += gap_ns < longest_ns ? gap_ns : longest_ns;
    w->looked_ns = now_ns;
    w->beats = beats;
    if (w->still_ns > r->watchdog_ns) {
        struct collide_error why = {0};
        error_set(
            &why, COLLIDE_DEVICE,
            "the resident kernel has stopped answering (for %.1f seconds); restart, or use the queued engine",
            (double)w->still_ns * 1e-9);
        fail(r, &why);
    }
    return atomic_load(&r->failed) ? give_failure(r, err) : COLLIDE_OK;
}

enum collide_status resident_spin(struct resident *r, struct resident_watch *w, struct collide_error *err)
{
    spin_pause();
    if (++w->n_spins % SPINS_PER_LOOK != 0)
        return COLLIDE_OK;
    sched_yield();
    return resident_look(r, w, err);
}

/* The bounded queue of D. Vyukov (1024cores.net), with many producers and the kernel as its one consumer. */
enum collide_status resident_push(struct resident *r, const ring_descriptor *work, struct collide_error *err)
{
    if (atomic_load_explicit(&r->failed, memory_order_acquire))
        return give_failure(r, err);
    uint32_t ticket = atomic_fetch_add_explicit(&r->tail, 1, memory_order_relaxed);
    ring_descriptor *d = &r->descriptors[ticket % N_DESCRIPTORS];
    struct resident_watch watch = {0};
    while (__atomic_load_n(&d->turn, __ATOMIC_ACQUIRE) != ticket) {
        enum collide_status status = resident_spin(r, &watch, err);
        if (status != COLLIDE_OK)
            return status;
    }
    const size_t rest = offsetof(ring_descriptor, done);
    memcpy((char *)d + rest, (const char *)work + rest, sizeof *d - rest);
    __atomic_store_n(&d->turn, ticket + 1, __ATOMIC_RELEASE);
    return COLLIDE_OK;
}
