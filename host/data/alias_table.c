#include "data/alias_table.h"

/* `pending` holds the slots below the average from its front, those at or above it from its back. Each of the
 * first is topped up by one of the second, which may fall below the average in turn. */
void alias_fill(struct alias_slot *slots, double *weights, uint32_t n, uint32_t *pending)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += weights[i];
    uint32_t n_small = 0;
    uint32_t first_large = n;
    for (uint32_t i = 0; i < n; i++) {
        weights[i] *= (double)n / sum;
        slots[i] = (struct alias_slot){.keep = 1.0f, .other = i};
        if (weights[i] < 1.0)
            pending[n_small++] = i;
        else
            pending[--first_large] = i;
    }
    /* By rounding some slots of one sort may be left over: they are full. */
    while (n_small > 0 && first_large < n) {
        uint32_t small = pending[--n_small];
        uint32_t large = pending[first_large];
        slots[small] = (struct alias_slot){.keep = (float)weights[small], .other = large};
        weights[large] -= 1.0 - weights[small];
        if (weights[large] < 1.0) {
            first_large++;
            pending[n_small++] = large;
        }
    }
}
