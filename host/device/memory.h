/* Memory that a device reads and writes: tables, planned before they are placed, and the regions that carry
 * requests in and results out. */
#ifndef DEVICE_MEMORY_H
#define DEVICE_MEMORY_H

#include "base/progress.h"
#include "device/device.h"

enum { TABLE_MAX_BANKS = 16 };

/* A table as the host has it. */
struct table_source {
    const char *name;   /* static, for messages: "the row table" */
    const void *bytes;  /* (n_bytes) */
    uint64_t n_bytes;   /* 0: the model has no such table; kernels get a small zeroed one */
    size_t entry_bytes; /* never split over two banks */
    bool stays_global;  /* kernels read it through no other address space */
};

enum placement {
    PLACED_IN_PLACE, /* the device reads the host's bytes, which must stay as they are until table_destroy */
    PLACED_HUGE,     /* memory of the host, in huge pages where the system gives them, that the device shares:
                        shared virtual memory where the device has the fine-grained kind */
    PLACED_SHARED,   /* the same, where it is too small for a huge page, or the system gives none */
    PLACED_COPIED,   /* memory of the device's own */
};

/* Which of OpenCL's address spaces kernels read a table through. */
enum table_space { TABLE_GLOBAL, TABLE_CONSTANT };

/* Where a table will be. Entry i is entry i % 2^shift of bank i >> shift; one bank has any number of them. */
struct table_plan {
    enum placement placement;
    enum table_space space;
    unsigned n_banks; /* a power of two, 1 .. TABLE_MAX_BANKS; trailing banks may be empty */
    unsigned shift;
    unsigned channel,
        n_channels; /* bank b is in memory channel (channel + b) % n_channels; see bank_hint.h */
};

/* What the user wishes of the planner. */
enum table_policy {
    TABLES_AUTO,     /* where memory is shared and there is room, big tables in huge pages; where it is shared
                        virtual memory, small ones there too; else in place */
    TABLES_IN_PLACE, /* wherever possible: processes that serve one file share its pages */
    TABLES_COPIED,   /* never */
};

struct memory_wishes {
    enum table_policy policy;
    uint64_t max_bank_bytes; /* 0: what the device allocates at once */
    unsigned n_channels;     /* memory channels of the board, over which tables are spread; 0: one */
};

/* The policy of this name; NULL is auto. */
enum collide_status table_policy_parse(const char *name, enum table_policy *out, struct collide_error *err);
const char *table_policy_name(enum table_policy policy);
extern const char *const table_policy_names[]; /* by policy, then NULL */
const char *placement_name(enum placement p);

/* Plans tables, (n). The smallest ones go to constant memory where the device has some of its own.
 * COLLIDE_NO_MEMORY says which table does not fit and what to do. */
enum collide_status tables_plan(const struct device_info *device, const struct memory_wishes *wishes,
                                const struct table_source *sources, size_t n, struct table_plan *out,
                                struct collide_error *err);

/* A table on a device, read-only for kernels. */
struct device_table;

/* Places a table as planned; adds the bytes that it moves to the progress (NULL: none is shown). Returns
 * owned. */
enum collide_status table_place(struct device *device, const struct table_source *source,
                                const struct table_plan *plan, struct progress *progress,
                                struct device_table **out, struct collide_error *err);
void table_destroy(struct device_table *t);
unsigned table_n_banks(const struct device_table *t);

/* Makes a bank argument number `index` of a kernel. */
enum collide_status table_set_arg(const struct device_table *t, unsigned bank, cl_kernel kernel,
                                  cl_uint index, struct collide_error *err);

/* Where host and device find a bank, or NULL: it is in no shared virtual memory. */
const void *table_address(const struct device_table *t, unsigned bank);

/* Whether a table that is placed so has addresses. */
bool table_plan_is_shared(const struct device_info *device, const struct table_plan *plan);

/* Of tables that have addresses, (n): a table of them all, bank after bank. Returns owned. */
enum collide_status table_gather(struct device *device, const struct device_table *const *tables, size_t n,
                                 struct device_table **out, struct collide_error *err);

/* Bytes that table_place will move, for the total of a progress bar. */
uint64_t table_plan_moved_bytes(const struct table_source *source, const struct table_plan *plan);

/* Host-visible memory that carries requests in and results out: shared virtual memory where the device has
 * the fine-grained kind, else pinned host memory beside a device buffer that it is copied to and from. */
struct region {
    void *host; /* aligned to 128 bytes, OpenCL's widest vector */
    size_t n_bytes;
    cl_mem staged; /* NULL where the memory is shared */
    cl_mem pinned; /* what host is mapped from, where the memory is staged */
};

enum collide_status region_create(struct device *device, size_t n_bytes, struct region *out,
                                  struct collide_error *err);
void region_destroy(struct device *device, struct region *r);

/* Makes the region argument number `index` of a kernel. */
enum collide_status region_set_arg(const struct region *r, cl_kernel kernel, cl_uint index,
                                   struct collide_error *err);

#endif
