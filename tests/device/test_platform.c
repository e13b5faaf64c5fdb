#include "support/devices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A machine that none has, to choose from. */
static const struct platform_list MACHINE = {
    .devices = {{.name = "pthread-znver3", .type = CL_DEVICE_TYPE_CPU},
                {.name = "basic-znver3", .type = CL_DEVICE_TYPE_CPU, .runs_in_caller = true},
                {.name = "Alveo U50", .type = CL_DEVICE_TYPE_ACCELERATOR},
                {.name = "NVIDIA H200", .type = CL_DEVICE_TYPE_GPU},
                {.name = "NVIDIA T4", .type = CL_DEVICE_TYPE_GPU},
                {.name = "Other thing", .type = CL_DEVICE_TYPE_CUSTOM}},
    .n_devices = 6,
};

static void assert_chosen(const struct platform_list *list, const char *selector, unsigned expected)
{
    struct collide_error err = {0};
    unsigned index = 99;
    if (platform_choose(list, selector, &index, &err) != COLLIDE_OK)
        fail_msg("%s: %s", selector ? selector : "(none)", err.text);
    assert_int_equal(index, expected);
}

static void assert_refused(const char *selector)
{
    struct collide_error err = {0};
    unsigned index = 99;
    assert_int_equal(platform_choose(&MACHINE, selector, &index, &err), COLLIDE_NOT_FOUND);
    assert_int_equal(index, 99);
    assert_non_null(strstr(err.text, "collide devices"));
}

static void an_index_names_its_device(void **state)
{
    (void)state;
    assert_chosen(&MACHINE, "0", 0);
    assert_chosen(&MACHINE, "5", 5);
}

static void a_type_in_any_case_names_the_first_of_its_kind(void **state)
{
    (void)state;
    assert_chosen(&MACHINE, "gpu", 3);
    assert_chosen(&MACHINE, "GPU", 3);
    assert_chosen(&MACHINE, "Accelerator", 2);
}

static void of_cpus_the_one_in_the_callers_thread_is_preferred(void **state)
{
    (void)state;
    assert_chosen(&MACHINE, "cpu", 1);
    assert_chosen(&MACHINE, "znver", 1);
}

static void a_part_of_a_name_in_any_case_chooses(void **state)
{
    (void)state;
    assert_chosen(&MACHINE, "t4", 4);
    assert_chosen(&MACHINE, "nvidia", 3);
    assert_chosen(&MACHINE, "alveo u50", 2);
    assert_chosen(&MACHINE, "pthread", 0);
    assert_chosen(&MACHINE, "thing", 5);
}

static void no_selector_takes_an_accelerator_before_a_cpu(void **state)
{
    (void)state;
    assert_chosen(&MACHINE, NULL, 2);
    struct platform_list cpus = MACHINE;
    cpus.n_devices = 2;
    assert_chosen(&cpus, NULL, 1);
    cpus.n_devices = 1;
    assert_chosen(&cpus, NULL, 0);
}

static void what_is_not_there_is_refused_with_advice(void **state)
{
    (void)state;
    assert_refused("6");
    assert_refused("18446744073709551616");
    assert_refused("fpga");
    assert_refused("2 ");
    assert_refused("0x1");
}

static void assert_several(const char *selectors, size_t n, const unsigned *expected)
{
    struct collide_error err = {0};
    unsigned indices[PLATFORM_MAX_DEVICES], n_chosen = 0;
    if (platform_choose_several(&MACHINE, selectors, indices, &n_chosen, &err) != COLLIDE_OK)
        fail_msg("%s: %s", selectors, err.text);
    assert_int_equal(n_chosen, n);
    assert_memory_equal(indices, expected, n * sizeof *expected);
}

static void several_devices_are_chosen_in_their_order(void **state)
{
    (void)state;
    assert_several("1,0", 2, (const unsigned[]){1, 0});
    assert_several("basic,pthread", 2, (const unsigned[]){1, 0});
    assert_several("5,t4,H200,alveo u50", 4, (const unsigned[]){5, 4, 3, 2});
    assert_several("gpu", 1, (const unsigned[]){3});
    assert_several(NULL, 1, (const unsigned[]){2});
}

