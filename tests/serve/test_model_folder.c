/* What a folder of models holds. */
#include "serve/model_folder.h"

#include "support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void make(const struct scratch *s, const char *name)
{
    char path[2 * SCRATCH_PATH_BYTES];
    scratch_path(s, name, path);
    for (char *slash = path + strlen(s->folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(name, file);
    assert_int_equal(fclose(file), 0);
}

/* The list, as "name/version:path name/version:path". */
static void check(const struct scratch *s, size_t keep, const char *wanted)
{
    struct folder_list list;
    struct collide_error err = {0};
    char text[4096] = "", *at = text;
    if (model_folder_scan(s->folder, keep, &list, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < list.n; i++)
        at += sprintf(at, "%s%s/%llu:%s", i ? " " : "", list.files[i].name,
                      (unsigned long long)list.files[i].version, list.files[i].path + strlen(s->folder) + 1);
    assert_string_equal(text, wanted);
    folder_list_free(&list);
}

static void names_and_versions_come_from_the_layout(void **state)
{
    struct scratch s;
    (void)state;
    scratch_create(&s);
    check(&s, 1, "");
    make(&s, "flat.collide");
    make(&s, "also.flat.safetensors");
    make(&s, "shop/2/model.safetensors");
    make(&s, "shop/10/model.safetensors");
    make(&s, "shop/9/any.collide");
    check(&s, 1, "also.flat/0:also.flat.safetensors flat/0:flat.collide shop/10:shop/10/model.safetensors");
    check(&s, 2,
          "also.flat/0:also.flat.safetensors flat/0:flat.collide shop/9:shop/9/any.collide "
          "shop/10:shop/10/model.safetensors");
    scratch_destroy(&s);
}

static void what_is_no_model_s_is_passed_over(void **state)
{
    struct scratch s;
    char from[2 * SCRATCH_PATH_BYTES], to[2 * SCRATCH_PATH_BYTES];
    (void)state;
    scratch_create(&s);
    make(&s, ".hidden.collide");
    make(&s, ".collide");
    make(&s, "m.collide.tmp.0123456789abcdef");
    make(&s, "readme.txt");
    make(&s, "shop/model.safetensors");
    make(&s, "shop/0/model.safetensors");
    make(&s, "shop/01/model.safetensors");
    make(&s, "shop/v1/model.safetensors");
    make(&s, "shop/1/readme.txt");
    make(&s, "shop/1/deeper/model.safetensors");
    make(&s, "shop/3/.m.safetensors");
    make(&s, "a\\b.safetensors");
    check(&s, 8, "");
    scratch_path(&s, "nowhere", from);
    scratch_path(&s, "link.collide", to);
    assert_int_equal(symlink(from, to), 0);
    check(&s, 8, "");
    make(&s, "shop/1/b.safetensors");
    make(&s, "shop/1/a.safetensors"); /* one of a version */
    check(&s, 1, "shop/1:shop/1/a.safetensors");
    check(&s, 8, "shop/1:shop/1/a.safetensors");
    scratch_destroy(&s);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    struct folder_list list;
    struct collide_error err = {0};
    (void)state;
    assert_int_equal(model_folder_scan("/nowhere/at/all", 1, &list, &err), COLLIDE_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
}

static void paths_say_names_and_versions(void **state)
{
    static const struct {
        const char *path, *name;
        uint64_t version;
    } cases[] = {
        {"m.safetensors", "m", 0},
        {"/x/m.collide", "m", 0},
        {"/x/m", "m", 0},
        {"/x/m.bin", "m.bin", 0},
        {".collide", ".collide", 0},
        {"/models/shop/12/model.safetensors", "shop", 12},
        {"shop/12/model.safetensors", "shop", 12},
        {"12/model.safetensors", "model", 12},
        {"/12/model.safetensors", "model", 12},
        {"shop/012/model.safetensors", "model", 0},
        {"shop/1x/model.safetensors", "model", 0},
        {"shop/99999999999999999999/model.safetensors", "model", 0},
    };
    char name[MODEL_NAME_CHARS];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        model_path_name(cases[i].path, name);
        assert_string_equal(name, cases[i].name);
        assert_int_equal(model_path_version(cases[i].path), cases[i].version);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_versions_come_from_the_layout),
        cmocka_unit_test(what_is_no_model_s_is_passed_over),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
        cmocka_unit_test(paths_say_names_and_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
