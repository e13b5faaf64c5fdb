#include "capture.h"
#include "commands.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void lookups_that_32_bits_cannot_count_are_refused(void **state)
{
    (void)state;
    char *output = NULL;
    assert_int_equal(capture_command(bench_kernel, "--ids 10 --bags 65536 --bag 65536", &output),
                     EXIT_USAGE);
    assert_non_null(strstr(output, "--bags times --bag is above 4294967295"));
    free(output);
}

static void rows_that_are_no_whole_bytes_are_refused(void **state)
{
    (void)state;
    char *output = NULL;
    assert_int_equal(capture_command(bench_kernel, "--precision i4 --dim 7", &output), EXIT_USAGE);
    assert_non_null(strstr(output, "of a multiple of 2 values, not of 7"));
    free(output);
    assert_int_equal(capture_command(bench_kernel, "--precision i3 --dim 12", &output), EXIT_USAGE);
    assert_non_null(strstr(output, "of a multiple of 8 values, not of 12"));
    free(output);
}

static void models_of_more_ids_than_32_bits_count_are_refused(void **state)
{
    (void)state;
    char *output = NULL;
    assert_int_equal(capture_command(bench_start, "--bytes 68719476736 --dim 8", &output), EXIT_USAGE);
    assert_non_null(strstr(output, "8589934592 ids, above 4294967293"));
    free(output);
}

static void every_benchmark_prints_one_json_document(void **state)
{
    (void)state;
    static const struct {
        int (*command)(int argc, char **argv);
        const char *arguments;
        const char *figure;
    } runs[] = {
        {bench_kernel, "--json --ids 1000 --dim 8 --bag 4 --bags 64 --repeats 2", "lines_per_lookup"},
        {bench_launch, "--json --ids 1000 --dim 8 --repeats 1", "pair_p50_us"},
        {bench_topk, "--json --ids 3000 --rows 100 --dim 8 --repeats 2", "topk_us"},
        {bench_numbers, "--json --n 10 --repeats 1", "print_list_ns"},
        {bench_start, "--json --bytes 1000000 --dim 8 --repeats 1", "ready_s"},
    };
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        char *output = NULL;
        assert_int_equal(capture_command(runs[i].command, runs[i].arguments, &output), EXIT_DONE);
        const char *json = strchr(output, '{');
        assert_non_null(json);
        cJSON *document = cJSON_Parse(json);
        assert_true(cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(document, runs[i].figure)));
        cJSON_Delete(document);
        free(output);
    }
}

static void tuning_prints_its_candidates_and_the_best(void **state)
{
    (void)state;
    char *output = NULL;
    assert_int_equal(capture_command(bench_tune, "--dry-run --ids 1000 --dim 8 --bag 8 --repeats 1", &output),
                     EXIT_DONE);
    assert_non_null(strstr(output, "pipeline"));
    assert_non_null(strstr(output, "score ns"));
    assert_non_null(strstr(output, "best: "));
    free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookups_that_32_bits_cannot_count_are_refused),
        cmocka_unit_test(rows_that_are_no_whole_bytes_are_refused),
        cmocka_unit_test(models_of_more_ids_than_32_bits_count_are_refused),
        cmocka_unit_test(every_benchmark_prints_one_json_document),
        cmocka_unit_test(tuning_prints_its_candidates_and_the_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
