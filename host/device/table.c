#include "device/memory.h"

#include "base/error.h"
#include "device/bank_hint.h"
#include "device/cl_error.h"
#include "device/host_pages.h"
#include "device/table_plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct device_table {
    struct device *device;
    unsigned n_banks;
    cl_mem banks[TABLE_MAX_BANKS]; /* NULL where the table is in shared virtual memory; then instead: */
    struct {
        void *block; /* as allocated */
        void *bytes; /* in it */
    } shared[TABLE_MAX_BANKS];
    void *pages; /* of other copies that the device shares */
    uint64_t pages_bytes;
};

/* Bytes of the host that one bank holds. */
struct bank_share {
    const char *bytes;
    uint64_t n_bytes; /* 0: the bank is empty */
};

static const char nothing[64];

static struct bank_share share_of(const struct table_source *source, const struct table_plan *plan,
                                  unsigned bank)
{
    uint64_t whole = table_plan_bank_bytes(source, plan), begin = bank * whole;
    uint64_t left = begin < source->n_bytes ? source->n_bytes - begin : 0;
    const char *bytes = source->bytes;
    return (struct bank_share){left ? bytes + begin : NULL, left < whole ? left : whole};
}

static enum collide_status bank_error(const struct device *device, const struct table_source *source,
                                      cl_int code, struct collide_error *err)
{
    char what[192];
    snprintf(what, sizeof what, "cannot place %.64s, %" PRIu64 " bytes, on %.48s", source->name,
             source->n_bytes, device_info(device)->name);
    return cl_error_set(err, code, what);
}

static unsigned channel_of(const struct table_plan *plan, unsigned bank)
{
    return plan->n_channels > 1 ? (plan->channel + bank) % plan->n_channels : 0;
}

static cl_int create_bank(struct device_table *t, const struct bank_share *share, enum placement placement,
                          unsigned channel)
{
    cl_mem_flags flags = placement == PLACED_COPIED ? 0 : CL_MEM_USE_HOST_PTR;
    const void *host = placement == PLACED_COPIED ? NULL : share->bytes;
    size_t n_bytes = share->n_bytes;
    if (n_bytes == 0) {
        flags = CL_MEM_COPY_HOST_PTR;
        host = nothing;
        n_bytes = sizeof nothing;
    }
    cl_int code;
    struct bank_hint hint;
    void *pointer =
        bank_hint_fill(bank_hint_kind_of(device_info(t->device)), channel, (void *)(uintptr_t)host, &hint);
    cl_mem bank = clCreateBuffer(device_context(t->device), CL_MEM_READ_ONLY | flags | hint.flags, n_bytes,
                                 pointer, &code);
    if (code != CL_SUCCESS)
        return code;
    device_count_objects(t->device, 1);
    t->banks[t->n_banks++] = bank;
    return CL_SUCCESS;
}

/* Copies the banks to memory of the host, each to an aligned place; shares[] then say where. */
static enum collide_status copy_to_pages(struct device_table *t, const struct table_source *source,
                                         struct bank_share *shares, unsigned n, struct progress *progress,
                                         struct collide_error *err)
{
    uint64_t unit = device_info(t->device)->align_bytes;
    unit = unit ? unit : 1;
    for (unsigned b = 0; b < n; b++)
        t->pages_bytes += (shares[b].n_bytes + unit - 1) / unit * unit;
    t->pages = host_pages_allocate(t->pages_bytes);
    if (!t->pages)
        return error_no_memory(err, source->name);
    char *to = t->pages;
    for (unsigned b = 0; b < n; b++) {
        enum collide_status status = host_pages_fill(to, shares[b].bytes, shares[b].n_bytes, progress, err);
        if (status != COLLIDE_OK)
            return status;
        shares[b].bytes = to;
        to += (shares[b].n_bytes + unit - 1) / unit * unit;
    }
    return COLLIDE_OK;
}

