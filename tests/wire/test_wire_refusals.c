#include "wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct wire_key key = {{1, 2}};
static const uint64_t history[2] = {10, 11}, items[3] = {20, 21, 22};
static const float weights[2] = {1.0f, 0.5f}, scores[3] = {1, 2, 3};

enum { ID = 77 };

/* Bytes that a test changes; on the heap at their exact length, so that a sanitizer sees a read past it. */
struct datagram {
    uint8_t *bytes;
    size_t n_bytes;
};

static struct datagram copied(const uint8_t *bytes, size_t n_bytes)
{
    struct datagram d = {malloc(n_bytes), n_bytes};
    assert_non_null(d.bytes);
    memcpy(d.bytes, bytes, n_bytes);
    return d;
}

/* Two requests: header at 0, a weighted score request at 24 (32 + 8 + 8 + 12 + 4 of padding), a ping at 88.
 */
static struct datagram two_requests(const struct wire_key *tag_key)
{
    uint8_t bytes[WIRE_MAX_BYTES];
    struct wire_writer w;
    struct wire_request_fields f = {.id = ID,
                                    .kind = WIRE_SCORE,
                                    .history = history,
                                    .weights = weights,
                                    .items = items,
                                    .n_history = 2,
                                    .n_items = 3};
    wire_begin(&w, bytes, sizeof bytes, WIRE_REQUESTS);
    assert_int_equal(wire_put_request(&w, &f), WIRE_OK);
    assert_int_equal(wire_put_request(&w, &(struct wire_request_fields){.id = ID + 1, .kind = WIRE_PING}),
                     WIRE_OK);
    size_t n_bytes = wire_finish(&w, tag_key);
    assert_int_equal(n_bytes, 120);
    return copied(bytes, n_bytes);
}

/* A response at 24: 24 + 12 of scores + 4 of padding. */
static struct datagram one_response(void)
{
    uint8_t bytes[WIRE_MAX_BYTES];
    struct wire_writer w;
    struct wire_response_fields f = {.id = ID, .kind = WIRE_SCORE, .scores = scores, .n_results = 3};
    wire_begin(&w, bytes, sizeof bytes, WIRE_RESPONSES);
    assert_int_equal(wire_put_response(&w, &f), WIRE_OK);
    size_t n_bytes = wire_finish(&w, NULL);
    assert_int_equal(n_bytes, 64);
    return copied(bytes, n_bytes);
}

struct change {
    const char *what;
    size_t at;
    uint8_t byte;
    int expected; /* enum wire_refusal, or enum wire_code of the first message */
};

static enum wire_refusal opened_as(const struct datagram *d, enum wire_side side,
                                   const struct wire_key *tag_key)
{
    struct wire_reader r;
    return wire_open(d->bytes, d->n_bytes, side, tag_key, &r);
}

static void headers_that_are_wrong_are_refused(void **state)
{
    (void)state;
    const struct change changes[] = {
        {"magic", 0, 'X', WIRE_NOT_OURS},
        {"magic's end", 3, '2', WIRE_NOT_OURS},
        {"version", 4, 2, WIRE_OTHER_VERSION},
        {"the other side", 5, 2, WIRE_NOT_OURS},
        {"an unknown flag", 5, 4, WIRE_NOT_OURS},
        {"no message", 6, 0, WIRE_NOT_OURS},
        {"more messages than there is room for", 6, 4, WIRE_NOT_OURS},
        {"fewer bytes than came", 8, 112, WIRE_NOT_OURS},
        {"more bytes than came", 8, 128, WIRE_NOT_OURS},
        {"reserved 16 bits", 10, 1, WIRE_NOT_OURS},
        {"reserved 32 bits", 15, 1, WIRE_NOT_OURS},
        {"a tag that nobody looks at", 16, 1, WIRE_ACCEPTED},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct datagram d = two_requests(NULL);
        d.bytes[changes[i].at] = changes[i].byte;
        if (opened_as(&d, WIRE_REQUESTS, NULL) != (enum wire_refusal)changes[i].expected)
            fail_msg("%s", changes[i].what);
        free(d.bytes);
    }
}

static void every_shorter_datagram_is_refused(void **state)
{
    (void)state;
    struct datagram whole = two_requests(NULL);
    for (size_t n = 0; n < whole.n_bytes; n++) {
        struct datagram d = copied(whole.bytes, n);
        assert_int_equal(opened_as(&d, WIRE_REQUESTS, NULL), WIRE_NOT_OURS);
        free(d.bytes);
    }
    free(whole.bytes);
}

static void another_version_is_told_from_other_traffic_of_the_wrong_side(void **state)
{
    (void)state;
    struct datagram d = one_response();
    d.bytes[4] = 2;
    assert_int_equal(opened_as(&d, WIRE_RESPONSES, NULL), WIRE_OTHER_VERSION);
    assert_int_equal(opened_as(&d, WIRE_REQUESTS, NULL), WIRE_NOT_OURS);
    free(d.bytes);
}

