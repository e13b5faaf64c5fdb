#include "api/json_v1.h"

#include "api/json_features.h"
#include "api/json_fields.h"
#include "base/error.h"
#include "base/spelling.h"

#include <stdio.h>
#include <string.h>

enum field {
    FIELD_USER,
    FIELD_USERS,
    FIELD_HISTORY,
    FIELD_WEIGHTS,
    FIELD_FEATURES,
    FIELD_ITEMS,
    FIELD_K,
    FIELD_EXCLUDE,
    FIELD_EXCLUDE_SEEN,
    FIELD_TIMEOUT,
    N_FIELDS
};

#define BIT(field) (1u << (field))

static const struct {
    const char *name;
    unsigned kinds; /* of requests that it belongs to */
} FIELDS[N_FIELDS] = {
    [FIELD_USER] = {"user", BIT(REQUEST_SCORE) | BIT(REQUEST_TOPK)},
    [FIELD_USERS] = {"users", BIT(REQUEST_SCORE)},
    [FIELD_HISTORY] = {"history", BIT(REQUEST_SCORE) | BIT(REQUEST_TOPK)},
    [FIELD_WEIGHTS] = {"weights", BIT(REQUEST_SCORE) | BIT(REQUEST_TOPK)},
    [FIELD_FEATURES] = {"features", BIT(REQUEST_SCORE) | BIT(REQUEST_TOPK)},
    [FIELD_ITEMS] = {"items", BIT(REQUEST_SCORE)},
    [FIELD_K] = {"k", BIT(REQUEST_TOPK)},
    [FIELD_EXCLUDE] = {"exclude", BIT(REQUEST_TOPK)},
    [FIELD_EXCLUDE_SEEN] = {"exclude_seen", BIT(REQUEST_TOPK)},
    [FIELD_TIMEOUT] = {"timeout_us", BIT(REQUEST_SCORE) | BIT(REQUEST_TOPK)},
};

static const char REQUESTS[] = "requests";

/* What a query's bag is made of. */
#define WHO (BIT(FIELD_USER) | BIT(FIELD_HISTORY) | BIT(FIELD_FEATURES))

enum { DEFAULT_K = 10, FIRST_CAPACITY = 16 };

/* What one JSON object says, before it is known whether that makes sense. */
struct values {
    unsigned given; /* BIT(field) each */
    struct collide_id user;
    struct id_list users;
    struct id_list history;
    struct weight_list weights;
    struct feature_list features;
    struct id_list items;
    size_t k;
    struct id_list exclude;
    bool exclude_seen;
    size_t timeout_us;
};

/* Everything that reading a request needs. */
struct parser {
    struct json_reader json;
    const struct request_limits *limits;
    struct request *request;
    size_t part_capacity;
    size_t query_capacity;
};

static bool has_name(const struct json_text *key, const char *name)
{
    return key->n_bytes == strlen(name) && memcmp(key->bytes, name, key->n_bytes) == 0;
}

/* N_FIELDS: there is none of this name in requests of this kind. */
static enum field find_field(const struct json_text *key, enum request_kind kind)
{
    enum field f = 0;
    while (f < N_FIELDS && !((FIELDS[f].kinds & BIT(kind)) && has_name(key, FIELDS[f].name)))
        f++;
    return f;
}

static enum collide_status unknown_field(const struct json_text *key, enum request_kind kind,
                                         struct collide_error *err)
{
    char typed[33];
    snprintf(typed, sizeof typed, "%.*s", (int)(key->n_bytes < 32 ? key->n_bytes : 32), key->bytes);
    if (has_name(key, REQUESTS))
        return error_set(err, COLLIDE_INVALID,
                         "\"requests\" has no other fields beside it and is not nested");
    struct spelling meant = spelling_of(typed);
    for (enum field f = 0; f < N_FIELDS; f++)
        if (FIELDS[f].kinds & BIT(kind))
            spelling_offer(&meant, FIELDS[f].name);
    if (meant.closest)
        return error_set(err, COLLIDE_INVALID, "unknown field \"%s\"; did you mean \"%s\"?", typed,
                         meant.closest);
    return error_set(err, COLLIDE_INVALID, "unknown field \"%s\"", typed);
}

