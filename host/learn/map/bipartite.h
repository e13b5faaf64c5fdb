/* The graph of who interacts with what: ids of one space on one side, their partners on the other. */
#ifndef LEARN_BIPARTITE_H
#define LEARN_BIPARTITE_H

#include "data/csr.h"

enum side { SIDE_IDS, SIDE_PARTNERS };

struct bipartite {
    uint32_t n_ids;   /* nodes 0 .. n_ids - 1 are ids, partner p is node n_ids + p */
    struct csr nodes; /* (n_ids + n_partners) rows: a node's neighbours, all on the other side; owned */
};

/* partners: (n_ids) rows of values below n_partners. Returns owned. COLLIDE_INVALID: 2^32 nodes or more. */
enum collide_status bipartite_create(const struct csr *partners, uint32_t n_partners, struct bipartite *out,
                                     struct collide_error *err);
void bipartite_free(struct bipartite *g);

static inline enum side bipartite_side(const struct bipartite *g, uint32_t node)
{
    return node < g->n_ids ? SIDE_IDS : SIDE_PARTNERS;
}

static inline uint64_t bipartite_degree(const struct bipartite *g, uint32_t node)
{
    return g->nodes.offsets[node + 1] - g->nodes.offsets[node];
}

static inline uint64_t bipartite_n_edges(const struct bipartite *g)
{
    return g->nodes.offsets[g->n_ids];
}

/* labels[node] = node; but nodes of a side without neighbours share the first one's. labels: (n_nodes). */
void bipartite_label_alone(const struct bipartite *g, uint32_t *labels);

#endif
