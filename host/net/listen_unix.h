/* Unix sockets that listen, of any type, at a path or an abstract name. */
#ifndef NET_LISTEN_UNIX_H
#define NET_LISTEN_UNIX_H

#include <sys/socket.h>
#include <sys/un.h>

/* Binds and listens: the owner and group of a path may connect. A path that a server which was killed has
 * left behind is taken over; what else is there stays, EADDRINUSE. The socket, which does not block, is the
 * caller's, as the path is to remove; or -1 and errno. */
int listen_unix(int socket_type, const struct sockaddr_un *address, socklen_t n_bytes, int backlog);

#endif
