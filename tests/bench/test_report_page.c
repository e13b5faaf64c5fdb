#include "capture.h"
#include "commands.h"
#include "json.h"
#include "report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/collide-report-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* Latencies of 10 to 20 us, times factor. Returns owned. */
static struct measured *make_measured(uint64_t factor)
{
    struct measured *m = calloc(1, sizeof *m);
    assert_non_null(m);
    for (uint64_t i = 0; i < 20000; i++)
        histogram_record(&m->sides[SIDE_MAIN].latency_ns, factor * (10000 + i / 2));
    m->sides[SIDE_MAIN].elapsed_ns = 1000000000;
    return m;
}

static struct report make_report(const struct measured *m, double offered_per_s)
{
    return (struct report){.command = "udp",
                           .target = "udp://<here>:1",
                           .description = "a load",
                           .offered_per_s = offered_per_s,
                           .machine = {.cpu = "A & B", .n_cpus = 2, .kernel = "Linux 6"},
                           .repeats = m,
                           .n_repeats = 1,
                           .merged = m,
                           .redone = {"retries", 0}};
}

/* Writes a result, or a sweep of three; name is in the folder. */
static void write_results(const char *name, size_t n)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < n; i++) {
        struct measured *m = make_measured(i + 1);
        const struct report report = make_report(m, n > 1 ? 1000.0 * (double)(i + 1) : NAN);
        cJSON_AddItemToArray(array, report_json(&report));
        free(m);
    }
    cJSON *document = n > 1 ? array : cJSON_DetachItemFromArray(array, 0);
    assert_int_equal(json_print(file, document, NULL), COLLIDE_OK);
    if (n == 1)
        cJSON_Delete(array);
    fclose(file);
}

static char *page_of(const char *arguments, int wanted_exit)
{
    char line[512], *output = NULL;
    snprintf(line, sizeof line, arguments, folder, folder, folder);
    assert_int_equal(capture_command(bench_report, line, &output), wanted_exit);
    return output;
}

static void a_page_shows_measurements_and_sweeps(void **state)
{
    (void)state;
    write_results("one.json", 1);
    write_results("sweep.json", 3);
    char *page = page_of("%s/one.json Swept=%s/sweep.json --title 1<2", EXIT_DONE);
    static const char *const wanted[] = {
        "<h1>1&lt;2</h1>",           "A &amp; B, 2 CPUs", "Latency under load",   "Latency by percentile",
        "Requests per second",       ">Swept</text>",     "udp://&lt;here&gt;:1", ">15 \xc2\xb5s<",
        "prefers-color-scheme:dark", "at 3 rates"};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (!strstr(page, wanted[i]))
            fail_msg("the page lacks %s", wanted[i]);
    free(page);
}

static void a_page_needs_nothing_else(void **state)
{
    (void)state;
    write_results("one.json", 1);
    char *page = page_of("%s/one.json", EXIT_DONE);
    static const char *const unwanted[] = {
        "<script", "<link", "<img", "src=", "url(", "@import", "nan", "inf"};
    for (size_t i = 0; i < sizeof unwanted / sizeof unwanted[0]; i++)
        if (strstr(page, unwanted[i]))
            fail_msg("the page has %s", unwanted[i]);
    assert_null(strstr(page, "Latency under load"));
    free(page);
}

static void a_page_goes_to_its_file(void **state)
{
    char path[64];
    (void)state;
    write_results("one.json", 1);
    free(page_of("%s/one.json -o %s/page.html", EXIT_DONE));
    snprintf(path, sizeof path, "%s/page.html", folder);
    assert_int_equal(access(path, R_OK), 0);
}

static void what_is_no_result_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *content, *message;
    } cases[] = {{"{", "is no JSON"},
                 {"[]", "is empty"},
                 {"{\"command\": \"kernel\"}", "is no result of a load"},
                 {"[{\"command\": \"udp\", \"target\": \"x\", \"merged\": 3}]", "is no result of a load"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/bad.json", folder);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(cases[i].content, file);
        fclose(file);
        char *output = page_of("%s/bad.json", EXIT_FAILED);
        assert_non_null(strstr(output, cases[i].message));
        free(output);
    }
}

/* All but the fields that a page must have may be missing, or be of another type. */
static void a_result_with_holes_is_drawn_as_far_as_it_goes(void **state)
{
    char path[64];
    (void)state;
    snprintf(path, sizeof path, "%s/holes.json", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(
        "{\"command\": \"udp\", \"target\": \"x\", \"machine\": 3, \"merged\": {\"main\": {\"p50_us\": null,"
        "\"errors\": 7, \"n_errors\": 2, \"percentiles\": [[1], [50, 0], 3, [90, 12], [100, 13]]}}}",
        file);
    fclose(file);
    char *page = page_of("%s/holes.json", EXIT_DONE);
    assert_null(strstr(page, "nan"));
    free(page);
}

static char *printed(void (*print)(FILE *out, const struct measured *m), const struct measured *m)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    assert_non_null(out);
    print(out, m);
    fclose(out);
    return text;
}

static void print_hgrm(FILE *out, const struct measured *m)
{
    report_print_hgrm(out, &m->sides[SIDE_MAIN]);
}

static void print_csv(FILE *out, const struct measured *m)
{
    const struct report report = make_report(m, NAN);
    report_print_csv_header(out);
    report_print_csv(out, &report);
}

/* 20,000 values from 10 to 20 us: least, median (of a step of 64 ns) and largest as HdrHistogram writes them.
 */
static void hgrm_is_as_hdrhistogram_writes_it(void **state)
{
    (void)state;
    struct measured *m = make_measured(1);
    char *text = printed(print_hgrm, m);
    assert_non_null(strstr(text, "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"));
    assert_non_null(strstr(text, "      10.000 0.000000000000"));
    assert_non_null(strstr(text, " 0.500000000000 "));
    assert_non_null(strstr(text, "           2.00\n"));
    assert_non_null(strstr(text, " 1.000000000000      20000\n"));
    assert_non_null(strstr(text, "#[Mean    = "));
    assert_non_null(strstr(text, "#[Max     =       19.999, Total count    =        20000]\n"));
    free(text);
    free(m);
}

static void csv_has_a_line_for_each_repeat_and_one_for_all(void **state)
{
    (void)state;
    struct measured *m = make_measured(1);
    char *text = printed(print_csv, m);
    assert_non_null(strstr(text, "\nudp,\"udp://<here>:1\",main,1,,20000,20000,"));
    assert_non_null(strstr(text, "\nudp,\"udp://<here>:1\",main,all,,20000,20000,"));
    free(text);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_shows_measurements_and_sweeps),
        cmocka_unit_test(a_page_needs_nothing_else),
        cmocka_unit_test(a_page_goes_to_its_file),
        cmocka_unit_test(what_is_no_result_is_refused),
        cmocka_unit_test(a_result_with_holes_is_drawn_as_far_as_it_goes),
        cmocka_unit_test(hgrm_is_as_hdrhistogram_writes_it),
        cmocka_unit_test(csv_has_a_line_for_each_repeat_and_one_for_all),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
