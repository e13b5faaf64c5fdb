/* Any bytes as a datagram of either side. What is read must lie in the datagram, and written again it must
 * read the same. The first byte says what else: bit 0 sets the header's length right, so that a mutation of
 * the length gets past it; bit 1 asks for a tag. */
#include "fuzz_target.h"
#include "wire/wire.h"

#include <string.h>

static const struct wire_key key = {{3, 4}};

struct arrays {
    uint64_t history[WIRE_MAX_BYTES], items[WIRE_MAX_BYTES];
    float weights[WIRE_MAX_BYTES], scores[WIRE_MAX_BYTES];
};

static void read_ids(const struct wire_ids *ids, uint64_t *out)
{
    for (size_t i = 0; i < ids->n; i++)
        out[i] = wire_id(ids, i);
}

static void require_ids(const struct wire_ids *a, const struct wire_ids *b)
{
    FUZZ_REQUIRE(a->n == b->n);
    for (size_t i = 0; i < a->n; i++)
        FUZZ_REQUIRE(wire_id(a, i) == wire_id(b, i));
}

static void request_again(const struct wire_request *r, struct arrays *a)
{
    uint8_t bytes[WIRE_MAX_BYTES];
    struct wire_writer w;
    struct wire_reader reader;
    struct wire_request again;
    enum wire_code code;
    read_ids(&r->history, a->history);
    read_ids(&r->items, a->items);
    for (size_t i = 0; r->weights && i < r->history.n; i++)
        a->weights[i] = wire_weight(r, i);
    wire_begin(&w, bytes, sizeof bytes, WIRE_REQUESTS);
    FUZZ_REQUIRE(wire_put_request(&w, &(struct wire_request_fields){
                                          .id = r->id,
                                          .user = r->user,
                                          .deadline_us = r->deadline_us,
                                          .model = r->model,
                                          .k = r->k,
                                          .kind = r->kind,
                                          .flags = r->flags,
                                          .history = a->history,
                                          .items = a->items,
                                          .weights = r->weights ? a->weights : NULL,
                                          .n_history = r->history.n,
                                          .n_items = r->items.n,
                                      }) == WIRE_OK);
    FUZZ_REQUIRE(wire_open(bytes, wire_finish(&w, &key), WIRE_REQUESTS, &key, &reader) == WIRE_ACCEPTED);
    FUZZ_REQUIRE(wire_next_request(&reader, &again, &code) && code == WIRE_OK);
    FUZZ_REQUIRE(again.id == r->id && again.user == r->user && again.deadline_us == r->deadline_us &&
                 again.model == r->model && again.k == r->k && again.kind == r->kind);
    require_ids(&again.history, &r->history);
    require_ids(&again.items, &r->items);
    FUZZ_REQUIRE(!again.weights == !r->weights);
    if (r->weights)
        FUZZ_REQUIRE(memcmp(again.weights, r->weights, 4 * r->history.n) == 0);
}

static void response_again(const struct wire_response *r, struct arrays *a)
{
    uint8_t bytes[WIRE_MAX_BYTES];
    struct wire_writer w;
    struct wire_reader reader;
    struct wire_response again;
    enum wire_code code;
    read_ids(&r->hits, a->items);
    for (size_t i = 0; i < r->n_results; i++)
        a->scores[i] = wire_score(r, i);
    const struct wire_response_fields fields = {.id = r->id,
                                                .n_unknown = r->n_unknown,
                                                .kind = r->kind,
                                                .flags = r->flags,
                                                .code = r->code,
                                                .times = r->flags & WIRE_TIMES ? &r->times : NULL,
                                                .hits = r->kind == WIRE_TOPK ? a->items : NULL,
                                                .scores = a->scores,
                                                .n_results = r->n_results};
    wire_begin(&w, bytes, sizeof bytes, WIRE_RESPONSES);
    FUZZ_REQUIRE(wire_put_response(&w, &fields) == WIRE_OK);
    FUZZ_REQUIRE(w.n_bytes == WIRE_HEADER_BYTES + wire_response_bytes(&fields));
    FUZZ_REQUIRE(wire_open(bytes, wire_finish(&w, NULL), WIRE_RESPONSES, NULL, &reader) == WIRE_ACCEPTED);
    FUZZ_REQUIRE(wire_next_response(&reader, &again, &code) && code == WIRE_OK);
    FUZZ_REQUIRE(again.id == r->id && again.n_unknown == r->n_unknown && again.kind == r->kind &&
                 again.code == r->code && again.n_results == r->n_results);
    FUZZ_REQUIRE(memcmp(&again.times, &r->times, sizeof r->times) == 0);
    require_ids(&again.hits, &r->hits);
    for (size_t i = 0; i < r->n_results; i++) {
        float before = wire_score(r, i), after = wire_score(&again, i);
        FUZZ_REQUIRE(before == after || (before != before && after != after));
    }
}

static void read_datagram(const uint8_t *bytes, size_t n, enum wire_side side, const struct wire_key *tag_key)
{
    static struct arrays arrays;
    struct wire_reader reader;
    struct wire_request request;
    struct wire_response response;
    enum wire_code code;
    unsigned n_messages = 0;
    if (wire_open(bytes, n, side, tag_key, &reader) != WIRE_ACCEPTED)
        return;
    if (side == WIRE_REQUESTS)
        for (; wire_next_request(&reader, &request, &code); n_messages++) {
            if (code == WIRE_OK)
                request_again(&request, &arrays);
        }
    else
        for (; wire_next_response(&reader, &response, &code); n_messages++)
            if (code == WIRE_OK)
                response_again(&response, &arrays);
    FUZZ_REQUIRE(n_messages > 0 && n_messages <= WIRE_MAX_MESSAGES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1)
        return 0;
    uint8_t how = data[0], *bytes = malloc(n - 1 + (n == 1));
    if (!bytes)
        return 0;
    memcpy(bytes, data + 1, n - 1);
    if (how & 1 && n - 1 >= WIRE_HEADER_BYTES)
        store_le16(bytes + 8, (uint16_t)(n - 1));
    read_datagram(bytes, n - 1, WIRE_REQUESTS, how & 2 ? &key : NULL);
    read_datagram(bytes, n - 1, WIRE_RESPONSES, how & 2 ? &key : NULL);
    free(bytes);
    return 0;
}