static enum collide_status read_value(struct parser *p, enum field field, struct values *v,
                                      struct collide_error *err)
{
    const char *name = FIELDS[field].name;
    struct json_field items = {name, p->limits->max_items}, history = {name, p->limits->max_history};
    switch (field) {
    case FIELD_USER:
        return json_read_id(&p->json, name, &v->user, err);
    case FIELD_USERS:
        return json_read_ids(&p->json, items, &v->users, err);
    case FIELD_HISTORY:
        return json_read_ids(&p->json, history, &v->history, err);
    case FIELD_WEIGHTS:
        return json_read_weights(&p->json, history, &v->weights, err);
    case FIELD_FEATURES:
        return json_read_features(&p->json, history, &v->features, err);
    case FIELD_ITEMS:
        return json_read_ids(&p->json, items, &v->items, err);
    case FIELD_K:
        return json_read_count(&p->json, items, &v->k, err);
    case FIELD_EXCLUDE:
        return json_read_ids(&p->json, items, &v->exclude, err);
    case FIELD_EXCLUDE_SEEN:
        return json_read_bool(&p->json, name, &v->exclude_seen, err);
    case FIELD_TIMEOUT:
        return json_read_count(&p->json, (struct json_field){name, REQUEST_MAX_TIMEOUT_US}, &v->timeout_us,
                               err);
    case N_FIELDS:
        break;
    }
    return COLLIDE_INVALID;
}

static enum collide_status read_values(struct parser *p, struct values *v, struct collide_error *err)
{
    if (json_peek(&p->json) != '{')
        return error_set(err, COLLIDE_INVALID, "a request must be a JSON object");
    for (json_open(&p->json, '{'); json_next(&p->json, '}');) {
        struct json_text key;
        if (!json_key(&p->json, &key))
            break;
        enum field field = find_field(&key, p->request->kind);
        if (field == N_FIELDS)
            return unknown_field(&key, p->request->kind, err);
        if (v->given & BIT(field))
            return error_set(err, COLLIDE_INVALID, "field \"%s\" is given twice", FIELDS[field].name);
        enum collide_status status = read_value(p, field, v, err);
        if (status != COLLIDE_OK)
            return status;
        v->given |= BIT(field);
    }
    return p->json.failed ? COLLIDE_INVALID : COLLIDE_OK;
}

/* Checks what a query's bag is to be made of. */
static enum collide_status check_who(const struct parser *p, const struct values *v,
                                     struct collide_error *err)
{
    if (!(v->given & WHO))
        return error_set(err, COLLIDE_INVALID,
                         "say whom to score for: \"user\", \"history\" or \"features\", or several of them");
    if ((v->given & BIT(FIELD_WEIGHTS)) && v->weights.n != v->history.n)
        return error_set(err, COLLIDE_INVALID, "\"weights\" has %zu entries where \"history\" has %zu",
                         v->weights.n, v->history.n);
    if (v->history.n + v->features.n_ids > p->limits->max_history)
        return error_set(err, COLLIDE_INVALID,
                         "\"history\" and \"features\" have %zu ids together; the limit is %zu",
                         v->history.n + v->features.n_ids, p->limits->max_history);
    return COLLIDE_OK;
}

/* The user, the history and the features of a query; items are left to the caller. */
static enum collide_status set_who(struct parser *p, const struct values *v, struct collide_query *query,
                                   struct collide_error *err)
{
    enum collide_status status = check_who(p, v, err);
    if (status != COLLIDE_OK)
        return status;
    if (v->given & BIT(FIELD_USER)) {
        struct collide_id *user = arena_alloc(&p->request->arena, 1, sizeof *user);
        if (!user)
            return error_no_memory(err, "a user id");
        *user = v->user;
        query->user = user;
    }
    query->history = v->history.ids;
    query->n_history = v->history.n;
    query->weights = v->weights.weights;
    query->features = v->features.features;
    query->n_features = v->features.n;
    return COLLIDE_OK;
}

/* A short batch could ask for results that fill all memory: its parts share one limit. */
static enum collide_status count_results(struct parser *p, size_t n, struct collide_error *err)
{
    if (n > p->limits->max_items - p->request->n_results)
        return error_set(
            err, COLLIDE_INVALID,
            "%zu scores more would be over the limit of %zu for the whole batch; send it in parts", n,
            p->limits->max_items);
    p->request->n_results += n;
    return COLLIDE_OK;
}

