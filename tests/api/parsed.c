#include "parsed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct request_limits parsed_limits = {.max_parts = 100, .max_items = 1000, .max_history = 1000};

void parse_accepted(enum request_kind kind, const char *text, struct request *out)
{
    struct collide_error err = {0};
    if (json_v1_parse(kind, text, strlen(text), &parsed_limits, out, &err) != COLLIDE_OK)
        fail_msg("%s is refused: %s", text, err.text);
    assert_int_equal(out->kind, kind);
}

void parse_refused(enum request_kind kind, const char *text, size_t n_bytes, char *message)
{
    struct collide_error err = {0};
    struct request request = {0};
    char *copy = malloc(n_bytes + !n_bytes);
    assert_non_null(copy);
    memcpy(copy, text, n_bytes);
    if (json_v1_parse(kind, copy, n_bytes, &parsed_limits, &request, &err) == COLLIDE_OK)
        fail_msg("%.*s is accepted", (int)n_bytes, text);
    assert_int_equal(err.status, COLLIDE_INVALID);
    assert_int_equal(request.n_parts, 0);
    assert_int_equal(request.n_queries, 0);
    snprintf(message, sizeof err.text, "%s", err.text);
    request_free(&request);
    free(copy);
}

void assert_id_number(struct collide_id id, uint64_t number)
{
    assert_null(id.text);
    assert_int_equal(id.number, number);
}

void assert_id_text(struct collide_id id, const char *text, size_t n_bytes)
{
    assert_non_null(id.text);
    assert_int_equal(id.n_bytes, n_bytes);
    assert_memory_equal(id.text, text, n_bytes);
}
