/* Any bytes as an inference request: JSON if they begin with '{', else its length in two bytes, then JSON and
 * what lies behind it. What is accepted must be JSON to cJSON with the same ids in it, keep to the limits and
 * borrow only what is there; the answer must be JSON, and as long as it says. Cut into pieces it must be the
 * same request, or the same error. */
#include "api/json_v1.h"
#include "api/oip.h"
#include "api/pieces.h"
#include "fuzz_target.h"
#include "model/model.h"
#include "score/query_ids.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct request_limits limits = {.max_parts = 8, .max_items = 40, .max_history = 20};

static bool is_same(const struct collide_id *id, const cJSON *value)
{
    if (cJSON_IsString(value)) /* cJSON's end at a '\0' */
        return id->text && id->n_bytes >= strlen(value->valuestring) &&
               memcmp(id->text, value->valuestring, strlen(value->valuestring)) == 0;
    return cJSON_IsNumber(value) && !id->text && (double)id->number == value->valuedouble;
}

/* Value i of data, flat or nested. */
static const cJSON *judged_value(const cJSON *data, size_t i)
{
    const cJSON *list = data;
    size_t n = data->child ? (size_t)cJSON_GetArraySize(data->child) : 0;
    if (cJSON_IsArray(data->child)) {
        FUZZ_REQUIRE(n > 0);
        list = cJSON_GetArrayItem(data, (int)(i / n));
        i %= n;
    }
    const cJSON *value = cJSON_GetArrayItem(list, (int)i);
    FUZZ_REQUIRE(value);
    return value;
}

/* The data that cJSON sees of an input; NULL: it is not given, or binary. */
static const cJSON *judged_data(const cJSON *document, const char *name)
{
    const cJSON *input;
    cJSON_ArrayForEach (input, cJSON_GetObjectItemCaseSensitive(document, "inputs")) {
        const cJSON *its = cJSON_GetObjectItemCaseSensitive(input, "name");
        if (strcmp(its->valuestring, name) == 0)
            return cJSON_GetObjectItemCaseSensitive(input, "data");
    }
    return NULL;
}

/* Reads every id, so that a sanitizer sees what they borrow. */
static void read_id(struct collide_id id, const cJSON *data, size_t i)
{
    struct buffer out = {0};
    if (id.text)
        json_print_string(&out, id.text, id.n_bytes);
    buffer_free(&out);
    FUZZ_REQUIRE(!data || is_same(&id, judged_value(data, i)));
}

static void read_query(const struct collide_query *q, size_t row, const struct oip_form *form,
                       const cJSON *document)
{
    const cJSON *items = judged_data(document, "items"), *history = judged_data(document, "history");
    size_t n_ids = q->n_history;
    if (q->user)
        read_id(*q->user, judged_data(document, "user"), row);
    for (size_t i = 0; i < q->n_items; i++)
        read_id(query_item(q, i), items, row * form->n_columns + i);
    for (size_t i = 0; i < q->n_history; i++)
        read_id(query_history(q, i), row == 0 ? history : NULL, i);
    for (size_t i = 0; q->weights && i < q->n_history; i++)
        FUZZ_REQUIRE(fabsf(q->weights[i]) <= COLLIDE_MAX_WEIGHT);
    for (size_t f = 0; f < q->n_features; f++) {
        FUZZ_REQUIRE(q->features[f].n_bytes > 0);
        n_ids += q->features[f].n_ids;
        for (size_t i = 0; i < q->features[f].n_ids; i++)
            read_id(q->features[f].ids[i], NULL, 0);
    }
    FUZZ_REQUIRE(n_ids <= limits.max_history && q->n_items <= limits.max_items);
}

static void read_request(const struct request *r, const struct oip_form *form, const cJSON *document)
{
    FUZZ_REQUIRE(r->n_parts == 1 && !r->is_batch && r->n_queries == form->n_rows);
    FUZZ_REQUIRE(r->parts[0].n_queries == r->n_queries && r->n_results == form->n_rows * form->n_columns);
    FUZZ_REQUIRE(r->n_results <= limits.max_items && form->n_rows <= limits.max_items);
    for (size_t row = 0; row < r->n_queries; row++) {
        if (r->kind == REQUEST_SCORE) {
            FUZZ_REQUIRE(r->queries[row].n_items == form->n_columns);
            read_query(&r->queries[row], row, form, document);
            continue;
        }
        const struct collide_topk_query *q = &r->topk[row];
        FUZZ_REQUIRE(q->k == form->n_columns && q->n_exclude <= limits.max_items);
        read_query(&q->query, row, form, document);
        for (size_t i = 0; i < q->n_exclude; i++)
            read_id(q->exclude[i], row == 0 ? judged_data(document, "exclude") : NULL, i);
    }
}

