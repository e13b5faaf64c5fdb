#include "base/large_array.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static enum collide_status resize_memory(struct large_array *a, size_t n_bytes, const char *what,
                                         struct collide_error *err)
{
    void *bytes = realloc(a->bytes, n_bytes);
    if (!bytes)
        return error_set(err, COLLIDE_NO_MEMORY, "out of memory for %s (%zu MB)", what, n_bytes / 1000000);
    a->bytes = bytes;
    return COLLIDE_OK;
}

static enum collide_status open_file(struct large_array *a, struct collide_error *err)
{
    char path[4096];
    const int n = snprintf(path, sizeof path, "%s/collide-spill-XXXXXX", a->spill);
    errno = ENAMETOOLONG;
    a->fd = (size_t)n < sizeof path ? mkostemp(path, O_CLOEXEC) : -1;
    if (a->fd < 0)
        return error_set_errno(err, COLLIDE_IO, errno,
                               "cannot make a file to spill to in %s; it must be a folder that is there and "
                               "writable",
                               a->spill);
    unlink(path);
    return COLLIDE_OK;
}

static enum collide_status reserve_disk(struct large_array *a, size_t n_bytes, const char *what,
                                        struct collide_error *err)
{
    int failure;
    if (n_bytes <= a->n_bytes)
        return COLLIDE_OK;
    do
        failure = posix_fallocate(a->fd, (off_t)a->n_bytes, (off_t)(n_bytes - a->n_bytes));
    while (failure == EINTR);
    if (failure == 0)
        return COLLIDE_OK;
    return error_set_errno(err, COLLIDE_IO, failure,
                           "%s has no room for %s (%zu MB); make room there or spill to another folder",
                           a->spill, what, n_bytes / 1000000 + 1);
}

static void cut_file(const struct large_array *a, size_t n_bytes)
{
    while (ftruncate(a->fd, (off_t)n_bytes) != 0 && errno == EINTR)
        ;
}

static enum collide_status resize_file(struct large_array *a, size_t n_bytes, const char *what,
                                       struct collide_error *err)
{
    enum collide_status status = a->n_bytes == 0 ? open_file(a, err) : COLLIDE_OK;
    if (status != COLLIDE_OK)
        return status;
    status = reserve_disk(a, n_bytes, what, err);
    void *bytes = MAP_FAILED;
    if (status == COLLIDE_OK) {
        bytes = a->n_bytes == 0 ? mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, a->fd, 0)
                                : mremap(a->bytes, a->n_bytes, n_bytes, MREMAP_MAYMOVE);
        if (bytes == MAP_FAILED)
            status = error_set_errno(err, COLLIDE_NO_MEMORY, errno, "cannot map %s (%zu MB)", what,
                                     n_bytes / 1000000);
    }
    if (status == COLLIDE_OK)
        a->bytes = bytes;
    if (a->n_bytes == 0 && status != COLLIDE_OK)
        close(a->fd);
    else
        cut_file(a, status == COLLIDE_OK ? n_bytes : a->n_bytes);
    return status;
}

enum collide_status large_array_resize(struct large_array *a, size_t n_bytes, const char *what,
                                       struct collide_error *err)
{
    if (n_bytes == 0) {
        large_array_free(a);
        return COLLIDE_OK;
    }
    enum collide_status status =
        a->spill ? resize_file(a, n_bytes, what, err) : resize_memory(a, n_bytes, what, err);
    if (status == COLLIDE_OK)
        a->n_bytes = n_bytes;
    return status;
}

void large_array_free(struct large_array *a)
{
    if (a->n_bytes > 0 && a->spill) {
        munmap(a->bytes, a->n_bytes);
        close(a->fd);
    } else {
        free(a->bytes);
    }
    *a = (struct large_array){.spill = a->spill};
}

void large_array_expect(const struct large_array *a, enum large_array_access access)
{
    if (a->n_bytes > 0 && a->spill)
        madvise(a->bytes, a->n_bytes, access == ACCESS_RANDOM ? MADV_RANDOM : MADV_NORMAL);
}
