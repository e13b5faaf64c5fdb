#include "result.h"

#include "base/error.h"
#include "base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void results_free(struct results *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->items[i].points);
    for (unsigned i = 0; i < r->n_groups; i++)
        cJSON_Delete(r->documents[i]);
    free(r->items);
    free(r->documents);
    *r = (struct results){0};
}

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static double number_of(const cJSON *object, const char *name)
{
    const cJSON *found = get(object, name);
    return cJSON_IsNumber(found) ? found->valuedouble : NAN;
}

static const char *text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(get(object, name));
}

static struct result_stats stats_of(const cJSON *object)
{
    return (struct result_stats){.n_requests = number_of(object, "n_requests"),
                                 .per_s = number_of(object, "requests_per_s"),
                                 .p50_us = number_of(object, "p50_us"),
                                 .p90_us = number_of(object, "p90_us"),
                                 .p99_us = number_of(object, "p99_us"),
                                 .p99_9_us = number_of(object, "p99_9_us"),
                                 .max_us = number_of(object, "max_us"),
                                 .n_errors = number_of(object, "n_errors")};
}

static struct result_range range_of(const cJSON *object)
{
    return (struct result_range){number_of(object, "min"), number_of(object, "median"),
                                 number_of(object, "max")};
}

static bool is_pair(const cJSON *pair)
{
    return cJSON_GetArraySize(pair) == 2 && cJSON_IsNumber(pair->child) && cJSON_IsNumber(pair->child->next);
}

static enum collide_status read_points(const cJSON *array, struct result *out, struct collide_error *err)
{
    const cJSON *pair;
    int n = cJSON_GetArraySize(array);
    out->points = calloc((size_t)n + 1, sizeof *out->points);
    if (!out->points)
        return error_no_memory(err, "a distribution");
    cJSON_ArrayForEach (pair, array)
        if (is_pair(pair))
            out->points[out->n_points++] =
                (struct result_point){pair->child->valuedouble / 100, pair->child->next->valuedouble};
    return COLLIDE_OK;
}

static void read_server(const cJSON *stats, struct result *out)
{
    const cJSON *server = get(stats, "server");
    out->wait_us = number_of(get(server, "wait_us"), "p50");
    out->read_us = number_of(get(server, "read_us"), "p50");
    out->score_us = number_of(get(server, "score_us"), "p50");
    out->n_together = number_of(get(server, "n_together"), "p50");
}

static enum collide_status read_result(const cJSON *document, struct result *out, struct collide_error *err)
{
    const cJSON *merged = get(document, "merged"), *main_side = get(merged, "main");
    const cJSON *machine = get(document, "machine"), *spread = get(document, "spread");
    out->command = text_of(document, "command");
    out->target = text_of(document, "target");
    if (!out->command || !out->target || !cJSON_IsObject(main_side))
        return error_set(err, COLLIDE_INVALID,
                         "is no result of a load, as udp, xdp, shm, http and sweep print with --json");
    out->description = text_of(document, "description");
    out->version = text_of(document, "version");
    out->cpu = text_of(machine, "cpu");
    out->kernel = text_of(machine, "kernel");
    out->n_cpus = number_of(machine, "n_cpus");
    out->offered_per_s = number_of(document, "offered_per_s");
    out->n_lanes = number_of(document, "n_lanes");
    out->main = stats_of(main_side);
    out->baseline = stats_of(get(merged, "baseline"));
    out->baseline_name = text_of(document, "baseline");
    out->ratio_p50 = number_of(document, "ratio_p50");
    out->p50_us = range_of(get(spread, "p50_us"));
    out->p99_us = range_of(get(spread, "p99_us"));
    out->n_repeats = cJSON_GetArraySize(get(document, "repeats"));
    out->errors = get(main_side, "errors");
    out->settings = get(document, "settings");
    out->mlperf = get(document, "mlperf");
    read_server(main_side, out);
    return read_points(get(main_side, "percentiles"), out, err);
}

static enum collide_status parse_file(const char *path, cJSON **out, struct collide_error *err)
{
    struct file_map map;
    enum collide_status status = file_map(path, &map, err);
    if (status != COLLIDE_OK)
        return status;
    cJSON *document = cJSON_ParseWithLength((const char *)map.bytes, map.n_bytes);
    file_unmap(&map);
    if (!document)
        return error_set(err, COLLIDE_INVALID, "%s is no JSON", path);
    *out = document;
    return COLLIDE_OK;
}

/* Keeps the document, and makes room for n results. */
static enum collide_status make_room(struct results *r, cJSON *document, size_t n, struct collide_error *err)
{
    cJSON **documents = realloc(r->documents, (r->n_groups + 1) * sizeof *documents);
    if (documents)
        r->documents = documents;
    struct result *items = realloc(r->items, (r->n + n) * sizeof *items);
    if (items)
        r->items = items;
    if (!documents || !items) {
        cJSON_Delete(document);
        return error_no_memory(err, "the results");
    }
    r->documents[r->n_groups++] = document;
    return COLLIDE_OK;
}

/* What stands before the equals sign, kept with the document; NULL: nothing does. */
static const char *name_of(const char *argument, const char *equals, cJSON *document)
{
    if (!equals)
        return NULL;
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(equals - argument), argument);
    cJSON *text = cJSON_CreateString(name);
    cJSON *holder = cJSON_IsArray(document) ? document->child : document;
    cJSON_AddItemToObject(holder, "name", text);
    return cJSON_GetStringValue(text);
}

const struct result *results_group(const struct results *r, unsigned group, size_t *n)
{
    size_t begin = 0, end;
    while (r->items[begin].group != group)
        begin++;
    for (end = begin; end < r->n && r->items[end].group == group;)
        end++;
    *n = end - begin;
    return &r->items[begin];
}

/* The series of the last result: that of an earlier one of its name, or a new one. */
static unsigned series_of_last(struct results *r)
{
    const struct result *last = &r->items[r->n - 1];
    for (const struct result *one = r->items; one < last; one++)
        if (strcmp(one->name, last->name) == 0)
            return one->series;
    return r->n_series++;
}

enum collide_status results_add_file(struct results *r, const char *argument, struct collide_error *err)
{
    const char *equals = strchr(argument, '=');
    const char *path = equals ? equals + 1 : argument;
    cJSON *document = NULL;
    enum collide_status status = parse_file(path, &document, err);
    if (status != COLLIDE_OK)
        return status;
    bool is_sweep = cJSON_IsArray(document);
    size_t n = is_sweep ? (size_t)cJSON_GetArraySize(document) : 1;
    status = make_room(r, document, n + 1, err);
    if (status == COLLIDE_OK && n == 0)
        status = error_set(err, COLLIDE_INVALID, "%s is empty", path);
    const char *name = status == COLLIDE_OK ? name_of(argument, equals, document) : NULL;
    const cJSON *one = is_sweep ? document->child : document;
    for (size_t i = 0; i < n && status == COLLIDE_OK; i++, one = one->next) {
        struct result *result = &r->items[r->n++];
        struct collide_error why;
        *result = (struct result){.group = r->n_groups - 1};
        status = read_result(one, result, &why);
        if (status != COLLIDE_OK)
            return error_set(err, status, "%s %s", path, why.text);
        result->name = name ? name : result->command;
        result->series = series_of_last(r);
    }
    return status;
}
