#include "transport/address.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Cuts a copy of the address into host and port, in place. */
static enum collide_status split(char *address, char **host, char **port, struct collide_error *err)
{
    char *colon = strrchr(address, ':');
    char *end = NULL;
    long number = colon ? strtol(colon + 1, &end, 10) : -1;
    if (!colon || end == colon + 1 || *end != '\0' || number < 0 || number > 65535)
        return error_set(err, COLLIDE_INVALID,
                         "\"%.64s\" is no address; write HOST:PORT, such as 127.0.0.1:8080", address);
    *colon = '\0';
    *host = *address ? address : NULL;
    *port = colon + 1;
    if (address[0] == '[' && colon > address + 1 && colon[-1] == ']') {
        colon[-1] = '\0';
        *host = address + 1;
    }
    return COLLIDE_OK;
}

enum collide_status address_resolve(const char *address, int socket_type, enum address_use use,
                                    struct addrinfo **out, struct collide_error *err)
{
    char *copy = strdup(address), *host = NULL, *port = NULL;
    if (!copy)
        return error_no_memory(err, "an address");
    enum collide_status status = split(copy, &host, &port, err);
    if (status == COLLIDE_OK) {
        struct addrinfo hints = {.ai_socktype = socket_type,
                                 .ai_flags = use == ADDRESS_TO_LISTEN ? AI_PASSIVE : 0};
        int failed = getaddrinfo(host, port, &hints, out);
        if (failed)
            status = error_set(err, COLLIDE_INVALID, "cannot resolve \"%.64s\": %s", address,
                               gai_strerror(failed));
    }
    free(copy);
    return status;
}

void address_of_socket(int fd, char out[ADDRESS_CHARS])
{
    struct sockaddr_storage storage;
    socklen_t n = sizeof storage;
    char host[ADDRESS_CHARS - 16], port[8];
    snprintf(out, ADDRESS_CHARS, "?");
    if (getsockname(fd, (struct sockaddr *)&storage, &n) == 0 &&
        getnameinfo((struct sockaddr *)&storage, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(out, ADDRESS_CHARS, storage.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
