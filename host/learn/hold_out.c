#include "learn/hold_out.h"

#include "base/error.h"
#include "base/rng.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

static uint64_t length(const struct csr *lists, uint32_t u)
{
    return lists->offsets[u + 1] - lists->offsets[u];
}

static enum collide_status allocate_like(const struct csr *lists, struct csr *out, struct collide_error *err)
{
    return csr_allocate(lists->n_rows, lists->offsets[lists->n_rows], lists->store.spill,
                        "the interactions put aside", out, err);
}

static void split_user(const struct csr *all, uint32_t u, double share, uint32_t *n_left_of_item,
                       struct rng *rng, struct hold_out *out)
{
    const uint64_t n = length(all, u);
    uint64_t n_spare = n < HOLD_OUT_MIN_ITEMS ? 0 : n - 2;
    uint64_t *n_train = &out->train.offsets[u + 1], *n_held_out = &out->held_out.offsets[u + 1];
    *n_train = out->train.offsets[u];
    *n_held_out = out->held_out.offsets[u];
    for (uint64_t k = all->offsets[u]; k < all->offsets[u + 1]; k++) {
        const uint32_t item = all->values[k];
        const bool is_drawn = rng_double(rng) < share;
        if (is_drawn && n_spare > 0 && n_left_of_item[item] > 1) {
            out->held_out.values[(*n_held_out)++] = item;
            n_left_of_item[item]--;
            n_spare--;
        } else {
            out->train.values[(*n_train)++] = item;
        }
    }
}

enum collide_status hold_out_split(const struct interactions *log, double share, uint64_t seed,
                                   struct hold_out *out, struct collide_error *err)
{
    const struct csr *all = &log->histories;
    const uint64_t n = all->offsets[all->n_rows];
    struct hold_out h = {0};
    struct rng rng = rng_seeded(seed, 0);
    uint32_t *n_left_of_item = calloc(log->items.n_ids + 1ull, sizeof *n_left_of_item);
    enum collide_status status = n_left_of_item ? allocate_like(all, &h.train, err)
                                                : error_no_memory(err, "the interactions put aside");
    if (status == COLLIDE_OK)
        status = allocate_like(all, &h.held_out, err);
    if (status != COLLIDE_OK)
        goto out;
    interactions_count_items(log, n_left_of_item);
    for (uint32_t u = 0; u < all->n_rows; u++)
        split_user(all, u, share, n_left_of_item, &rng, &h);
    if (h.held_out.offsets[all->n_rows] == 0)
        status =
            error_set(err, COLLIDE_INVALID,
                      "%g of %" PRIu64
                      " interactions held out is none: users need %d items, and items two users. Hold out "
                      "a larger share, or give held-out interactions of your own",
                      share, n, HOLD_OUT_MIN_ITEMS);
    if (status == COLLIDE_OK)
        status = csr_trim(&h.train, err);
    if (status == COLLIDE_OK)
        status = csr_trim(&h.held_out, err);
out:
    free(n_left_of_item);
    if (status == COLLIDE_OK)
        *out = h;
    else
        hold_out_free(&h);
    return status;
}

void hold_out_free(struct hold_out *h)
{
    csr_free(&h->train);
    csr_free(&h->held_out);
    *h = (struct hold_out){0};
}

enum collide_status hold_out_sample(const struct csr *held_out, uint64_t n_users, struct csr *out,
                                    struct collide_error *err)
{
    uint64_t n_with_items = 0, n_seen = 0;
    for (uint32_t u = 0; u < held_out->n_rows; u++)
        n_with_items += length(held_out, u) > 0;
    const uint64_t step = (n_with_items + n_users - 1) / n_users;
    struct csr sample;
    enum collide_status status = allocate_like(held_out, &sample, err);
    if (status != COLLIDE_OK)
        return status;
    for (uint32_t u = 0; u < held_out->n_rows; u++) {
        sample.offsets[u + 1] = sample.offsets[u];
        if (length(held_out, u) == 0 || n_seen++ % step)
            continue;
        for (uint64_t k = held_out->offsets[u]; k < held_out->offsets[u + 1]; k++)
            sample.values[sample.offsets[u + 1]++] = held_out->values[k];
    }
    status = csr_trim(&sample, err);
    if (status == COLLIDE_OK)
        *out = sample;
    else
        csr_free(&sample);
    return status;
}
