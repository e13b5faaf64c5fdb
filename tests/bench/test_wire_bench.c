#include "capture.h"
#include "commands.h"
#include "echo.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An echo on a free port of this machine, in a thread of its own. */
struct echo {
    pthread_t thread;
    sem_t ready;
    atomic_bool stop;
    char where[64];
    enum collide_status status;
};

static void take_ready(void *context, const char *where)
{
    struct echo *e = context;
    snprintf(e->where, sizeof e->where, "%s", where);
    sem_post(&e->ready);
}

static void *run_echo(void *context)
{
    struct echo *e = context;
    const struct echo_options options = {
        .kind = ECHO_UDP_BLOCK, .where = "127.0.0.1:0", .ready = take_ready, .context = e};
    e->status = echo_run(&options, &e->stop, NULL);
    return NULL;
}

static void echo_start(struct echo *e)
{
    *e = (struct echo){.status = COLLIDE_OK};
    sem_init(&e->ready, 0, 0);
    assert_int_equal(pthread_create(&e->thread, NULL, run_echo, e), 0);
    sem_wait(&e->ready);
}

static void echo_stop(struct echo *e)
{
    atomic_store(&e->stop, true);
    pthread_join(e->thread, NULL);
    sem_destroy(&e->ready);
    assert_int_equal(e->status, COLLIDE_OK);
}

static cJSON *bench_echo_with(const char *options, int wanted_exit)
{
    struct echo echo;
    char line[256], *output = NULL;
    echo_start(&echo);
    snprintf(line, sizeof line, "%s --echo --users 9 --items 9 -k 32 -w 0.01 --poll sleep --json %s",
             echo.where, options);
    assert_int_equal(capture_command(bench_udp, line, &output), wanted_exit);
    echo_stop(&echo);
    cJSON *document = cJSON_Parse(output);
    assert_non_null(document);
    free(output);
    return document;
}

static double number_of(const cJSON *document, const char *name)
{
    const cJSON *side = cJSON_GetObjectItem(cJSON_GetObjectItem(document, "merged"), "main");
    const cJSON *found = cJSON_GetObjectItem(side, name);
    assert_non_null(found);
    return found->valuedouble;
}

static void an_echo_answers_a_closed_loop(void **state)
{
    (void)state;
    cJSON *d = bench_echo_with("--queries 500 --depth 8 -n 2", EXIT_DONE);
    assert_int_equal(number_of(d, "n_requests"), 1000);
    assert_int_equal(number_of(d, "n_errors"), 0);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(d, "repeats")), 2);
    cJSON_Delete(d);
}

static void an_echo_answers_an_open_loop(void **state)
{
    (void)state;
    cJSON *d = bench_echo_with("-m open -r 1000 -a poisson --queries 200", EXIT_DONE);
    assert_int_equal(number_of(d, "n_requests"), 200);
    assert_int_equal(cJSON_GetObjectItem(d, "offered_per_s")->valueint, 1000);
    cJSON_Delete(d);
}

static void mlperf_tells_its_scenario(void **state)
{
    (void)state;
    cJSON *d = bench_echo_with("--mlperf single-stream --queries 300", EXIT_DONE);
    const cJSON *mlperf = cJSON_GetObjectItem(d, "mlperf");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(mlperf, "scenario")), "single-stream");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(mlperf, "valid")));
    assert_true(cJSON_GetObjectItem(mlperf, "value")->valuedouble > 0);
    cJSON_Delete(d);
}

static void a_sweep_is_an_array_of_results(void **state)
{
    struct echo echo;
    char line[256], *output = NULL;
    (void)state;
    echo_start(&echo);
    snprintf(line, sizeof line,
             "udp %s --echo --users 9 --items 9 -w 0 --poll sleep --json -q 100 --rates 500,1000,2000",
             echo.where);
    assert_int_equal(capture_command(bench_sweep, line, &output), EXIT_DONE);
    echo_stop(&echo);
    cJSON *array = cJSON_Parse(output);
    free(output);
    assert_int_equal(cJSON_GetArraySize(array), 3);
    const double rates[] = {500, 1000, 2000};
    for (int i = 0; i < 3; i++) {
        const cJSON *one = cJSON_GetArrayItem(array, i);
        assert_true(cJSON_GetObjectItem(one, "offered_per_s")->valuedouble == rates[i]);
        assert_int_equal(number_of(one, "n_requests"), 100);
    }
    cJSON_Delete(array);
}

static void a_port_without_a_server_loses_everything(void **state)
{
    (void)state;
    struct echo echo;
    char line[256], *output = NULL;
    echo_start(&echo);
    echo_stop(&echo);
    snprintf(line, sizeof line, "%s --users 9 --items 9 -w 0 -q 5 --timeout 0.01", echo.where);
    assert_int_equal(capture_command(bench_udp, line, &output), EXIT_FAILED);
    assert_non_null(strstr(output, "errors, udp                  5"));
    free(output);
}

static void wrong_usage_is_refused(void **state)
{
    (void)state;
    static const struct {
        int (*command)(int argc, char **argv);
        const char *options, *message;
    } cases[] = {
        {bench_udp, "", "too few arguments: expected HOST:PORT"},
        {bench_udp, "127.0.0.1:1", "give --users and --items, or --http URL"},
        {bench_udp, "127.0.0.1:1 --users 3 --items 3 --echo --times", "an echo answers no pings"},
        {bench_udp, "127.0.0.1:1 --users 3 --items 3 --echo -k 1000", "does not fit a datagram"},
        {bench_udp, "127.0.0.1:1 --baseline ping --baseline-address x:1", "one of the two"},
        {bench_udp, "127.0.0.1:1 --users 3 --items 3 --mlperf server", "needs a --limit-us"},
        {bench_udp, "127.0.0.1:1 --mlperf offline --repeats 3", "--mlperf sets --mode"},
        {bench_xdp, "veth0", "too few arguments: expected IFACE[:QUEUE] HOST:PORT"},
        {bench_xdp, "veth0 1.2.3.4:5 --baseline-address x:1", "go together"},
        {bench_shm, "name --users 3 --items 3 --echo", "unknown option --echo"},
        {bench_sweep, "udp 127.0.0.1:1 --mode open --rate 5", "a sweep sets --mode and --rate itself"},
        {bench_sweep, "udp 127.0.0.1:1 --hgrm x", "a sweep is many"},
        {bench_echo, "tcp 127.0.0.1:0", "none of udp, http and xdp"},
        {bench_echo, "xdp veth0", "needs a --port"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *output = NULL;
        assert_int_equal(capture_command(cases[i].command, cases[i].options, &output), EXIT_USAGE);
        if (!strstr(output, cases[i].message))
            fail_msg("%s: %s", cases[i].options, output);
        free(output);
    }
}

static void a_file_that_cannot_be_written_is_found_before_anything_is_measured(void **state)
{
    (void)state;
    char *output = NULL;
    const char *options = "127.0.0.1:1 --users 3 --items 3 --csv /nowhere/file --duration 60";
    assert_int_equal(capture_command(bench_udp, options, &output), EXIT_FAILED);
    assert_non_null(strstr(output, "cannot write /nowhere/file"));
    free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_echo_answers_a_closed_loop),
        cmocka_unit_test(an_echo_answers_an_open_loop),
        cmocka_unit_test(mlperf_tells_its_scenario),
        cmocka_unit_test(a_sweep_is_an_array_of_results),
        cmocka_unit_test(a_port_without_a_server_loses_everything),
        cmocka_unit_test(wrong_usage_is_refused),
        cmocka_unit_test(a_file_that_cannot_be_written_is_found_before_anything_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
