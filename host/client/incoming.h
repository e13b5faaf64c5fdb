/* A client's answers on their way in: the datagram in hand, and what its messages hold in the host's form. */
#ifndef CLIENT_INCOMING_H
#define CLIENT_INCOMING_H

#include "client/channel.h"
#include "collide/client.h"
#include "wire/wire.h"

struct incoming {
    struct channel *channel;    /* borrowed */
    const struct wire_key *key; /* borrowed; NULL: tags are not looked at */

    struct wire_reader datagram; /* in hand */
    uint64_t now_ns;             /* when it came, or when last none had come */
    bool met_other_version;      /* since it was last set to false */

    float *scores;  /* (INCOMING_MAX_SCORES) */
    uint64_t *hits; /* (INCOMING_MAX_HITS) */
    size_t n_scores, n_hits;
};

enum {
    INCOMING_MESSAGE_SCORES = (WIRE_MAX_BYTES - WIRE_HEADER_BYTES - WIRE_RESPONSE_BYTES) / 2,
    INCOMING_MESSAGE_HITS = (WIRE_MAX_BYTES - WIRE_HEADER_BYTES - WIRE_RESPONSE_BYTES) / 6,
    INCOMING_MAX_SCORES = 64 * INCOMING_MESSAGE_SCORES,
    INCOMING_MAX_HITS = 64 * INCOMING_MESSAGE_HITS,
};

enum collide_status incoming_create(struct incoming *in, struct channel *channel, const struct wire_key *key,
                                    struct collide_error *err);
void incoming_destroy(struct incoming *in);

/* Takes the results' memory back. */
void incoming_reset(struct incoming *in);

/* The next sound message of the datagram in hand; false: none is left, or no memory for its results. */
bool incoming_next(struct incoming *in, struct wire_response *out);

/* Its results, valid until incoming_reset. */
void incoming_results(struct incoming *in, const struct wire_response *r, struct collide_answer *out);

/* Waits for a datagram until until_ns (0: not at all) and takes it in hand. *got: whether one has come. */
enum collide_status incoming_receive(struct incoming *in, uint64_t until_ns, bool *got,
                                     struct collide_error *err);

#endif
