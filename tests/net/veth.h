/* Two network namespaces joined by a virtual Ethernet pair, for tests that need a network of their own. In
 * each namespace the interface is VETH_INTERFACE; near is 10.77.0.1 and fd77::1, far is 10.77.0.2 and
 * fd77::2. */
#ifndef TESTS_NET_VETH_H
#define TESTS_NET_VETH_H

#include <sys/types.h>

#define VETH_INTERFACE "veth0"
#define VETH_NEAR_IPV4 "10.77.0.1"
#define VETH_FAR_IPV4  "10.77.0.2"
#define VETH_NEAR_IPV6 "fd77::1"
#define VETH_FAR_IPV6  "fd77::2"

enum veth_side { VETH_NEAR, VETH_FAR, N_VETH_SIDES };

struct veth {
    char names[N_VETH_SIDES][32]; /* of the namespaces, for `ip netns exec` */
};

enum { VETH_SKIPPED = 77 };

/* Leaves the process as skipped, and says why, if no namespaces can be made here. */
void veth_require(void);

/* Fails the running cmocka test, as the others do. n_queues: each way. */
void veth_create(struct veth *v, unsigned n_queues);
void veth_destroy(const struct veth *v);

/* Runs a shell command in the namespace; its exit status. */
int veth_run(const struct veth *v, enum veth_side side, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The calling thread, and the processes and sockets that it makes from now on, are in the namespace. */
void veth_enter(const struct veth *v, enum veth_side side);

/* The same for a while: until the namespace that the thread came from is given back. */
int veth_visit(const struct veth *v, enum veth_side side);
void veth_leave(int home);

/* A datagram socket in the namespace, connected to HOST:PORT of numbers, which gives up receiving after a
 * second. */
int veth_connect(const struct veth *v, enum veth_side side, const char *host, unsigned port);

#endif
