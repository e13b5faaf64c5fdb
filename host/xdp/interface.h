/* What the kernel knows about a network interface. */
#ifndef XDP_INTERFACE_H
#define XDP_INTERFACE_H

#include "collide/status.h"

#include <stdint.h>

struct interface {
    unsigned index;
    unsigned mtu;
    unsigned n_queues; /* for receiving; 1 if it does not tell */
    uint8_t mac[6];
};

enum collide_status interface_find(const char *name, struct interface *out, struct collide_error *err);

/* "IFACE", "IFACE:QUEUE" or "IFACE:QUEUE,QUEUE": cuts text behind the name, and fills queues[0, *n_queues),
 * with 0 if none is named. At most max_queues, each once. */
enum collide_status interface_parse(char *text, unsigned *queues, unsigned max_queues, unsigned *n_queues,
                                    struct collide_error *err);

#endif
