#include "net/hostile_frame.h"

#include "wire/wire.h"

#include <stdbool.h>
#include <string.h>

enum {
    MAX_IDS = 60,
    MAX_FRAME_BYTES = 1518,
    MIN_FRAME_BYTES = 14,
    MAX_PAYLOAD_BYTES = 1472,
    MORE_FRAGMENTS = 0x2000
};

static bool one_in(struct rng *rng, uint64_t n)
{
    return rng_below(rng, n) == 0;
}

static void put_request(struct rng *rng, struct wire_writer *w)
{
    static const uint8_t kinds[] = {WIRE_SCORE, WIRE_SCORE, WIRE_SCORE, WIRE_TOPK, WIRE_PING};
    uint64_t history[MAX_IDS], items[MAX_IDS];
    float weights[MAX_IDS];
    for (size_t i = 0; i < MAX_IDS; i++) {
        history[i] = rng_below(rng, 600);
        items[i] = one_in(rng, 500) ? rng_u64(rng) : rng_below(rng, 600);
        weights[i] = (float)rng_below(rng, 10);
    }
    const struct wire_request_fields fields = {
        .id = rng_u64(rng),
        .user = rng_below(rng, 60),
        .deadline_us = one_in(rng, 20) ? (uint32_t)rng_u64(rng) : 0,
        .k = (uint16_t)(1 + rng_below(rng, 20)),
        .kind = kinds[rng_below(rng, sizeof kinds)],
        .flags = (uint8_t)(rng_u64(rng) & (uint64_t)(WIRE_ALL_FLAGS & ~(WIRE_IDS_64 | WIRE_WEIGHTED))),
        .history = history,
        .items = items,
        .weights = one_in(rng, 2) ? weights : NULL,
        .n_history = rng_below(rng, MAX_IDS),
        .n_items = rng_below(rng, MAX_IDS)};
    (void)wire_put_request(w, &fields);
}

/* Flips bits anywhere, most often where the headers are. */
static void flip(struct rng *rng, uint8_t *bytes, size_t n_bytes)
{
    size_t n_headers = n_bytes < 80 ? n_bytes : 80;
    for (size_t n = 1 + rng_below(rng, 4); n > 0 && n_bytes > 0; n--)
        bytes[rng_below(rng, one_in(rng, 2) ? n_headers : n_bytes)] ^= (uint8_t)(1 << rng_below(rng, 8));
}

/* A 16-bit field, of either byte order, to what limits are made of. */
static void set_field(struct rng *rng, uint8_t *bytes, size_t n_bytes)
{
    static const uint16_t favourites[] = {0,  1,    7,    8,    19,   20,   23,     24,     32,
                                          40, 1447, 1448, 1449, 1472, 1500, 0x7fff, 0x8000, 0xffff};
    uint16_t value = favourites[rng_below(rng, sizeof favourites / sizeof *favourites)];
    value = (uint16_t)(one_in(rng, 2) ? value : value >> 8 | value << 8);
    if (n_bytes >= 2)
        memcpy(bytes + 2 * rng_below(rng, (n_bytes < 80 ? n_bytes : 80) / 2), &value, sizeof value);
}

static size_t write_payload(struct rng *rng, uint8_t *bytes)
{
    struct wire_writer w;
    for (size_t i = 0; i < HOSTILE_FRAME_BYTES; i += 8)
        memcpy(bytes + i, &(uint64_t){rng_u64(rng)}, 8);
    wire_begin(&w, bytes, WIRE_MAX_BYTES, WIRE_REQUESTS);
    for (size_t n = 1 + rng_below(rng, 3); n > 0; n--)
        put_request(rng, &w);
    size_t n_bytes = wire_finish(&w, NULL);
    if (one_in(rng, 3))
        flip(rng, bytes, n_bytes);
    if (one_in(rng, 4))
        set_field(rng, bytes, n_bytes);
    return one_in(rng, 6) ? rng_below(rng, MAX_PAYLOAD_BYTES + 1) : n_bytes;
}

/* IPv4's header checksum made right for whatever its length field says, and UDP's taken away, so that what is
 * wrong is looked at. */
static void make_acceptable(uint8_t *bytes, size_t n_bytes)
{
    size_t at = bytes[12] == 0x81 ? 18 : 14, n_header = 4 * (size_t)(bytes[at] & 15);
    uint32_t sum = 0;
    if (at + n_header + 8 > n_bytes || n_header < 20)
        return;
    memset(bytes + at + 10, 0, 2);
    for (size_t i = 0; i < n_header; i += 2)
        sum += (uint32_t)(bytes[at + i] << 8 | bytes[at + i + 1]);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    bytes[at + 10] = (uint8_t)(~sum >> 8);
    bytes[at + 11] = (uint8_t)~sum;
    memset(bytes + at + n_header + 6, 0, 2);
}

size_t hostile_frame_write(struct rng *rng, const struct frame_draft routes[2], uint8_t *out)
{
    uint8_t payload[HOSTILE_FRAME_BYTES];
    struct frame_draft d = routes[rng_below(rng, 2)];
    d.payload = payload;
    d.n_payload = write_payload(rng, payload);
    d.tag = one_in(rng, 4) ? 1 + (unsigned)rng_below(rng, 4000) : 0;
    d.n_option_bytes = d.ip_version == 4 && one_in(rng, 6) ? 4 * rng_below(rng, 11) : 0;
    d.n_padding = one_in(rng, 6) ? rng_below(rng, 40) : 0;
    d.fragment = one_in(rng, 20) ? (uint16_t)(MORE_FRAGMENTS | (one_in(rng, 2) ? rng_u64(rng) : 0)) : 0;
    d.udp_checksum = one_in(rng, 10) ? (enum draft_checksum)rng_below(rng, 4) : DRAFT_RIGHT;
    size_t n_bytes = frame_draft_write(&d, out);
    if (one_in(rng, 4))
        flip(rng, out + 12, n_bytes - 12);
    if (one_in(rng, 8))
        set_field(rng, out + 12, n_bytes - 12);
    if (one_in(rng, 10))
        n_bytes = MIN_FRAME_BYTES + rng_below(rng, MAX_FRAME_BYTES - MIN_FRAME_BYTES);
    if (d.ip_version == 4 && one_in(rng, 2))
        make_acceptable(out, n_bytes);
    return n_bytes < MAX_FRAME_BYTES ? n_bytes : MAX_FRAME_BYTES;
}
