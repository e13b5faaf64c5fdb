#include "client/incoming.h"
#include "base/clock.h"
#include "base/error.h"

#include <stdlib.h>

enum collide_status incoming_create(struct incoming *in, struct channel *channel, const struct wire_key *key,
                                    struct collide_error *err)
{
    *in = (struct incoming){.channel = channel,
                            .key = key,
                            .scores = malloc(INCOMING_MAX_SCORES * sizeof(float)),
                            .hits = malloc(INCOMING_MAX_HITS * sizeof(uint64_t))};
    if (in->scores && in->hits)
        return COLLIDE_OK;
    incoming_destroy(in);
    return error_no_memory(err, "a client's answers");
}

void incoming_destroy(struct incoming *in)
{
    free(in->scores);
    free(in->hits);
    *in = (struct incoming){0};
}

void incoming_reset(struct incoming *in)
{
    in->n_scores = in->n_hits = 0;
}

bool incoming_next(struct incoming *in, struct wire_response *out)
{
    enum wire_code code;
    if (in->n_scores + INCOMING_MESSAGE_SCORES > INCOMING_MAX_SCORES ||
        in->n_hits + INCOMING_MESSAGE_HITS > INCOMING_MAX_HITS)
        return false;
    while (wire_next_response(&in->datagram, out, &code)) {
        if (code != WIRE_OK)
            continue;
        if (out->code != WIRE_WRONG_VERSION || out->id)
            return true;
        in->met_other_version = true;
    }
    return false;
}

void incoming_results(struct incoming *in, const struct wire_response *r, struct collide_answer *out)
{
    size_t n = r->n_results;
    float *scores = in->scores + in->n_scores;
    uint64_t *hits = in->hits + in->n_hits;
    for (size_t i = 0; i < n; i++)
        scores[i] = wire_score(r, i);
    for (size_t i = 0; i < r->hits.n; i++)
        hits[i] = wire_id(&r->hits, i);
    in->n_scores += n;
    in->n_hits += r->hits.n;
    out->n_results = n;
    out->scores = n ? scores : NULL;
    out->items = r->hits.n ? hits : NULL;
}

enum collide_status incoming_receive(struct incoming *in, uint64_t until_ns, bool *got,
                                     struct collide_error *err)
{
    const uint8_t *bytes = NULL;
    size_t n_bytes = 0;
    in->datagram = (struct wire_reader){0};
    enum collide_status status = in->channel->make->receive(in->channel, until_ns, &bytes, &n_bytes, err);
    if (status != COLLIDE_OK)
        return status;
    in->now_ns = clock_now_ns();
    *got = bytes != NULL;
    if (bytes && wire_open(bytes, n_bytes, WIRE_RESPONSES, in->key, &in->datagram) == WIRE_OTHER_VERSION &&
        !in->key)
        in->met_other_version = true;
    return COLLIDE_OK;
}
