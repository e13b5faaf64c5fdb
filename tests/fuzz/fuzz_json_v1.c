/* Any bytes as a request of each kind. What is accepted must be JSON to cJSON too, keep to the limits and
 * borrow only what is there; whatever is answered must be JSON. */
#include "api/json_v1.h"
#include "fuzz_target.h"

#include <cjson/cJSON.h>
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

static void read_query(const struct collide_query *q, struct buffer *out)
{
    FUZZ_REQUIRE(q->user || q->history || q->n_history == 0);
    FUZZ_REQUIRE(q->n_history <= limits.max_history && q->n_items <= limits.max_items);
    read_ids(q->user, q->user != NULL, out);
    read_ids(q->history, q->n_history, out);
    read_ids(q->items, q->n_items, out);
    for (size_t i = 0; q->weights && i < q->n_history; i++)
        FUZZ_REQUIRE(q->weights[i] >= -COLLIDE_MAX_WEIGHT && q->weights[i] <= COLLIDE_MAX_WEIGHT);
}

static size_t read_part(const struct request *r, const struct request_part *part, struct buffer *out)
{
    if (part->error.status != COLLIDE_OK) {
        FUZZ_REQUIRE(r->is_batch && part->error.text[0] && part->n_queries == 0 && part->topk.k == 0);
        return 0;
    }
    size_t n_results = part->topk.k;
    FUZZ_REQUIRE(part->first_query + part->n_queries <= r->n_queries);
    for (size_t i = 0; i < part->n_queries; i++) {
        read_query(&r->queries[part->first_query + i], out);
        n_results += r->queries[part->first_query + i].n_items;
    }
    if (r->kind == REQUEST_TOPK) {
        FUZZ_REQUIRE(part->topk.k >= 1);
        read_query(&part->topk.query, out);
        read_ids(part->topk.exclude, part->topk.n_exclude, out);
    }
    return n_results;
}

static void answer(struct request *r, struct buffer *out)
{
    struct response response;
    size_t n_results = 0;
    FUZZ_REQUIRE(r->n_parts <= limits.max_parts && (r->is_batch || r->n_parts == 1));
    for (size_t i = 0; i < r->n_parts; i++)
        n_results += read_part(r, &r->parts[i], out);
    FUZZ_REQUIRE(n_results <= limits.max_items);
    FUZZ_REQUIRE(response_allocate(r, &response, NULL) == COLLIDE_OK);
    for (size_t i = 0; i < r->n_parts && r->kind == REQUEST_TOPK; i++)
        if (r->parts[i].topk.query.user && r->parts[i].topk.k) {
            response.hits[i][0].item = *r->parts[i].topk.query.user;
            response.n_hits[i] = 1;
        }
    json_v1_print(r, &response, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct request request = {0};
    struct buffer out = {0};
    for (enum request_kind kind = REQUEST_SCORE; kind <= REQUEST_TOPK; kind++) {
        struct collide_error err = {0};
        out.n_bytes = 0;
        if (json_v1_parse(kind, (const char *)data, n, &limits, &request, &err) == COLLIDE_OK) {
            require_json((const char *)data, n);
            answer(&request, &out);
        } else {
            FUZZ_REQUIRE(err.status == COLLIDE_INVALID && err.text[0] && request.n_parts == 0);
            json_v1_print_error(json_v1_code(err.status), err.text, &out);
        }
        require_json(out.bytes, out.n_bytes);
    }
    buffer_free(&out);
    request_free(&request);
    return 0;
}
