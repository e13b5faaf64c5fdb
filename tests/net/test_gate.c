#include "net/gate.h"

#include "support/scratch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define READER_KEY "reader-key-0123456789"
#define ADMIN_KEY  "admin-key-0123456789ab"

static const uint64_t START = 1000000000000;

static int set_up(void **state)
{
    static struct gate g;
    struct scratch folder;
    char path[2 * SCRATCH_PATH_BYTES];
    const struct rate_limit_options rate = {.per_second = 0.5, .burst = 2};
    scratch_create(&folder);
    scratch_path(&folder, "keys", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("reader:" READER_KEY "\nops:" ADMIN_KEY ":admin\n", file);
    fclose(file);
    chmod(path, 0600);
    assert_int_equal(api_keys_create(path, &g.keys, NULL), COLLIDE_OK);
    assert_int_equal(rate_limit_create(&rate, &g.rate, NULL), COLLIDE_OK);
    scratch_destroy(&folder);
    *state = &g;
    return 0;
}

static int tear_down(void **state)
{
    struct gate *g = *state;
    api_keys_destroy(g->keys);
    rate_limit_destroy(g->rate);
    return 0;
}

/* One request from 10.0.0.`host`. */
static struct gate_verdict ask(const struct gate *g, const char *key, enum api_role needed, unsigned host)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000000 + host)};
    const struct gate_request request = {
        .x_api_key = key, .from = (struct sockaddr *)&from, .needed = needed, .now_ns = START};
    return gate_ask(g, &request);
}

static void keys_open_what_their_role_allows(void **state)
{
    const struct gate only_keys = {.keys = ((struct gate *)*state)->keys};
    assert_int_equal(ask(&only_keys, NULL, API_STRANGER, 1).outcome, GATE_OPEN);
    assert_int_equal(ask(&only_keys, NULL, API_USER, 1).outcome, GATE_UNAUTHORIZED);
    assert_int_equal(ask(&only_keys, "wrong", API_USER, 1).outcome, GATE_UNAUTHORIZED);
    assert_int_equal(ask(&only_keys, READER_KEY, API_USER, 1).outcome, GATE_OPEN);
    assert_int_equal(ask(&only_keys, READER_KEY, API_ADMIN, 1).outcome, GATE_FORBIDDEN);
    assert_int_equal(ask(&only_keys, ADMIN_KEY, API_USER, 1).outcome, GATE_OPEN);
    struct gate_verdict v = ask(&only_keys, ADMIN_KEY, API_ADMIN, 1);
    assert_int_equal(v.outcome, GATE_OPEN);
    assert_string_equal(v.name, "ops");
}

static void a_client_is_limited_by_name_wherever_it_comes_from(void **state)
{
    const struct gate *g = *state;
    assert_int_equal(ask(g, READER_KEY, API_USER, 1).outcome, GATE_OPEN);
    assert_int_equal(ask(g, READER_KEY, API_USER, 2).outcome, GATE_OPEN);
    struct gate_verdict v = ask(g, READER_KEY, API_USER, 3);
    assert_int_equal(v.outcome, GATE_TOO_MANY);
    assert_int_equal(v.retry_after_s, 2);
    assert_string_equal(v.name, "reader");
    assert_int_equal(ask(g, ADMIN_KEY, API_USER, 3).outcome, GATE_OPEN);
}

static void strangers_are_limited_by_address(void **state)
{
    const struct gate *g = *state;
    assert_int_equal(ask(g, "guess", API_USER, 1).outcome, GATE_UNAUTHORIZED);
    assert_int_equal(ask(g, "guess", API_USER, 1).outcome, GATE_UNAUTHORIZED);
    assert_int_equal(ask(g, "guess", API_USER, 1).outcome, GATE_TOO_MANY);
    assert_int_equal(ask(g, "guess", API_USER, 2).outcome, GATE_UNAUTHORIZED);
    assert_int_equal(ask(g, NULL, API_STRANGER, 1).outcome, GATE_OPEN);
}

static void without_keys_addresses_are_limited(void **state)
{
    const struct gate only_rate = {.rate = ((struct gate *)*state)->rate};
    assert_int_equal(ask(&only_rate, NULL, API_ADMIN, 1).outcome, GATE_OPEN);
    assert_int_equal(ask(&only_rate, NULL, API_USER, 1).outcome, GATE_OPEN);
    assert_int_equal(ask(&only_rate, NULL, API_USER, 1).outcome, GATE_TOO_MANY);
    assert_int_equal(ask(&only_rate, NULL, API_USER, 2).outcome, GATE_OPEN);
}

static void a_gate_without_either_is_open(void **state)
{
    (void)state;
    const struct gate none = {.keys = NULL};
    assert_int_equal(ask(&none, NULL, API_ADMIN, 1).outcome, GATE_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_open_what_their_role_allows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_is_limited_by_name_wherever_it_comes_from, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(strangers_are_limited_by_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_keys_addresses_are_limited, set_up, tear_down),
        cmocka_unit_test(a_gate_without_either_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
