/* Parsing from literals, for the tests of the api floor. */
#ifndef TESTS_PARSED_H
#define TESTS_PARSED_H

#include "api/json_v1.h"

/* Larger than any test here needs. */
extern const struct request_limits parsed_limits;

/* Parses a text that must be accepted; fails the test with the refusal if it is not. */
void parse_accepted(enum request_kind kind, const char *text, struct request *out);

/* Parses a text that must be refused, from memory of exactly its size; message: (512). */
void parse_refused(enum request_kind kind, const char *text, size_t n_bytes, char *message);

void assert_id_number(struct collide_id id, uint64_t number);
void assert_id_text(struct collide_id id, const char *text, size_t n_bytes);

#endif
