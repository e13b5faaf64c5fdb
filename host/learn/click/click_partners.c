#include "learn/click/click_partners.h"

enum collide_status click_partners_find(const struct click_data *data, size_t space, struct csr *out,
                                        struct collide_error *err)
{
    const size_t partner = click_partner_space(space);
    const struct click_space *from = &data->spaces[space], *to = &data->spaces[partner];
    const struct click_examples *train = &data->train;
    const struct csr_shape shape = {.n_rows = from->n_seen, .n_values = to->n_seen};
    struct csr_pairs pairs = {0};
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < train->n && status == COLLIDE_OK; i++) {
        const uint32_t *entries = train->entries + i * data->n_spaces;
        const struct csr_pair pair = {entries[space] - from->first_entry, entries[partner] - to->first_entry};
        if (train->is_click[i])
            status = csr_pairs_add(&pairs, pair, err);
    }
    if (status == COLLIDE_OK)
        return csr_from_pairs(&pairs, shape, out, err);
    csr_pairs_free(&pairs);
    return status;
}
