#include "model/collisions.h"

#include "base/error.h"
#include "model/mapping.h"

#include <stdlib.h>

/* Entries of known ids by row. Returns how many there are. */
static uint64_t count_entries(const struct model *m, const struct space *space, uint64_t *counts)
{
    uint64_t n = 0;
    for (uint32_t id = 0; id < space->n_ids; id++)
        for (unsigned l = 0; l < space_n_lookups(m, space); l++, n++)
            counts[model_row_of(m, space, id, l)]++;
    return n;
}

static struct collisions summarise(const uint64_t *counts, uint32_t n_rows, uint64_t n_entries)
{
    struct collisions c = {0};
    for (uint32_t r = 0; r < n_rows; r++) {
        c.n_used += counts[r] > 0;
        c.n_private += counts[r] == 1;
        c.by_size[counts[r] ? 64 - __builtin_clzll(counts[r]) : 0]++;
        c.most = counts[r] > c.most ? counts[r] : c.most;
    }
    c.mean = c.n_used ? (double)n_entries / c.n_used : 0.0;
    return c;
}

enum collide_status collisions_count(const struct model *m, const struct space *space, struct collisions *out,
                                     struct collide_error *err)
{
    uint64_t *counts = calloc(m->rows.n, sizeof *counts), n = 0;
    if (!counts)
        return error_no_memory(err, "the row counts");
    for (size_t s = 0; s < model_n_spaces(m); s++)
        if (model_space_is_embedded(m, s) && (!space || space == model_space(m, s)))
            n += count_entries(m, model_space(m, s), counts);
    *out = summarise(counts, m->rows.n, n);
    free(counts);
    return COLLIDE_OK;
}

struct collisions *collisions_of_spaces(const struct model *m)
{
    struct collisions *all = calloc(model_n_spaces(m), sizeof *all);
    for (size_t s = 0; s < model_n_spaces(m) && all; s++)
        if (collisions_count(m, model_space(m, s), &all[s], NULL) != COLLIDE_OK) {
            free(all);
            all = NULL;
        }
    return all;
}
