/* One problem for the kernels, with tables as big and as random as asked for: a model in memory, and batches
 * of queries with random ids. */
#ifndef BENCH_KERNEL_CASE_H
#define BENCH_KERNEL_CASE_H

#include "base/rng.h"
#include "model/row_form.h"
#include "score/model_handle.h"

/* Where the ids of a batch come from. Ordered: a smaller id is a more frequent one, and frequent ids have the
 * first rows, as learned models have it. Shuffled: neither. */
enum id_distribution { IDS_UNIFORM, IDS_ZIPF_ORDERED, IDS_ZIPF_SHUFFLED, N_DISTRIBUTIONS };

struct kernel_shape {
    uint32_t n_ids;
    uint32_t n_rows;
    uint32_t dim;
    uint32_t bag;       /* ids a query's history */
    uint32_t n_items;   /* candidates a query */
    uint32_t n_queries; /* in one launch */
    enum row_form form;
    enum id_distribution distribution;
    bool packed; /* the mapping, to the bits it needs */
    bool biased;
};

/* Tables lie in huge pages where the system gives them. */
struct kernel_case {
    struct kernel_shape shape;
    struct model model;          /* one space, dense ids, pooled by sum, no weights */
    struct collide_model handle; /* of the model */
    struct rng rng;
    void *tables[4]; /* owned: remap, rows, scales, bias */
};

/* The memory for it is shape's n_rows * row bytes and the mapping; COLLIDE_NO_MEMORY says to ask for less. */
enum collide_status kernel_case_create(const struct kernel_shape *shape, uint64_t seed,
                                       struct kernel_case **out, struct collide_error *err);
void kernel_case_destroy(struct kernel_case *c);

const char *distribution_name(enum id_distribution d);

/* An id, by the shape's distribution. */
uint32_t kernel_case_draw(struct kernel_case *c);

/* Lines of 64 bytes that one lookup of a bag touches, on average; see model/cost.h. */
double kernel_case_lookup_lines(const struct kernel_case *c);

/* Bytes that one lookup needs of them, and of its id. */
double kernel_case_lookup_bytes(const struct kernel_case *c);

#endif
