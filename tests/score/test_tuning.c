/* The choice of a form: kept with the built kernels, and read back only where it makes sense. */
#include "score/tuning.h"

#include "support/scratch.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct device_info
    CPU = {.name = "some cpu", .platform = "p", .driver = "1", .type = CL_DEVICE_TYPE_CPU},
    GPU = {.name = "some gpu", .platform = "p", .driver = "1", .type = CL_DEVICE_TYPE_GPU},
    FPGA = {.name = "some fpga", .type = CL_DEVICE_TYPE_ACCELERATOR};

static const struct model MODEL = {.dim = 64,
                                   .rows = {.width = 64, .precision = PRECISION_I8, .scaling = SCALING_ROW},
                                   .mapping = {.n_lookups = 1}};

static struct scratch folder;

static int create_folder(void **state)
{
    (void)state;
    scratch_create(&folder);
    return 0;
}

static int destroy_folder(void **state)
{
    (void)state;
    scratch_destroy(&folder);
    return 0;
}

static void assert_tuning(struct tuning t, struct tuning expected)
{
    assert_int_equal(t.form, expected.form);
    assert_int_equal(t.group_size, expected.group_size);
    assert_int_equal(t.prefetch, expected.prefetch);
    assert_int_equal(t.row_ahead, expected.row_ahead);
    assert_int_equal(t.remap_ahead, expected.remap_ahead);
}

static void forms_go_by_the_kind_of_device(void **state)
{
    (void)state;
    assert_int_equal(tuning_default(&CPU).form, FORM_ITEM);
    assert_int_equal(tuning_default(&CPU).prefetch, 1);
    assert_int_equal(tuning_default(&GPU).form, FORM_GROUP);
    assert_int_equal(tuning_default(&GPU).prefetch, 0);
    assert_int_equal(tuning_default(&FPGA).form, FORM_PIPELINE);
}

static void what_was_stored_is_loaded(void **state)
{
    (void)state;
    const struct tuning stored[] = {
        {.form = FORM_GROUP, .group_size = 128, .row_ahead = 1, .remap_ahead = 2},
        {.form = FORM_PIPELINE, .group_size = 16},
        {.form = FORM_ITEM, .group_size = 1024, .prefetch = 1, .row_ahead = 4096, .remap_ahead = 4096}};
    assert_tuning(tuning_load(folder.folder, &CPU, &MODEL), tuning_default(&CPU));
    for (size_t i = 0; i < sizeof stored / sizeof *stored; i++) {
        assert_int_equal(tuning_store(folder.folder, &CPU, &MODEL, &stored[i], NULL), COLLIDE_OK);
        assert_tuning(tuning_load(folder.folder, &CPU, &MODEL), stored[i]);
    }
}

static void a_choice_is_for_one_device_and_shape(void **state)
{
    (void)state;
    const struct tuning stored = {.form = FORM_GROUP, .group_size = 48};
    assert_int_equal(tuning_store(folder.folder, &CPU, &MODEL, &stored, NULL), COLLIDE_OK);
    assert_tuning(tuning_load(folder.folder, &GPU, &MODEL), tuning_default(&GPU));
    struct model other = MODEL;
    other.rows.width = 32;
    assert_tuning(tuning_load(folder.folder, &CPU, &other), tuning_default(&CPU));
    other = MODEL;
    other.rows.precision = PRECISION_F32;
    assert_tuning(tuning_load(folder.folder, &CPU, &other), tuning_default(&CPU));
    other = MODEL;
    other.rows.n = 99; /* no shape */
    assert_tuning(tuning_load(folder.folder, &CPU, &other), stored);
}

/* The only file that is there. */
static void overwrite(const char *text)
{
    char path[2 * SCRATCH_PATH_BYTES];
    DIR *dir = opendir(folder.folder);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir))
        if (strstr(e->d_name, ".tuning")) {
            scratch_path(&folder, e->d_name, path);
            FILE *file = fopen(path, "w");
            assert_non_null(file);
            fputs(text, file);
            fclose(file);
        }
    closedir(dir);
}

static void nonsense_is_taken_for_nothing(void **state)
{
    (void)state;
    static const char *const nonsense[] = {
        "",
        "collide tuning",
        "collide tuning 2: form 1 group 64 prefetch 0 row_ahead 1 remap_ahead 1\n",
        "collide tuning 1: form 3 group 64 prefetch 0 row_ahead 1 remap_ahead 1\n",
        "collide tuning 1: form -1 group 64 prefetch 0 row_ahead 1 remap_ahead 1\n",
        "collide tuning 1: form 1 group 0 prefetch 0 row_ahead 1 remap_ahead 1\n",
        "collide tuning 1: form 1 group 40 prefetch 0 row_ahead 1 remap_ahead 1\n",
        "collide tuning 1: form 1 group 2048 prefetch 0 row_ahead 1 remap_ahead 1\n",
        "collide tuning 1: form 1 group 64 prefetch 2 row_ahead 1 remap_ahead 1\n",
        "collide tuning 1: form 1 group 64 prefetch 0 row_ahead 5000 remap_ahead 1\n",
        "collide tuning 1: form 1 group 64 prefetch 0 row_ahead 1 remap_ahead",
    };
    const struct tuning stored = {.form = FORM_GROUP, .group_size = 48};
    assert_int_equal(tuning_store(folder.folder, &CPU, &MODEL, &stored, NULL), COLLIDE_OK);
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        overwrite(nonsense[i]);
        assert_tuning(tuning_load(folder.folder, &CPU, &MODEL), tuning_default(&CPU));
    }
    overwrite("collide tuning 1: form 1 group 64 prefetch 0 row_ahead 1 remap_ahead 1\n");
    assert_int_equal(tuning_load(folder.folder, &CPU, &MODEL).form, FORM_GROUP);
}

static void without_a_cache_there_is_nothing_to_store_in(void **state)
{
    (void)state;
    const struct tuning stored = {.form = FORM_GROUP, .group_size = 48};
    struct collide_error err = {0};
    assert_int_equal(tuning_store("", &CPU, &MODEL, &stored, &err), COLLIDE_NOT_FOUND);
    assert_tuning(tuning_load("", &CPU, &MODEL), tuning_default(&CPU));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_go_by_the_kind_of_device),
        cmocka_unit_test_setup_teardown(what_was_stored_is_loaded, create_folder, destroy_folder),
        cmocka_unit_test_setup_teardown(a_choice_is_for_one_device_and_shape, create_folder, destroy_folder),
        cmocka_unit_test_setup_teardown(nonsense_is_taken_for_nothing, create_folder, destroy_folder),
        cmocka_unit_test(without_a_cache_there_is_nothing_to_store_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