/* The array (n_used of *capacity items) with room for n more; NULL: out of memory. */
static void *with_room(struct arena *arena, void *items, size_t n_used, size_t n, size_t *capacity,
                       size_t item_bytes)
{
    if (items && n <= *capacity - n_used)
        return items;
    size_t doubled = *capacity ? 2 * *capacity : FIRST_CAPACITY;
    size_t wanted = n_used + n > doubled ? n_used + n : doubled;
    void *grown = arena_grow(arena, items, n_used, wanted, item_bytes);
    if (grown)
        *capacity = wanted;
    return grown;
}

/* Room for n more queries behind those of the parts before; NULL: err says why there is none. */
static struct collide_query *add_queries(struct parser *p, size_t n, struct collide_error *err)
{
    struct request *r = p->request;
    struct collide_query *queries =
        with_room(&r->arena, r->queries, r->n_queries, n, &p->query_capacity, sizeof *queries);
    if (!queries) {
        error_no_memory(err, "the queries");
        return NULL;
    }
    r->queries = queries;
    r->n_queries += n;
    return r->queries + r->n_queries - n;
}

static struct collide_topk_query *add_topk(struct parser *p, struct collide_error *err)
{
    struct request *r = p->request;
    struct collide_topk_query *queries =
        with_room(&r->arena, r->topk, r->n_queries, 1, &p->query_capacity, sizeof *queries);
    if (!queries) {
        error_no_memory(err, "the queries");
        return NULL;
    }
    r->topk = queries;
    return &r->topk[r->n_queries++];
}

/* {"users": [...], "items": [...]}: a query a pair. */
static enum collide_status set_pairs(struct parser *p, const struct values *v, struct request_part *part,
                                     struct collide_error *err)
{
    if (v->given & (WHO | BIT(FIELD_WEIGHTS)))
        return error_set(err, COLLIDE_INVALID,
                         "\"users\" makes pairs with \"items\"; it goes with nothing else");
    if (v->users.n != v->items.n)
        return error_set(err, COLLIDE_INVALID,
                         "\"users\" has %zu entries and \"items\" %zu; pairs need as many", v->users.n,
                         v->items.n);
    enum collide_status status = count_results(p, v->items.n, err);
    if (status != COLLIDE_OK)
        return status;
    struct collide_query *queries = add_queries(p, v->users.n, err);
    if (!queries)
        return err->status;
    for (size_t i = 0; i < v->users.n; i++)
        queries[i] =
            (struct collide_query){.user = &v->users.ids[i], .items = &v->items.ids[i], .n_items = 1};
    part->n_queries = v->users.n;
    return COLLIDE_OK;
}

static enum collide_status set_score(struct parser *p, const struct values *v, struct request_part *part,
                                     struct collide_error *err)
{
    if (!(v->given & BIT(FIELD_ITEMS)))
        return error_set(err, COLLIDE_INVALID, "\"items\", the list of what to score, is missing");
    if (v->given & BIT(FIELD_USERS))
        return set_pairs(p, v, part, err);
    struct collide_query query = {.items = v->items.ids, .n_items = v->items.n};
    enum collide_status status = set_who(p, v, &query, err);
    if (status == COLLIDE_OK)
        status = count_results(p, v->items.n, err);
    if (status != COLLIDE_OK)
        return status;
    struct collide_query *queries = add_queries(p, 1, err);
    if (!queries)
        return err->status;
    *queries = query;
    part->n_queries = 1;
    return COLLIDE_OK;
}

static enum collide_status set_topk(struct parser *p, const struct values *v, struct request_part *part,
                                    struct collide_error *err)
{
    struct collide_topk_query query = {.k = v->k,
                                       .exclude = v->exclude.ids,
                                       .n_exclude = v->exclude.n,
                                       .flags = v->exclude_seen ? COLLIDE_TOPK_EXCLUDE_SEEN : 0};
    enum collide_status status = set_who(p, v, &query.query, err);
    if (status == COLLIDE_OK)
        status = count_results(p, v->k, err);
    if (status != COLLIDE_OK)
        return status;
    struct collide_topk_query *queries = add_topk(p, err);
    if (!queries)
        return err->status;
    *queries = query;
    part->n_queries = 1;
    return COLLIDE_OK;
}

