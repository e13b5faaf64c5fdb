/* The last requests that took longer than they should. One thread writes; any read meanwhile, and neither
 * waits for the other. */
#ifndef OBSERVE_SLOW_RING_H
#define OBSERVE_SLOW_RING_H

#include "observe/request_record.h"

enum { SLOW_RING_RECORDS = 64 };

/* All zero is empty. */
struct slow_ring {
    uint64_t n; /* ever put; the next is at n % SLOW_RING_RECORDS */
    struct slow_slot {
        uint64_t version; /* odd while it is written to */
        uint64_t words[sizeof(struct request_record) / sizeof(uint64_t)];
    } slots[SLOW_RING_RECORDS];
};

void slow_ring_put(struct slow_ring *ring, const struct request_record *r);

/* Copies what is there, oldest first, into (SLOW_RING_RECORDS) out; a record that is overwritten meanwhile is
 * left out. Returns how many. */
size_t slow_ring_read(const struct slow_ring *ring, struct request_record *out);

#endif