/* Rows with 0, 1, 2, ... hits, as far as there may be. */
static void make_hits(const struct request *r, const struct oip_form *form, enum key_kind kind,
                      struct response *response)
{
    for (size_t row = 0; row < form->n_rows && r->kind == REQUEST_TOPK; row++) {
        response->n_hits[row] = row < form->n_columns ? row : form->n_columns;
        for (size_t i = 0; i < response->n_hits[row]; i++)
            response->hits[row * form->n_columns + i] = (struct collide_hit){
                kind == KEYS_STRING ? collide_id_text("\"x\"", i % 4) : collide_id_number(UINT64_MAX - i),
                (float)i};
    }
}

static size_t number_of(const cJSON *object, const char *name)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, name);
    FUZZ_REQUIRE(cJSON_IsNumber(number));
    return (size_t)number->valuedouble;
}

/* The answer's tensors have as many values, or bytes, as they say. */
static void check_answer(const struct buffer *out, size_t n_json_bytes)
{
    size_t n_binary = 0;
    cJSON *document = cJSON_ParseWithLength(out->bytes, n_json_bytes ? n_json_bytes : out->n_bytes);
    FUZZ_REQUIRE(document);
    const cJSON *output, *size;
    cJSON_ArrayForEach (output, cJSON_GetObjectItemCaseSensitive(document, "outputs")) {
        size_t n = 1;
        cJSON_ArrayForEach (size, cJSON_GetObjectItemCaseSensitive(output, "shape"))
            n *= (size_t)size->valuedouble;
        const cJSON *parameters = cJSON_GetObjectItemCaseSensitive(output, "parameters");
        if (parameters)
            n_binary += number_of(parameters, "binary_data_size");
        else
            FUZZ_REQUIRE((size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(output, "data")) == n);
    }
    FUZZ_REQUIRE(n_binary == 0 || n_json_bytes > 0);
    FUZZ_REQUIRE(n_json_bytes == 0 || n_json_bytes + n_binary == out->n_bytes);
    cJSON_Delete(document);
}

static void answer(struct request *r, const struct oip_form *form, enum key_kind kind, struct buffer *out)
{
    const struct model m = {.item.keys.kind = kind};
    const struct oip_model model = {.name = "m", .model = &m};
    struct response response;
    FUZZ_REQUIRE(response_allocate(r, &response, NULL) == COLLIDE_OK);
    make_hits(r, form, kind, &response);
    check_answer(out, oip_print(&(struct oip_answer){&model, 1, r, form, &response}, out));
}

static void require_same_in_pieces(const struct oip_body *body, struct cuts cuts, const struct request *whole,
                                   const struct oip_form *form, const struct collide_error *error)
{
    struct request request = {0};
    struct oip_form its_form;
    struct collide_error err = {0};
    char *last;
    enum collide_status status = pieces_parse_oip(body, cuts, &limits, &request, &its_form, &last, &err);
    FUZZ_REQUIRE(status == error->status && strcmp(err.text, error->text) == 0);
    FUZZ_REQUIRE(requests_are_equal(&request, whole));
    FUZZ_REQUIRE(status != COLLIDE_OK || forms_are_equal(&its_form, form));
    request_free(&request);
    free(last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct oip_body body = {.bytes = (const char *)data, .n_bytes = n, .n_json_bytes = SIZE_MAX};
    if (n >= 2 && data[0] != '{') {
        body.bytes += 2;
        body.n_bytes -= 2;
        body.n_json_bytes = (size_t)(data[0] | data[1] << 8);
    }
    struct request request = {0};
    struct oip_form form;
    struct buffer out = {0};
    struct collide_error err = {0};
    if (oip_parse(&body, &limits, &request, &form, &err) == COLLIDE_OK) {
        size_t n_json = body.n_json_bytes < body.n_bytes ? body.n_json_bytes : body.n_bytes;
        cJSON *document = cJSON_ParseWithLength(body.bytes, n_json);
        FUZZ_REQUIRE(document);
        read_request(&request, &form, document);
        cJSON_Delete(document);
        answer(&request, &form, n % 2 ? KEYS_STRING : KEYS_DENSE, &out);
    } else {
        FUZZ_REQUIRE(err.status == COLLIDE_INVALID && err.text[0] && request.n_parts == 0);
        oip_print_error(err.text, &out);
        check_answer(&out, 0);
    }
    require_same_in_pieces(&body, (struct cuts){1, 0}, &request, &form, &err);
    require_same_in_pieces(&body, (struct cuts){1 + n / 3, 1 + n}, &request, &form, &err);
    buffer_free(&out);
    request_free(&request);
    return 0;
}