static enum collide_status read_part(struct parser *p, struct request_part *part)
{
    struct values values = {.k = DEFAULT_K};
    part->first_query = p->request->n_queries;
    part->first_result = p->request->n_results;
    enum collide_status status = read_values(p, &values, &part->error);
    if (status != COLLIDE_OK)
        return status;
    if (values.timeout_us && (p->request->timeout_us == 0 || values.timeout_us < p->request->timeout_us))
        p->request->timeout_us = values.timeout_us;
    return p->request->kind == REQUEST_TOPK ? set_topk(p, &values, part, &part->error)
                                            : set_score(p, &values, part, &part->error);
}

static enum collide_status read_single(struct parser *p, struct collide_error *err)
{
    struct request_part *part = arena_alloc(&p->request->arena, 1, sizeof *part);
    if (!part)
        return error_no_memory(err, "the request");
    p->request->parts = part;
    p->request->n_parts = 1;
    enum collide_status status = read_part(p, part);
    if (status != COLLIDE_OK && !p->json.failed)
        *err = part->error;
    return status;
}

/* The next part of a batch; NULL: err says why there is none. */
static struct request_part *add_part(struct parser *p, struct collide_error *err)
{
    struct request *r = p->request;
    if (r->n_parts == p->limits->max_parts) {
        error_set(err, COLLIDE_INVALID, "\"requests\" is longer than the limit of %zu", p->limits->max_parts);
        return NULL;
    }
    struct request_part *parts =
        with_room(&r->arena, r->parts, r->n_parts, 1, &p->part_capacity, sizeof *parts);
    if (!parts) {
        error_no_memory(err, "the requests");
        return NULL;
    }
    r->parts = parts;
    return &r->parts[r->n_parts++];
}

/* The list of a batch. A part that is wrong is passed over once more, as any JSON. */
static enum collide_status read_batch(struct parser *p, struct collide_error *err)
{
    p->request->is_batch = true;
    if (json_peek(&p->json) != '[')
        return error_set(err, COLLIDE_INVALID, "\"requests\" must be a list of requests");
    for (json_open(&p->json, '['); json_next(&p->json, ']');) {
        struct request_part *part = add_part(p, err);
        if (!part)
            return err->status;
        struct json_reader begin = p->json;
        if (read_part(p, part) != COLLIDE_OK && !p->json.failed) {
            p->json = begin;
            json_skip(&p->json);
        }
    }
    struct json_text key;
    if (json_next(&p->json, '}') && json_key(&p->json, &key))
        return unknown_field(&(struct json_text){REQUESTS, sizeof REQUESTS - 1}, p->request->kind, err);
    return p->json.failed ? COLLIDE_INVALID : COLLIDE_OK;
}

/* Whether the object that is next begins with "requests"; if so the reader is at its value. */
static bool enter_batch(struct json_reader *r)
{
    struct json_reader begin = *r;
    struct json_text key;
    if (json_peek(r) == '{' && json_open(r, '{') && json_next(r, '}') && json_key(r, &key) &&
        has_name(&key, REQUESTS))
        return true;
    if (!r->failed)
        *r = begin;
    return false;
}

static enum collide_status read_request(struct parser *p, struct collide_error *err)
{
    if (json_peek(&p->json) == '\0')
        return error_set(err, COLLIDE_INVALID, "the request is empty; send a JSON object");
    enum collide_status status = enter_batch(&p->json) ? read_batch(p, err) : read_single(p, err);
    return status == COLLIDE_OK && !json_finish(&p->json) ? COLLIDE_INVALID : status;
}

static void clear(struct request *r, enum request_kind kind)
{
    arena_reset(&r->arena);
    *r = (struct request){.kind = kind, .arena = r->arena};
}

enum collide_status json_v1_parse(enum request_kind kind, const char *text, size_t n_bytes,
                                  const struct request_limits *limits, struct request *out,
                                  struct collide_error *err)
{
    struct collide_error detail = {0};
    clear(out, kind);
    struct parser p = {
        .json = json_reader_over(text, n_bytes, &out->arena, &detail), .limits = limits, .request = out};
    enum collide_status status = read_request(&p, &detail);
    if (status == COLLIDE_OK)
        return status;
    clear(out, kind);
    return error_set(err, detail.status, "%s", detail.text);
}
