/* Frames read, refused, turned round and made, against frames written field by field. */
#include "base/rng.h"
#include "xdp/frame.h"
#include "xdp/frame_draft.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N_RANDOM = 20000, MAX_PAYLOAD = 1448, ROOM = 2048, GUARD = 0xa5 };

static void fill(struct rng *rng, uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)rng_u64(rng);
}

/* Addresses, ports and payload at random; all else plain. */
static struct frame_draft random_draft(struct rng *rng, uint8_t *payload)
{
    struct frame_draft d = {.ip_version = rng_below(rng, 2) ? 4 : 6, .payload = payload};
    fill(rng, d.source_mac, sizeof d.source_mac);
    fill(rng, d.destination_mac, sizeof d.destination_mac);
    fill(rng, d.source, sizeof d.source);
    fill(rng, d.destination, sizeof d.destination);
    d.source_mac[0] &= 0xfe;
    d.destination_mac[0] &= 0xfe;
    d.source[0] = (uint8_t)(1 + rng_below(rng, 223));
    d.destination[0] = (uint8_t)(1 + rng_below(rng, 223));
    d.source_port = (uint16_t)(1 + rng_below(rng, 65535));
    d.destination_port = (uint16_t)rng_u64(rng);
    d.traffic_class = (uint8_t)rng_u64(rng);
    d.n_payload = rng_below(rng, rng_below(rng, 4) ? 64 : MAX_PAYLOAD + 1);
    fill(rng, payload, d.n_payload);
    return d;
}

static enum frame_refusal read_draft(const struct frame_draft *d)
{
    uint8_t bytes[ROOM];
    struct frame f;
    return frame_read(bytes, frame_draft_write(d, bytes), &f);
}

/* Lengths of the answers differ from the questions'; bytes behind an answer stay as they are. */
static void frames_turn_round_with_another_payload(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(1, 1);
    for (int i = 0; i < N_RANDOM; i++) {
        uint8_t bytes[ROOM], payload[MAX_PAYLOAD], answer[MAX_PAYLOAD];
        struct frame f = {0};
        struct frame_draft d = random_draft(&rng, payload);
        d.tag = rng_below(&rng, 2) ? 1 + (unsigned)rng_below(&rng, 0xfffe) : 0;
        d.n_option_bytes = d.ip_version == 4 ? 4 * rng_below(&rng, 11) : 0;
        d.n_padding = rng_below(&rng, 30);
        d.fragment = rng_below(&rng, 2) ? 0x4000 : 0;
        memset(bytes, GUARD, sizeof bytes);
        size_t n = frame_draft_write(&d, bytes), n_answer = rng_below(&rng, MAX_PAYLOAD + 1);
        assert_int_equal(frame_read(bytes, n, &f), FRAME_ACCEPTED);
        assert_int_equal(f.n_payload, d.n_payload);
        assert_memory_equal(f.payload, payload, d.n_payload);
        fill(&rng, answer, n_answer);
        memcpy(f.payload, answer, n_answer);
        frame_turn(&f, (uint32_t)n_answer);
        assert_true(f.bytes >= bytes);
        const char *wrong = frame_draft_find_wrong(&d, f.bytes, f.n_bytes, answer, n_answer);
        if (wrong)
            fail_msg("frame %d: %s", i, wrong);
        for (uint8_t *at = f.bytes + f.n_bytes; at < bytes + sizeof bytes; at++)
            if (at >= bytes + n)
                assert_int_equal(*at, GUARD);
    }
}

static void made_frames_read_back(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(2, 1);
    for (int i = 0; i < N_RANDOM; i++) {
        uint8_t bytes[ROOM], payload[MAX_PAYLOAD];
        struct frame f, read;
        struct frame_draft d = random_draft(&rng, payload);
        struct frame_route route = {.source_port = htons(d.destination_port),
                                    .destination_port = htons(d.source_port),
                                    .ip_version = (uint16_t)d.ip_version};
        d.traffic_class = 0;
        d.destination_port = d.destination_port ? d.destination_port : 1;
        route.source_port = htons(d.destination_port);
        d.source_mac[0] &= 0xfe;
        d.destination[0] = 10;
        memcpy(route.source_mac, d.destination_mac, 6);
        memcpy(route.destination_mac, d.source_mac, 6);
        memcpy(route.source, d.destination, 16);
        memcpy(route.destination, d.source, 16);
        frame_begin(&route, bytes, &f);
        memcpy(f.payload, payload, d.n_payload);
        frame_finish(&f, (uint32_t)d.n_payload);
        const char *wrong = frame_draft_find_wrong(&d, f.bytes, f.n_bytes, payload, d.n_payload);
        if (wrong)
            fail_msg("frame %d: %s", i, wrong);
        assert_int_equal(frame_read(bytes, f.n_bytes, &read), FRAME_ACCEPTED);
        assert_ptr_equal(read.payload, f.payload);
    }
}

static void checksums_decide(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(3, 1);
    for (int i = 0; i < 1000; i++) {
        uint8_t payload[MAX_PAYLOAD];
        struct frame_draft d = random_draft(&rng, payload);
        d.udp_checksum = DRAFT_RIGHT;
        assert_int_equal(read_draft(&d), FRAME_ACCEPTED);
        d.udp_checksum = DRAFT_WRONG;
        assert_int_equal(read_draft(&d), FRAME_BAD_UDP_CHECKSUM);
        d.udp_checksum = DRAFT_UNFINISHED;
        assert_int_equal(read_draft(&d), FRAME_ACCEPTED);
        d.udp_checksum = DRAFT_NONE;
        assert_int_equal(read_draft(&d), d.ip_version == 4 ? FRAME_ACCEPTED : FRAME_BAD_UDP_CHECKSUM);
    }
}

