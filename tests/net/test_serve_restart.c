/* A server that is killed, or told to stop, under load on all transports at once, and its successor. */
#include "transport_fixture.h"

#include "net/quiz.h"
#include "net/serve_process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_IN_FLIGHT = 20 };

static struct veth veth;
static struct test_service truth; /* its model's file is what is served */
static struct quiz quiz;
static char shm_name[32];

static int setup(void **state)
{
    (void)state;
    veth_create(&veth, 1);
    veth_enter(&veth, VETH_FAR);
    test_service_create(&test_service_model, 1, &truth);
    quiz_draw(&truth, 1, &quiz);
    snprintf(shm_name, sizeof shm_name, "test.%d", (int)getpid());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_service_destroy(&truth);
    veth_destroy(&veth);
    return 0;
}

/* Asks for up to 100 s. */
static struct collide_client *connect_to(const char *url, enum veth_side side)
{
    struct collide_client *client = NULL;
    struct collide_error err = {0};
    const struct collide_client_options options = {.url = url, .timeout_us = 50000, .n_retries = 2000};
    veth_enter(&veth, side);
    enum collide_status status = collide_client_create(&options, &client, &err);
    veth_enter(&veth, VETH_FAR);
    if (status != COLLIDE_OK)
        fail_msg("%s", err.text);
    return client;
}

static struct collide_client *connect_to_shm(void)
{
    char url[64];
    snprintf(url, sizeof url, "shm://%s", shm_name);
    return connect_to(url, VETH_NEAR);
}

static void start_load(struct collide_client *client, struct quiz_load *load)
{
    *load = (struct quiz_load){.quiz = &quiz, .client = client, .n_in_flight = N_IN_FLIGHT};
    quiz_load_start(load);
    quiz_load_await_rounds(load, 1);
}

/* While the successor loads its model it says that it is busy. */
static void stop_load(struct quiz_load *load)
{
    quiz_load_await_rounds(load, 1);
    quiz_load_stop(load);
    collide_client_destroy(load->client);
    assert_int_equal(load->report.n_right + load->report.n_busy, load->report.n_asked);
}

static bool has_xdp_program(void)
{
    return veth_run(&veth, VETH_NEAR, "ip link show dev " VETH_INTERFACE " | grep -q prog/xdp") == 0;
}

/* Its server has gone, and with it its ring. */
static void check_shm_end(struct quiz_load *load)
{
    struct collide_error err = {0};
    struct collide_answer answer;
    pthread_join(load->thread, NULL);
    assert_string_not_equal(load->report.wrong.text, "");
    assert_int_equal(collide_client_ask(load->client, &quiz.questions[0].request, &answer, &err), COLLIDE_IO);
    collide_client_destroy(load->client);
}

static void ask_shm(void)
{
    struct quiz_report report = {0};
    struct collide_client *client = connect_to_shm();
    quiz_ask_well(&quiz, client, N_IN_FLIGHT, &report);
    assert_int_equal(report.n_right, QUIZ_QUESTIONS);
    collide_client_destroy(client);
}

/* The status of the process that was stopped. */
static int restart_under_load(int signal_number)
{
    struct serve_process first, second;
    struct quiz_load xdp, udp, shm;
    serve_process_start(&veth, &truth.folder, truth.model_path, shm_name, &first);
    assert_true(has_xdp_program());
    start_load(connect_to("udp://10.77.0.1:9000", VETH_FAR), &xdp);
    start_load(connect_to("udp://[fd77::1]:9001", VETH_FAR), &udp);
    start_load(connect_to_shm(), &shm);
    int status = serve_process_signal(&first, signal_number);
    assert_false(has_xdp_program());
    check_shm_end(&shm);
    serve_process_start(&veth, &truth.folder, truth.model_path, shm_name, &second);
    ask_shm();
    stop_load(&xdp);
    stop_load(&udp);
    transport_server_check_frames();
    assert_int_equal(serve_process_signal(&second, SIGTERM), 0);
    return status;
}

static void clients_outlive_a_server_that_is_killed(void **state)
{
    (void)state;
    int status = restart_under_load(SIGKILL);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void clients_outlive_a_server_that_is_stopped(void **state)
{
    (void)state;
    assert_int_equal(restart_under_load(SIGTERM), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_outlive_a_server_that_is_killed),
        cmocka_unit_test(clients_outlive_a_server_that_is_stopped),
    };
    veth_require();
    return test_service_has_device() ? cmocka_run_group_tests(tests, setup, teardown) : TEST_SKIPPED;
}
