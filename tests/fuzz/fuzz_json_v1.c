/* Any bytes as a request of each kind. What is accepted must be JSON to cJSON too, keep to the limits and
 * borrow only what is there; whatever is answered must be JSON. Cut into pieces it must be the same request,
 * or the same error. */
#include "api/json_v1.h"
#include "api/pieces.h"
#include "fuzz_target.h"
#include "score/query_ids.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static const struct request_limits limits = {.max_parts = 8, .max_items = 40, .max_history = 20};

static void require_json(const char *text, size_t n)
{
    cJSON *document = cJSON_ParseWithLength(text, n);
    FUZZ_REQUIRE(document);
    cJSON_Delete(document);
}

/* Touches every byte, and gives the ids back as hits so that they are printed. */
static void read_ids(const struct collide_id *ids, size_t n, struct buffer *out)
{
    for (size_t i = 0; i < n; i++) {
        FUZZ_REQUIRE(ids[i].text || ids[i].number < (uint64_t)1 << 53);
        if (ids[i].text)
            json_print_string(out, ids[i].text, ids[i].n_bytes);
    }
    out->n_bytes = 0;
}

static void read_id(struct collide_id id, struct buffer *out)
{
    read_ids(&id, 1, out);
}

static void read_query(const struct collide_query *q, struct buffer *out)
{
    size_t n_ids = q->n_history;
    for (size_t i = 0; i < q->n_features; i++) {
        json_print_string(out, q->features[i].name, q->features[i].n_bytes);
        read_ids(q->features[i].ids, q->features[i].n_ids, out);
        n_ids += q->features[i].n_ids;
    }
    FUZZ_REQUIRE(n_ids <= limits.max_history && q->n_items <= limits.max_items);
    read_ids(q->user, q->user != NULL, out);
    for (size_t i = 0; i < q->n_history; i++)
        read_id(query_history(q, i), out);
    for (size_t i = 0; i < q->n_items; i++)
        read_id(query_item(q, i), out);
    for (size_t i = 0; q->weights && i < q->n_history; i++)
        FUZZ_REQUIRE(q->weights[i] >= -COLLIDE_MAX_WEIGHT && q->weights[i] <= COLLIDE_MAX_WEIGHT);
}

static size_t read_part(const struct request *r, const struct request_part *part, struct buffer *out)
{
    if (part->error.status != COLLIDE_OK) {
        FUZZ_REQUIRE(r->is_batch && part->error.text[0] && part->n_queries == 0);
        return 0;
    }
    FUZZ_REQUIRE(part->first_query + part->n_queries <= r->n_queries);
    if (r->kind == REQUEST_TOPK) {
        const struct collide_topk_query *q = &r->topk[part->first_query];
        FUZZ_REQUIRE(part->n_queries == 1 && q->k >= 1);
        read_query(&q->query, out);
        read_ids(q->exclude, q->n_exclude, out);
        return q->k;
    }
    for (size_t i = 0; i < part->n_queries; i++)
        read_query(&r->queries[part->first_query + i], out);
    return request_part_n_scores(r, part);
}

static void answer(struct request *r, struct buffer *out)
{
    struct response response;
    size_t n_results = 0;
    FUZZ_REQUIRE(r->n_parts <= limits.max_parts && (r->is_batch || r->n_parts == 1));
    for (size_t i = 0; i < r->n_parts; i++) {
        size_t n = read_part(r, &r->parts[i], out);
        FUZZ_REQUIRE(n == 0 || r->parts[i].first_result == n_results);
        n_results += n;
    }
    FUZZ_REQUIRE(n_results <= limits.max_items && n_results == r->n_results);
    FUZZ_REQUIRE(response_allocate(r, &response, NULL) == COLLIDE_OK);
    for (size_t i = 0; i < r->n_parts && r->kind == REQUEST_TOPK; i++) {
        const struct request_part *part = &r->parts[i];
        if (part->n_queries && r->topk[part->first_query].query.user) {
            response.hits[part->first_result].item = *r->topk[part->first_query].query.user;
            response.n_hits[part->first_query] = 1;
        }
    }
    json_v1_print(r, &response, out);
}

static void require_same_in_pieces(enum request_kind kind, const char *text, size_t n, struct cuts cuts,
                                   const struct request *whole, const struct collide_error *error)
{
    struct request request = {0};
    struct collide_error err = {0};
    struct buffer out = {0};
    char *last;
    enum collide_status status = pieces_parse_v1(kind, text, n, cuts, &limits, &request, &last, &err);
    FUZZ_REQUIRE(status == error->status && strcmp(err.text, error->text) == 0);
    FUZZ_REQUIRE(requests_are_equal(&request, whole));
    if (status == COLLIDE_OK)
        answer(&request, &out);
    buffer_free(&out);
    request_free(&request);
    free(last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *text = (const char *)data;
    struct request request = {0};
    struct buffer out = {0};
    for (enum request_kind kind = REQUEST_SCORE; kind <= REQUEST_TOPK; kind++) {
        struct collide_error err = {0};
        out.n_bytes = 0;
        if (json_v1_parse(kind, text, n, &limits, &request, &err) == COLLIDE_OK) {
            require_json(text, n);
            answer(&request, &out);
        } else {
            FUZZ_REQUIRE(err.status == COLLIDE_INVALID && err.text[0] && request.n_parts == 0);
            json_v1_print_error(json_v1_code(err.status), err.text, &out);
        }
        require_json(out.bytes, out.n_bytes);
        require_same_in_pieces(kind, text, n, (struct cuts){1, 0}, &request, &err);
        require_same_in_pieces(kind, text, n, (struct cuts){1 + n / 3, 1 + n}, &request, &err);
    }
    buffer_free(&out);
    request_free(&request);
    return 0;
}
