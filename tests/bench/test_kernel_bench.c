#include "capture.h"
#include "commands.h"
#include "kernel_report.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct kernel_shape shape = {
    .n_ids = 1000, .n_rows = 500, .dim = 8, .bag = 4, .n_bags = 16, .precision = PRECISION_F16};

static const struct kernel_report report = {.shape = &shape,
                                            .machine = {.cpu = "a cpu", .n_cpus = 2, .kernel = "Linux 6"},
                                            .device = "a device",
                                            .engine = "direct",
                                            .kernel = {1, 2, 4},
                                            .scalar = {4, 5, 6},
                                            .lines = {7, 8, 9},
                                            .lookup_bytes = 24,
                                            .pair_p50_us = 1.5,
                                            .pair_p99_us = 2.5};

static double number_of(const cJSON *document, const char *side, const char *name)
{
    const cJSON *object = side ? cJSON_GetObjectItemCaseSensitive(document, side) : document;
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(object, name);
    assert_true(cJSON_IsNumber(found));
    return found->valuedouble;
}

static void the_json_report_holds_every_figure(void **state)
{
    (void)state;
    char text[2048] = "";
    struct collide_error err;
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    assert_int_equal(kernel_report_print_json(out, &report, &err), COLLIDE_OK);
    assert_int_equal(fclose(out), 0);
    cJSON *d = cJSON_Parse(text);
    assert_non_null(d);
    assert_true(number_of(d, "kernel", "ns_per_lookup") == 2);
    assert_true(number_of(d, "kernel", "min") == 1 && number_of(d, "kernel", "max") == 4);
    assert_true(number_of(d, "kernel", "gb_per_s") == 12);
    assert_true(number_of(d, "scalar", "gb_per_s") == 24.0 / 5);
    assert_true(number_of(d, "random_lines", "gb_per_s") == 8);
    assert_true(number_of(d, NULL, "ratio") == 2.5);
    assert_true(number_of(d, NULL, "pair_p99_us") == 2.5);
    cJSON_Delete(d);
}

static void *no_memory(size_t n_bytes)
{
    (void)n_bytes;
    return NULL;
}

static void a_json_report_without_memory_is_an_error_and_not_an_empty_document(void **state)
{
    (void)state;
    char text[64] = "";
    struct collide_error err;
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = no_memory, .free_fn = free});
    enum collide_status status = kernel_report_print_json(out, &report, &err);
    cJSON_InitHooks(NULL);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(status, COLLIDE_NO_MEMORY);
    assert_string_equal(text, "");
}

static void lookups_that_32_bits_cannot_count_are_refused(void **state)
{
    (void)state;
    char *output = NULL;
    assert_int_equal(capture_command(bench_kernel, "--ids 10 --bags 65536 --bag 65536", &output),
                     BENCH_USAGE);
    assert_non_null(strstr(output, "--bags times --bag is above 4294967295"));
    free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_json_report_holds_every_figure),
        cmocka_unit_test(a_json_report_without_memory_is_an_error_and_not_an_empty_document),
        cmocka_unit_test(lookups_that_32_bits_cannot_count_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
