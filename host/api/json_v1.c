#include "api/json_v1.h"

#include "api/json_fields.h"
#include "base/error.h"

static const char *const SCORE_FIELDS[] = {"user", "users", "history", "weights", "items", NULL};
static const char *const TOPK_FIELDS[] = {"user", "history", "weights", "k", "exclude", "exclude_seen", NULL};
static const char *const BATCH_FIELDS[] = {"requests", NULL};

enum { DEFAULT_K = 10 };

/* Everything that reading one part needs. */
struct reader {
    const struct request_limits *limits;
    struct request *request;
    struct collide_error *err;
};

/* The user and the history of a query; items are left to the caller. */
static enum collide_status read_who(struct reader *r, const cJSON *object, struct collide_query *query)
{
    struct arena *arena = &r->request->arena;
    const cJSON *user = cJSON_GetObjectItemCaseSensitive(object, "user");
    enum collide_status status = COLLIDE_OK;
    if (user) {
        struct collide_id *id = arena_alloc(arena, 1, sizeof *id);
        if (!id)
            return error_no_memory(r->err, "a user id");
        status = json_read_id(user, "user", id, r->err);
        query->user = id;
    }
    struct id_list history = {0};
    float *weights = NULL;
    if (status == COLLIDE_OK)
        status = json_read_ids(object, "history", r->limits->max_history, arena, &history, r->err);
    if (status == COLLIDE_OK)
        status = json_read_weights(object, history.n, arena, &weights, r->err);
    if (status != COLLIDE_OK)
        return status;
    if (!user && !history.ids)
        return error_set(r->err, COLLIDE_INVALID, "say whom to score for: \"user\", \"history\" or both");
    query->history = history.ids;
    query->n_history = history.n;
    query->weights = weights;
    return COLLIDE_OK;
}

/* {"users": [...], "items": [...]}: a query a pair. */
static enum collide_status read_pairs(struct reader *r, const cJSON *object, const struct id_list *items,
                                      struct collide_query **out, size_t *n_out)
{
    if (json_has_field(object, "user") || json_has_field(object, "history") ||
        json_has_field(object, "weights"))
        return error_set(r->err, COLLIDE_INVALID,
                         "\"users\" makes pairs with \"items\"; it goes with nothing else");
    struct id_list users = {0};
    enum collide_status status =
        json_read_ids(object, "users", r->limits->max_items, &r->request->arena, &users, r->err);
    if (status != COLLIDE_OK)
        return status;
    if (users.n != items->n)
        return error_set(r->err, COLLIDE_INVALID,
                         "\"users\" has %zu entries and \"items\" %zu; pairs need as many", users.n,
                         items->n);
    struct collide_query *queries = arena_alloc(&r->request->arena, users.n, sizeof *queries);
    if (!queries)
        return error_no_memory(r->err, "the pairs");
    for (size_t i = 0; i < users.n; i++)
        queries[i] = (struct collide_query){.user = &users.ids[i], .items = &items->ids[i], .n_items = 1};
    *out = queries;
    *n_out = users.n;
    return COLLIDE_OK;
}

/* The queries of one score part, in the arena. */
static enum collide_status read_score(struct reader *r, const cJSON *object, struct collide_query **out,
                                      size_t *n_out)
{
    struct id_list items = {0};
    enum collide_status status = json_check_fields(object, SCORE_FIELDS, r->err);
    if (status == COLLIDE_OK)
        status = json_read_ids(object, "items", r->limits->max_items, &r->request->arena, &items, r->err);
    if (status != COLLIDE_OK)
        return status;
    if (!items.ids)
        return error_set(r->err, COLLIDE_INVALID, "\"items\", the list of what to score, is missing");
    if (json_has_field(object, "users"))
        return read_pairs(r, object, &items, out, n_out);
    struct collide_query *query = arena_alloc(&r->request->arena, 1, sizeof *query);
    if (!query)
        return error_no_memory(r->err, "a query");
    status = read_who(r, object, query);
    query->items = items.ids;
    query->n_items = items.n;
    *out = query;
    *n_out = status == COLLIDE_OK ? 1 : 0;
    return status;
}

static enum collide_status read_topk(struct reader *r, const cJSON *object, struct collide_topk_query *out)
{
    struct id_list exclude = {0};
    bool exclude_seen = false;
    out->k = DEFAULT_K;
    enum collide_status status = json_check_fields(object, TOPK_FIELDS, r->err);
    if (status == COLLIDE_OK)
        status = read_who(r, object, &out->query);
    if (status == COLLIDE_OK)
        status = json_read_count(object, "k", r->limits->max_items, &out->k, r->err);
    if (status == COLLIDE_OK)
        status = json_read_ids(object, "exclude", r->limits->max_items, &r->request->arena, &exclude, r->err);
    if (status == COLLIDE_OK)
        status = json_read_bool(object, "exclude_seen", &exclude_seen, r->err);
    out->exclude = exclude.ids;
    out->n_exclude = exclude.n;
    out->flags = exclude_seen ? COLLIDE_TOPK_EXCLUDE_SEEN : 0;
    return status;
}

