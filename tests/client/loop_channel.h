/* A channel to a server in the same process that can do everything a network does to datagrams, and a clock
 * of its own, so that waiting takes no time: link with --wrap=clock_now_ns. A score is item / 2 + the
 * weighted sum of the history (+ user); items of 1,000 and above are unknown. */
#ifndef TESTS_LOOP_CHANNEL_H
#define TESTS_LOOP_CHANNEL_H

#include "base/rng.h"
#include "client/channel.h"
#include "wire/wire.h"

enum { LOOP_MAX_REPLIES = 4096 };

struct loop_reply {
    uint64_t ready_ns;
    size_t n_bytes;
    uint8_t bytes[WIRE_MAX_BYTES];
};

struct loop_channel {
    struct channel channel;

    /* What the network does. */
    struct rng rng;
    unsigned drop_percent, duplicate_percent, corrupt_percent;
    unsigned n_to_drop;    /* of the next datagrams sent */
    uint64_t delay_ns;     /* of answers */
    uint64_t jitter_ns;    /* more, at most: they overtake one another */
    size_t max_unanswered; /* datagrams; 0: LOOP_MAX_REPLIES */
    bool is_gone;

    /* What the server does. */
    const struct wire_key *key;
    uint8_t code;             /* of all answers */
    uint16_t n_results_short; /* results that answers lack */
    bool speaks_version_2;

    /* What came to pass. */
    unsigned n_datagrams, n_requests, n_flushes;
    uint64_t last_id; /* of a request */

    uint8_t room[WIRE_MAX_BYTES], received[WIRE_MAX_BYTES];
    struct loop_reply replies[LOOP_MAX_REPLIES];
    size_t n_replies;
};

/* Owned by the client that is created on it. */
struct loop_channel *loop_channel_create(uint64_t seed);

/* The clock: how often it was read, and leaps. */
unsigned loop_clock_reads(void);
void loop_clock_advance(uint64_t ns);

#endif
