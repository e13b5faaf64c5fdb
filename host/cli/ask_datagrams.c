#include "cli/ask_server.h"

#include "api/json_v1.h"
#include "base/error.h"
#include "collide/client.h"
#include "transport/key_file.h"

#include <stdlib.h>
#include <string.h>

enum { URL_MAX = 512, N_RETRIES = 2 };

struct datagram_asker {
    const char *address;
    uint16_t model;
    struct collide_client *client;
    struct request request; /* the last one */
};

/* Ids of datagrams are integers. Those of requests may be their digits. */
static enum collide_status to_number(const struct collide_id *id, uint64_t *out, struct collide_error *err)
{
    *out = id->number;
    if (!id->text)
        return COLLIDE_OK;
    bool is_good = id->n_bytes > 0 && (id->text[0] != '0' || id->n_bytes == 1);
    *out = 0;
    for (size_t i = 0; i < id->n_bytes && is_good; i++)
        is_good = id->text[i] >= '0' && id->text[i] <= '9' && !__builtin_mul_overflow(*out, 10, out) &&
                  !__builtin_add_overflow(*out, (uint64_t)(id->text[i] - '0'), out);
    if (is_good)
        return COLLIDE_OK;
    return error_set(err, COLLIDE_UNSUPPORTED,
                     "datagrams carry ids that are integers, not \"%.*s\"; ask over HTTP", (int)id->n_bytes,
                     id->text);
}

/* A request's ids: as numbers as they are, else turned into them. */
static enum collide_status to_numbers(struct arena *arena, const void *given, const struct collide_id *ids,
                                      size_t n, const uint64_t **out, struct collide_error *err)
{
    *out = given;
    if (given)
        return COLLIDE_OK;
    uint64_t *numbers = arena_alloc(arena, n, sizeof *numbers);
    if (!numbers)
        return error_no_memory(err, "a request's ids");
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++)
        status = to_number(&ids[i], &numbers[i], err);
    *out = numbers;
    return status;
}

/* A query as a datagram has it: its items are those to score, or of topk those to leave out. */
static enum collide_status translate(struct arena *arena, const struct collide_query *query,
                                     const struct collide_topk_query *topk, struct collide_request *out,
                                     struct collide_error *err)
{
    if (query->n_features)
        return error_set(err, COLLIDE_UNSUPPORTED, "datagrams carry no features; ask over HTTP");
    *out = (struct collide_request){.weights = query->weights,
                                    .n_history = query->n_history,
                                    .n_items = topk ? topk->n_exclude : query->n_items};
    enum collide_status status =
        topk ? to_numbers(arena, NULL, topk->exclude, out->n_items, &out->items, err)
             : to_numbers(arena, query->item_numbers, query->items, out->n_items, &out->items, err);
    if (status == COLLIDE_OK)
        status =
            to_numbers(arena, query->history_numbers, query->history, out->n_history, &out->history, err);
    if (status == COLLIDE_OK && query->user) {
        out->flags |= COLLIDE_REQUEST_HAS_USER;
        status = to_number(query->user, &out->user, err);
    }
    return status;
}

static enum collide_status exchange(struct datagram_asker *a, const struct collide_request *request,
                                    struct collide_answer *answer, struct collide_error *err)
{
    enum collide_status status = collide_client_ask(a->client, request, answer, err);
    if (status == COLLIDE_IO)
        err->status = COLLIDE_NOT_FOUND;
    if (status != COLLIDE_OK)
        return err->status;
    if (answer->code == COLLIDE_ANSWER_OK)
        return COLLIDE_OK;
    if (answer->code == COLLIDE_ANSWER_LOST)
        return error_set(err, COLLIDE_NOT_FOUND, "no answer from %s; is a server there, with the same --key?",
                         a->address);
    return error_set(err, answer->code == COLLIDE_ANSWER_BUSY ? COLLIDE_BUSY : COLLIDE_INVALID,
                     "%s answers %s", a->address, collide_answer_name(answer->code));
}

