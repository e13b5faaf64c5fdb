/* Nothing on the device outlives its owner, however creation ends. */
#include "base/log.h"
#include "score/kernels.h"
#include "scorer_fixture.h"
#include "support/random_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct random_model spec_here(void)
{
    return (struct random_model){.seed = 1003,
                                 .n_items = 300,
                                 .n_rows = 60,
                                 .dim = 4,
                                 .precision = PRECISION_F16,
                                 .keys = KEYS_U64,
                                 .flags = RANDOM_WEIGHTS | RANDOM_BIAS};
}

static void a_machine_without_drivers_gets_advice(void **state)
{
    (void)state;
    struct random_model spec = spec_here();
    struct collide_model *model = random_model_open(&spec);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("OCL_ICD_VENDORS", "/nonexistent", 1);
        struct collide_error err = {0};
        struct collide_scorer *scorer = NULL;
        bool refused = collide_scorer_create(model, NULL, &scorer, &err) == COLLIDE_NOT_FOUND && !scorer &&
                       strstr(err.text, "OCL_ICD_VENDORS") != NULL;
        _exit(refused ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    collide_model_close(model);
}

/* Sends stderr to a file while `body` runs, and gives what was written there. A device that is closed with
 * live objects on it logs an error; that is how the public API shows it. */
static void capture_log(void (*body)(void), char *out, size_t capacity)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stderr);
    int kept = dup(STDERR_FILENO);
    assert_true(kept >= 0);
    dup2(fileno(file), STDERR_FILENO);
    body();
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    size_t n = fread(out, 1, capacity - 1, file);
    out[n] = '\0';
    fclose(file);
}

static void use_everything(void)
{
    struct device_setup setups[FIXTURE_MAX_SETUPS];
    size_t n_setups = scorer_fixture_setups(setups);
    struct random_model spec = spec_here();
    struct collide_model *model = random_model_open(&spec);
    const struct collide_id item = random_model_key(&spec, 0);
    for (size_t s = 0; s < n_setups; s++) {
        struct scorer_fixture f;
        struct collide_lane *second;
        float score;
        struct collide_hit hit;
        size_t n;
        scorer_fixture_open(model, &setups[s], &f);
        assert_int_equal(collide_lane_create(f.scorer, &second, NULL), COLLIDE_OK);
        const struct collide_query query = {.history = &item, .n_history = 1, .items = &item, .n_items = 1};
        const struct collide_topk_query best = {.query = query, .k = 1};
        scorer_fixture_score(second, &query, 1, &score, NULL);
        assert_int_equal(collide_topk(second, &best, 1, &hit, &n, NULL, NULL), COLLIDE_OK);
        collide_lane_destroy(second);
        scorer_fixture_close(&f);
    }
    collide_model_close(model);
}

static void a_destroyed_scorer_leaves_nothing_on_the_device(void **state)
{
    (void)state;
    char log[4096];
    devices_list();
    capture_log(use_everything, log, sizeof log);
    assert_string_equal(log, "");
}

static void close_with_a_live_object(void)
{
    struct device *device = devices_open(&(struct device_setup){.device = 0});
    device_count_objects(device, 1);
    device_close(device);
}

/* Shows that the test before this one can fail. */
static void an_object_left_behind_is_reported(void **state)
{
    (void)state;
    char log[4096];
    devices_list();
    capture_log(close_with_a_live_object, log, sizeof log);
    assert_non_null(strstr(log, "still live"));
}

static void create_in_vain(void)
{
    static const struct {
        struct collide_scorer_options options;
        enum collide_status expected;
        const char *text;
    } cases[] = {
        {{.engine = "warp"}, COLLIDE_INVALID, "warp"},
        {{.engine = ""}, COLLIDE_INVALID, "direct"},
        {{.device = "no such device"}, COLLIDE_NOT_FOUND, "no such device"},
        {{.device = "999"}, COLLIDE_NOT_FOUND, "999"},
        {{.device = "0,999"}, COLLIDE_NOT_FOUND, "999"},
        {{.tables = "elsewhere"}, COLLIDE_INVALID, "in-place"},
        {{.max_bank_bytes = 8}, COLLIDE_NO_MEMORY, "bank"},
    };
    struct random_model spec = spec_here();
    struct collide_model *model = random_model_open(&spec);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct collide_scorer *scorer = NULL;
        struct collide_error err = {0};
        assert_int_equal(collide_scorer_create(model, &cases[i].options, &scorer, &err), cases[i].expected);
        assert_null(scorer);
        assert_int_equal(err.status, cases[i].expected);
        assert_non_null(strstr(err.text, cases[i].text));
    }
    collide_model_close(model);
}

