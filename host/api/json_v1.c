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
    unsigned given;   /* BIT(field) each */
    enum field field; /* the one that is in reading */
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

/* What is in reading. */
enum phase { AT_BEGIN, IN_SINGLE, IN_BATCH, BEHIND_BATCH, AT_END };

/* All there is of a request that has come in part. */
struct json_v1_reader {
    struct json_reader json;
    struct collide_error error; /* the JSON's */
    const struct request_limits *limits;
    struct request *request;
    size_t part_capacity;
    size_t query_capacity;
    enum phase phase;
    unsigned level;            /* of the part's object */
    struct request_part *part; /* in reading; NULL: none */
    struct values values;      /* its */
};

/* N_FIELDS: there is none of this name in requests of this kind. */
static enum field find_field(const struct json_text *key, enum request_kind kind)
{
    enum field f = 0;
    while (f < N_FIELDS && !((FIELDS[f].kinds & BIT(kind)) && json_text_is(key, FIELDS[f].name)))
        f++;
    return f;
}

static enum collide_status unknown_field(const struct json_text *key, enum request_kind kind,
                                         struct collide_error *err)
{
    char typed[33];
    snprintf(typed, sizeof typed, "%.*s", (int)(key->n_bytes < 32 ? key->n_bytes : 32), key->bytes);
    if (json_text_is(key, REQUESTS))
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

static enum collide_status read_value(struct json_v1_reader *p, struct values *v, struct collide_error *err)
{
    const char *name = FIELDS[v->field].name;
    struct json_field items = {name, p->limits->max_items, p->level + 1, v->field == FIELD_ITEMS};
    struct json_field history = {name, p->limits->max_history, p->level + 1, v->field == FIELD_HISTORY};
    switch (v->field) {
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
        return json_read_count(&p->json, (struct json_field){.name = name, .max = REQUEST_MAX_TIMEOUT_US},
                               &v->timeout_us, err);
    case N_FIELDS:
        break;
    }
    return COLLIDE_INVALID;
}

static enum collide_status begin_field(struct json_v1_reader *p, const struct json_text *key,
                                       struct values *v, struct collide_error *err)
{
    v->field = find_field(key, p->request->kind);
    if (v->field == N_FIELDS)
        return unknown_field(key, p->request->kind, err);
    if (v->given & BIT(v->field))
        return error_set(err, COLLIDE_INVALID, "field \"%s\" is given twice", FIELDS[v->field].name);
    return COLLIDE_OK;
}

/* One field, or what has come of it. */
static enum collide_status read_field(struct json_v1_reader *p, struct values *v, struct collide_error *err)
{
    struct json_text key;
    enum collide_status status = COLLIDE_OK;
    if (json_is_at_key(&p->json, p->level))
        status = json_key(&p->json, &key) ? begin_field(p, &key, v, err) : json_status(&p->json);
    if (status == COLLIDE_OK && !p->json.is_starved)
        status = read_value(p, v, err);
    if (status == COLLIDE_OK && !p->json.is_starved)
        v->given |= BIT(v->field);
    return status;
}

static enum collide_status read_values(struct json_v1_reader *p, struct values *v, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    if (!json_enter(&p->json, '{', p->level))
        return error_set(err, COLLIDE_INVALID, "a request must be a JSON object");
    while (status == COLLIDE_OK && json_next(&p->json, p->level))
        status = read_field(p, v, err);
    return p->json.failed ? COLLIDE_INVALID : status;
}

/* Checks what a query's bag is to be made of. */
static enum collide_status check_who(const struct json_v1_reader *p, const struct values *v,
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
static enum collide_status set_who(struct json_v1_reader *p, const struct values *v,
                                   struct collide_query *query, struct collide_error *err)
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
    query->history_numbers = v->history.numbers;
    query->n_history = v->history.n;
    query->number_bytes = sizeof *v->history.numbers;
    query->weights = v->weights.weights;
    query->features = v->features.features;
    query->n_features = v->features.n;
    return COLLIDE_OK;
}

/* A short batch could ask for results that fill all memory: its parts share one limit. */
static enum collide_status count_results(struct json_v1_reader *p, size_t n, struct collide_error *err)
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
static struct collide_query *add_queries(struct json_v1_reader *p, size_t n, struct collide_error *err)
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

static struct collide_topk_query *add_topk(struct json_v1_reader *p, struct collide_error *err)
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
static enum collide_status set_pairs(struct json_v1_reader *p, const struct values *v,
                                     struct request_part *part, struct collide_error *err)
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
        queries[i] = (struct collide_query){.user = &v->users.ids[i],
                                            .items = v->items.ids ? &v->items.ids[i] : NULL,
                                            .item_numbers = v->items.numbers ? &v->items.numbers[i] : NULL,
                                            .n_items = 1,
                                            .number_bytes = sizeof *v->items.numbers};
    part->n_queries = v->users.n;
    return COLLIDE_OK;
}

