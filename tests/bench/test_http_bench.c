#include "capture.h"
#include "commands.h"
#include "tiny_server.h"

#include <cjson/cJSON.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A name with two addresses of which the first has no server: those of tiny_server listen on 127.0.0.1 alone.
 */
int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **found);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **found);

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **found)
{
    if (strcmp(host, "two.test") != 0)
        return __real_getaddrinfo(host, port, hints, found);
    int failed = __real_getaddrinfo("127.0.0.2", port, hints, found);
    return failed ? failed : __real_getaddrinfo("127.0.0.1", port, hints, &(*found)->ai_next);
}

static int bench(const char *options, char **output)
{
    return capture_command(bench_http, options, output);
}

/* A run against a server with a fault: short, with --json. Gives the parsed document, owned. */
static cJSON *bench_faulty(enum tiny_fault fault, const char *options, int wanted_exit)
{
    struct tiny_server *server = tiny_server_start(fault, 5);
    assert_non_null(server);
    char line[512], *output = NULL;
    snprintf(line, sizeof line, "http://127.0.0.1:%u -d 0.2 -w 0.05 -k 3 --poll sleep --json %s",
             tiny_server_port(server), options);
    assert_int_equal(bench(line, &output), wanted_exit);
    assert_true(tiny_server_n_posts(server) > 0);
    tiny_server_stop(server);
    cJSON *document = cJSON_Parse(output);
    assert_non_null(document);
    free(output);
    return document;
}

static const cJSON *at(const cJSON *object, const char *name)
{
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(object, name);
    assert_non_null(found);
    return found;
}

static double number_of(const cJSON *document, const char *name)
{
    return at(at(at(document, "merged"), "main"), name)->valuedouble;
}

static double errors_of(const cJSON *document, const char *kind)
{
    return at(at(at(at(document, "merged"), "main"), "errors"), kind)->valuedouble;
}

static void a_closed_loop_measures_latencies_in_order(void **state)
{
    (void)state;
    cJSON *d = bench_faulty(TINY_NONE, "-c 4 -n 3", EXIT_DONE);
    assert_true(number_of(d, "n_requests") > 60);
    assert_int_equal(cJSON_GetArraySize(at(d, "repeats")), 3);
    assert_true(number_of(d, "p50_us") > 0);
    assert_true(number_of(d, "p90_us") >= number_of(d, "p50_us"));
    assert_true(number_of(d, "max_us") >= number_of(d, "p90_us"));
    assert_true(at(at(at(d, "spread"), "p50_us"), "median")->valuedouble > 0);
    assert_int_equal(at(at(d, "settings"), "connections")->valueint, 4);
    assert_string_equal(at(at(d, "settings"), "mode")->valuestring, "closed");
    assert_true(at(at(d, "machine"), "n_cpus")->valueint >= 1);
    assert_int_equal(at(d, "n_reconnects")->valueint, 0);
    cJSON_Delete(d);
}

static void an_open_loop_sends_what_is_due(void **state)
{
    (void)state;
    cJSON *d = bench_faulty(TINY_NONE, "-m open -r 100 -c 2", EXIT_DONE);
    assert_int_equal(number_of(d, "n_requests"), 20);
    assert_true(cJSON_IsNull(at(at(at(d, "merged"), "main"), "p99_us")));
    cJSON_Delete(d);
}

static void the_baseline_is_measured_beside(void **state)
{
    (void)state;
    cJSON *d = bench_faulty(TINY_NONE, "-b", EXIT_DONE);
    assert_true(at(at(at(d, "merged"), "baseline"), "n_requests")->valuedouble > 20);
    assert_int_equal(at(at(at(d, "merged"), "baseline"), "n_errors")->valueint, 0);
    assert_true(at(d, "ratio_p50")->valuedouble > 0);
    cJSON_Delete(d);
}

static void ways_to_answer_that_http_allows_are_no_errors(void **state)
{
    (void)state;
    const enum tiny_fault allowed[] = {TINY_CHUNKED, TINY_DRIBBLE, TINY_CLOSES};
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        cJSON *d = bench_faulty(allowed[i], "", EXIT_DONE);
        assert_true(number_of(d, "n_requests") > 20);
        assert_int_equal(at(d, "n_reconnects")->valuedouble > 0, allowed[i] == TINY_CLOSES);
        cJSON_Delete(d);
    }
}

static void a_close_between_requests_is_followed_by_a_reconnect(void **state)
{
    (void)state;
    /* Slow enough for the close to be seen before the next request is due. */
    cJSON *d = bench_faulty(TINY_VANISHES, "-m open -r 20 -d 0.5", EXIT_DONE);
    assert_int_equal(number_of(d, "n_requests"), 10);
    assert_true(at(d, "n_reconnects")->valueint >= 2);
    cJSON_Delete(d);
}