/* With room for a start on a huge page, unless that is more than the driver gives at once. */
static bool allocate_shared(struct device_table *t, unsigned bank, uint64_t n_bytes)
{
    cl_context context = device_context(t->device);
    cl_svm_mem_flags flags = CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER;
    const uint64_t unit = HOST_HUGE_PAGE_BYTES;
    uint64_t n_whole = (n_bytes + unit - 1) / unit * unit;
    void *block = n_bytes < unit ? NULL : clSVMAlloc(context, flags, n_whole + unit, 0);
    void *bytes = (void *)(((uintptr_t)block + unit - 1) / unit * unit);
    if (!block) {
        n_whole = n_bytes;
        bytes = block = clSVMAlloc(context, flags, n_bytes, 0);
    }
    if (!block)
        return false;
    host_pages_advise(bytes, n_whole);
    device_count_objects(t->device, 1);
    t->shared[bank].block = block;
    t->shared[bank].bytes = bytes;
    return true;
}

static enum collide_status copy_to_shared(struct device_table *t, const struct table_source *source,
                                          const struct bank_share *shares, unsigned n,
                                          struct progress *progress, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    for (; t->n_banks < n && status == COLLIDE_OK; t->n_banks++) {
        const struct bank_share *share = &shares[t->n_banks];
        void **bytes = &t->shared[t->n_banks].bytes;
        if (!allocate_shared(t, t->n_banks, share->n_bytes ? share->n_bytes : sizeof nothing))
            return bank_error(t->device, source, CL_MEM_OBJECT_ALLOCATION_FAILURE, err);
        if (share->n_bytes)
            status = host_pages_fill(*bytes, share->bytes, share->n_bytes, progress, err);
        else
            memset(*bytes, 0, sizeof nothing);
    }
    return status;
}

/* Two writes are in flight at a time: the driver stages one while the device takes the other. */
static cl_int upload_bank(cl_command_queue queue, cl_mem bank, const struct bank_share *share,
                          struct progress *progress)
{
    enum { CHUNK_BYTES = 16 << 20, N_IN_FLIGHT = 2 };
    cl_event events[N_IN_FLIGHT] = {NULL};
    uint64_t sizes[N_IN_FLIGHT];
    cl_int code = CL_SUCCESS;
    uint64_t n_chunks = (share->n_bytes + CHUNK_BYTES - 1) / CHUNK_BYTES;
    for (uint64_t i = 0; i < n_chunks + N_IN_FLIGHT; i++) {
        unsigned slot = i % N_IN_FLIGHT;
        if (events[slot]) {
            cl_int waited = clWaitForEvents(1, &events[slot]);
            clReleaseEvent(events[slot]);
            events[slot] = NULL;
            code = code == CL_SUCCESS ? waited : code;
            if (progress && waited == CL_SUCCESS)
                progress_update(progress, progress->done + sizes[slot], NULL);
        }
        if (i >= n_chunks || code != CL_SUCCESS)
            continue;
        uint64_t at = i * CHUNK_BYTES, left = share->n_bytes - at;
        sizes[slot] = left < CHUNK_BYTES ? left : CHUNK_BYTES;
        code = clEnqueueWriteBuffer(queue, bank, CL_FALSE, at, sizes[slot], share->bytes + at, 0, NULL,
                                    &events[slot]);
        clFlush(queue);
    }
    return code;
}

static cl_int upload(struct device_table *t, const struct bank_share *shares, struct progress *progress)
{
    cl_int code;
    cl_command_queue queue = clCreateCommandQueueWithProperties(device_context(t->device),
                                                                device_info(t->device)->id, NULL, &code);
    for (unsigned b = 0; b < t->n_banks && code == CL_SUCCESS; b++)
        code = upload_bank(queue, t->banks[b], &shares[b], progress);
    if (queue)
        clReleaseCommandQueue(queue);
    return code;
}

