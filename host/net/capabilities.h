/* The capabilities that AF_XDP takes: looked for before, dropped after. See capabilities(7). */
#ifndef NET_CAPABILITIES_H
#define NET_CAPABILITIES_H

#include "collide/status.h"

/* COLLIDE_UNSUPPORTED names those that the calling thread lacks, and says how to get them. */
enum collide_status capabilities_require(struct collide_error *err);

/* From the calling thread and those that it starts later, and where it may, from what they execute. */
enum collide_status capabilities_drop(struct collide_error *err);

#endif