static void assert_several_refused(const char *selectors, enum collide_status status, const char *says)
{
    struct collide_error err = {0};
    unsigned indices[PLATFORM_MAX_DEVICES] = {99}, n = 98;
    assert_int_equal(platform_choose_several(&MACHINE, selectors, indices, &n, &err), status);
    assert_int_equal(indices[0], 99);
    assert_int_equal(n, 98);
    assert_non_null(strstr(err.text, says));
}

static void a_list_of_devices_names_each_once(void **state)
{
    (void)state;
    assert_several_refused("0,0", COLLIDE_INVALID, "pthread-znver3 twice");
    assert_several_refused("gpu,nvidia", COLLIDE_INVALID, "NVIDIA H200 twice");
    assert_several_refused("0,6", COLLIDE_NOT_FOUND, "collide devices");
    assert_several_refused("0,fpga", COLLIDE_NOT_FOUND, "fpga");
    assert_several_refused("", COLLIDE_INVALID, "as in 0,1");
    assert_several_refused("0,", COLLIDE_INVALID, "as in 0,1");
    assert_several_refused(",1", COLLIDE_INVALID, "as in 0,1");
    assert_several_refused("0,,1", COLLIDE_INVALID, "as in 0,1");
}

static void pocls_processors_are_known_by_their_old_and_new_names(void **state)
{
    (void)state;
    static const struct {
        const char *platform, *device;
        enum pocl_cpu expected;
    } cases[] = {
        {"Portable Computing Language", "basic-skylake-avx512-AMD EPYC", POCL_CPU_IN_CALLER},
        {"Portable Computing Language", "cpu-minimal-haswell-AMD EPYC", POCL_CPU_IN_CALLER},
        {"Portable Computing Language", "basic", POCL_CPU_IN_CALLER},
        {"Portable Computing Language", "cpu-minimal", POCL_CPU_IN_CALLER},
        {"Portable Computing Language", "pthread-znver3", POCL_CPU_THREADS},
        {"Portable Computing Language", "pthread", POCL_CPU_THREADS},
        {"Portable Computing Language", "cpu-haswell-Intel(R) Xeon(R)", POCL_CPU_THREADS},
        {"Portable Computing Language", "cpu-tbb-haswell", POCL_CPU_THREADS},
        {"Portable Computing Language", "cpu", POCL_CPU_THREADS},
        {"Portable Computing Language", "NVIDIA H200", POCL_CPU_NONE},
        {"Portable Computing Language", "cpuset", POCL_CPU_NONE},
        {"Portable Computing Language", "ttasim-basic", POCL_CPU_NONE},
        {"Intel(R) OpenCL", "basic-skylake", POCL_CPU_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(platform_pocl_cpu(cases[i].platform, cases[i].device), cases[i].expected);
}

/* What the variable that is set for every version must come to with the one at hand: no device twice, and the
 * one that runs in the caller, which PoCL offers only when asked. */
static void atomics_are_found_by_version_or_by_feature(void **state)
{
    (void)state;
    const cl_name_version old[] = {{CL_MAKE_VERSION(1, 2, 0), "OpenCL C"},
                                   {CL_MAKE_VERSION(3, 0, 0), "OpenCL C"}};
    const cl_name_version two[] = {{CL_MAKE_VERSION(1, 2, 0), "OpenCL C"},
                                   {CL_MAKE_VERSION(2, 0, 0), "OpenCL C"}};
    const cl_name_version ordered[] = {{CL_MAKE_VERSION(3, 0, 0), "__opencl_c_int64"},
                                       {CL_MAKE_VERSION(3, 0, 0), "__opencl_c_atomic_order_acq_rel"}};
    const struct {
        struct opencl_c c;
        enum atomics_std expected;
    } cases[] = {
        {{.version = "OpenCL C 1.2 "}, ATOMICS_NONE},
        {{.version = ""}, ATOMICS_NONE},
        {{.version = "OpenCL C 2.0 AMD"}, ATOMICS_CL2},
        {{.version = "OpenCL C 1.2 ", .versions = old, .n_versions = 2}, ATOMICS_NONE},
        {{.version = "OpenCL C 1.2 ", .versions = two, .n_versions = 2}, ATOMICS_CL2},
        {{.version = "OpenCL C 1.2 ", .features = ordered, .n_features = 1}, ATOMICS_NONE},
        {{.version = "OpenCL C 1.2 PoCL", .features = ordered, .n_features = 2}, ATOMICS_CL3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(platform_atomics(&cases[i].c), cases[i].expected);
}

static void pocl_offers_each_of_its_processors_once(void **state)
{
    (void)state;
    const struct platform_list *list = devices_list();
    unsigned n_pocl = 0, n_in_caller = 0;
    for (unsigned i = 0; i < list->n_devices; i++) {
        n_pocl += list->devices[i].is_pocl_cpu;
        n_in_caller += list->devices[i].runs_in_caller;
        for (unsigned j = 0; j < i; j++)
            if (list->devices[i].is_pocl_cpu && list->devices[j].is_pocl_cpu)
                assert_string_not_equal(list->devices[i].name, list->devices[j].name);
    }
    if (n_pocl == 0 || !strstr(getenv("POCL_DEVICES"), "basic pthread"))
        skip();
    assert_true(n_pocl >= 2);
    assert_int_equal(n_in_caller, 1);
}

static void every_device_found_is_described(void **state)
{
    (void)state;
    const struct platform_list *list = devices_list();
    for (unsigned i = 0; i < list->n_devices; i++) {
        const struct device_info *d = &list->devices[i];
        assert_true(d->name[0] && d->platform[0] && d->driver[0] && d->version[0]);
        assert_true(d->n_compute_units > 0);
        assert_true(d->memory_bytes > 0 && d->max_alloc_bytes > 0);
        assert_true(d->align_bytes > 0 && d->max_work_group_size > 0);
        /* OpenCL's least, but for custom devices. */
        if (!(d->type & CL_DEVICE_TYPE_CUSTOM))
            assert_true(d->constant_bytes >= 1024 && d->n_constant_args >= 4);
        if (d->runs_in_caller)
            assert_true(d->fine_grain_svm);
    }
}

static void a_device_opens_by_index_and_by_name(void **state)
{
    (void)state;
    const struct platform_list *list = devices_list();
    for (unsigned i = 0; i < list->n_devices; i++) {
        struct collide_error err = {0};
        struct device *device;
        char index[16];
        snprintf(index, sizeof index, "%u", i);
        assert_int_equal(device_open(index, &device, &err), COLLIDE_OK);
        assert_string_equal(device_info(device)->name, list->devices[i].name);
        devices_close(device);
        assert_int_equal(device_open(list->devices[i].name, &device, &err), COLLIDE_OK);
        assert_string_equal(device_info(device)->name, list->devices[i].name);
        devices_close(device);
    }
}

static void a_machine_without_drivers_is_told_what_to_install(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("OCL_ICD_VENDORS", "/nonexistent", 1);
        struct collide_error err = {0};
        struct device *device = NULL;
        bool refused = device_open(NULL, &device, &err) == COLLIDE_NOT_FOUND && !device &&
                       strstr(err.text, "install") != NULL;
        _exit(refused ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First, while this process has not called OpenCL: a child has what its parent had loaded. */
        cmocka_unit_test(a_machine_without_drivers_is_told_what_to_install),
        cmocka_unit_test(an_index_names_its_device),
        cmocka_unit_test(a_type_in_any_case_names_the_first_of_its_kind),
        cmocka_unit_test(of_cpus_the_one_in_the_callers_thread_is_preferred),
        cmocka_unit_test(a_part_of_a_name_in_any_case_chooses),
        cmocka_unit_test(no_selector_takes_an_accelerator_before_a_cpu),
        cmocka_unit_test(what_is_not_there_is_refused_with_advice),
        cmocka_unit_test(several_devices_are_chosen_in_their_order),
        cmocka_unit_test(a_list_of_devices_names_each_once),
        cmocka_unit_test(pocls_processors_are_known_by_their_old_and_new_names),
        cmocka_unit_test(atomics_are_found_by_version_or_by_feature),
        cmocka_unit_test(pocl_offers_each_of_its_processors_once),
        cmocka_unit_test(every_device_found_is_described),
        cmocka_unit_test(a_device_opens_by_index_and_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
