#include "net/listen_unix.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_MODE = 0660 };

static int open_socket(int socket_type)
{
    return socket(AF_UNIX, socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static bool bind_to(int fd, const struct sockaddr_un *address, socklen_t n_bytes)
{
    return bind(fd, (const struct sockaddr *)address, n_bytes) == 0;
}

/* A socket at which nobody listens; one of another type is somebody's still. */
static bool remove_stale(int socket_type, const struct sockaddr_un *address, socklen_t n_bytes)
{
    struct stat about;
    if (lstat(address->sun_path, &about) != 0 || !S_ISSOCK(about.st_mode))
        return false;
    int fd = open_socket(socket_type);
    bool is_stale =
        fd >= 0 && connect(fd, (const struct sockaddr *)address, n_bytes) != 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return is_stale && unlink(address->sun_path) == 0;
}

int listen_unix(int socket_type, const struct sockaddr_un *address, socklen_t n_bytes, int backlog)
{
    bool is_path = address->sun_path[0] != '\0';
    int fd = open_socket(socket_type);
    if (fd < 0)
        return -1;
    bool is_bound = fchmod(fd, PATH_MODE) == 0 && bind_to(fd, address, n_bytes);
    if (!is_bound && errno == EADDRINUSE && is_path) {
        bool was_stale = remove_stale(socket_type, address, n_bytes);
        is_bound = was_stale && bind_to(fd, address, n_bytes);
        errno = was_stale ? errno : EADDRINUSE;
    }
    if (is_bound && (!is_path || chmod(address->sun_path, PATH_MODE) == 0) && listen(fd, backlog) == 0)
        return fd;
    int failed = errno;
    if (is_bound && is_path)
        unlink(address->sun_path);
    close(fd);
    errno = failed;
    return -1;
}