static enum collide_status set_score(struct json_v1_reader *p, const struct values *v,
                                     struct request_part *part, struct collide_error *err)
{
    if (!(v->given & BIT(FIELD_ITEMS)))
        return error_set(err, COLLIDE_INVALID, "\"items\", the list of what to score, is missing");
    if (v->given & BIT(FIELD_USERS))
        return set_pairs(p, v, part, err);
    struct collide_query query = {
        .items = v->items.ids, .item_numbers = v->items.numbers, .n_items = v->items.n};
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

static enum collide_status set_topk(struct json_v1_reader *p, const struct values *v,
                                    struct request_part *part, struct collide_error *err)
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

static void begin_part(struct json_v1_reader *p, struct request_part *part)
{
    p->part = part;
    p->values = (struct values){.k = DEFAULT_K};
    part->first_query = p->request->n_queries;
    part->first_result = p->request->n_results;
}

static enum collide_status read_part(struct json_v1_reader *p, struct request_part *part)
{
    const struct values *v = &p->values;
    enum collide_status status = read_values(p, &p->values, &part->error);
    if (status != COLLIDE_OK || p->json.is_starved)
        return status;
    if (v->timeout_us && (p->request->timeout_us == 0 || v->timeout_us < p->request->timeout_us))
        p->request->timeout_us = v->timeout_us;
    return p->request->kind == REQUEST_TOPK ? set_topk(p, v, part, &part->error)
                                            : set_score(p, v, part, &part->error);
}

static enum collide_status read_single(struct json_v1_reader *p, struct collide_error *err)
{
    enum collide_status status = read_part(p, p->part);
    if (status != COLLIDE_OK && !p->json.failed)
        *err = p->part->error;
    return status;
}

/* The next part of a batch; NULL: err says why there is none. */
static struct request_part *add_part(struct json_v1_reader *p, struct collide_error *err)
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
    parts[r->n_parts] = (struct request_part){0};
    return &parts[r->n_parts++];
}

static enum collide_status begin_batch_part(struct json_v1_reader *p, struct collide_error *err)
{
    struct request_part *part = add_part(p, err);
    if (!part)
        return err->status;
    begin_part(p, part);
    return COLLIDE_OK;
}

/* The list of a batch. What is left of a part that is wrong is passed over, as any JSON. */
static enum collide_status read_batch(struct json_v1_reader *p, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    if (!json_enter(&p->json, '[', 1))
        return error_set(err, COLLIDE_INVALID, "\"requests\" must be a list of requests");
    while (status == COLLIDE_OK && json_next(&p->json, 1)) {
        if (!p->part)
            status = begin_batch_part(p, err);
        if (status == COLLIDE_OK && read_part(p, p->part) != COLLIDE_OK)
            json_pass(&p->json, 1);
        if (!p->json.is_starved)
            p->part = NULL;
    }
    return p->json.failed ? COLLIDE_INVALID : status;
}

