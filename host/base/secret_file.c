#include "base/secret_file.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_BYTES = 1 << 20, FORBIDDEN_MODE = S_IWGRP | S_IRWXO };

/* The open file is looked at, not its path, which may name another one by now. */
static enum collide_status check(int fd, const char *path, struct stat *st, struct collide_error *err)
{
    if (fstat(fd, st) != 0)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot stat %s", path);
    if (!S_ISREG(st->st_mode))
        return error_set(err, COLLIDE_INVALID, "%s is not a regular file", path);
    if (st->st_mode & FORBIDDEN_MODE)
        return error_set(
            err, COLLIDE_INVALID,
            "%s holds a secret, but its mode is %04o: others may read or change it; run chmod 640 "
            "%s, or 600",
            path, (unsigned)st->st_mode & 07777, path);
    if (st->st_size > MAX_BYTES)
        return error_set(err, COLLIDE_INVALID, "%s is larger than a file of secrets may be: %d bytes", path,
                         MAX_BYTES);
    return COLLIDE_OK;
}

static enum collide_status read_all(int fd, const char *path, size_t n, struct secret *out,
                                    struct collide_error *err)
{
    struct secret s = {.bytes = calloc(1, n + 1)};
    if (!s.bytes)
        return error_no_memory(err, "a file of secrets");
    while (s.n_bytes < n) {
        ssize_t got = read(fd, s.bytes + s.n_bytes, n - s.n_bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int failed = errno;
            secret_free(&s);
            return error_set_errno(err, COLLIDE_IO, failed, "cannot read %s", path);
        }
        if (got == 0)
            break;
        s.n_bytes += (size_t)got;
    }
    *out = s;
    return COLLIDE_OK;
}

enum collide_status secret_file_read(const char *path, struct secret *out, struct collide_error *err)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return error_set_errno(err, errno == ENOENT ? COLLIDE_NOT_FOUND : COLLIDE_IO, errno, "cannot open %s",
                               path);
    enum collide_status status = check(fd, path, &st, err);
    if (status == COLLIDE_OK)
        status = read_all(fd, path, (size_t)st.st_size, out, err);
    close(fd);
    return status;
}

void secret_free(struct secret *s)
{
    if (s->bytes)
        explicit_bzero(s->bytes, s->n_bytes);
    free(s->bytes);
    *s = (struct secret){0};
}
