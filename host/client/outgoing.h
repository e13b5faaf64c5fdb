/* A client's requests on their way out: the datagram in the making, which several share. */
#ifndef CLIENT_OUTGOING_H
#define CLIENT_OUTGOING_H

#include "client/channel.h"
#include "collide/client.h"
#include "wire/wire.h"

#include <stdbool.h>

struct outgoing {
    struct channel *channel;    /* borrowed */
    const struct wire_key *key; /* borrowed; NULL: no tags */
    unsigned max_messages;      /* of a datagram */

    struct wire_writer datagram; /* bytes NULL: none is begun; else it has messages */
    size_t last_at;              /* where its last message begins */
    size_t n_reply_bytes;        /* that the answers to its requests may take */
    size_t n_unanswered;         /* datagrams sent, at most */
    bool needs_flush;
};

/* A request to be sent. */
struct outgoing_request {
    struct wire_request_fields fields;
    const uint8_t *message; /* (n_message_bytes): its bytes, where it was sent before; else NULL */
    size_t n_message_bytes;
    size_t n_reply_bytes; /* of its answer, at most */
    uint16_t n_results;   /* asked for */
};

/* All but the id. COLLIDE_INVALID: flags that do not go together, or an answer that would not fit a datagram.
 */
enum collide_status outgoing_translate(const struct collide_request *request, struct outgoing_request *out,
                                       struct collide_error *err);

/* Adds it to the datagram; where that has no room left, it is sent and another begun. COLLIDE_BUSY: the
 * channel has no room. COLLIDE_INVALID: no datagram has. */
enum collide_status outgoing_put(struct outgoing *o, const struct outgoing_request *request,
                                 struct collide_error *err);

/* Whether as many datagrams are unanswered as the channel allows; no more are than requests pending. Asking
 * again is free: the first asking is taken for lost. */
bool outgoing_is_full(struct outgoing *o, uint32_t n_pending);

/* Tells of a datagram that has come. */
void outgoing_answered(struct outgoing *o);

/* The bytes of what was last put, before anything else is done. */
const uint8_t *outgoing_last(const struct outgoing *o, size_t *n_bytes);

/* Sends a datagram that holds as many as it may. */
enum collide_status outgoing_send_if_full(struct outgoing *o, struct collide_error *err);

/* Sends what there is. */
enum collide_status outgoing_flush(struct outgoing *o, struct collide_error *err);

#endif