/* Query i and its results, which go where response_allocate has made room for them. */
static enum collide_status ask_query(struct datagram_asker *a, size_t i, size_t at, struct response *response,
                                     struct collide_error *err)
{
    const struct collide_topk_query *topk = a->request.kind == REQUEST_TOPK ? &a->request.topk[i] : NULL;
    const struct collide_query *query = topk ? &topk->query : &a->request.queries[i];
    struct collide_request wire;
    struct collide_answer answer;
    enum collide_status status = translate(&a->request.arena, query, topk, &wire, err);
    if (status != COLLIDE_OK)
        return status;
    wire.model = a->model;
    if (topk && topk->k > UINT16_MAX)
        return error_set(err, COLLIDE_UNSUPPORTED, "datagrams take k up to %d; ask over HTTP", UINT16_MAX);
    if (topk) {
        wire.flags |= COLLIDE_REQUEST_TOPK;
        wire.flags |= topk->flags & COLLIDE_TOPK_EXCLUDE_SEEN ? COLLIDE_REQUEST_EXCLUDE_SEEN : 0u;
        wire.k = (uint16_t)topk->k;
    }
    status = exchange(a, &wire, &answer, err);
    if (status != COLLIDE_OK)
        return status;
    response->counts.n_unknown += answer.n_unknown;
    if (topk)
        response->n_hits[i] = answer.n_results;
    for (size_t j = 0; j < answer.n_results && topk; j++)
        response->hits[at + j] = (struct collide_hit){collide_id_number(answer.items[j]), answer.scores[j]};
    if (!topk)
        memcpy(response->scores + at, answer.scores, answer.n_results * sizeof answer.scores[0]);
    return COLLIDE_OK;
}

/* A part's queries one after another; a wrong part has none. */
static enum collide_status ask_part(struct datagram_asker *a, struct request_part *part,
                                    struct response *response, struct collide_error *err)
{
    size_t at = part->first_result;
    enum collide_status status = part->error.status;
    for (size_t i = part->first_query; i < part->first_query + part->n_queries && status == COLLIDE_OK; i++) {
        status = ask_query(a, i, at, response, &part->error);
        at += a->request.kind == REQUEST_TOPK ? a->request.topk[i].k : a->request.queries[i].n_items;
    }
    *err = part->error;
    return status;
}

static enum collide_status ask_datagrams(void *self, enum request_kind kind, const char *text, size_t n,
                                         struct buffer *reply, struct collide_error *err)
{
    static const struct request_limits limits = {
        .max_parts = 1000000, .max_items = 10000000, .max_history = 10000000};
    struct datagram_asker *a = self;
    struct response response;
    enum collide_status status = json_v1_parse(kind, text, n, &limits, &a->request, err);
    if (status == COLLIDE_OK)
        status = response_allocate(&a->request, &response, err);
    for (size_t i = 0; i < a->request.n_parts && status == COLLIDE_OK; i++) {
        status = ask_part(a, &a->request.parts[i], &response, err);
        if (status != COLLIDE_NOT_FOUND && a->request.is_batch)
            status = COLLIDE_OK;
    }
    if (status == COLLIDE_OK)
        json_v1_print(&a->request, &response, reply);
    else if (status != COLLIDE_NOT_FOUND)
        json_v1_print_error(json_v1_code(status), err->text, reply);
    return status;
}

static enum collide_status set_model(struct datagram_asker *a, const struct server_options *o,
                                     struct collide_error *err)
{
    uint64_t number = 0;
    const struct collide_id text = collide_id_text(o->model, o->model ? strlen(o->model) : 0);
    if (o->version || (o->model && (to_number(&text, &number, NULL) != COLLIDE_OK || number > UINT16_MAX)))
        return error_set(err, COLLIDE_INVALID,
                         "datagrams know models by number, 0 being the first, and only "
                         "the version that is served; ask over HTTP");
    a->model = (uint16_t)number;
    return COLLIDE_OK;
}

enum collide_status ask_datagrams_open(const struct server_options *options, struct asker *out,
                                       struct collide_error *err)
{
    struct datagram_asker *a = calloc(1, sizeof *a);
    *out = (struct asker){ask_datagrams, a};
    if (!a)
        return error_no_memory(err, "a client");
    a->address = options->address;
    if (set_model(a, options, err) != COLLIDE_OK)
        return err->status;
    char url[URL_MAX];
    uint8_t key[KEY_BYTES];
    const char *rest = strchr(options->address, ':') + 1;
    rest += strncmp(rest, "//", 2) == 0 ? 2 : 0;
    if ((size_t)snprintf(url, sizeof url, "%.3s://%s", options->address, rest) >= sizeof url)
        return error_set(err, COLLIDE_INVALID, "the address %.64s... is too long", options->address);
    if (options->key && key_file_read(options->key, key, err) != COLLIDE_OK)
        return err->status = COLLIDE_INVALID; /* a file that is not there is no missing server */
    const struct collide_client_options client = {
        .url = url,
        .key = options->key ? key : NULL,
        .timeout_us = (uint32_t)(options->timeout_ms * 1000 / (1 + N_RETRIES)),
        .n_retries = N_RETRIES,
    };
    enum collide_status status = collide_client_create(&client, &a->client, err);
    if (status == COLLIDE_IO)
        err->status = status = COLLIDE_NOT_FOUND;
    return status;
}

void ask_datagrams_close(struct asker *asker)
{
    struct datagram_asker *a = asker->self;
    if (!a)
        return;
    collide_client_destroy(a->client);
    request_free(&a->request);
    free(a);
}