static void errors_are_counted_by_kind_and_fail_the_run(void **state)
{
    (void)state;
    const struct {
        enum tiny_fault fault;
        const char *kind;
    } cases[] = {{TINY_REFUSES, "status"},
                 {TINY_DROPS, "connection"},
                 {TINY_GARBLES, "malformed"},
                 {TINY_HANGS, "timeout"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* Only the fault that is one should time out, even on a busy machine. */
        const char *options = cases[i].fault == TINY_HANGS ? "-c 2 --timeout 0.05" : "-c 2";
        cJSON *d = bench_faulty(cases[i].fault, options, EXIT_FAILED);
        double n = errors_of(d, cases[i].kind);
        assert_true(n > 0);
        assert_true(n == number_of(d, "n_errors"));
        cJSON_Delete(d);
    }
}

static void the_text_report_shows_unknown_percentiles_as_dashes(void **state)
{
    (void)state;
    struct tiny_server *server = tiny_server_start(TINY_REFUSES, 7);
    assert_non_null(server);
    char line[256], *output = NULL;
    snprintf(line, sizeof line, "http://127.0.0.1:%u -d 0.3 -w 0 -m open -r 100 -n 2 --baseline --batch 2",
             tiny_server_port(server));
    assert_int_equal(bench(line, &output), EXIT_FAILED);
    assert_non_null(strstr(
        output, "open loop, 100/s constant, connections 1, 0.3 s x 2 after 0 s, 100 candidates, 2 queries"));
    assert_non_null(strstr(output, "\n  repeat 2 "));
    assert_non_null(strstr(output, "\nempty 404 "));
    assert_non_null(strstr(output, "         - "));
    assert_non_null(strstr(output, "  status 8\n"));
    free(output);
    tiny_server_stop(server);
}

static void an_address_without_a_server_is_passed_over(void **state)
{
    (void)state;
    struct tiny_server *server = tiny_server_start(TINY_NONE, 1);
    assert_non_null(server);
    char line[128], *output = NULL;
    snprintf(line, sizeof line, "http://two.test:%u -d 0.1 -w 0 -c 3 --poll sleep", tiny_server_port(server));
    assert_int_equal(bench(line, &output), EXIT_DONE);
    assert_true(tiny_server_n_posts(server) > 0);
    free(output);
    tiny_server_stop(server);
}

static void an_absent_server_is_unreachable(void **state)
{
    (void)state;
    struct tiny_server *server = tiny_server_start(TINY_NONE, 1);
    assert_non_null(server);
    char line[128], *output = NULL;
    snprintf(line, sizeof line, "http://127.0.0.1:%u", tiny_server_port(server));
    tiny_server_stop(server);
    assert_int_equal(bench(line, &output), EXIT_UNREACHABLE);
    assert_non_null(strstr(output, "cannot connect to 127.0.0.1:"));
    free(output);
}

static void wrong_usage_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *options, *message;
    } cases[] = {
        {"", "too few arguments: expected URL"},
        {"localhost:80", "is not a server's URL"},
        {"http://127.0.0.1:1 --mode open", "--mode open needs a --rate"},
        {"http://127.0.0.1:1 --rate 5", "--rate is for --mode open"},
        {"http://127.0.0.1:1 --path x", "does not start with /"},
        {"http://127.0.0.1:1 --batch 10000 --candidates 1000", "--batch times --candidates is above 1000000"},
        {"http://127.0.0.1:1 --conections 5", "did you mean --connections?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *output = NULL;
        assert_int_equal(bench(cases[i].options, &output), EXIT_USAGE);
        assert_non_null(strstr(output, cases[i].message));
        free(output);
    }
}

static void help_is_no_error(void **state)
{
    (void)state;
    char *output = NULL;
    assert_int_equal(bench("--help", &output), EXIT_DONE);
    assert_non_null(strstr(output, "Usage: collide-bench http [options] URL"));
    free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_loop_measures_latencies_in_order),
        cmocka_unit_test(an_open_loop_sends_what_is_due),
        cmocka_unit_test(the_baseline_is_measured_beside),
        cmocka_unit_test(ways_to_answer_that_http_allows_are_no_errors),
        cmocka_unit_test(a_close_between_requests_is_followed_by_a_reconnect),
        cmocka_unit_test(errors_are_counted_by_kind_and_fail_the_run),
        cmocka_unit_test(the_text_report_shows_unknown_percentiles_as_dashes),
        cmocka_unit_test(an_address_without_a_server_is_passed_over),
        cmocka_unit_test(an_absent_server_is_unreachable),
        cmocka_unit_test(wrong_usage_is_refused),
        cmocka_unit_test(help_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
