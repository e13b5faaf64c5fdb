#include "device/host_pages.h"

#include "base/error.h"
#include "base/parallel.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum {
    SMALL_PAGE_BYTES = 4096,
    SLICE_BYTES = 32 * HOST_HUGE_PAGE_BYTES, /* between two steps of a progress bar */
    FILL_THREADS = 4,                        /* the machine may be serving meanwhile */
};

/* The file's first line, or "". */
static void read_line(const char *path, char *out, int capacity)
{
    FILE *file = fopen(path, "re");
    out[0] = '\0';
    if (!file)
        return;
    if (!fgets(out, capacity, file))
        out[0] = '\0';
    fclose(file);
}

static bool system_has_huge_pages(void)
{
    char modes[64];
    read_line("/sys/kernel/mm/transparent_hugepage/enabled", modes, sizeof modes);
    return modes[0] && !strstr(modes, "[never]");
}

static uint64_t system_available_bytes(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    char line[128];
    uint64_t kib = 0;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib << 10;
}

/* What a container may still take, by its control group; UINT64_MAX without a limit. */
static uint64_t group_available_bytes(void)
{
    char limit[32], used[32];
    uint64_t limit_bytes, used_bytes;
    read_line("/sys/fs/cgroup/memory.max", limit, sizeof limit);
    read_line("/sys/fs/cgroup/memory.current", used, sizeof used);
    if (sscanf(limit, "%" SCNu64, &limit_bytes) != 1 || sscanf(used, "%" SCNu64, &used_bytes) != 1)
        return UINT64_MAX;
    return limit_bytes > used_bytes ? limit_bytes - used_bytes : 0;
}

uint64_t host_pages_room_bytes(void)
{
    if (!system_has_huge_pages())
        return 0;
    uint64_t system = system_available_bytes(), group = group_available_bytes();
    return (system < group ? system : group) / 2;
}

static size_t rounded_bytes(uint64_t n_bytes)
{
    uint64_t unit = n_bytes < HOST_HUGE_PAGE_BYTES ? SMALL_PAGE_BYTES : HOST_HUGE_PAGE_BYTES;
    return (size_t)((n_bytes + unit - 1) / unit * unit);
}

void *host_pages_allocate(uint64_t n_bytes)
{
    size_t n = rounded_bytes(n_bytes);
    size_t spare = n < HOST_HUGE_PAGE_BYTES ? 0 : HOST_HUGE_PAGE_BYTES;
    char *mapped = mmap(NULL, n + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return NULL;
    if (!spare)
        return mapped;
    size_t before = (spare - (uintptr_t)mapped % spare) % spare;
    if (before)
        munmap(mapped, before);
    if (spare - before)
        munmap(mapped + before + n, spare - before);
    /* Where the system gives no huge pages, small ones serve as well. */
    madvise(mapped + before, n, MADV_HUGEPAGE);
    return mapped + before;
}

void host_pages_free(void *pages, uint64_t n_bytes)
{
    if (pages)
        munmap(pages, rounded_bytes(n_bytes));
}

void host_pages_advise(void *pages, uint64_t n_bytes)
{
    uintptr_t unit = HOST_HUGE_PAGE_BYTES, begin = ((uintptr_t)pages + unit - 1) / unit * unit;
    uintptr_t end = ((uintptr_t)pages + (size_t)n_bytes) / unit * unit;
    if (begin < end)
        madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}

struct fill {
    char *to;
    const char *from;
    size_t n_bytes;
};

static void fill_pages(void *context, unsigned thread, size_t begin, size_t end)
{
    const struct fill *f = context;
    size_t first = begin * HOST_HUGE_PAGE_BYTES, last = end * HOST_HUGE_PAGE_BYTES;
    (void)thread;
    if (last > f->n_bytes)
        last = f->n_bytes;
    if (first < last)
        memcpy(f->to + first, f->from + first, last - first);
}

enum collide_status host_pages_fill(void *pages, const void *bytes, uint64_t n_bytes,
                                    struct progress *progress, struct collide_error *err)
{
    unsigned n_cpus = parallel_n_cpus();
    unsigned n_threads = n_bytes < SLICE_BYTES ? 1 : n_cpus < FILL_THREADS ? n_cpus : FILL_THREADS;
    struct parallel *threads;
    enum collide_status status = parallel_create(n_threads, &threads, err);
    if (status != COLLIDE_OK)
        return status;
    for (uint64_t at = 0; at < n_bytes; at += SLICE_BYTES) {
        uint64_t left = n_bytes - at;
        struct fill f = {(char *)pages + at, (const char *)bytes + at,
                         left < SLICE_BYTES ? left : SLICE_BYTES};
        parallel_for(threads, (f.n_bytes + HOST_HUGE_PAGE_BYTES - 1) / HOST_HUGE_PAGE_BYTES, fill_pages, &f);
        if (progress)
            progress_update(progress, progress->done + f.n_bytes, NULL);
    }
    parallel_destroy(threads);
    return COLLIDE_OK;
}
