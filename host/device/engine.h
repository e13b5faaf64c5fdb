/* How work gets to a device and its end is seen: one seam, submit and poll, with several makes.
 *
 *   call     the caller's thread calls the kernels' machine code, past OpenCL's queue: PoCL's CPU device
 *   direct   runs in the caller's thread, to completion: PoCL's basic / cpu-minimal device
 *   queued   in-order queues with several batches in flight: any device
 *   ring     a resident kernel takes descriptors from a ring in shared virtual memory, as an autorun kernel
 *            of an FPGA does: devices with fine-grained SVM and atomics. It keeps one compute unit (a core,
 *            on CPUs) to itself
 *
 * An engine is shared between threads. Each thread has a lane of its own; a lane has slots, each with memory
 * for one batch. Fill a free slot's regions, submit it, then wait for it (or poll) before reading its results
 * or filling it again. */
#ifndef DEVICE_ENGINE_H
#define DEVICE_ENGINE_H

#include "base/shared.h"
#include "device/memory.h"
#include "device/program.h"

enum engine_kind { ENGINE_AUTO, ENGINE_CALL, ENGINE_DIRECT, ENGINE_QUEUED, ENGINE_RING };

enum { ENGINE_MAX_KERNELS = 6, ENGINE_MAX_REGIONS = 10, ENGINE_MAX_TABLES = 20, ENGINE_MAX_STEPS = 2 };

enum region_direction {
    REGION_IN,
    REGION_OUT,
    REGION_SCRATCH, /* the device's own, between the steps of one piece of work */
};

/* How a ring is made. 0 stands for each one's default. */
struct ring_options {
    size_t memory_bytes; /* for the regions of all lanes: half of what the device allocates at once, 4 GiB at
                            most; they take no room before they are used */
    unsigned max_idle_polls; /* after which the kernel returns to be launched anew, as drivers with time
                                limits need */
    unsigned watchdog_ms;    /* of standing still with work to do: 5 s; six times that at start */
};

/* What an engine runs: kernels with one list of arguments between them, first the banks of each table, then
 * the regions, then lent memory. */
struct engine_spec {
    struct device *device;
    const struct program *program;
    const char *kernels[ENGINE_MAX_KERNELS];
    size_t local_sizes[ENGINE_MAX_KERNELS]; /* work-items in a work-group */
    size_t n_kernels;
    const struct device_table *tables[ENGINE_MAX_TABLES];
    size_t n_tables;
    /* See table_gather: the resident kernel takes this one in place of the tables, the others a list of the
     * same addresses and behind them the regions'. Needs a device with fine-grained shared memory. NULL: they
     * take them all. */
    const struct device_table *gathered;
    enum region_direction directions[ENGINE_MAX_REGIONS];
    size_t n_regions;
    bool reads_lent_memory;  /* see engine_lane_lend; not of the ring engine */
    const char *call_kernel; /* says where the function is that runs the kernels by their places here; see
                                kernels/call.h. NULL, or not gathered: the call engine is not offered */
    const char *ring_kernel; /* the resident kernel: its arguments are the tables' banks, then the ring's
                                memory; see kernels/ring.h. NULL: the ring engine is not offered */
    struct ring_options ring;
    struct shared tables_owner; /* of the tables and what they lie in; see engine_destroy */
};

/* Whether a device has what an engine needs. COLLIDE_UNSUPPORTED names what it lacks and the engine to use
 * instead. */
enum collide_status engine_check_device(enum engine_kind kind, const struct device_info *device,
                                        struct collide_error *err);

struct engine;
struct engine_lane;

/* ENGINE_AUTO takes call where it is offered, direct where the device runs in the caller, else queued.
 * COLLIDE_UNSUPPORTED: see engine_check_device. COLLIDE_DEVICE: among others, the call kernel does not say
 * where its code is; kernels that are launched may do then. Borrows the spec's objects until engine_destroy.
 * Returns owned. */
enum collide_status engine_create(enum engine_kind kind, const struct engine_spec *spec, struct engine **out,
                                  struct collide_error *err);

/* All lanes must be gone. NULL is fine.
 *
 * A resident kernel that does not return within the watchdog's time is left behind, with an error in the log,
 * and may go on reading tables. So it retains the spec's tables_owner, and releases it when it has returned:
 * before engine_destroy does, or later, from a thread of its own, or never. The same goes for an
 * engine_create that fails. */
void engine_destroy(struct engine *e);
enum engine_kind engine_kind_of(const struct engine *e);
const char *engine_kind_name(enum engine_kind kind);
extern const char *const engine_kind_names[]; /* by kind, then NULL */

/* The kind of this name; NULL is auto. */
enum collide_status engine_kind_parse(const char *name, enum engine_kind *out, struct collide_error *err);

/* region_bytes: (n_regions), the capacity of each region of each slot. Returns owned, for one thread. */
enum collide_status engine_lane_create(struct engine *e, const size_t *region_bytes, struct engine_lane **out,
                                       struct collide_error *err);

/* Waits for work in flight. NULL is fine. */
void engine_lane_destroy(struct engine_lane *l);
unsigned engine_lane_n_slots(const struct engine_lane *l);

/* The host's address of a region; valid until engine_lane_destroy. That of a scratch region may be NULL. */
void *engine_lane_region(const struct engine_lane *l, unsigned slot, size_t region);

/* Makes memory of the caller's the kernels' last argument, in place: of an engine that reads_lent_memory, on
 * a device whose memory is the host's. Without it the argument is a null pointer. Anyone may write to the
 * memory at any time, and kernels then find the old bytes or the new. Page-aligned, borrowed until
 * engine_lane_destroy; once a lane. */
enum collide_status engine_lane_lend(struct engine_lane *l, void *memory, size_t n_bytes,
                                     struct collide_error *err);

/* n_groups work-groups of one kernel. */
struct engine_step {
    size_t kernel;
    size_t n_groups;
};

/* One slot's work: steps that run one after the other; used_bytes (n_regions) says how much of each region
 * matters. */
struct engine_work {
    struct engine_step steps[ENGINE_MAX_STEPS];
    size_t n_steps;
    size_t used_bytes[ENGINE_MAX_REGIONS];
};

enum collide_status engine_submit(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                  struct collide_error *err);

/* Whether a submitted slot's results are there. */
enum collide_status engine_poll(struct engine_lane *l, unsigned slot, bool *done, struct collide_error *err);

/* Returns when they are; a slot that was never submitted is done. COLLIDE_DEVICE: a kernel failed, or the
 * resident one has stopped answering; then all that is submitted later fails at once, with the same message.
 */
enum collide_status engine_wait(struct engine_lane *l, unsigned slot, struct collide_error *err);

#endif
