/* What libmicrohttpd knows of a connection. */
#ifndef HTTP_CONNECTION_INFO_H
#define HTTP_CONNECTION_INFO_H

#include <microhttpd.h>
#include <sys/socket.h>

/* -1: none. */
static inline int connection_socket(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

/* The client's; of the family AF_UNSPEC where it is not known. */
static inline const struct sockaddr *connection_address(struct MHD_Connection *connection)
{
    static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info && info->client_addr ? info->client_addr : &nowhere;
}

#endif
