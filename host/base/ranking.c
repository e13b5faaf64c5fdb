#include "base/ranking.h"

#include <math.h>

struct ranking_quality ranking_measure(const bool *is_hit, size_t n_ranked, size_t n_relevant, size_t cutoff)
{
    size_t n_ideal = n_relevant < cutoff ? n_relevant : cutoff, n_hits = 0;
    double gain = 0.0, ideal = 0.0;
    for (size_t r = 0; r < cutoff && (r < n_ranked || r < n_ideal); r++) {
        double discount = 1.0 / log2((double)r + 2.0);
        ideal += r < n_ideal ? discount : 0.0;
        if (r < n_ranked && is_hit[r]) {
            gain += discount;
            n_hits++;
        }
    }
    return (struct ranking_quality){.recall = (double)n_hits / (double)n_ideal, .ndcg = gain / ideal};
}