static void a_scorer_that_cannot_be_is_explained_and_leaves_nothing(void **state)
{
    (void)state;
    char log[4096];
    devices_list();
    capture_log(create_in_vain, log, sizeof log);
    assert_string_equal(log, "");
}

/* Kernels on a device that something is wrong with, which must then be as empty as before. */
static void assert_no_kernels(struct device *device, enum engine_kind engine, enum collide_status expected,
                              const char *text)
{
    struct random_model spec = spec_here();
    struct collide_model *model = random_model_open(&spec);
    struct kernels *kernels = NULL;
    struct collide_error err = {0};
    const struct kernels_options options = {.engine = engine, .cache_dir = ""};
    assert_int_equal(kernels_create(device, model->model, &options, &kernels, &err), expected);
    assert_null(kernels);
    assert_non_null(strstr(err.text, text));
    devices_close(device);
    collide_model_close(model);
}

static void direct_engine_on_a_device_without_shared_memory_leaves_nothing(void **state)
{
    (void)state;
    devices_list();
    struct device *device = devices_open(&(struct device_setup){.memory = MEMORY_STAGED});
    assert_no_kernels(device, ENGINE_DIRECT, COLLIDE_UNSUPPORTED, "queued");
}

static void tables_too_large_for_the_device_leave_nothing(void **state)
{
    (void)state;
    devices_list();
    struct device *device = devices_open(&(struct device_setup){.engine = ENGINE_QUEUED});
    /* As in devices_open: the sizes fit, the mapping does not. */
    ((struct device_info *)(uintptr_t)device_info(device))->max_alloc_bytes = sizeof(device_params);
    assert_no_kernels(device, ENGINE_QUEUED, COLLIDE_NO_MEMORY, "the mapping");
}

/* As a resident kernel does that is left behind: scorer, device and model are gone for their callers. */
static void what_kernels_read_outlives_its_scorer_for_their_other_owners(void **state)
{
    (void)state;
    struct random_model spec = spec_here();
    struct collide_model *model = random_model_open(&spec);
    const struct collide_scorer_options options = {.cache_dir = "", .tables = "in-place"};
    struct collide_scorer *scorer = NULL;
    struct collide_error err = {0};
    devices_list();
    if (collide_scorer_create(model, &options, &scorer, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    struct kernels *k = scorer->kernels[0];
    const struct table_source *rows = &k->tables.sources[TABLE_ROWS];
    void *before = malloc(rows->n_bytes);
    assert_non_null(before);
    memcpy(before, rows->bytes, rows->n_bytes);
    kernels_retain(k);
    collide_scorer_destroy(scorer);
    collide_model_close(model);
    assert_memory_equal(rows->bytes, before, rows->n_bytes);
    assert_int_not_equal(device_n_objects(k->device), 0);
    free(before);
    kernels_release(k);
}

static void nothing_to_destroy_is_fine(void **state)
{
    (void)state;
    collide_lane_destroy(NULL);
    collide_scorer_destroy(NULL);
    collide_model_close(NULL);
    kernels_destroy(NULL);
    engine_lane_destroy(NULL);
    engine_destroy(NULL);
    table_destroy(NULL);
    program_destroy(NULL);
    device_close(NULL);
}

int main(void)
{
    log_set_level(LOG_INFO); /* what is left behind is told there */
    const struct CMUnitTest tests[] = {
        /* First, while this process has not called OpenCL: a child has what its parent had loaded. */
        cmocka_unit_test(a_machine_without_drivers_gets_advice),
        cmocka_unit_test(a_destroyed_scorer_leaves_nothing_on_the_device),
        cmocka_unit_test(an_object_left_behind_is_reported),
        cmocka_unit_test(a_scorer_that_cannot_be_is_explained_and_leaves_nothing),
        cmocka_unit_test(direct_engine_on_a_device_without_shared_memory_leaves_nothing),
        cmocka_unit_test(tables_too_large_for_the_device_leave_nothing),
        cmocka_unit_test(what_kernels_read_outlives_its_scorer_for_their_other_owners),
        cmocka_unit_test(nothing_to_destroy_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
