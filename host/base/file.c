#include "base/file.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum collide_status file_map(const char *path, struct file_map *out, struct collide_error *err)
{
    /* Not to wait for the writer of a pipe, which is then refused. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno == ENOENT ? COLLIDE_NOT_FOUND : COLLIDE_IO, errno, "cannot open %s",
                               path);
    struct stat st;
    enum collide_status status = COLLIDE_OK;
    void *bytes = NULL;
    if (fstat(fd, &st) != 0)
        status = error_set_errno(err, COLLIDE_IO, errno, "cannot stat %s", path);
    else if (!S_ISREG(st.st_mode))
        status = error_set(err, COLLIDE_INVALID, "%s is not a regular file", path);
    else if (st.st_size == 0)
        status = error_set(err, COLLIDE_CORRUPT, "%s is empty", path);
    else if ((bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
        status = error_set_errno(err, COLLIDE_IO, errno, "cannot map %s", path);
    close(fd);
    if (status == COLLIDE_OK)
        *out = (struct file_map){.bytes = bytes, .n_bytes = (size_t)st.st_size};
    return status;
}

void file_unmap(struct file_map *map)
{
    if (map->bytes)
        munmap((void *)(uintptr_t)map->bytes, map->n_bytes);
    *map = (struct file_map){0};
}

/* A name of its own for each, so that two writers of one path never share a file, and none that somebody else
 * has put there. */
static char *temporary_name(const char *path)
{
    uint64_t number;
    char *name = NULL;
    if (getrandom(&number, sizeof number, 0) != sizeof number ||
        asprintf(&name, "%s.tmp.%016" PRIx64, path, number) < 0)
        return NULL;
    return name;
}

/* The file that a path names in the end, owned by the caller: behind a symbolic link, its target. A device, a
 * pipe or a folder is not to be replaced. */
static enum collide_status find_target(const char *path, char **out, struct collide_error *err)
{
    struct stat st;
    bool exists = stat(path, &st) == 0;
    if (exists && !S_ISREG(st.st_mode))
        return error_set(err, COLLIDE_INVALID,
                         "%s is not a regular file; name one, or one that is not there yet", path);
    *out = exists ? realpath(path, NULL) : strdup(path);
    return *out ? COLLIDE_OK : error_no_memory(err, "a file name");
}

/* Who may read the old file may read the new one, and nobody else. */
static void keep_mode(const struct file_replace *r)
{
    struct stat st;
    if (stat(r->path, &st) == 0)
        fchmod(r->fd, st.st_mode & 07777);
}

enum collide_status file_replace_begin(const char *path, struct file_replace *out, struct collide_error *err)
{
    struct file_replace r = {.fd = -1};
    enum collide_status status = find_target(path, &r.path, err);
    if (status != COLLIDE_OK)
        return status;
    r.temporary = temporary_name(r.path);
    if (!r.temporary)
        status = error_no_memory(err, "a file name");
    else if ((r.fd = open(r.temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) < 0)
        status = error_set_errno(err, COLLIDE_IO, errno,
                                 "cannot write beside %s: its folder must be there and writable", r.path);
    if (status != COLLIDE_OK) {
        free(r.path);
        free(r.temporary);
        return status;
    }
    keep_mode(&r);
    *out = r;
    return COLLIDE_OK;
}

static void replace_free(struct file_replace *r)
{
    if (r->fd >= 0)
        close(r->fd);
    free(r->path);
    free(r->temporary);
    *r = (struct file_replace){.fd = -1};
}

void file_replace_abandon(struct file_replace *r)
{
    if (r->temporary)
        unlink(r->temporary);
    replace_free(r);
}

/* The rename itself is durable only once the folder is synced too. */
static int sync_folder_of(const char *path)
{
    char *folder = strdup(path);
    if (!folder)
        return ENOMEM;
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0)
        return errno;
    int failed = fsync(fd) != 0 && errno != EINVAL ? errno : 0;
    close(fd);
    return failed;
}

enum collide_status file_replace_commit(struct file_replace *r, struct collide_error *err)
{
    int failed = 0;
    if (fsync(r->fd) != 0)
        failed = errno;
    if (close(r->fd) != 0 && !failed)
        failed = errno;
    r->fd = -1;
    if (!failed && rename(r->temporary, r->path) != 0)
        failed = errno;
    enum collide_status status = COLLIDE_OK;
    if (failed) {
        status = error_set_errno(err, COLLIDE_IO, failed,
                                 "cannot finish writing %s; the old file is unchanged", r->path);
        unlink(r->temporary);
    } else if ((failed = sync_folder_of(r->path)) != 0) {
        status = error_set_errno(err, COLLIDE_IO, failed, "%s is written, but its folder cannot be synced",
                                 r->path);
    }
    replace_free(r);
    return status;
}

enum collide_status file_write_all(int fd, const void *bytes, size_t n, const char *name,
                                   struct collide_error *err)
{
    const char *at = bytes;
    while (n > 0) {
        ssize_t done = write(fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_set_errno(err, COLLIDE_IO, errno, "cannot write %s", name);
        at += done;
        n -= (size_t)done;
    }
    return COLLIDE_OK;
}

enum collide_status file_flush(FILE *stream, const char *name, struct collide_error *err)
{
    if (fflush(stream) != 0)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot write %s", name);
    if (ferror(stream)) /* the errno of that write is gone */
        return error_set(err, COLLIDE_IO, "cannot write %s: an earlier write failed", name);
    return COLLIDE_OK;
}

enum collide_status file_check_apart(const char *output, const char *input, struct collide_error *err)
{
    struct stat out, in;
    if (!output || !input || stat(output, &out) != 0 || stat(input, &in) != 0 || out.st_dev != in.st_dev ||
        out.st_ino != in.st_ino || !S_ISREG(in.st_mode))
        return COLLIDE_OK;
    return error_set(err, COLLIDE_INVALID,
                     "%s would take the place of %s, which is read; write to another file", output, input);
}
