#include "data/interactions.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/order.h"
#include "data/log_scan.h"

#include <stdlib.h>
#include <string.h>

struct reading {
    struct id_builder *users;
    struct id_builder *items;
    struct buffer pairs; /* of struct csr_pair, in provisional ids */
};

static enum collide_status gather_pair(void *context, const char *user, size_t n_user, const char *item,
                                       size_t n_item, struct collide_error *err)
{
    struct reading *r = context;
    struct csr_pair pair;
    enum collide_status status = id_builder_add(r->users, user, n_user, &pair.row, err);
    if (status == COLLIDE_OK)
        status = id_builder_add(r->items, item, n_item, &pair.value, err);
    if (status != COLLIDE_OK)
        return status;
    buffer_append(&r->pairs, &pair, sizeof pair);
    return r->pairs.failed ? error_no_memory(err, "the interactions") : COLLIDE_OK;
}

static enum collide_status gather_pairs(struct reading *r, const char *path, enum log_layout layout,
                                        struct collide_error *err)
{
    struct byte_stream *stream;
    struct log_visitor visitor = {.visit = gather_pair, .context = r};
    enum collide_status status = byte_stream_open(path, &stream, err);
    if (status != COLLIDE_OK)
        return status;
    status = log_scan_stream(stream, layout, &visitor, NULL, err);
    if (status == COLLIDE_OK && r->pairs.n_bytes == 0)
        status = error_set(err, COLLIDE_INVALID,
                           "%s holds no interactions; give a log with a user and an item on each line",
                           byte_stream_name(stream));
    byte_stream_close(stream);
    return status;
}

enum column { COLUMN_USER, COLUMN_ITEM };

/* How often each provisional id of a column occurs; counts: (n_ids) */
static void count_column(const struct reading *r, enum column column, uint64_t *counts)
{
    const struct csr_pair *pairs = (const struct csr_pair *)(const void *)r->pairs.bytes;
    for (size_t i = 0; i < r->pairs.n_bytes / sizeof *pairs; i++)
        counts[column == COLUMN_USER ? pairs[i].row : pairs[i].value]++;
}

/* The most frequent first, so that what is looked up most lies together. */
static enum collide_status reorder_ids(const struct reading *r, enum column column, struct collide_error *err)
{
    struct id_builder *builder = column == COLUMN_USER ? r->users : r->items;
    const uint32_t n_ids = id_builder_n_ids(builder);
    uint64_t *counts = calloc(n_ids + 1ull, sizeof *counts);
    uint32_t *order = malloc((n_ids + 1ull) * sizeof *order);
    enum collide_status status = COLLIDE_OK;
    if (!counts || !order) {
        status = error_no_memory(err, "the order of ids");
        goto out;
    }
    count_column(r, column, counts);
    status = order_by_count(counts, n_ids, order, err);
    if (status == COLLIDE_OK)
        status = id_builder_reorder(builder, order, err);
out:
    free(counts);
    free(order);
    return status;
}

static enum collide_status finish_ids(struct reading *r, struct interactions *in, struct collide_error *err)
{
    const uint32_t *user_ids, *item_ids;
    enum collide_status status = reorder_ids(r, COLUMN_USER, err);
    if (status == COLLIDE_OK)
        status = reorder_ids(r, COLUMN_ITEM, err);
    if (status == COLLIDE_OK)
        status = id_builder_finish(r->users, &in->users, &user_ids, err);
    if (status == COLLIDE_OK)
        status = id_builder_finish(r->items, &in->items, &item_ids, err);
    if (status != COLLIDE_OK)
        return status;
    struct csr_pair *pairs = (struct csr_pair *)(void *)r->pairs.bytes;
    for (size_t i = 0; i < r->pairs.n_bytes / sizeof *pairs; i++)
        pairs[i] = (struct csr_pair){user_ids[pairs[i].row], item_ids[pairs[i].value]};
    return COLLIDE_OK;
}

static enum collide_status build_histories(struct reading *r, struct interactions *in,
                                           struct collide_error *err)
{
    struct csr_shape shape = {.n_rows = in->users.n_ids, .n_values = in->items.n_ids};
    struct csr_pair *pairs = (struct csr_pair *)(void *)r->pairs.bytes;
    uint64_t n_pairs = r->pairs.n_bytes / sizeof *pairs;
    r->pairs = (struct buffer){0}; /* csr_from_pairs takes it */
    enum collide_status status = csr_from_pairs(pairs, n_pairs, shape, &in->histories, err);
    if (status == COLLIDE_OK)
        in->n_duplicates = n_pairs - in->histories.offsets[in->users.n_ids];
    return status;
}

enum collide_status interactions_read(const char *path, enum log_layout layout, struct interactions *out,
                                      struct collide_error *err)
{
    struct reading r = {0};
    struct interactions in = {0};
    enum collide_status status = id_builder_create(&r.users, err);
    if (status == COLLIDE_OK)
        status = id_builder_create(&r.items, err);
    if (status == COLLIDE_OK)
        status = gather_pairs(&r, path, layout, err);
    if (status == COLLIDE_OK)
        status = finish_ids(&r, &in, err);
    if (status == COLLIDE_OK)
        status = build_histories(&r, &in, err);
    buffer_free(&r.pairs);
    if (status != COLLIDE_OK) {
        id_builder_destroy(r.users);
        id_builder_destroy(r.items);
        return status;
    }
    in.user_builder = r.users;
    in.item_builder = r.items;
    *out = in;
    return COLLIDE_OK;
}

void interactions_free(struct interactions *in)
{
    csr_free(&in->histories);
    id_builder_destroy(in->user_builder);
    id_builder_destroy(in->item_builder);
    *in = (struct interactions){0};
}

void interactions_count_items(const struct interactions *in, uint32_t *counts)
{
    memset(counts, 0, in->items.n_ids * sizeof *counts);
    uint64_t n = in->histories.offsets[in->histories.n_rows];
    for (uint64_t i = 0; i < n; i++)
        counts[in->histories.values[i]]++;
}
