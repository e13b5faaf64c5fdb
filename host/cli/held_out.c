#include "cli/held_out.h"

#include "base/error.h"
#include "base/log.h"

#include <inttypes.h>

struct held_out {
    const struct interactions *log;
    struct csr_pairs pairs;
    uint64_t n_unknown, n_known;
};

static enum collide_status add_held_out(void *context, const char *user, size_t n_user, const char *item,
                                        size_t n_item, struct collide_error *err)
{
    struct held_out *h = context;
    struct csr_pair pair = {.row = id_index_find(&h->log->users, collide_id_text(user, n_user)),
                            .value = id_index_find(&h->log->items, collide_id_text(item, n_item))};
    if (pair.row == h->log->users.n_ids || pair.value == h->log->items.n_ids) {
        h->n_unknown++;
        return COLLIDE_OK;
    }
    h->n_known += csr_holds(&h->log->histories, pair.row, pair.value);
    return csr_pairs_add(&h->pairs, pair, err);
}

enum collide_status held_out_read(const char *path, enum log_layout layout, const struct interactions *log,
                                  struct csr *out, struct collide_error *err)
{
    struct held_out h = {.log = log, .pairs.array.spill = log->histories.store.spill};
    const struct log_visitor visitor = {.visit = add_held_out, .context = &h};
    enum collide_status status = log_scan(path, layout, &visitor, NULL, err);
    if (status == COLLIDE_OK && h.pairs.n == 0)
        status = error_set(err, COLLIDE_INVALID, "%s shares no user and item with the log", path);
    if (status == COLLIDE_OK && h.n_known == h.pairs.n)
        status = error_set(
            err, COLLIDE_INVALID,
            "%s holds nothing that the log does not hold, so there is nothing to find; hold out other "
            "interactions than those that are learned from",
            path);
    if (status != COLLIDE_OK) {
        csr_pairs_free(&h.pairs);
        return status;
    }
    if (h.n_unknown)
        log_warning("%s: %" PRIu64 " interactions have ids that the log does not; they are not measured",
                    path, h.n_unknown);
    if (h.n_known)
        log_warning("%s: %" PRIu64 " of its interactions are in the log as well: they count as missed", path,
                    h.n_known);
    const struct csr_shape shape = {.n_rows = log->users.n_ids, .n_values = log->items.n_ids};
    return csr_from_pairs(&h.pairs, shape, out, err);
}
