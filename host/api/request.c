#include "api/request.h"

#include "base/clock.h"
#include "base/error.h"

#include <inttypes.h>

void request_free(struct request *r)
{
    arena_free(&r->arena);
    *r = (struct request){0};
}

size_t request_part_n_scores(const struct request *request, const struct request_part *part)
{
    size_t n = 0;
    for (size_t i = 0; i < part->n_queries; i++)
        n += request->queries[part->first_query + i].n_items;
    return n;
}

enum collide_status response_allocate(struct request *request, struct response *out,
                                      struct collide_error *err)
{
    struct arena *arena = &request->arena;
    *out = (struct response){0};
    if (request->kind == REQUEST_SCORE) {
        out->scores = arena_alloc(arena, request->n_results, sizeof *out->scores);
        return out->scores ? COLLIDE_OK : error_no_memory(err, "the scores");
    }
    out->hits = arena_alloc(arena, request->n_results, sizeof *out->hits);
    out->n_hits = arena_alloc(arena, request->n_queries, sizeof *out->n_hits);
    return out->hits && out->n_hits ? COLLIDE_OK : error_no_memory(err, "the hits");
}

enum collide_status request_check_timeout(const struct request *r, uint64_t arrived_ns,
                                          struct collide_error *err)
{
    if (r->timeout_us == 0 || clock_now_ns() - arrived_ns < r->timeout_us * 1000)
        return COLLIDE_OK;
    return error_set(err, COLLIDE_BUSY, "the request has waited longer than its timeout of %" PRIu64 " us",
                     r->timeout_us);
}
