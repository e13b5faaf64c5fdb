/* Sign random projections (Charikar 2002) of an id's interactions, a vector of ones and zeros over the other
 * space: bit b of its code says on which side of a random hyperplane through the origin it lies. There is one
 * bit more than rows can be told apart by, as many codes do not occur.
 *
 * If more codes occur than there are rows, pairs of codes that differ in the last bit alone become one, those
 * with the fewest ids first. Without last bits there would be no more codes than rows. */
#include "base/error.h"
#include "base/order.h"
#include "base/rng.h"
#include "learn/map/id_mapping.h"
#include "learn/train/vector.h"

#include <stdlib.h>

enum { MAX_BITS = 32 };

struct coded {
    uint32_t code;
    uint32_t id;
};

struct lsh {
    const struct mapping_problem *problem;
    uint32_t n_bits;
    float *normals;      /* (n_partners, n_bits): the hyperplanes' */
    struct coded *coded; /* (n_ids) */
    uint64_t *sizes;     /* (n_ids): ids of the k-th pair of codes that both occur; 0 once they are one */
    uint32_t *order;     /* (n_ids) */
};

static void draw_normals(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    const struct lsh *l = context;
    for (size_t partner = begin; partner < end; partner++) {
        struct rng rng = rng_seeded(l->problem->seed, partner);
        for (uint32_t b = 0; b < l->n_bits; b++)
            l->normals[partner * l->n_bits + b] = (float)rng_normal(&rng);
    }
}

static void code_ids(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    const struct lsh *l = context;
    const struct csr *partners = l->problem->partners;
    for (size_t id = begin; id < end; id++) {
        float sums[MAX_BITS] = {0};
        uint32_t code = 0;
        for (uint64_t k = partners->offsets[id]; k < partners->offsets[id + 1]; k++)
            vector_add_scaled(1.0f, l->normals + (size_t)partners->values[k] * l->n_bits, sums, l->n_bits);
        for (uint32_t b = 0; b < l->n_bits; b++)
            code |= (uint32_t)(sums[b] > 0.0f) << b;
        l->coded[id] = (struct coded){code, (uint32_t)id};
    }
}

static int by_code(const void *a, const void *b)
{
    const struct coded *x = a, *y = b;
    if (x->code != y->code)
        return x->code < y->code ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Sorted ids [begin, end) whose codes differ in the last bit at most. */
struct code_pair {
    uint32_t begin, end;
    bool is_mixed; /* both codes occur */
};

static struct code_pair pair_from(const struct lsh *l, uint32_t begin)
{
    const uint32_t code = l->coded[begin].code;
    uint32_t end = begin;
    while (end < l->problem->n_ids && l->coded[end].code >> 1 == code >> 1)
        end++;
    return (struct code_pair){begin, end, l->coded[end - 1].code != code};
}

/* Marks the pairs that become one by size 0. */
static enum collide_status unite_pairs(struct lsh *l, struct collide_error *err)
{
    const uint32_t n_ids = l->problem->n_ids, n_rows = l->problem->n_rows;
    uint32_t n_codes = 0, n_pairs = 0;
    for (uint32_t begin = 0; begin < n_ids;) {
        struct code_pair pair = pair_from(l, begin);
        if (pair.is_mixed)
            l->sizes[n_pairs++] = pair.end - pair.begin;
        n_codes += pair.is_mixed ? 2 : 1;
        begin = pair.end;
    }
    if (n_codes <= n_rows)
        return COLLIDE_OK;
    enum collide_status status = order_by_count(l->sizes, n_pairs, l->order, err);
    if (status != COLLIDE_OK)
        return status;
    for (uint32_t k = n_pairs - (n_codes - n_rows); k < n_pairs; k++)
        l->sizes[l->order[k]] = 0;
    return COLLIDE_OK;
}

/* Rows are numbered by code. */
static void number_rows(const struct lsh *l, struct id_mapping *mapping)
{
    uint32_t n_rows = 0, n_pairs = 0;
    for (uint32_t begin = 0; begin < l->problem->n_ids;) {
        struct code_pair pair = pair_from(l, begin);
        bool is_split = pair.is_mixed && l->sizes[n_pairs] > 0;
        for (uint32_t k = pair.begin; k < pair.end; k++)
            mapping->rows_of[l->coded[k].id] = n_rows + (is_split ? l->coded[k].code & 1 : 0);
        n_pairs += pair.is_mixed;
        n_rows += is_split ? 2 : 1;
        begin = pair.end;
    }
    mapping->n_rows = n_rows;
}

enum collide_status map_lsh(const struct mapping_problem *problem, struct id_mapping *mapping,
                            struct collide_error *err)
{
    const uint32_t n_bits = MAX_BITS - (uint32_t)__builtin_clz(problem->n_rows);
    struct lsh l = {.problem = problem, .n_bits = n_bits};
    enum collide_status status = COLLIDE_OK;
    l.normals = malloc((size_t)problem->n_partners * n_bits * sizeof *l.normals);
    l.coded = malloc(problem->n_ids * sizeof *l.coded);
    l.sizes = malloc(problem->n_ids * sizeof *l.sizes);
    l.order = malloc(problem->n_ids * sizeof *l.order);
    if (!l.normals || !l.coded || !l.sizes || !l.order) {
        status = error_no_memory(err, "the codes of lsh");
        goto out;
    }
    parallel_for(problem->team, problem->n_partners, draw_normals, &l);
    parallel_for(problem->team, problem->n_ids, code_ids, &l);
    qsort(l.coded, problem->n_ids, sizeof *l.coded, by_code);
    status = unite_pairs(&l, err);
    if (status == COLLIDE_OK)
        number_rows(&l, mapping);
out:
    free(l.normals);
    free(l.coded);
    free(l.sizes);
    free(l.order);
    return status;
}