/* The queries of a part, before all parts' are put side by side. */
struct part_queries {
    struct collide_query *queries;
    size_t n;
};

static void read_part(struct reader *r, const cJSON *object, struct request_part *part,
                      struct part_queries *queries)
{
    r->err = &part->error;
    if (!cJSON_IsObject(object))
        error_set(r->err, COLLIDE_INVALID, "a request must be a JSON object");
    else if (r->request->kind == REQUEST_TOPK)
        read_topk(r, object, &part->topk);
    else if (read_score(r, object, &queries->queries, &queries->n) != COLLIDE_OK)
        queries->n = 0;
}

static enum collide_status join_queries(struct request *request, const struct part_queries *queries,
                                        struct collide_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < request->n_parts; i++) {
        request->parts[i].first_query = n;
        request->parts[i].n_queries = queries[i].n;
        n += queries[i].n;
    }
    request->queries = arena_alloc(&request->arena, n, sizeof *request->queries);
    if (!request->queries)
        return error_no_memory(err, "the queries");
    for (size_t i = 0; i < request->n_parts; i++)
        for (size_t j = 0; j < queries[i].n; j++)
            request->queries[request->n_queries++] = queries[i].queries[j];
    return COLLIDE_OK;
}

static enum collide_status read_parts(struct reader *r, const cJSON *first, size_t n,
                                      struct collide_error *err)
{
    struct request *request = r->request;
    struct request_part *parts = arena_alloc(&request->arena, n, sizeof *parts);
    struct part_queries *queries = arena_alloc(&request->arena, n, sizeof *queries);
    if (!parts || !queries)
        return error_no_memory(err, "the requests");
    size_t i = 0;
    for (const cJSON *object = first; i < n; object = object->next, i++)
        read_part(r, object, &parts[i], &queries[i]);
    request->parts = parts;
    request->n_parts = n;
    return join_queries(request, queries, err);
}

static enum collide_status read_batch(struct reader *r, const cJSON *root, struct collide_error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "requests");
    enum collide_status status = json_check_fields(root, BATCH_FIELDS, err);
    if (status != COLLIDE_OK)
        return status;
    if (!cJSON_IsArray(list))
        return error_set(err, COLLIDE_INVALID, "\"requests\" must be a list of requests");
    size_t n = (size_t)cJSON_GetArraySize(list);
    if (n > r->limits->max_parts)
        return error_set(err, COLLIDE_INVALID, "\"requests\" has %zu entries, more than the limit of %zu", n,
                         r->limits->max_parts);
    r->request->is_batch = true;
    return read_parts(r, list->child, n, err);
}

static void clear(struct request *r)
{
    cJSON_Delete(r->document);
    arena_reset(&r->arena);
    *r = (struct request){.arena = r->arena};
}

enum collide_status json_v1_parse(enum request_kind kind, const char *text, size_t n_bytes,
                                  const struct request_limits *limits, struct request *out,
                                  struct collide_error *err)
{
    clear(out);
    out->kind = kind;
    const char *end = NULL;
    cJSON *root = cJSON_ParseWithLengthOpts(text, n_bytes, &end, 0);
    out->document = root;
    if (!root)
        return error_set(err, COLLIDE_INVALID, "the body is not JSON: it goes wrong at byte %zu of %zu",
                         end ? (size_t)(end - text) : 0, n_bytes);
    for (; end < text + n_bytes; end++)
        if (*end != ' ' && *end != '\n' && *end != '\r' && *end != '\t' && *end != '\0')
            return error_set(err, COLLIDE_INVALID, "the body goes on after its JSON, at byte %zu",
                             (size_t)(end - text));
    if (!cJSON_IsObject(root))
        return error_set(err, COLLIDE_INVALID, "a request must be a JSON object");
    struct reader r = {.limits = limits, .request = out, .err = err};
    enum collide_status status;
    if (json_has_field(root, "requests"))
        status = read_batch(&r, root, err);
    else
        status = read_parts(&r, root, 1, err);
    if (status != COLLIDE_OK)
        return status;
    if (!out->is_batch && out->parts[0].error.status != COLLIDE_OK) {
        *err = out->parts[0].error;
        return err->status;
    }
    return COLLIDE_OK;
}

void json_v1_request_free(struct request *r)
{
    cJSON_Delete(r->document);
    arena_free(&r->arena);
    *r = (struct request){0};
}
