/* The memory that a client and a server thread share, and what each end does in it: 64 slots, each for one
 * datagram and then for its answer, in turn. See docs/WIRE.md.
 *
 * One thread is the client's end, one the server's. Each trusts only what it keeps itself: whatever the other
 * writes, at any time, harms nothing but the datagrams between the two. Zeroed memory is an empty ring. */
#ifndef TRANSPORT_SHM_RING_H
#define TRANSPORT_SHM_RING_H

#include "wire/wire.h"

#include <stdbool.h>

enum { SHM_SLOTS = 64, SHM_LINES_BYTES = 128 }; /* caches fetch lines in pairs */

/* A small datagram shares the line of the words that announce it: one line is handed over each way. */
struct shm_slot {
    uint32_t turn;    /* atomic. In lap l: 2l: the client's to fill; 2l + 1: the server's; 2l + 2: answered */
    uint32_t n_bytes; /* of an answer: 0: there is none */
    _Alignas(8) uint8_t bytes[WIRE_MAX_BYTES];
} __attribute__((aligned(SHM_LINES_BYTES)));

/* Whether an end sleeps, so that the other has to ring its bell. Both exchange this word: whoever comes
 * second sees all that the first had done, so either the sleeper sees the datagram or the other the sleeper.
 */
enum shm_rest { SHM_NEVER_SLEEPS, SHM_AWAKE, SHM_ASLEEP };

struct shm_sleeper {
    uint32_t rest; /* atomic; enum shm_rest */
} __attribute__((aligned(SHM_LINES_BYTES)));

struct shm_ring {
    struct shm_sleeper server, client;
    struct shm_slot slots[SHM_SLOTS];
};

_Static_assert(sizeof(struct shm_slot) == 1536 && sizeof(struct shm_ring) == 98560, "docs/WIRE.md");

/* Says whether an end will ever sleep: before the other end looks. */
void shm_sleeper_set(struct shm_sleeper *s, enum shm_rest rest);

/* Announces sleep: look once more whether anything has come before it. Afterwards get up. */
void shm_sleeper_lie_down(struct shm_sleeper *s);
void shm_sleeper_get_up(struct shm_sleeper *s);

/* Behind a submit or an answer: whether the other end sleeps and has to be woken, by this caller alone. */
bool shm_sleeper_needs_bell(struct shm_sleeper *s);

struct shm_client_end {
    struct shm_ring *ring;
    uint64_t n_submitted, n_collected;
};

/* The slot of the last collected answer is not free yet. */
enum { SHM_MAX_IN_FLIGHT = SHM_SLOTS - 1 };

bool shm_ring_is_full(const struct shm_client_end *c);

/* n_bytes <= WIRE_MAX_BYTES; the ring must not be full. */
void shm_ring_submit(struct shm_client_end *c, const uint8_t *bytes, size_t n_bytes);

/* The oldest datagram's answer, where it is there: borrowed until the next collect. *n_bytes is 0 if the
 * server gave none. */
bool shm_ring_collect(struct shm_client_end *c, const uint8_t **bytes, size_t *n_bytes);
bool shm_ring_has_answer(const struct shm_client_end *c);

struct shm_server_end {
    struct shm_ring *ring;
    uint64_t n_taken;
};

bool shm_ring_has_request(const struct shm_server_end *s);

/* The next datagram, where it is there: copied, so that it cannot change any more. bytes: (WIRE_MAX_BYTES).
 * Its ticket is s->n_taken as it was. */
bool shm_ring_take(struct shm_server_end *s, uint8_t *bytes, uint32_t *n_bytes);

/* Answers a taken ticket, in any order. n_bytes <= WIRE_MAX_BYTES, 0: no answer. */
void shm_ring_answer(struct shm_server_end *s, uint64_t ticket, const uint8_t *bytes, uint32_t n_bytes);

#endif
