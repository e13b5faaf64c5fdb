#include "api/request.h"

#include "base/error.h"

void request_free(struct request *r)
{
    arena_free(&r->arena);
    *r = (struct request){0};
}

size_t request_part_n_scores(const struct request *request, size_t part)
{
    const struct request_part *p = &request->parts[part];
    size_t n = 0;
    for (size_t i = 0; i < p->n_queries; i++)
        n += request->queries[p->first_query + i].n_items;
    return n;
}

static enum collide_status allocate_scores(struct request *request, struct response *out)
{
    size_t n = 0;
    for (size_t i = 0; i < request->n_queries; i++)
        n += request->queries[i].n_items;
    out->scores = arena_alloc(&request->arena, n, sizeof *out->scores);
    return out->scores ? COLLIDE_OK : COLLIDE_NO_MEMORY;
}

static enum collide_status allocate_hits(struct request *request, struct response *out)
{
    out->hits = arena_alloc(&request->arena, request->n_parts, sizeof *out->hits);
    out->n_hits = arena_alloc(&request->arena, request->n_parts, sizeof *out->n_hits);
    if (!out->hits || !out->n_hits)
        return COLLIDE_NO_MEMORY;
    for (size_t i = 0; i < request->n_parts; i++) {
        out->hits[i] = arena_alloc(&request->arena, request->parts[i].topk.k, sizeof **out->hits);
        if (!out->hits[i])
            return COLLIDE_NO_MEMORY;
    }
    return COLLIDE_OK;
}

enum collide_status response_allocate(struct request *request, struct response *out,
                                      struct collide_error *err)
{
    *out = (struct response){0};
    enum collide_status status =
        request->kind == REQUEST_SCORE ? allocate_scores(request, out) : allocate_hits(request, out);
    return status == COLLIDE_OK ? status : error_no_memory(err, "the response");
}
