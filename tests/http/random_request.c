#include "random_request.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct random_query_limits LIMITS = {.max_history = 40, .max_items = 24};

enum { DEFAULT_K = 10 };

static void random_pairs(const struct random_model *spec, struct rng *rng, struct arena *arena,
                         struct score_part *out)
{
    size_t n = rng_below(rng, RANDOM_REQUEST_MAX_PAIRS + 1);
    struct collide_query *queries = arena_alloc(arena, n + 1, sizeof *queries);
    struct collide_id *ids = arena_alloc(arena, 2 * n + 1, sizeof *ids);
    assert_true(queries && ids);
    for (size_t i = 0; i < n; i++) {
        struct collide_id *user = &ids[2 * i], *item = &ids[2 * i + 1];
        *user = random_query_id(spec, spec->n_users, rng);
        *item = random_query_id(spec, spec->n_items, rng);
        queries[i] = (struct collide_query){.user = user, .items = item, .n_items = 1};
    }
    *out = (struct score_part){.form = FORM_PAIRS, .queries = queries, .n_queries = n};
}

void random_score_request(const struct random_model *spec, struct rng *rng, struct arena *arena,
                          struct score_request *out)
{
    out->is_batch = rng_below(rng, 2);
    out->n_parts = out->is_batch ? rng_below(rng, RANDOM_REQUEST_MAX_PARTS + 1) : 1;
    for (size_t i = 0; i < out->n_parts; i++) {
        struct score_part *part = &out->parts[i];
        if (rng_below(rng, 4) == 0)
            random_pairs(spec, rng, arena, part);
        else
            *part = (struct score_part){
                .form = FORM_ITEMS, .queries = random_queries(spec, &LIMITS, rng, 1, arena), .n_queries = 1};
    }
}

void random_topk_request(const struct random_model *spec, struct rng *rng, struct arena *arena,
                         struct topk_request *out)
{
    static const size_t ks[] = {DEFAULT_K, 1, 2, 33, 100, 1000}; /* of a batch all but the last */
    out->is_batch = rng_below(rng, 2);
    out->n_parts = out->is_batch ? rng_below(rng, RANDOM_REQUEST_MAX_PARTS + 1) : 1;
    for (size_t i = 0; i < out->n_parts; i++) {
        struct collide_topk_query *part = &out->parts[i];
        *part = (struct collide_topk_query){.query = *random_queries(spec, &LIMITS, rng, 1, arena),
                                            .k = ks[rng_below(rng, out->is_batch ? 5 : 6)]};
        if (rng_below(rng, 2)) {
            part->exclude = part->query.items;
            part->n_exclude = part->query.n_items;
        }
        part->flags = rng_below(rng, 2) ? COLLIDE_TOPK_EXCLUDE_SEEN : 0;
        part->query.items = NULL;
        part->query.n_items = 0;
    }
}

static void print_id(const struct collide_id *id, struct buffer *out)
{
    if (id->text)
        buffer_printf(out, "\"%.*s\"", (int)id->n_bytes, id->text);
    else
        buffer_printf(out, id->number >> 53 ? "\"%" PRIu64 "\"" : "%" PRIu64, id->number);
}

static void print_ids(const char *name, const struct collide_id *ids, size_t n, struct buffer *out)
{
    buffer_printf(out, "\"%s\":[", name);
    for (size_t i = 0; i < n; i++) {
        buffer_append_text(out, i ? "," : "");
        print_id(&ids[i], out);
    }
    buffer_append_text(out, "]");
}

/* Without anyone to score for it is an empty history's. */
static void print_who(const struct collide_query *q, struct buffer *out)
{
    if (q->user) {
        buffer_append_text(out, "\"user\":");
        print_id(q->user, out);
    }
    if (q->user && q->n_history == 0)
        return;
    buffer_append_text(out, q->user ? "," : "");
    print_ids("history", q->history, q->n_history, out);
    if (!q->weights)
        return;
    buffer_append_text(out, ",\"weights\":[");
    for (size_t i = 0; i < q->n_history; i++)
        buffer_printf(out, i ? ",%.9g" : "%.9g", (double)q->weights[i]);
    buffer_append_text(out, "]");
}

static void print_pairs(const struct score_part *part, struct buffer *out)
{
    buffer_append_text(out, "\"users\":[");
    for (size_t i = 0; i < part->n_queries; i++) {
        buffer_append_text(out, i ? "," : "");
        print_id(part->queries[i].user, out);
    }
    buffer_append_text(out, "],\"items\":[");
    for (size_t i = 0; i < part->n_queries; i++) {
        buffer_append_text(out, i ? "," : "");
        print_id(part->queries[i].items, out);
    }
    buffer_append_text(out, "]");
}

static void print_score_part(const struct score_part *part, struct buffer *out)
{
    if (part->form == FORM_PAIRS) {
        print_pairs(part, out);
        return;
    }
    print_who(part->queries, out);
    buffer_append_text(out, ",");
    print_ids("items", part->queries->items, part->queries->n_items, out);
}

static void print_topk_part(const struct collide_topk_query *part, struct buffer *out)
{
    print_who(&part->query, out);
    if (part->k != DEFAULT_K)
        buffer_printf(out, ",\"k\":%zu", part->k);
    if (part->flags & COLLIDE_TOPK_EXCLUDE_SEEN)
        buffer_append_text(out, ",\"exclude_seen\":true");
    if (part->n_exclude > 0) {
        buffer_append_text(out, ",");
        print_ids("exclude", part->exclude, part->n_exclude, out);
    }
}

static void open_parts(bool is_batch, struct buffer *out)
{
    out->n_bytes = 0;
    buffer_append_text(out, is_batch ? "{\"requests\":[" : "");
}

static void close_parts(bool is_batch, struct buffer *out)
{
    buffer_append_text(out, is_batch ? "]}" : "");
    buffer_append(out, "", 1);
    assert_false(out->failed);
}

void score_request_print(const struct score_request *r, struct buffer *out)
{
    open_parts(r->is_batch, out);
    for (size_t i = 0; i < r->n_parts; i++) {
        buffer_append_text(out, i ? ",{" : "{");
        print_score_part(&r->parts[i], out);
        buffer_append_text(out, "}");
    }
    close_parts(r->is_batch, out);
}

void topk_request_print(const struct topk_request *r, struct buffer *out)
{
    open_parts(r->is_batch, out);
    for (size_t i = 0; i < r->n_parts; i++) {
        buffer_append_text(out, i ? ",{" : "{");
        print_topk_part(&r->parts[i], out);
        buffer_append_text(out, "}");
    }
    close_parts(r->is_batch, out);
}