/* A sum of 0 is sent as 0xffff, as 0 would say that there is none: payloads of two bytes that bring that
 * about. */
static void a_sum_of_zero_is_not_taken_for_none(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(4, 1);
    uint8_t payload[MAX_PAYLOAD], bytes[ROOM];
    struct frame_draft d = random_draft(&rng, payload);
    int n_found = 0;
    d.n_payload = 2;
    d.n_padding = 0;
    for (unsigned value = 0; value <= 0xffff; value++) {
        struct frame f;
        payload[0] = (uint8_t)(value >> 8);
        payload[1] = (uint8_t)value;
        assert_int_equal(frame_read(bytes, frame_draft_write(&d, bytes), &f), FRAME_ACCEPTED);
        frame_turn(&f, 2);
        assert_null(frame_draft_find_wrong(&d, f.bytes, f.n_bytes, payload, 2));
        n_found += f.udp[6] == 0xff && f.udp[7] == 0xff;
    }
    assert_true(n_found > 0);
}

/* Every bit of headers and payload but those that may be anything. */
static void a_flipped_bit_is_noticed_or_harmless(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(5, 1);
    for (unsigned version = 4; version <= 6; version += 2) {
        uint8_t payload[MAX_PAYLOAD], bytes[ROOM];
        struct frame_draft d = random_draft(&rng, payload);
        struct frame f;
        d.ip_version = version;
        d.n_payload = 40;
        size_t n = frame_draft_write(&d, bytes);
        for (size_t bit = 8 * 14; bit < 8 * n; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            size_t at = bit / 8 - 14;
            int is_free = version == 6 && (at < 4 || at == 7); /* class, label, hops: IPv6 has no checksum */
            int is_accepted = frame_read(bytes, n, &f) == FRAME_ACCEPTED;
            if (at != 0 && is_accepted != is_free)
                fail_msg("IPv%u, byte %zu of it, bit %zu: accepted %d", version, at, bit % 8, is_accepted);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void fragments_are_refused(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(6, 1);
    uint8_t payload[MAX_PAYLOAD];
    struct frame_draft d = random_draft(&rng, payload);
    d.ip_version = 4;
    for (unsigned fragment = 1; fragment <= 0xffff; fragment++) {
        d.fragment = (uint16_t)fragment;
        assert_int_equal(read_draft(&d), fragment & 0x3fff ? FRAME_FRAGMENT : FRAME_ACCEPTED);
    }
}

static void what_cannot_be_answered_is_refused(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(7, 1);
    uint8_t payload[MAX_PAYLOAD];
    const struct frame_draft plain = random_draft(&rng, payload);
    struct frame_draft d = plain;
    d.source_port = 0;
    assert_int_equal(read_draft(&d), FRAME_UNANSWERABLE);
    d = plain;
    d.destination_mac[0] |= 1;
    assert_int_equal(read_draft(&d), FRAME_UNANSWERABLE);
    d = plain;
    d.source_mac[0] |= 1;
    assert_int_equal(read_draft(&d), FRAME_UNANSWERABLE);
    d = plain;
    memset(d.destination, 0xff, sizeof d.destination);
    assert_int_equal(read_draft(&d), FRAME_UNANSWERABLE);
    d = plain;
    memset(d.source, 0, sizeof d.source);
    assert_int_equal(read_draft(&d), FRAME_UNANSWERABLE);
    memset(d.source, 0xff, sizeof d.source);
    assert_int_equal(read_draft(&d), FRAME_UNANSWERABLE);
    d = plain;
    d.ip_version = 4;
    d.source[0] = 224;
    assert_int_equal(read_draft(&d), FRAME_UNANSWERABLE);
}

/* A frame that is cut off anywhere, which is shorter than its lengths say. */
static void frames_cut_off_are_refused(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(8, 1);
    for (int i = 0; i < 200; i++) {
        uint8_t payload[MAX_PAYLOAD], bytes[ROOM];
        struct frame f;
        struct frame_draft d = random_draft(&rng, payload);
        d.tag = i % 2 ? 5 : 0;
        size_t n = frame_draft_write(&d, bytes);
        for (size_t cut = 0; cut < n; cut++)
            assert_int_equal(frame_read(bytes, cut, &f), FRAME_BAD_LENGTH);
    }
}

static void other_protocols_are_not_udp(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(9, 1);
    uint8_t payload[MAX_PAYLOAD], bytes[ROOM];
    struct frame f;
    struct frame_draft d = random_draft(&rng, payload);
    d.ip_version = 6;
    size_t n = frame_draft_write(&d, bytes);
    bytes[14 + 6] = 44; /* a fragment's extension header */
    assert_int_equal(frame_read(bytes, n, &f), FRAME_NOT_UDP);
    bytes[12] = 0x08;
    bytes[13] = 0x06; /* ARP */
    assert_int_equal(frame_read(bytes, n, &f), FRAME_NOT_UDP);
    d.tag = 3;
    n = frame_draft_write(&d, bytes);
    bytes[16] = 0x81;
    bytes[17] = 0x00; /* a second tag */
    assert_int_equal(frame_read(bytes, n, &f), FRAME_NOT_UDP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_turn_round_with_another_payload),
        cmocka_unit_test(made_frames_read_back),
        cmocka_unit_test(checksums_decide),
        cmocka_unit_test(a_sum_of_zero_is_not_taken_for_none),
        cmocka_unit_test(a_flipped_bit_is_noticed_or_harmless),
        cmocka_unit_test(fragments_are_refused),
        cmocka_unit_test(what_cannot_be_answered_is_refused),
        cmocka_unit_test(frames_cut_off_are_refused),
        cmocka_unit_test(other_protocols_are_not_udp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
