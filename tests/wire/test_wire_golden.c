/* The datagrams of docs/WIRE.md, in both directions: what is written is what stands there, and what stands
 * there reads as the text around it says. */
#include "wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct wire_key key = {{0x0706050403020100u, 0x0f0e0d0c0b0a0908u}}; /* bytes 0 .. 15 */

struct golden {
    uint8_t bytes[WIRE_MAX_BYTES];
    size_t n_bytes;
};

static void append_line(struct golden *g, const char *line)
{
    char *end;
    for (const char *at = line; *at && *at != '#'; at = end) {
        unsigned long byte = strtoul(at, &end, 16);
        if (end == at)
            break;
        assert_true(byte < 256 && g->n_bytes < sizeof g->bytes);
        g->bytes[g->n_bytes++] = (uint8_t)byte;
    }
}

/* The number-th block of bytes in the document, from 0 on. */
static struct golden golden(int number)
{
    struct golden g = {.n_bytes = 0};
    char line[256];
    int block = -1;
    FILE *document = fopen(WIRE_DOCUMENT, "r");
    assert_non_null(document);
    for (bool inside = false; fgets(line, sizeof line, document);) {
        if (strncmp(line, "```", 3) == 0) {
            inside = strcmp(line, "```hex\n") == 0;
            block += inside;
        } else if (inside && block == number) {
            append_line(&g, line);
        }
    }
    fclose(document);
    assert_true(g.n_bytes > 0);
    return g;
}

static void assert_written(struct wire_writer *w, const struct wire_key *tag_key, int number)
{
    struct golden g = golden(number);
    assert_int_equal(wire_finish(w, tag_key), g.n_bytes);
    assert_memory_equal(w->bytes, g.bytes, g.n_bytes);
}

static const uint64_t ID = 0x1122334455667788u;

static void a_score_request_is_as_documented(void **state)
{
    (void)state;
    static const uint64_t items[3] = {7, 8, 9};
    struct golden g = golden(0);
    uint8_t bytes[WIRE_MAX_BYTES];
    struct wire_writer w;
    struct wire_reader reader;
    struct wire_request r;
    enum wire_code code;
    wire_begin(&w, bytes, sizeof bytes, WIRE_REQUESTS);
    assert_int_equal(wire_put_request(&w, &(struct wire_request_fields){.id = ID,
                                                                        .user = 42,
                                                                        .deadline_us = 2000,
                                                                        .kind = WIRE_SCORE,
                                                                        .flags = WIRE_HAS_USER,
                                                                        .items = items,
                                                                        .n_items = 3}),
                     WIRE_OK);
    assert_written(&w, NULL, 0);
    assert_int_equal(wire_open(g.bytes, g.n_bytes, WIRE_REQUESTS, NULL, &reader), WIRE_ACCEPTED);
    assert_true(wire_next_request(&reader, &r, &code) && code == WIRE_OK);
    assert_true(r.id == ID && r.user == 42 && r.deadline_us == 2000 && r.kind == WIRE_SCORE);
    assert_true(r.flags == WIRE_HAS_USER && r.history.n == 0 && r.items.n == 3);
    assert_true(wire_id(&r.items, 0) == 7 && wire_id(&r.items, 2) == 9);
    assert_false(wire_next_request(&reader, &r, &code));
}

