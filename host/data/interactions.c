#include "data/interactions.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/order.h"
#include "data/log_scan.h"

#include <stdlib.h>
#include <string.h>

/* The ids of one column, and how many lines have each. The last lines' texts wait to be looked up together.
 */
struct column {
    struct id_builder *ids;
    struct buffer counts; /* of uint64_t, by provisional id */
    struct buffer texts;
    size_t ends[ID_BATCH]; /* of the texts */
};

struct reading {
    struct column users;
    struct column items;
    size_t n_waiting;       /* lines */
    struct csr_pairs pairs; /* in provisional ids */
};

static void column_free(struct column *c)
{
    buffer_free(&c->counts);
    buffer_free(&c->texts);
}

static enum collide_status count_ids(struct column *c, const uint32_t *ids, size_t n,
                                     struct collide_error *err)
{
    static const uint64_t none = 0;
    const size_t n_more = id_builder_n_ids(c->ids) - c->counts.n_bytes / sizeof none;
    for (size_t i = 0; i < n_more; i++)
        buffer_append(&c->counts, &none, sizeof none);
    if (c->counts.failed)
        return error_no_memory(err, "the counts of ids");
    uint64_t *counts = (uint64_t *)(void *)c->counts.bytes;
    for (size_t i = 0; i < n; i++)
        counts[ids[i]]++;
    return COLLIDE_OK;
}

/* ids: (n), of the texts that wait. */
static enum collide_status look_up(struct column *c, size_t n, uint32_t *ids, struct collide_error *err)
{
    struct collide_id texts[ID_BATCH];
    if (c->texts.failed)
        return error_no_memory(err, "the ids of a few lines");
    for (size_t i = 0, begin = 0; i < n; begin = c->ends[i++])
        texts[i] = collide_id_text(c->texts.bytes + begin, c->ends[i] - begin);
    enum collide_status status = id_builder_add_batch(c->ids, texts, n, ids, err);
    c->texts.n_bytes = 0;
    return status == COLLIDE_OK ? count_ids(c, ids, n, err) : status;
}

static enum collide_status look_up_waiting(struct reading *r, struct collide_error *err)
{
    uint32_t users[ID_BATCH], items[ID_BATCH];
    const size_t n = r->n_waiting;
    enum collide_status status = look_up(&r->users, n, users, err);
    if (status == COLLIDE_OK)
        status = look_up(&r->items, n, items, err);
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++)
        status = csr_pairs_add(&r->pairs, (struct csr_pair){users[i], items[i]}, err);
    r->n_waiting = 0;
    return status;
}

static void let_wait(struct column *c, size_t at, const char *text, size_t n_bytes)
{
    buffer_append(&c->texts, text, n_bytes);
    c->ends[at] = c->texts.n_bytes;
}

static enum collide_status gather_pair(void *context, const char *user, size_t n_user, const char *item,
                                       size_t n_item, struct collide_error *err)
{
    struct reading *r = context;
    let_wait(&r->users, r->n_waiting, user, n_user);
    let_wait(&r->items, r->n_waiting, item, n_item);
    return ++r->n_waiting < ID_BATCH ? COLLIDE_OK : look_up_waiting(r, err);
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
    if (status == COLLIDE_OK)
        status = look_up_waiting(r, err);
    if (status == COLLIDE_OK && r->pairs.n == 0)
        status = error_set(err, COLLIDE_INVALID,
                           "%s holds no interactions; give a log with a user and an item on each line",
                           byte_stream_name(stream));
    byte_stream_close(stream);
    return status;
}

/* The most frequent first, so that what is looked up most lies together. */
static enum collide_status reorder_ids(struct column *c, struct collide_error *err)
{
    const uint32_t n_ids = id_builder_n_ids(c->ids);
    uint32_t *order = malloc((n_ids + 1ull) * sizeof *order);
    if (!order)
        return error_no_memory(err, "the order of ids");
    enum collide_status status =
        order_by_count((const uint64_t *)(const void *)c->counts.bytes, n_ids, order, err);
    buffer_free(&c->counts);
    if (status == COLLIDE_OK)
        status = id_builder_reorder(c->ids, order, err);
    free(order);
    return status;
}

static enum collide_status finish_ids(struct reading *r, struct interactions *in, struct collide_error *err)
{
    const uint32_t *user_ids, *item_ids;
    enum collide_status status = reorder_ids(&r->users, err);
    if (status == COLLIDE_OK)
        status = reorder_ids(&r->items, err);
    if (status == COLLIDE_OK)
        status = id_builder_finish(r->users.ids, &in->users, &user_ids, err);
    if (status == COLLIDE_OK)
        status = id_builder_finish(r->items.ids, &in->items, &item_ids, err);
    if (status != COLLIDE_OK)
        return status;
    struct csr_pair *pairs = csr_pairs_all(&r->pairs);
    for (uint64_t i = 0; i < r->pairs.n; i++)
        pairs[i] = (struct csr_pair){user_ids[pairs[i].row], item_ids[pairs[i].value]};
    return COLLIDE_OK;
}

static enum collide_status build_histories(struct reading *r, struct interactions *in,
                                           struct collide_error *err)
{
    const struct csr_shape shape = {.n_rows = in->users.n_ids, .n_values = in->items.n_ids};
    const uint64_t n_pairs = r->pairs.n;
    enum collide_status status = csr_from_pairs(&r->pairs, shape, &in->histories, err);
    if (status == COLLIDE_OK)
        in->n_duplicates = n_pairs - in->histories.offsets[in->users.n_ids];
    return status;
}

enum collide_status interactions_read(const char *path, enum log_layout layout, const char *spill,
                                      struct interactions *out, struct collide_error *err)
{
    struct reading r = {.pairs.array.spill = spill};
    struct interactions in = {0};
    enum collide_status status = id_builder_create(&r.users.ids, err);
    if (status == COLLIDE_OK)
        status = id_builder_create(&r.items.ids, err);
    if (status == COLLIDE_OK)
        status = gather_pairs(&r, path, layout, err);
    if (status == COLLIDE_OK)
        status = finish_ids(&r, &in, err);
    if (status == COLLIDE_OK)
        status = build_histories(&r, &in, err);
    csr_pairs_free(&r.pairs);
    column_free(&r.users);
    column_free(&r.items);
    if (status != COLLIDE_OK) {
        id_builder_destroy(r.users.ids);
        id_builder_destroy(r.items.ids);
        return status;
    }
    id_builder_forget_order(r.users.ids);
    id_builder_forget_order(r.items.ids);
    in.user_builder = r.users.ids;
    in.item_builder = r.items.ids;
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