/* The object's first key says what it is. */
static enum collide_status begin_request(struct json_v1_reader *p, struct collide_error *err)
{
    struct json_reader *r = &p->json;
    struct json_text key;
    json_peek(r);
    if (r->depth == 0 && r->at == r->end)
        return r->is_starved ? COLLIDE_OK
                             : error_set(err, COLLIDE_INVALID, "the request is empty; send a JSON object");
    if (!json_enter(r, '{', 0))
        return error_set(err, COLLIDE_INVALID, "a request must be a JSON object");
    bool has_key = json_next(r, 0) && json_key(r, &key);
    if (r->failed || r->is_starved)
        return json_status(r);
    if (has_key && json_text_is(&key, REQUESTS)) {
        p->request->is_batch = true;
        p->phase = IN_BATCH;
        p->level = 2;
        return COLLIDE_OK;
    }
    struct request_part *part = arena_alloc(&p->request->arena, 1, sizeof *part);
    if (!part)
        return error_no_memory(err, "the request");
    p->request->parts = part;
    p->request->n_parts = 1;
    p->phase = IN_SINGLE;
    begin_part(p, part);
    return has_key ? begin_field(p, &key, &p->values, err) : COLLIDE_OK;
}

/* Nothing stands beside a batch. */
static enum collide_status end_batch(struct json_v1_reader *p, struct collide_error *err)
{
    struct json_text key;
    if (json_next(&p->json, 0) && json_key(&p->json, &key))
        return unknown_field(&(struct json_text){REQUESTS, sizeof REQUESTS - 1}, p->request->kind, err);
    return json_status(&p->json);
}

static enum collide_status read_phase(struct json_v1_reader *p, struct collide_error *err)
{
    enum phase begun = p->phase;
    enum collide_status status = COLLIDE_OK;
    switch (begun) {
    case AT_BEGIN:
        return begin_request(p, err);
    case IN_SINGLE:
        status = read_single(p, err);
        break;
    case IN_BATCH:
        status = read_batch(p, err);
        break;
    case BEHIND_BATCH:
        status = end_batch(p, err);
        break;
    case AT_END:
        break;
    }
    if (status == COLLIDE_OK && !p->json.is_starved)
        p->phase = begun == IN_BATCH ? BEHIND_BATCH : AT_END;
    return status;
}

static void clear(struct request *r, enum request_kind kind)
{
    arena_reset(&r->arena);
    *r = (struct request){.kind = kind, .arena = r->arena};
}

struct json_v1_reader *json_v1_begin(enum request_kind kind, const struct request_limits *limits,
                                     struct request *out)
{
    clear(out, kind);
    struct json_v1_reader *r = arena_alloc(&out->arena, 1, sizeof *r);
    if (!r)
        return NULL;
    r->json.arena = &out->arena;
    r->json.err = &r->error;
    r->limits = limits;
    r->request = out;
    return r;
}

enum collide_status json_v1_read(struct json_v1_reader *r, const struct request_text *text, size_t *n_read,
                                 struct collide_error *err)
{
    struct request *request = r->request;
    enum collide_status status = COLLIDE_OK;
    json_feed(&r->json, text->bytes, text->n_bytes, text->is_last ? JSON_IS_LAST | JSON_STAYS : 0);
    while (status == COLLIDE_OK && r->phase != AT_END && !r->json.is_starved)
        status = read_phase(r, &r->error);
    if (status == COLLIDE_OK && r->phase == AT_END && !json_finish(&r->json))
        status = json_status(&r->json);
    *n_read = text->n_bytes - json_n_unread(&r->json);
    if (status == COLLIDE_OK)
        return status;
    struct collide_error error = r->error;
    clear(request, request->kind);
    return error_set(err, error.status, "%s", error.text);
}

enum collide_status json_v1_parse(enum request_kind kind, const char *text, size_t n_bytes,
                                  const struct request_limits *limits, struct request *out,
                                  struct collide_error *err)
{
    const struct request_text all = {.bytes = text, .n_bytes = n_bytes, .is_last = true};
    struct json_v1_reader *r = json_v1_begin(kind, limits, out);
    size_t n_read;
    return r ? json_v1_read(r, &all, &n_read, err) : error_no_memory(err, "the request");
}
