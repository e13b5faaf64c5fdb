/* The Unix socket over which a client of shared memory and its server meet, ring each other's bell, and
 * notice that the other is gone. NAME without '/' is the abstract socket "collide.NAME", for the server's own
 * user and root; with '/' it is a path, for whom its mode and folder let in. See docs/WIRE.md. */
#ifndef TRANSPORT_SHM_SOCKET_H
#define TRANSPORT_SHM_SOCKET_H

#include "collide/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { SHM_MAGIC = 0x6d687363, SHM_VERSION = 1 }; /* "cshm" */

struct shm_name {
    struct sockaddr_un address;
    socklen_t n_bytes;
    bool is_abstract;
};

enum collide_status shm_name_parse(const char *name, struct shm_name *out, struct collide_error *err);

/* A SOCK_SEQPACKET socket, or -1 and errno. type_flags as for socket(). */
int shm_socket_open(int type_flags);

enum shm_outcome {
    SHM_WELCOME = 0,   /* the ring's memory file is passed along */
    SHM_FULL = 1,      /* the server has max_clients */
    SHM_FORBIDDEN = 2, /* the client belongs to another user */
    SHM_FAILED = 3,    /* the server lacks memory or file descriptors */
};

/* The server's only message but bells; little-endian as the machine, which both ends share. */
struct shm_hello {
    uint32_t magic, version, outcome;
    uint32_t n_slots, slot_bytes, ring_bytes;
    uint32_t max_clients, reserved;
};

/* memory_fd is passed along unless it is -1. False: errno says why. */
bool shm_hello_send(int fd, const struct shm_hello *hello, int memory_fd);

/* Waits for as long as the socket's SO_RCVTIMEO says. *memory_fd is the caller's, or -1. False: errno, 0 if
 * the server has hung up or speaks another language. */
bool shm_hello_receive(int fd, struct shm_hello *out, int *memory_fd);

/* Wakes the other end, or does nothing: one that has bells to hear need not be rung again, one that is gone
 * is noticed when its silence is. */
void shm_bell_ring(int fd);

/* Takes the bells that have rung. False: the other end is gone. */
bool shm_bell_hear(int fd);

#endif
