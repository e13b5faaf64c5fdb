/* Compressing embeddings that were trained elsewhere, without a log: their ids are mapped to rows, and the
 * rows made such that embeddings are as close to those given as the mapping allows.
 *
 *     score(c) = < pool(user, history), emb(c) > + bias[c]
 *
 * is what a model computes: with a row for every id, stored as f32, the products of the tables given. */
#ifndef LEARN_EMBEDDING_LEARN_H
#define LEARN_EMBEDDING_LEARN_H

#include "learn/embeddings/embedding_tables.h"
#include "learn/learn.h"
#include "learn/store/embedding_errors.h"

struct embedding_options {
    struct space_plan items;
    struct space_plan users; /* where there is a table of users */
    enum row_form form;
    enum mapping_entries mapping;
    uint32_t scalar_bits; /* that an item's bias takes, 1 .. 8, only where there are biases; 0: a float */
    enum pooling pooling;
    uint64_t seed;
    unsigned n_threads; /* 0: one for every CPU */
};

/* How far a model's embeddings are from those given. */
struct embedding_report {
    struct embedding_errors items, users; /* n 0: there are no users */
};

/* lhf, rq, pq and cce find mapping and rows from the embeddings, scaled to a mean square length of 1 and
 * back; a row for every id is that embedding; with all other methods rows are fitted, see map/row_fit.h. An
 * item weighs by its count as in map/id_weights.h. With as many rows as ids every method is LEARN_FULL,
 * unless its mapping is computed.
 *
 * The unknown ids' row is zeros, their bias the lowest. Returns owned; borrows nothing. COLLIDE_UNSUPPORTED:
 * methods that look at who interacted with what, multiply rows or train lookup weights. COLLIDE_INVALID:
 * options out of range, or what a method cannot do with these tables. Sets OpenBLAS to one thread of its own,
 * for the whole process. */
enum collide_status embedding_learn(const struct embedding_tables *tables,
                                    const struct embedding_options *options, struct learned **out,
                                    struct embedding_report *report, struct collide_error *err);

/* Gives the plans in *options the most rows with which the model takes max_bytes for all that serving needs,
 * see learn/budget.h. */
enum collide_status embedding_fit_rows(const struct embedding_tables *tables, uint64_t max_bytes,
                                       struct embedding_options *options, struct collide_error *err);

#endif
