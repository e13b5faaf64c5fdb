#include "net/api_keys.h"

#include "support/scratch.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define READER_KEY "reader-key-0123456789"
#define ADMIN_KEY  "admin-key-0123456789ab"
/* printf %s hashed-key-0123456789 | sha256sum */
#define HASHED_KEY "hashed-key-0123456789"
#define HASHED_SHA "62c5559717da6012427d84b732fdf7292e3426e5a620fd08af73ebf6300f6d91"

struct fixture {
    struct scratch folder;
    char path[2 * SCRATCH_PATH_BYTES];
};

static void write_keys(const struct fixture *f, const char *text)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    assert_int_equal(chmod(f->path, 0600), 0);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    static struct fixture f;
    scratch_create(&f.folder);
    scratch_path(&f.folder, "keys", f.path);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    scratch_destroy(&((struct fixture *)*state)->folder);
    return 0;
}

static struct api_keys *create(const struct fixture *f, const char *text)
{
    struct api_keys *k = NULL;
    struct collide_error err;
    write_keys(f, text);
    if (api_keys_create(f->path, &k, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return k;
}

static void assert_role(struct api_keys *k, const char *authorization, const char *x_api_key,
                        enum api_role role, const char *name)
{
    char found[API_NAME_CHARS];
    assert_int_equal(api_keys_find(k, authorization, x_api_key, found), role);
    assert_string_equal(found, name);
}

static void keys_open_by_either_header(void **state)
{
    struct api_keys *k = create(*state, "# who may ask\n\nreader:" READER_KEY "\r\nops:" ADMIN_KEY ":admin\n"
                                        "hashed:sha256=" HASHED_SHA);
    assert_role(k, "Bearer " READER_KEY, NULL, API_USER, "reader");
    assert_role(k, "bearer   " READER_KEY, NULL, API_USER, "reader");
    assert_role(k, NULL, READER_KEY, API_USER, "reader");
    assert_role(k, "Bearer " ADMIN_KEY, NULL, API_ADMIN, "ops");
    assert_role(k, NULL, HASHED_KEY, API_USER, "hashed");
    assert_role(k, "Basic YTpi", READER_KEY, API_USER, "reader");
    api_keys_destroy(k);
}

static void anything_else_is_a_stranger(void **state)
{
    static const char *const wrong[] = {"",
                                        "Bearer",
                                        "Bearer ",
                                        "Bearer " READER_KEY "x",
                                        "Bearer reader-key-012345678",
                                        "Bearer " READER_KEY " ",
                                        "Bearer reader:" READER_KEY,
                                        "Basic " READER_KEY,
                                        READER_KEY,
                                        "Bearer sha256=" HASHED_SHA,
                                        "Bearer " HASHED_SHA};
    struct api_keys *k = create(*state, "reader:" READER_KEY "\nhashed:sha256=" HASHED_SHA "\n");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_role(k, wrong[i], NULL, API_STRANGER, "");
    assert_role(k, NULL, NULL, API_STRANGER, "");
    assert_role(k, "Bearer wrong-key-0123456789", READER_KEY, API_STRANGER, "");
    api_keys_destroy(k);
}

static void a_client_may_have_two_keys_while_one_is_changed(void **state)
{
    struct api_keys *k = create(*state, "reader:" READER_KEY "\nreader:" ADMIN_KEY "\n");
    assert_role(k, NULL, READER_KEY, API_USER, "reader");
    assert_role(k, NULL, ADMIN_KEY, API_USER, "reader");
    api_keys_destroy(k);
}

static void files_that_are_wrong_are_refused_by_line_without_the_key(void **state)
{
    const struct fixture *f = *state;
    static const char long_name[] = "a2345678901234567890123456789012345:" READER_KEY;
    const struct {
        const char *text, *wanted;
    } cases[] = {
        {"", "has no keys; write a line NAME:KEY"},
        {"# none\n\n", "has no keys"},
        {"\n" READER_KEY "\n", "line 2: write NAME:KEY"},
        {":" READER_KEY "\n", "line 1: write NAME:KEY"},
        {"a b:" READER_KEY "\n", "line 1: write NAME:KEY"},
        {long_name, "line 1: write NAME:KEY"},
        {"reader:\n", "line 1: a key has 16 to 128"},
        {"reader:swordfish\n", "line 1: a key has 16 to 128"},
        {"reader:swordfish swordfish\n", "line 1: a key has 16 to 128"},
        {"reader:" READER_KEY ":root\n", "line 1: after a second colon only \"admin\" may stand"},
        {"reader:" READER_KEY ":\n", "line 1: after a second colon"},
        {"reader:sha256=" READER_KEY "\n", "line 1: sha256= is followed by 64 hexadecimal digits"},
        {"reader:sha256=zz0123456789012345678901234567890123456789012345678901234567890123\n",
         "line 1: sha256= is followed by 64 hexadecimal digits"},
        {"a:" READER_KEY "\nb:" READER_KEY "\n", "line 2: this key stands in a line before, too"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct api_keys *k = NULL;
        struct collide_error err;
        write_keys(f, cases[i].text);
        assert_int_equal(api_keys_create(f->path, &k, &err), COLLIDE_INVALID);
        if (!strstr(err.text, cases[i].wanted))
            fail_msg("expected \"%s\" in \"%s\"", cases[i].wanted, err.text);
        assert_null(strstr(err.text, READER_KEY));
        assert_null(strstr(err.text, "swordfish"));
    }
}

static void a_file_that_others_may_read_is_refused(void **state)
{
    const struct fixture *f = *state;
    struct api_keys *k = NULL;
    struct collide_error err;
    write_keys(f, "reader:" READER_KEY "\n");
    assert_int_equal(chmod(f->path, 0644), 0);
    assert_int_equal(api_keys_create(f->path, &k, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "run chmod 640"));
}

static void a_reload_takes_the_new_keys_or_keeps_the_old(void **state)
{
    const struct fixture *f = *state;
    struct api_keys *k = create(f, "reader:" READER_KEY "\n");
    struct collide_error err;
    write_keys(f, "ops:" ADMIN_KEY ":admin\n");
    assert_int_equal(api_keys_reload(k, &err), COLLIDE_OK);
    assert_role(k, NULL, READER_KEY, API_STRANGER, "");
    assert_role(k, NULL, ADMIN_KEY, API_ADMIN, "ops");
    write_keys(f, "nonsense\n");
    assert_int_equal(api_keys_reload(k, &err), COLLIDE_INVALID);
    assert_role(k, NULL, ADMIN_KEY, API_ADMIN, "ops");
    api_keys_destroy(k);
}

struct asker {
    struct api_keys *keys;
    atomic_bool stop;
    unsigned n_wrong;
};

static void *ask(void *context)
{
    struct asker *a = context;
    char name[API_NAME_CHARS];
    while (!atomic_load(&a->stop))
        a->n_wrong +=
            api_keys_find(a->keys, NULL, READER_KEY, name) != API_USER || strcmp(name, "reader") != 0;
    return NULL;
}

static void reloads_do_not_disturb_those_who_ask(void **state)
{
    const struct fixture *f = *state;
    struct asker a = {.keys = create(f, "reader:" READER_KEY "\n")};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ask, &a), 0);
    for (int i = 0; i < 100; i++) {
        write_keys(f, i % 2 ? "reader:" READER_KEY "\n" : "ops:" ADMIN_KEY ":admin\nreader:" READER_KEY "\n");
        assert_int_equal(api_keys_reload(a.keys, NULL), COLLIDE_OK);
    }
    atomic_store(&a.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(a.n_wrong, 0);
    api_keys_destroy(a.keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_open_by_either_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(anything_else_is_a_stranger, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_may_have_two_keys_while_one_is_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_that_are_wrong_are_refused_by_line_without_the_key, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_others_may_read_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_takes_the_new_keys_or_keeps_the_old, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reloads_do_not_disturb_those_who_ask, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
