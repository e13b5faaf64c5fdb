#include "http_model.h"

#include "base/error.h"
#include "base/log.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const uint64_t TIMEOUT_NS = 5000000000;

static enum collide_status read_count(const cJSON *model, const char *name, uint64_t *out,
                                      struct collide_error *err)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(model, name);
    if (!cJSON_IsNumber(number) || !(number->valuedouble >= 1 && number->valuedouble <= 0x1p53))
        return error_set(err, COLLIDE_INVALID,
                         "/v1/model does not say how many %s there are: give --%s, or whole "
                         "requests with --request-file",
                         name, name);
    *out = (uint64_t)number->valuedouble;
    return COLLIDE_OK;
}

/* Ids are drawn from 0 on: where they are others, the server would only see unknown ones. */
static void warn_of_other_ids(const cJSON *model, const char *name)
{
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(model, name);
    if (cJSON_IsString(kind) && strcmp(kind->valuestring, "dense integers") != 0)
        log_warning("the server's %s are %s, but requests are made of integers from 0 on, which it may not "
                    "know; give real "
                    "ones with --request-file",
                    name, kind->valuestring);
}

static bool lacks_items(const struct question *q)
{
    return q->n_items == 0 && question_n_ids(q) > 0;
}

static bool lacks_users(const struct question *q)
{
    return q->n_users == 0 && q->n_history == 0;
}

/* Of "/v1/models/NAME/...", or /v2's, where that model is described; else the first model's. */
static void find_description(const char *asked, char *out, size_t capacity)
{
    static const char *const prefixes[] = {"/v1/models/", "/v2/models/"};
    snprintf(out, capacity, "/v1/model");
    for (size_t i = 0; asked && i < 2; i++)
        if (strncmp(asked, prefixes[i], strlen(prefixes[i])) == 0) {
            const char *name = asked + strlen(prefixes[i]);
            snprintf(out, capacity, "/v1/models/%.*s", (int)strcspn(name, "/"), name);
        }
}

enum collide_status http_model_ask(struct http_client *client, struct http_target asked, struct question *q,
                                   struct collide_error *err)
{
    char path[160];
    struct http_requests get = {0};
    struct buffer body = {0};
    cJSON *model = NULL;
    int code = 0;
    if (!lacks_users(q) && !lacks_items(q))
        return COLLIDE_OK;
    find_description(asked.path, path, sizeof path);
    struct http_target target = {asked.authority, path, HTTP_V1};
    enum collide_status status = http_requests_get(target, &get, err);
    if (status == COLLIDE_OK)
        status = http_client_fetch(client, &get.items[0], &code, &body, err);
    if (status != COLLIDE_OK)
        goto out;
    if (code != 200) {
        status = error_set(err, COLLIDE_INVALID, "%s answers %d%s: give --users and --items", path, code,
                           code == 401 ? ", for want of a key, which is not sent here" : "");
        goto out;
    }
    model = cJSON_ParseWithLength(body.bytes, body.n_bytes);
    warn_of_other_ids(model, "user_ids");
    warn_of_other_ids(model, "item_ids");
    if (lacks_users(q))
        status = read_count(model, "users", &q->n_users, err);
    if (status == COLLIDE_OK && lacks_items(q))
        status = read_count(model, "items", &q->n_items, err);
out:
    cJSON_Delete(model);
    buffer_free(&body);
    http_requests_free(&get);
    return status;
}

enum collide_status http_model_ask_url(const char *url, struct question *q, struct collide_error *err)
{
    struct http_url parsed;
    struct http_client *client = NULL;
    const struct http_client_settings settings = {
        .url = &parsed, .n_connections = 1, .timeout_ns = TIMEOUT_NS, .wait = LOAD_WAIT_SLEEP};
    enum collide_status status = http_url_parse(url, &parsed, err);
    if (status == COLLIDE_OK)
        status = http_client_create(&settings, &client, err);
    if (status == COLLIDE_OK)
        status = http_model_ask(client, (struct http_target){parsed.authority, NULL, HTTP_V1}, q, err);
    http_client_destroy(client);
    return status;
}
