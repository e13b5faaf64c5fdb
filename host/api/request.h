/* One request, whatever brought it: parsed into this, scored from this, answered from this. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "base/arena.h"
#include "collide/scorer.h"

#include <stdbool.h>

enum { REQUEST_MAX_TIMEOUT_US = 600000000 };

enum request_kind { REQUEST_SCORE, REQUEST_TOPK };

/* What one request may ask for. */
struct request_limits {
    size_t max_parts;   /* requests in a batch */
    size_t max_items;   /* scores or hits asked for, of all parts together; also entries of an exclude list */
    size_t max_history; /* ids that one part brings: its history's, and its features' */
};

/* A batch's parts stand or fall alone: one that is wrong carries its error, its neighbours are answered. */
struct request_part {
    size_t first_query;
    size_t n_queries;           /* 1; of pairs, one a pair; 0 where there is an error */
    size_t first_result;        /* where its scores, or its hits, begin among all */
    struct collide_error error; /* status COLLIDE_OK: none */
};

struct request {
    enum request_kind kind;
    bool is_batch;              /* answered as a list, even of one */
    struct request_part *parts; /* (n_parts) */
    size_t n_parts;
    struct collide_query *queries;   /* (n_queries), REQUEST_SCORE: all parts' in order */
    struct collide_topk_query *topk; /* (n_queries), REQUEST_TOPK: likewise */
    size_t n_queries;
    uint64_t timeout_us; /* since it arrived: then nobody waits for the answer any more; 0: for ever */
    size_t n_results;    /* scores, or hits at the most, of all queries */
    struct arena arena; /* holds the arrays above and what they point to, but for texts of ids that lie in the
                           request's own text */
};

/* What a reader of a request is given: what it did not read of the text before, and what has come since. */
struct request_text {
    const char *bytes; /* (n_bytes) */
    size_t n_bytes;
    bool is_last; /* nothing follows; and it stays until the request is answered */
};

/* A request is zeroed at first, filled again and again with its arena staying warm, and freed at last. */
void request_free(struct request *r);

/* The results of a request's queries, as collide_score and collide_topk give them. */
struct response {
    float *scores;            /* REQUEST_SCORE: (n_results) */
    struct collide_hit *hits; /* REQUEST_TOPK: (n_results), a query's first ones are its hits */
    size_t *n_hits;           /* REQUEST_TOPK: (n_queries) */
    struct collide_counts counts;
};

/* Room for a request's response in its own arena. */
enum collide_status response_allocate(struct request *request, struct response *out,
                                      struct collide_error *err);

/* COLLIDE_BUSY: its timeout has passed. arrived_ns: of clock_now_ns. */
enum collide_status request_check_timeout(const struct request *r, uint64_t arrived_ns,
                                          struct collide_error *err);

/* Scores of a part of a REQUEST_SCORE. */
size_t request_part_n_scores(const struct request *request, const struct request_part *part);

#endif