static void any_changed_bit_costs_the_tag(void **state)
{
    (void)state;
    struct datagram d = two_requests(&key);
    assert_int_equal(opened_as(&d, WIRE_REQUESTS, &key), WIRE_ACCEPTED);
    for (size_t bit = 0; bit < 8 * d.n_bytes; bit++) {
        d.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(opened_as(&d, WIRE_REQUESTS, &key), WIRE_ACCEPTED);
        d.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(d.bytes);
}

static void untagged_and_wrongly_keyed_datagrams_are_refused_where_tags_are_due(void **state)
{
    (void)state;
    const struct wire_key other = {{1, 3}};
    struct datagram plain = two_requests(NULL), tagged = two_requests(&other);
    assert_int_equal(opened_as(&plain, WIRE_REQUESTS, &key), WIRE_BAD_TAG);
    assert_int_equal(opened_as(&tagged, WIRE_REQUESTS, &key), WIRE_BAD_TAG);
    assert_int_equal(opened_as(&tagged, WIRE_REQUESTS, NULL), WIRE_ACCEPTED);
    free(plain.bytes);
    free(tagged.bytes);
}

static void requests_that_are_wrong_are_malformed(void **state)
{
    (void)state;
    const struct change changes[] = {
        {"length 0", 24, 0, WIRE_MALFORMED},
        {"length below the fixed part", 24, 24, WIRE_MALFORMED},
        {"length no multiple of 8", 24, 60, WIRE_MALFORMED},
        {"length past the datagram", 25, 1, WIRE_MALFORMED},
        {"length too short for its arrays", 24, 56, WIRE_MALFORMED},
        {"kind 0", 26, 0, WIRE_MALFORMED},
        {"kind 4", 26, 4, WIRE_MALFORMED},
        {"a ping with items", 26, WIRE_PING, WIRE_MALFORMED},
        {"top 0", 26, WIRE_TOPK, WIRE_MALFORMED},
        {"an unknown flag", 27, WIRE_WEIGHTED | 64, WIRE_MALFORMED},
        {"exclude_seen without top-k", 27, WIRE_WEIGHTED | WIRE_EXCLUDE_SEEN, WIRE_MALFORMED},
        {"no weights, but their bytes", 27, 0, WIRE_MALFORMED},
        {"ids said to be 8 bytes", 27, WIRE_WEIGHTED | WIRE_IDS_64, WIRE_MALFORMED},
        {"more history than bytes", 31, 255, WIRE_MALFORMED},
        {"less history than bytes", 30, 1, WIRE_MALFORMED},
        {"more items than bytes", 49, 255, WIRE_MALFORMED},
        {"an item more than bytes: padding is none", 48, 5, WIRE_MALFORMED},
        {"an item into the padding", 48, 4, WIRE_OK},
        {"k of a score request", 50, 1, WIRE_MALFORMED},
        {"padding that is not zero", 87, 1, WIRE_MALFORMED},
        {"any deadline", 55, 255, WIRE_OK},
        {"any model", 29, 255, WIRE_OK},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct datagram d = two_requests(NULL);
        struct wire_reader r;
        struct wire_request request;
        enum wire_code code;
        d.bytes[changes[i].at] = changes[i].byte;
        assert_int_equal(wire_open(d.bytes, d.n_bytes, WIRE_REQUESTS, NULL, &r), WIRE_ACCEPTED);
        assert_true(wire_next_request(&r, &request, &code));
        assert_true(request.id == ID);
        if (code != (enum wire_code)changes[i].expected)
            fail_msg("%s: %s", changes[i].what, wire_code_name(code));
        free(d.bytes);
    }
}

static void responses_that_are_wrong_are_malformed(void **state)
{
    (void)state;
    const struct change changes[] = {
        {"length past the datagram", 24, 48, WIRE_MALFORMED},
        {"hits without bytes", 26, WIRE_TOPK, WIRE_MALFORMED},
        {"a ping with scores", 26, WIRE_PING, WIRE_MALFORMED},
        {"an unknown kind with scores", 26, 9, WIRE_MALFORMED},
        {"a request's flag", 27, WIRE_HAS_USER, WIRE_MALFORMED},
        {"times without bytes", 27, WIRE_TIMES, WIRE_MALFORMED},
        {"an error with scores", 28, WIRE_BUSY, WIRE_MALFORMED},
        {"reserved 8 bits", 29, 1, WIRE_MALFORMED},
        {"more results than bytes", 31, 1, WIRE_MALFORMED},
        {"reserved 32 bits", 47, 1, WIRE_MALFORMED},
        {"padding that is not zero", 63, 1, WIRE_MALFORMED},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct datagram d = one_response();
        struct wire_reader r;
        struct wire_response response;
        enum wire_code code;
        d.bytes[changes[i].at] = changes[i].byte;
        assert_int_equal(wire_open(d.bytes, d.n_bytes, WIRE_RESPONSES, NULL, &r), WIRE_ACCEPTED);
        assert_true(wire_next_response(&r, &response, &code));
        if (code != (enum wire_code)changes[i].expected)
            fail_msg("%s: %s", changes[i].what, wire_code_name(code));
        free(d.bytes);
    }
}

static void a_wrong_message_of_sound_length_does_not_hide_the_next(void **state)
{
    (void)state;
    struct datagram d = two_requests(NULL);
    struct wire_reader r;
    struct wire_request request;
    enum wire_code code;
    d.bytes[26] = 9;
    assert_int_equal(wire_open(d.bytes, d.n_bytes, WIRE_REQUESTS, NULL, &r), WIRE_ACCEPTED);
    assert_true(wire_next_request(&r, &request, &code) && code == WIRE_MALFORMED);
    assert_true(wire_next_request(&r, &request, &code) && code == WIRE_OK && request.id == ID + 1);
    assert_false(wire_next_request(&r, &request, &code));
    free(d.bytes);
}

static void behind_a_length_that_cannot_be_trusted_nothing_is_read(void **state)
{
    (void)state;
    struct datagram d = two_requests(NULL);
    struct wire_reader r;
    struct wire_request request;
    enum wire_code code;
    d.bytes[24] = 255;
    assert_int_equal(wire_open(d.bytes, d.n_bytes, WIRE_REQUESTS, NULL, &r), WIRE_ACCEPTED);
    assert_true(wire_next_request(&r, &request, &code) && code == WIRE_MALFORMED && request.id == ID);
    assert_false(wire_next_request(&r, &request, &code));
    free(d.bytes);
}

static void bytes_behind_the_last_message_make_it_malformed(void **state)
{
    (void)state;
    struct datagram d = two_requests(NULL);
    struct wire_reader r;
    struct wire_request request;
    enum wire_code code;
    d.bytes[6] = 1;
    assert_int_equal(wire_open(d.bytes, d.n_bytes, WIRE_REQUESTS, NULL, &r), WIRE_ACCEPTED);
    assert_true(wire_next_request(&r, &request, &code) && code == WIRE_MALFORMED && request.id == ID);
    assert_false(wire_next_request(&r, &request, &code));
    free(d.bytes);
}

/* A request of 2,000 bytes, received whole or into a buffer of 1,500. */
static void a_datagram_that_is_too_long_is_said_to_be(void **state)
{
    (void)state;
    struct datagram small = two_requests(NULL);
    uint8_t bytes[2000] = {0};
    memcpy(bytes, small.bytes, small.n_bytes);
    bytes[6] = 1;
    bytes[8] = 2000 & 255, bytes[9] = 2000 >> 8;
    bytes[24] = 1976 & 255, bytes[25] = 1976 >> 8;
    for (size_t n_bytes = 1500; n_bytes <= 2000; n_bytes += 500) {
        struct datagram d = copied(bytes, n_bytes);
        struct wire_reader r;
        struct wire_request request;
        enum wire_code code;
        assert_int_equal(wire_open(d.bytes, d.n_bytes, WIRE_REQUESTS, NULL, &r), WIRE_ACCEPTED);
        assert_true(wire_next_request(&r, &request, &code));
        assert_true(code == WIRE_TOO_LARGE && request.id == ID);
        assert_false(wire_next_request(&r, &request, &code));
        free(d.bytes);
    }
    free(small.bytes);
}

static void every_code_has_a_name(void **state)
{
    (void)state;
    for (int code = WIRE_OK; code < N_WIRE_CODES; code++)
        assert_string_not_equal(wire_code_name((enum wire_code)code), "unknown");
    assert_string_equal(wire_code_name((enum wire_code)N_WIRE_CODES), "unknown");
    assert_string_equal(wire_code_name((enum wire_code) - 1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_that_are_wrong_are_refused),
        cmocka_unit_test(every_shorter_datagram_is_refused),
        cmocka_unit_test(another_version_is_told_from_other_traffic_of_the_wrong_side),
        cmocka_unit_test(any_changed_bit_costs_the_tag),
        cmocka_unit_test(untagged_and_wrongly_keyed_datagrams_are_refused_where_tags_are_due),
        cmocka_unit_test(requests_that_are_wrong_are_malformed),
        cmocka_unit_test(responses_that_are_wrong_are_malformed),
        cmocka_unit_test(a_wrong_message_of_sound_length_does_not_hide_the_next),
        cmocka_unit_test(behind_a_length_that_cannot_be_trusted_nothing_is_read),
        cmocka_unit_test(bytes_behind_the_last_message_make_it_malformed),
        cmocka_unit_test(a_datagram_that_is_too_long_is_said_to_be),
        cmocka_unit_test(every_code_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
