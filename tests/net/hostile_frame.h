/* Ethernet frames with requests that are wrong in one way or another: broken, cut, grown, with lengths that
 * contradict each other; with checksums that hide it, and without. */
#ifndef TESTS_NET_HOSTILE_FRAME_H
#define TESTS_NET_HOSTILE_FRAME_H

#include "base/rng.h"
#include "xdp/frame_draft.h"

enum { HOSTILE_FRAME_BYTES = 2048 };

/* route: addresses of both ends, and the port that they are to come to: the first for IPv4, the second for
 * IPv6. Into out, of HOSTILE_FRAME_BYTES; how many, 14 to 1518. */
size_t hostile_frame_write(struct rng *rng, const struct frame_draft routes[2], uint8_t *out);

#endif
