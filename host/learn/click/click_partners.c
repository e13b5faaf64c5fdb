#include "learn/click/click_partners.h"

#include "base/error.h"

#include <stdlib.h>

enum collide_status click_partners_find(const struct click_data *data, size_t space, struct csr *out,
                                        struct collide_error *err)
{
    const size_t partner = click_partner_space(space);
    const struct click_space *from = &data->spaces[space], *to = &data->spaces[partner];
    const struct click_examples *train = &data->train;
    const struct csr_shape shape = {.n_rows = from->n_seen, .n_values = to->n_seen};
    struct csr_pair *pairs = malloc((train->n + 1) * sizeof *pairs);
    uint64_t n = 0;
    if (!pairs)
        return error_no_memory(err, "what was clicked with what");
    for (size_t i = 0; i < train->n; i++) {
        const uint32_t *entries = train->entries + i * data->n_spaces;
        if (train->is_click[i])
            pairs[n++] =
                (struct csr_pair){entries[space] - from->first_entry, entries[partner] - to->first_entry};
    }
    return csr_from_pairs(pairs, n, shape, out, err);
}
