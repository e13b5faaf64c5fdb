/* Moving items to the rows that their users ask for, as the rows are trained.
 *
 * Of an item i that shares the embedding r, training's softmax over all items has the loss
 *
 *     sum over its users u of  -c_u < h_u\i, r/|r| > / tau  +  N_i G(r) + what does not depend on r
 *
 * once the item's bias has followed: h_u\i is the user's bag without i, which is what the user is when i is
 * to be foretold, c_u = |S_u|^-1/2 what its items weigh, N_i = sum of c_u over i's users the item's
 * frequency, and
 *
 *     G(r) = log sum over all users u of  |S_u|^1/2 exp( < h_u, r/|r| > / tau ) / Z_u
 *
 * what users ask of r, Z_u being the sum over all items of exp( < h_u, their rows > / tau + their biases ).
 * So each item goes to the row of the largest < m_i, r/|r| > / tau - G(r), m_i being the mean of its users'
 * h_u\i, and its bias changes by what G does.
 */
#ifndef LEARN_REASSIGN_H
#define LEARN_REASSIGN_H

#include "base/parallel.h"
#include "learn/map/id_mapping.h"
#include "learn/train/corpus.h"

/* All borrowed. */
struct reassignment {
    const struct corpus *corpus;
    const struct id_mapping *items; /* what its rows_of says changes, among the last n_open_rows */
    const float *rows;              /* (n_rows, dim) as trained */
    float *bias;                    /* (n_items); changes */
    uint32_t dim;
    float temperature;
};

/* An item chooses among the open rows that are nearest to its own, REASSIGN_NEAREST of them; no row loses its
 * last item. Takes memory for the items' means, (n_items, dim), and time for every interaction. The same on
 * any number of threads, up to the rounding of the products. n_moved: items that have changed their row. */
enum { REASSIGN_NEAREST = 64 };
enum collide_status reassign_items(const struct reassignment *r, struct parallel *team, uint32_t *n_moved,
                                   struct collide_error *err);

#endif
