#include "http_tensors.h"

#include <inttypes.h>
#include <string.h>

static void append_tensor(struct buffer *body, const char *name, const uint64_t shape[2], const uint64_t *ids,
                          enum tensor_data data)
{
    uint64_t n = shape[0] * shape[1];
    buffer_printf(body, "{\"name\":\"%s\",\"shape\":[%" PRIu64 ",%" PRIu64 "],\"datatype\":\"INT64\",", name,
                  shape[0], shape[1]);
    if (data == TENSORS_AS_BYTES) {
        buffer_printf(body, "\"parameters\":{\"binary_data_size\":%" PRIu64 "}}", n * sizeof *ids);
        return;
    }
    buffer_append_text(body, "\"data\":[");
    for (uint64_t i = 0; i < n; i++)
        buffer_printf(body, "%s%" PRIu64, i ? "," : "", ids[i]);
    buffer_append_text(body, "]}");
}

/* Row by row: what each query is made for goes to who, its candidates to items. */
static void draw(const struct question *q, struct rng *rng, uint64_t *who, uint64_t *items)
{
    uint64_t *ids = items;
    for (uint64_t row = 0; row < q->batch; row++) {
        struct query query = question_draw(q, rng, ids);
        size_t n_items = question_n_items(q);
        if (q->n_history)
            memcpy(who + row * q->n_history, query.history, q->n_history * sizeof *who);
        else
            who[row] = query.user;
        memmove(ids, query.items, n_items * sizeof *ids);
        ids += n_items;
    }
}

size_t http_tensors_append(struct buffer *body, const struct question *q, struct rng *rng, uint64_t *ids,
                           enum tensor_data data)
{
    const uint64_t who_shape[] = {q->batch, q->n_history ? q->n_history : 1};
    const uint64_t items_shape[] = {q->batch, question_n_items(q)};
    uint64_t *items = ids + who_shape[0] * who_shape[1];
    size_t begin = body->n_bytes;
    draw(q, rng, ids, items);
    buffer_append_text(body, "{\"inputs\":[");
    append_tensor(body, q->n_history ? "history" : "user", who_shape, ids, data);
    if (!q->topk) {
        buffer_append(body, ",", 1);
        append_tensor(body, "items", items_shape, items, data);
    }
    buffer_append_text(body, "],\"parameters\":{");
    if (q->topk)
        buffer_printf(body, "\"k\":%" PRIu64 ",", q->topk);
    buffer_printf(body, "\"binary_data_output\":%s}}", data == TENSORS_AS_BYTES ? "true" : "false");
    size_t n_json = body->n_bytes - begin;
    if (data == TENSORS_AS_BYTES) {
        buffer_append(body, ids, who_shape[0] * who_shape[1] * sizeof *ids);
        buffer_append(body, items, q->topk ? 0 : items_shape[0] * items_shape[1] * sizeof *items);
    }
    return n_json;
}
