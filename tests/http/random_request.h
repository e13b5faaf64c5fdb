/* Random requests of every form that /v1 has, and their JSON. */
#ifndef TESTS_RANDOM_REQUEST_H
#define TESTS_RANDOM_REQUEST_H

#include "base/buffer.h"
#include "score/random_query.h"

#include <stdbool.h>

enum { RANDOM_REQUEST_MAX_PARTS = 6, RANDOM_REQUEST_MAX_PAIRS = 24 };

enum score_form {
    FORM_ITEMS, /* a user, a history or both, and items: one query */
    FORM_PAIRS, /* users and items: a query a pair */
};

struct score_part {
    enum score_form form;
    const struct collide_query *queries; /* in the arena */
    size_t n_queries;
};

struct score_request {
    struct score_part parts[RANDOM_REQUEST_MAX_PARTS];
    size_t n_parts;
    bool is_batch; /* else of one part */
};

struct topk_request {
    struct collide_topk_query parts[RANDOM_REQUEST_MAX_PARTS];
    size_t n_parts;
    bool is_batch;
};

/* Both allocate in the arena. Half of the requests are batches. */
void random_score_request(const struct random_model *spec, struct rng *rng, struct arena *arena,
                          struct score_request *out);
void random_topk_request(const struct random_model *spec, struct rng *rng, struct arena *arena,
                         struct topk_request *out);

/* out: the JSON, terminated. */
void score_request_print(const struct score_request *r, struct buffer *out);
void topk_request_print(const struct topk_request *r, struct buffer *out);

#endif
