#include "base/ranking.h"

#include <math.h>

static double discount_of(size_t rank)
{
    return 1.0 / log2((double)rank + 1.0);
}

struct ranking_quality ranking_measure(const bool *is_hit, size_t n_ranked, size_t n_relevant, size_t cutoff)
{
    size_t n_ideal = n_relevant < cutoff ? n_relevant : cutoff, n_hits = 0;
    double gain = 0.0, ideal = 0.0;
    for (size_t r = 0; r < cutoff && (r < n_ranked || r < n_ideal); r++) {
        double discount = discount_of(r + 1);
        ideal += r < n_ideal ? discount : 0.0;
        if (r < n_ranked && is_hit[r]) {
            gain += discount;
            n_hits++;
        }
    }
    return (struct ranking_quality){.recall = (double)n_hits / (double)n_ideal, .ndcg = gain / ideal};
}

struct ranking_quality ranking_measure_ranks(const uint32_t *ranks, size_t n_relevant, size_t cutoff)
{
    size_t n_ideal = n_relevant < cutoff ? n_relevant : cutoff, n_hits = 0;
    double gain = 0.0, ideal = 0.0;
    for (size_t rank = 1; rank <= n_ideal; rank++)
        ideal += discount_of(rank);
    for (size_t i = 0; i < n_relevant; i++)
        if (ranks[i] > 0 && ranks[i] <= cutoff) {
            gain += discount_of(ranks[i]);
            n_hits++;
        }
    return (struct ranking_quality){.recall = (double)n_hits / (double)n_ideal, .ndcg = gain / ideal};
}
