/* Reads a request whose body comes in pieces, as a server does: what a reader has not read of a piece comes
 * again, with more behind it; and nothing of it lies where it lay before. */
#ifndef TESTS_PIECES_H
#define TESTS_PIECES_H

#include "api/json_v1.h"
#include "api/oip.h"

/* How a body is cut. */
struct cuts {
    size_t max_bytes; /* of a piece */
    uint64_t seed;    /* 0: all pieces are of max_bytes; else of random sizes up to that */
};

/* As json_v1_parse and oip_parse. *last is what ids borrow from, owned by the caller. */
enum collide_status pieces_parse_v1(enum request_kind kind, const char *text, size_t n_bytes,
                                    struct cuts cuts, const struct request_limits *limits,
                                    struct request *out, char **last, struct collide_error *err);
enum collide_status pieces_parse_oip(const struct oip_body *body, struct cuts cuts,
                                     const struct request_limits *limits, struct request *out,
                                     struct oip_form *form, char **last, struct collide_error *err);

/* Whether two requests ask for the same. */
bool requests_are_equal(const struct request *a, const struct request *b);
bool forms_are_equal(const struct oip_form *a, const struct oip_form *b);

#endif