static void a_score_response_is_as_documented(void **state)
{
    (void)state;
    static const float scores[3] = {1.0f, -0.5f, 0.25f};
    struct golden g = golden(1);
    uint8_t bytes[WIRE_MAX_BYTES];
    struct wire_writer w;
    struct wire_reader reader;
    struct wire_response r;
    enum wire_code code;
    wire_begin(&w, bytes, sizeof bytes, WIRE_RESPONSES);
    assert_int_equal(wire_put_response(
                         &w,
                         &(struct wire_response_fields){
                             .id = ID, .n_unknown = 1, .kind = WIRE_SCORE, .scores = scores, .n_results = 3}),
                     WIRE_OK);
    assert_written(&w, NULL, 1);
    assert_int_equal(wire_open(g.bytes, g.n_bytes, WIRE_RESPONSES, NULL, &reader), WIRE_ACCEPTED);
    assert_true(wire_next_response(&reader, &r, &code) && code == WIRE_OK);
    assert_true(r.id == ID && r.code == WIRE_OK && r.n_unknown == 1 && r.n_results == 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(wire_score(&r, i) == scores[i]);
}

static void tagged_requests_are_as_documented(void **state)
{
    (void)state;
    static const uint64_t first_history[2] = {10, (uint64_t)1 << 40}, first_items[2] = {11, 12};
    static const uint64_t second_history[1] = {7}, second_items[1] = {9};
    static const float weights[2] = {1.0f, 0.5f};
    struct golden g = golden(2);
    uint8_t bytes[WIRE_MAX_BYTES];
    struct wire_writer w;
    struct wire_reader reader;
    struct wire_request r;
    enum wire_code code;
    wire_begin(&w, bytes, sizeof bytes, WIRE_REQUESTS);
    assert_int_equal(wire_put_request(&w, &(struct wire_request_fields){.id = 1,
                                                                        .model = 3,
                                                                        .kind = WIRE_SCORE,
                                                                        .flags = WIRE_SCORES_F16,
                                                                        .history = first_history,
                                                                        .weights = weights,
                                                                        .items = first_items,
                                                                        .n_history = 2,
                                                                        .n_items = 2}),
                     WIRE_OK);
    assert_int_equal(
        wire_put_request(&w, &(struct wire_request_fields){.id = 2,
                                                           .deadline_us = 500,
                                                           .k = 2,
                                                           .kind = WIRE_TOPK,
                                                           .flags = WIRE_EXCLUDE_SEEN | WIRE_TIMES,
                                                           .history = second_history,
                                                           .items = second_items,
                                                           .n_history = 1,
                                                           .n_items = 1}),
        WIRE_OK);
    assert_written(&w, &key, 2);
    assert_int_equal(wire_open(g.bytes, g.n_bytes, WIRE_REQUESTS, &key, &reader), WIRE_ACCEPTED);
    assert_true(wire_next_request(&reader, &r, &code) && code == WIRE_OK);
    assert_true(r.id == 1 && r.model == 3 && r.flags == (WIRE_WEIGHTED | WIRE_IDS_64 | WIRE_SCORES_F16));
    assert_true(wire_id(&r.history, 1) == (uint64_t)1 << 40 && wire_weight(&r, 1) == 0.5f);
    assert_true(wire_id(&r.items, 1) == 12);
    assert_true(wire_next_request(&reader, &r, &code) && code == WIRE_OK);
    assert_true(r.id == 2 && r.kind == WIRE_TOPK && r.k == 2 && r.deadline_us == 500);
    assert_true(wire_id(&r.history, 0) == 7 && wire_id(&r.items, 0) == 9 && !r.weights);
}

static void tagged_responses_are_as_documented(void **state)
{
    (void)state;
    static const struct wire_times times = {1000000, 1500, 300, 2500, 2};
    static const uint64_t hits[2] = {5, 6};
    static const float scores[2] = {0.75f, 0.5f};
    struct golden g = golden(3);
    uint8_t bytes[WIRE_MAX_BYTES];
    struct wire_writer w;
    struct wire_reader reader;
    struct wire_response r;
    enum wire_code code;
    wire_begin(&w, bytes, sizeof bytes, WIRE_RESPONSES);
    assert_int_equal(
        wire_put_response(
            &w, &(struct wire_response_fields){.id = 1, .kind = WIRE_SCORE, .code = WIRE_UNKNOWN_MODEL}),
        WIRE_OK);
    assert_int_equal(
        wire_put_response(
            &w,
            &(struct wire_response_fields){
                .id = 2, .kind = WIRE_TOPK, .times = &times, .hits = hits, .scores = scores, .n_results = 2}),
        WIRE_OK);
    assert_written(&w, &key, 3);
    assert_int_equal(wire_open(g.bytes, g.n_bytes, WIRE_RESPONSES, &key, &reader), WIRE_ACCEPTED);
    assert_true(wire_next_response(&reader, &r, &code) && code == WIRE_OK);
    assert_true(r.id == 1 && r.code == WIRE_UNKNOWN_MODEL && r.n_results == 0);
    assert_true(wire_next_response(&reader, &r, &code) && code == WIRE_OK);
    assert_true(r.id == 2 && r.flags == WIRE_TIMES && r.n_results == 2);
    assert_memory_equal(&r.times, &times, sizeof times);
    assert_true(wire_id(&r.hits, 1) == 6 && wire_score(&r, 0) == 0.75f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_score_request_is_as_documented),
        cmocka_unit_test(a_score_response_is_as_documented),
        cmocka_unit_test(tagged_requests_are_as_documented),
        cmocka_unit_test(tagged_responses_are_as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