static enum collide_status place_in_buffers(struct device_table *t, const struct table_source *source,
                                            const struct table_plan *plan, struct bank_share *shares,
                                            struct progress *progress, struct collide_error *err)
{
    bool is_copy = plan->placement == PLACED_HUGE || plan->placement == PLACED_SHARED;
    enum collide_status status = is_copy && source->n_bytes
                                     ? copy_to_pages(t, source, shares, plan->n_banks, progress, err)
                                     : COLLIDE_OK;
    cl_int code = CL_SUCCESS;
    for (unsigned b = 0; b < plan->n_banks && status == COLLIDE_OK && code == CL_SUCCESS; b++)
        code = create_bank(t, &shares[b], plan->placement, channel_of(plan, b));
    if (plan->placement == PLACED_COPIED && code == CL_SUCCESS)
        code = upload(t, shares, progress);
    return code == CL_SUCCESS ? status : bank_error(t->device, source, code, err);
}

enum collide_status table_place(struct device *device, const struct table_source *source,
                                const struct table_plan *plan, struct progress *progress,
                                struct device_table **out, struct collide_error *err)
{
    assert(plan->n_banks >= 1 && plan->n_banks <= TABLE_MAX_BANKS);
    struct device_table *t = calloc(1, sizeof *t);
    if (!t)
        return error_no_memory(err, source->name);
    t->device = device;
    struct bank_share shares[TABLE_MAX_BANKS];
    for (unsigned b = 0; b < plan->n_banks; b++)
        shares[b] = share_of(source, plan, b);
    enum collide_status status = table_plan_is_shared(device_info(device), plan)
                                     ? copy_to_shared(t, source, shares, plan->n_banks, progress, err)
                                     : place_in_buffers(t, source, plan, shares, progress, err);
    if (status != COLLIDE_OK) {
        table_destroy(t);
        return status;
    }
    *out = t;
    return COLLIDE_OK;
}

void table_destroy(struct device_table *t)
{
    if (!t)
        return;
    for (unsigned b = 0; b < t->n_banks; b++)
        if (t->banks[b])
            clReleaseMemObject(t->banks[b]);
        else
            clSVMFree(device_context(t->device), t->shared[b].block);
    device_count_objects(t->device, -(int)t->n_banks);
    host_pages_free(t->pages, t->pages_bytes);
    free(t);
}

unsigned table_n_banks(const struct device_table *t)
{
    return t->n_banks;
}

enum collide_status table_set_arg(const struct device_table *t, unsigned bank, cl_kernel kernel,
                                  cl_uint index, struct collide_error *err)
{
    cl_int code = t->banks[bank] ? clSetKernelArg(kernel, index, sizeof(cl_mem), &t->banks[bank])
                                 : clSetKernelArgSVMPointer(kernel, index, t->shared[bank].bytes);
    return code == CL_SUCCESS ? COLLIDE_OK : cl_error_set(err, code, "cannot set a kernel argument");
}

const void *table_address(const struct device_table *t, unsigned bank)
{
    return t->shared[bank].bytes;
}

enum collide_status table_gather(struct device *device, const struct device_table *const *tables, size_t n,
                                 struct device_table **out, struct collide_error *err)
{
    size_t n_banks = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        n_banks += tables[i]->n_banks;
    cl_ulong *addresses = calloc(n_banks + 1, sizeof *addresses);
    if (!addresses)
        return error_no_memory(err, "the tables' addresses");
    for (size_t i = 0; i < n; i++)
        for (unsigned b = 0; b < tables[i]->n_banks; b++)
            addresses[at++] = (uintptr_t)table_address(tables[i], b);
    const struct table_source source = {.name = "the tables' addresses",
                                        .bytes = addresses,
                                        .n_bytes = n_banks * sizeof *addresses,
                                        .entry_bytes = sizeof *addresses};
    const struct table_plan plan = {.placement = PLACED_SHARED, .n_banks = 1};
    enum collide_status status = table_place(device, &source, &plan, NULL, out, err);
    free(addresses);
    return status;
}
