/* How work gets to a device and its end is seen: one seam, submit and poll, with several makes.
 *
 *   direct   runs in the caller's thread, to completion: PoCL's basic / cpu-minimal device
 *   queued   an in-order queue with two batches in flight: any device
 *
 * An engine is shared between threads. Each thread has a lane of its own; a lane has slots, each with memory
 * for one batch. Fill a free slot's regions, submit it, then wait for it (or poll) before reading its results
 * or filling it again. */
#ifndef DEVICE_ENGINE_H
#define DEVICE_ENGINE_H

#include "device/memory.h"
#include "device/program.h"

enum engine_kind { ENGINE_AUTO, ENGINE_DIRECT, ENGINE_QUEUED };

enum { ENGINE_MAX_KERNELS = 4, ENGINE_MAX_REGIONS = 8, ENGINE_MAX_TABLES = 12 };

enum region_direction { REGION_IN, REGION_OUT };

/* What an engine runs: kernels with one list of arguments between them, first the tables, then the regions.
 */
struct engine_spec {
    struct device *device;
    const struct program *program;
    const char *kernels[ENGINE_MAX_KERNELS];
    size_t n_kernels;
    const struct device_table *tables[ENGINE_MAX_TABLES];
    size_t n_tables;
    enum region_direction directions[ENGINE_MAX_REGIONS];
    size_t n_regions;
};

struct engine;
struct engine_lane;

/* ENGINE_AUTO takes direct where the device runs in the caller, else queued. Borrows the spec's objects until
 * engine_destroy. Returns owned. */
enum collide_status engine_create(enum engine_kind kind, const struct engine_spec *spec, struct engine **out,
                                  struct collide_error *err);
void engine_destroy(struct engine *e);
enum engine_kind engine_kind_of(const struct engine *e);
const char *engine_kind_name(enum engine_kind kind);

/* The kind of this name; NULL is auto. */
enum collide_status engine_kind_parse(const char *name, enum engine_kind *out, struct collide_error *err);

/* region_bytes: (n_regions), the capacity of each region of each slot. Returns owned, for one thread. */
enum collide_status engine_lane_create(struct engine *e, const size_t *region_bytes, struct engine_lane **out,
                                       struct collide_error *err);
void engine_lane_destroy(struct engine_lane *l);
unsigned engine_lane_n_slots(const struct engine_lane *l);

/* The host's address of a region; valid until engine_lane_destroy. */
void *engine_lane_region(const struct engine_lane *l, unsigned slot, size_t region);

/* One slot's work: n_work_items of one kernel; used_bytes (n_regions) says how much of each region matters.
 */
struct engine_work {
    size_t kernel;
    size_t n_work_items;
    size_t used_bytes[ENGINE_MAX_REGIONS];
};

enum collide_status engine_submit(struct engine_lane *l, unsigned slot, const struct engine_work *work,
                                  struct collide_error *err);

/* Whether a submitted slot's results are there. */
enum collide_status engine_poll(struct engine_lane *l, unsigned slot, bool *done, struct collide_error *err);

/* Returns when they are; a slot that was never submitted is done. */
enum collide_status engine_wait(struct engine_lane *l, unsigned slot, struct collide_error *err);

#endif
