/* The document of /openapi.json has every route of the server, and no other; and says who may ask it. */
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

static bool has_answer(const cJSON *operation, const char *status)
{
    return cJSON_HasObjectItem(cJSON_GetObjectItem(operation, "responses"), status);
}

/* What asks for no key says so; all else may refuse. */
static void check_refusals(const struct http_route *route)
{
    const cJSON *operation = find_operation(route);
    bool is_open = route->flags & HTTP_IS_OPEN, is_admin = route->flags & HTTP_IS_ADMIN;
    if (has_answer(operation, "401") == is_open || has_answer(operation, "429") == is_open ||
        has_answer(operation, "403") != is_admin || cJSON_HasObjectItem(operation, "security") != is_open)
        fail_msg("openapi.json says something else of who may ask %s %s than the server", route->method,
                 route->pattern);
}

static void every_route_says_who_may_ask(void **state)
{
    (void)state;
    size_t n;
    const struct http_routes *const *tables = router_tables(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < tables[i]->n; k++)
            check_refusals(&tables[i]->routes[k]);
}

static void keys_are_optional_and_come_in_two_ways(void **state)
{
    (void)state;
    const cJSON *schemes =
        cJSON_GetObjectItem(cJSON_GetObjectItem(document, "components"), "securitySchemes");
    const cJSON *ways = cJSON_GetObjectItem(document, "security"), *way;
    assert_int_equal(cJSON_GetArraySize(schemes), 2);
    assert_int_equal(cJSON_GetArraySize(ways), 3);
    assert_null(cJSON_GetArrayItem(ways, 0)->child);
    cJSON_ArrayForEach (way, ways)
        assert_true(!way->child || cJSON_HasObjectItem(schemes, way->child->string));
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
        cmocka_unit_test(every_route_says_who_may_ask),
        cmocka_unit_test(keys_are_optional_and_come_in_two_ways),
    };
    return cmocka_run_group_tests(tests, parse_document, delete_document);
}
