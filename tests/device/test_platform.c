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

static void every_device_found_is_described(void **state)
{
    (void)state;
    const struct platform_list *list = devices_list();
    for (unsigned i = 0; i < list->n_devices; i++) {
        const struct device_info *d = &list->devices[i];
        assert_true(d->name[0] && d->platform[0] && d->driver[0] && d->version[0]);
        assert_true(d->n_compute_units > 0);
        assert_true(d->memory_bytes > 0 && d->max_alloc_bytes > 0);
        assert_true(d->align_bytes > 0);
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
        cmocka_unit_test(every_device_found_is_described),
        cmocka_unit_test(a_device_opens_by_index_and_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
