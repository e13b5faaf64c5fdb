/* The ways to map ids to rows, each named after its paper in map/id_mapping.c. */
#ifndef LEARN_METHOD_H
#define LEARN_METHOD_H

#include <stdint.h>

enum learn_method {
    LEARN_LHF, /* learned hash function: ids with similar learned vectors share a row (Ghaemmaghami 2022) */
    LEARN_MODULO,    /* the hashing trick: dense id mod rows (Weinberger 2009) */
    LEARN_FREQUENCY, /* private rows, half of all by default, for the most frequent ids, the others fold by
                        modulo (Zhang 2020) */
    LEARN_FULL,      /* a row for every id */
    LEARN_RQ, /* residual codes, a sum of rows, one of each codebook (Chen 2010; semantic ids, Singh 2024) */
    LEARN_PQ, /* product codes: rows of parts of the vector, one codebook a part (Jegou 2011) */
    LEARN_HASH,   /* a row by a hash of the id (Dietzfelbinger 1997) */
    LEARN_DOUBLE, /* the sum of two hashed rows (Zhang 2020) */
    LEARN_HYBRID, /* private rows for the most frequent ids, two hashed rows for the others (Zhang 2020) */
    LEARN_BLOOM,  /* the sum of several hashed rows, 4 by default (Serra 2017) */
    LEARN_QR,     /* a row by the quotient of the id and one by its remainder, summed (Shi 2020) */
    LEARN_QR_MULTIPLY, /* their product */
    LEARN_QR_CONCAT,   /* of half the width each, one after the other */
    LEARN_LSH,     /* locality-sensitive hashing: ids with similar interactions share a row (Charikar 2002) */
    LEARN_HASHEMB, /* hash embeddings: hashed rows, 2 by default, summed by learned weights of each id
                      (Svenstrup 2017) */
    LEARN_ROBE, /* random offset blocks: an embedding is cut into chunks, 4 by default, each a run of a flat
                   array (Desai 2022) */
    LEARN_CE,   /* compositional codes: a hashed row for each part of an embedding, 4 by default (Shi 2020) */
    LEARN_CCE,  /* clustered compositional embeddings: of each part, 4 by default, the centroid of what it is
                   like and a hashed row (Tsang 2023) */
    LEARN_GRAPHHASH, /* ids of one community of users and items share a row, by modularity (Wu 2024) */
    LEARN_LEIDEN,    /* the same with communities by Leiden's method (Traag 2019) */
    LEARN_BACO, /* balanced co-clusters of users and items, by label propagation; users have two rows (Jiang
                   2026) */
    LEARN_N_METHODS
};

/* Lower-case names such as "lhf": (LEARN_N_METHODS) and a NULL at the end. */
extern const char *const learn_method_names[];
const char *learn_method_name(enum learn_method method);

/* What a learned mapping looks at. */
enum mapping_signals {
    SIGNALS_BOTH, /* learned vectors, those of frequent ids weighing more; with lhf, items' weights in bags
                     are by both, and training moves items on, see train/reassign.h */
    SIGNALS_FREQUENCY, /* counts alone: the most frequent ids have private rows, half of all unless said
                          otherwise, the others fold by their rank (Zhang 2020) */
    SIGNALS_EMBEDDING, /* learned vectors, all weighing the same */
};

/* Choices that only some methods have; 0 is each one's own default. */
struct method_settings {
    uint32_t n_lookups;           /* rows an id; robe: chunks */
    enum mapping_signals signals; /* lhf; rq and pq: whether frequency weighs */
    float private_share;          /* of the rows, for the most frequent ids alone */
};

#endif
