#include "transport/shm_socket.h"

#include "base/error.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* An end that rings without being asked to is heard so many times a look, and no more. */
enum { MAX_BELLS = 8 };

union fd_control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

enum collide_status shm_name_parse(const char *name, struct shm_name *out, struct collide_error *err)
{
    bool is_abstract = strchr(name, '/') == NULL;
    char *path = out->address.sun_path;
    size_t capacity = sizeof out->address.sun_path;
    if (*name == '\0')
        return error_set(err, COLLIDE_INVALID,
                         "shared memory needs a name, such as \"collide\" or \"/run/collide.sock\"");
    *out = (struct shm_name){.address.sun_family = AF_UNIX, .is_abstract = is_abstract};
    int n = is_abstract ? snprintf(path + 1, capacity - 1, "collide.%s", name) + 1
                        : snprintf(path, capacity, "%s", name) + 1;
    if ((size_t)n >= capacity)
        return error_set(err, COLLIDE_INVALID,
                         "\"%.64s...\" is too long for a socket: at most %zu characters", name,
                         capacity - sizeof "collide." - 1);
    out->n_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n);
    return COLLIDE_OK;
}

int shm_socket_open(int type_flags)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | type_flags, 0);
}

bool shm_hello_send(int fd, const struct shm_hello *hello, int memory_fd)
{
    union fd_control control = {.bytes = {0}};
    struct iovec body = {(void *)(uintptr_t)hello, sizeof *hello};
    struct msghdr m = {.msg_iov = &body, .msg_iovlen = 1};
    if (memory_fd >= 0) {
        m.msg_control = &control;
        m.msg_controllen = sizeof control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        *c = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof memory_fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(c), &memory_fd, sizeof memory_fd);
    }
    return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof *hello;
}

bool shm_hello_receive(int fd, struct shm_hello *out, int *memory_fd)
{
    union fd_control control;
    struct iovec body = {out, sizeof *out};
    struct msghdr m = {
        .msg_iov = &body, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n;
    do {
        n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    *memory_fd = -1;
    if (n < 0)
        return false;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof *memory_fd))
        memcpy(memory_fd, CMSG_DATA(c), sizeof *memory_fd);
    if (n == sizeof *out && out->magic == SHM_MAGIC)
        return true;
    if (*memory_fd >= 0)
        close(*memory_fd);
    *memory_fd = -1;
    errno = 0;
    return false;
}

void shm_bell_ring(int fd)
{
    static const char bell = 0;
    send(fd, &bell, sizeof bell, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool shm_bell_hear(int fd)
{
    char bell;
    for (int i = 0; i < MAX_BELLS; i++) {
        ssize_t n = recv(fd, &bell, sizeof bell, MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        if (n == 0)
            return false;
    }
    return true;
}
