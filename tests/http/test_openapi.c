/* The document of /openapi.json has every route of the server, and no other. */
#include "http/openapi.h"
#include "http/router.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static cJSON *document;

/* A path without the names in its braces, as patterns of routes are. */
static void strip_names(const char *path, char *out)
{
    for (bool within = false; *path; path++) {
        within &= *path != '}';
        if (!within)
            *out++ = *path;
        within |= *path == '{';
    }
    *out = '\0';
}

static const char *method_of(const char *operation)
{
    return strcmp(operation, "get") == 0 ? "GET" : strcmp(operation, "post") == 0 ? "POST" : NULL;
}

/* The operation for a route; NULL: the document has none. */
static const cJSON *find_operation(const struct http_route *route)
{
    const cJSON *path, *operation;
    cJSON_ArrayForEach (path, cJSON_GetObjectItem(document, "paths")) {
        char pattern[256];
        assert_true(strlen(path->string) < sizeof pattern);
        strip_names(path->string, pattern);
        if (strcmp(pattern, route->pattern) != 0)
            continue;
        cJSON_ArrayForEach (operation, path) {
            const char *method = method_of(operation->string);
            if (method && strcmp(method, route->method) == 0)
                return operation;
        }
    }
    return NULL;
}

static void every_route_is_in_the_document(void **state)
{
    (void)state;
    size_t n;
    const struct http_routes *const *tables = router_tables(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < tables[i]->n; k++)
            if (!find_operation(&tables[i]->routes[k]))
                fail_msg("openapi.json has no %s %s", tables[i]->routes[k].method,
                         tables[i]->routes[k].pattern);
}

static bool has_route(const char *method, const char *pattern)
{
    size_t n;
    const struct http_routes *const *tables = router_tables(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < tables[i]->n; k++)
            if (strcmp(tables[i]->routes[k].method, method) == 0 &&
                strcmp(tables[i]->routes[k].pattern, pattern) == 0)
                return true;
    return false;
}

static void every_path_of_the_document_is_a_route(void **state)
{
    (void)state;
    const cJSON *path, *operation;
    cJSON_ArrayForEach (path, cJSON_GetObjectItem(document, "paths")) {
        char pattern[256];
        strip_names(path->string, pattern);
        cJSON_ArrayForEach (operation, path) {
            const char *method = method_of(operation->string);
            if (!method || !has_route(method, pattern))
                fail_msg("openapi.json tells of %s %s, which the server has not", operation->string,
                         path->string);
        }
    }
}

static int parse_document(void **state)
{
    (void)state;
    document = cJSON_ParseWithLength(openapi_json, openapi_json_bytes);
    return document ? 0 : -1;
}

static int delete_document(void **state)
{
    (void)state;
    cJSON_Delete(document);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_in_the_document),
        cmocka_unit_test(every_path_of_the_document_is_a_route),
    };
    return cmocka_run_group_tests(tests, parse_document, delete_document);
}
