#include "api/pieces.h"

#include "base/rng.h"
#include "score/query_ids.h"

#include <stdlib.h>
#include <string.h>

/* Either of the readers. */
struct reading {
    struct json_v1_reader *v1;
    struct oip_reader *oip;
};

static enum collide_status read_on(const struct reading *r, const struct request_text *text, size_t *n_read,
                                   struct collide_error *err)
{
    return r->v1 ? json_v1_read(r->v1, text, n_read, err) : oip_read(r->oip, text, n_read, err);
}

static enum collide_status read_pieces(const struct reading *r, const char *bytes, size_t n_bytes,
                                       struct cuts cuts, char **last, struct collide_error *err)
{
    struct rng rng = rng_seeded(cuts.seed, 1);
    enum collide_status status = COLLIDE_OK;
    bool was_all = false;
    *last = NULL;
    for (size_t n_come = 0, at = 0; status == COLLIDE_OK && (!*last || n_come < n_bytes);) {
        size_t n = cuts.seed ? rng_below(&rng, cuts.max_bytes + 1) : cuts.max_bytes, n_read;
        n_come = n < n_bytes - n_come ? n_come + n : n_bytes;
        char *copy = malloc(n_come - at + (n_come == at)); /* so that a sanitizer sees reads past its end */
        if (!copy)
            abort();
        if (n_come > at)
            memcpy(copy, bytes + at, n_come - at);
        bool is_last = n_come == n_bytes && (was_all || n % 2 == 0); /* the end may come by itself */
        was_all = n_come == n_bytes;
        const struct request_text text = {copy, n_come - at, is_last};
        status = read_on(r, &text, &n_read, err);
        if (is_last && status == COLLIDE_OK)
            *last = copy;
        else
            free(copy);
        at += status == COLLIDE_OK ? n_read : 0;
    }
    return status;
}

enum collide_status pieces_parse_v1(enum request_kind kind, const char *text, size_t n_bytes,
                                    struct cuts cuts, const struct request_limits *limits,
                                    struct request *out, char **last, struct collide_error *err)
{
    const struct reading r = {.v1 = json_v1_begin(kind, limits, out)};
    return read_pieces(&r, text, n_bytes, cuts, last, err);
}

enum collide_status pieces_parse_oip(const struct oip_body *body, struct cuts cuts,
                                     const struct request_limits *limits, struct request *out,
                                     struct oip_form *form, char **last, struct collide_error *err)
{
    const struct reading r = {.oip = oip_begin(body->n_json_bytes, limits, out, form)};
    return read_pieces(&r, body->bytes, body->n_bytes, cuts, last, err);
}

static bool texts_are_equal(const char *a, size_t n_a, const char *b, size_t n_b)
{
    return !a == !b && n_a == n_b && (n_a == 0 || memcmp(a, b, n_a) == 0);
}

static bool ids_are_equal(struct collide_id a, struct collide_id b)
{
    return a.number == b.number && texts_are_equal(a.text, a.n_bytes, b.text, b.n_bytes);
}

static bool lists_are_equal(const struct collide_id *a, size_t n_a, const struct collide_id *b, size_t n_b)
{
    if (n_a != n_b || !a != !b)
        return false;
    for (size_t i = 0; a && i < n_a; i++)
        if (!ids_are_equal(a[i], b[i]))
            return false;
    return true;
}

static bool features_are_equal(const struct collide_feature *a, const struct collide_feature *b)
{
    return texts_are_equal(a->name, a->n_bytes, b->name, b->n_bytes) &&
           lists_are_equal(a->ids, a->n_ids, b->ids, b->n_ids);
}

static bool queries_are_equal(const struct collide_query *a, const struct collide_query *b)
{
    if (!lists_are_equal(a->user, 1, b->user, 1) || a->n_history != b->n_history ||
        a->n_items != b->n_items || a->n_features != b->n_features || !a->weights != !b->weights)
        return false;
    for (size_t i = 0; i < a->n_history; i++)
        if (!ids_are_equal(query_history(a, i), query_history(b, i)) ||
            (a->weights && memcmp(&a->weights[i], &b->weights[i], sizeof *a->weights) != 0))
            return false;
    for (size_t i = 0; i < a->n_items; i++)
        if (!ids_are_equal(query_item(a, i), query_item(b, i)))
            return false;
    for (size_t i = 0; i < a->n_features; i++)
        if (!features_are_equal(&a->features[i], &b->features[i]))
            return false;
    return true;
}

static bool topk_are_equal(const struct collide_topk_query *a, const struct collide_topk_query *b)
{
    return queries_are_equal(&a->query, &b->query) && a->k == b->k && a->flags == b->flags &&
           lists_are_equal(a->exclude, a->n_exclude, b->exclude, b->n_exclude);
}

static bool parts_are_equal(const struct request_part *a, const struct request_part *b)
{
    return a->first_query == b->first_query && a->n_queries == b->n_queries &&
           a->first_result == b->first_result && a->error.status == b->error.status &&
           strcmp(a->error.text, b->error.text) == 0;
}

bool requests_are_equal(const struct request *a, const struct request *b)
{
    if (a->kind != b->kind || a->is_batch != b->is_batch || a->n_parts != b->n_parts ||
        a->n_queries != b->n_queries || a->timeout_us != b->timeout_us || a->n_results != b->n_results)
        return false;
    for (size_t i = 0; i < a->n_parts; i++)
        if (!parts_are_equal(&a->parts[i], &b->parts[i]))
            return false;
    for (size_t i = 0; i < a->n_queries; i++)
        if (a->kind == REQUEST_TOPK ? !topk_are_equal(&a->topk[i], &b->topk[i])
                                    : !queries_are_equal(&a->queries[i], &b->queries[i]))
            return false;
    return true;
}

bool forms_are_equal(const struct oip_form *a, const struct oip_form *b)
{
    if (!texts_are_equal(a->id.bytes, a->id.n_bytes, b->id.bytes, b->id.n_bytes) ||
        a->has_rows != b->has_rows || a->n_rows != b->n_rows || a->n_columns != b->n_columns ||
        a->n_outputs != b->n_outputs)
        return false;
    for (unsigned i = 0; i < a->n_outputs; i++)
        if (a->outputs[i].output != b->outputs[i].output ||
            a->outputs[i].is_binary != b->outputs[i].is_binary)
            return false;
    return true;
}
