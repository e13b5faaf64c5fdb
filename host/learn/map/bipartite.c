#include "learn/map/bipartite.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Rows of partners, then rows of ids, numbered as nodes. */
static void join(const struct csr *partners, const struct csr *ids, struct csr *nodes)
{
    const uint32_t n_ids = partners->n_rows;
    const uint64_t n_edges = partners->offsets[n_ids];
    memcpy(nodes->offsets, partners->offsets, n_ids * sizeof *nodes->offsets);
    for (uint64_t p = 0; p <= ids->n_rows; p++)
        nodes->offsets[n_ids + p] = n_edges + ids->offsets[p];
    for (uint64_t i = 0; i < n_edges; i++) {
        nodes->values[i] = n_ids + partners->values[i];
        nodes->values[n_edges + i] = ids->values[i];
    }
}

enum collide_status bipartite_create(const struct csr *partners, uint32_t n_partners, struct bipartite *out,
                                     struct collide_error *err)
{
    const uint64_t n_nodes = (uint64_t)partners->n_rows + n_partners;
    const uint64_t n_edges = partners->offsets[partners->n_rows];
    if (n_nodes > UINT32_MAX)
        return error_set(err, COLLIDE_INVALID,
                         "a graph of %" PRIu32 " and %" PRIu32 " ids; 2^32 - 1 together are the limit",
                         partners->n_rows, n_partners);
    struct csr ids;
    enum collide_status status = csr_transpose(partners, n_partners, &ids, err);
    if (status != COLLIDE_OK)
        return status;
    struct bipartite g = {.n_ids = partners->n_rows};
    status = csr_allocate((uint32_t)n_nodes, 2 * n_edges, partners->store.spill, "the graph of interactions",
                          &g.nodes, err);
    if (status == COLLIDE_OK) {
        join(partners, &ids, &g.nodes);
        *out = g;
    }
    csr_free(&ids);
    return status;
}

void bipartite_free(struct bipartite *g)
{
    csr_free(&g->nodes);
    *g = (struct bipartite){0};
}

void bipartite_label_alone(const struct bipartite *g, uint32_t *labels)
{
    uint32_t first_isolated[2] = {UINT32_MAX, UINT32_MAX};
    for (uint32_t node = 0; node < g->nodes.n_rows; node++) {
        uint32_t *first = &first_isolated[bipartite_side(g, node)];
        labels[node] = node;
        if (bipartite_degree(g, node) > 0)
            continue;
        if (*first == UINT32_MAX)
            *first = node;
        labels[node] = *first;
    }
}
