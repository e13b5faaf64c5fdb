/* The requests of a client that are not answered yet: found by id, and ordered by when they are given up.
 * All is O(1), and nothing is allocated behind create. */
#ifndef CLIENT_PENDING_H
#define CLIENT_PENDING_H

#include "collide/status.h"

#include <stddef.h>
#include <stdint.h>

struct pending_request {
    uint64_t id;     /* 0: free */
    uint64_t cookie; /* of collide_client_submit */
    uint64_t submitted_ns;
    uint64_t due_ns; /* of the last asking */
    uint32_t n_askings;
    uint16_t n_results; /* asked for */
    uint16_t n_message_bytes, n_reply_bytes;
    uint8_t kind;
    uint32_t previous, next; /* in the order of due_ns; of a free one, next is the next free one */
};

/* A request's id is its slot and above it the number of the request, so that the slot of an answer's id is
 * known, and whether it is still that request's. */
struct pending {
    struct pending_request *slots; /* (n_slots), and one more that both ends of the order meet in */
    uint32_t n_slots, n;
    uint32_t first_free;
    unsigned slot_bits;
    uint64_t next_number;
};

/* first_number: random, so that answers to an earlier client are not taken for this one's. n_slots: 1 .. 2^20
 */
enum collide_status pending_create(struct pending *p, uint32_t n_slots, uint64_t first_number,
                                   struct collide_error *err);
void pending_destroy(struct pending *p);

/* The id of the next one; p->n < p->n_slots. */
uint64_t pending_next_id(const struct pending *p);

/* Adds it as the last to be due. Its other fields are the caller's to fill in. */
struct pending_request *pending_add(struct pending *p, uint64_t due_ns);

/* NULL: it is not pending. */
struct pending_request *pending_find(const struct pending *p, uint64_t id);

/* What is due first; NULL: there is none. */
struct pending_request *pending_first(const struct pending *p);

/* Makes it the last to be due. */
void pending_postpone(struct pending *p, struct pending_request *r, uint64_t due_ns);

void pending_remove(struct pending *p, struct pending_request *r);

/* Its slot: 0 .. n_slots - 1. */
size_t pending_slot(const struct pending *p, const struct pending_request *r);

#endif
