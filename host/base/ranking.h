/* Recall and NDCG of one ranked list, as GraphHash and BACO measure them. */
#ifndef BASE_RANKING_H
#define BASE_RANKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shares of 1.
 * recall = hits among the first K / min(K, relevant items);
 * ndcg   = sum over hits at rank r = 1.. of 1 / log2(r + 1), divided by that of a list that starts with
 * min(K, relevant items) hits. */
struct ranking_quality {
    double recall;
    double ndcg;
};

/* is_hit: (n_ranked), best first; n_relevant, cutoff > 0. */
struct ranking_quality ranking_measure(const bool *is_hit, size_t n_ranked, size_t n_relevant, size_t cutoff);

/* The same from where the relevant items are: ranks: (n_relevant), from 1, no two alike; 0: not in the list.
 */
struct ranking_quality ranking_measure_ranks(const uint32_t *ranks, size_t n_relevant, size_t cutoff);

#endif
