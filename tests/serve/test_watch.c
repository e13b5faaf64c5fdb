/* A watched folder: what is put there is served. */
#include "serve/watch.h"

#include "swap_fixture.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000 };

struct watched {
    struct swap_fixture fixture;
    char folder[2 * SCRATCH_PATH_BYTES];
    struct watch *watch;
};

static void start_with(struct watched *w, const struct service_options *options)
{
    struct collide_error err = {0};
    swap_fixture_create(options, &w->fixture);
    scratch_path(&w->fixture.folder, "watched", w->folder);
    assert_int_equal(mkdir(w->folder, 0700), 0);
    if (watch_create(w->folder, w->fixture.service, &w->watch, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    watch_apply(w->watch);
}

static void start(struct watched *w, unsigned keep_versions)
{
    start_with(w, &(struct service_options){.keep_versions = keep_versions});
}

static void stop(struct watched *w)
{
    watch_destroy(w->watch);
    swap_fixture_destroy(&w->fixture);
}

/* Waits for news, and for quiet. */
static void settle(struct watched *w)
{
    struct pollfd readable = {.fd = watch_fd(w->watch), .events = POLLIN};
    while (watch_due_ms(w->watch) != 0) {
        int ms = watch_due_ms(w->watch);
        int n = poll(&readable, 1, ms < 0 ? PATIENCE_MS : ms);
        if (n == 0 && ms < 0)
            fail_msg("nothing came in %d ms", PATIENCE_MS);
        watch_take_news(w->watch);
    }
    watch_apply(w->watch);
}

/* A twin under a name in the folder; -1: nothing any more. */
static void place(struct watched *w, const char *name, int twin)
{
    char path[3 * SCRATCH_PATH_BYTES], aside[sizeof path + 4];
    snprintf(path, sizeof path, "%s/%s", w->folder, name);
    snprintf(aside, sizeof aside, "%s.new", path);
    for (char *slash = path + strlen(w->folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    if (twin < 0) {
        assert_int_equal(unlink(path), 0);
        return;
    }
    assert_int_equal(link(w->fixture.twins[twin], aside), 0);
    assert_int_equal(rename(aside, path), 0);
    unlink(aside);
}

/* Whose scores the model m has; N_TWINS: it is not there. */
static unsigned served(struct watched *w)
{
    unsigned twin;
    enum collide_status status = swap_fixture_ask(&w->fixture, 0, "m", NULL, &twin);
    return status == COLLIDE_NOT_FOUND ? N_TWINS : twin;
}

static void a_file_is_loaded_replaced_and_unloaded(void **state)
{
    struct watched w;
    (void)state;
    start(&w, 1);
    place(&w, "m.collide", 0);
    settle(&w);
    assert_int_equal(served(&w), 0);
    place(&w, "m.collide", 1);
    settle(&w);
    assert_int_equal(served(&w), 1);
    assert_int_equal(swap_fixture_report(&w.fixture).version, 2);
    watch_apply(w.watch); /* nothing has changed */
    assert_int_equal(swap_fixture_report(&w.fixture).version, 2);
    place(&w, "m.collide", -1);
    settle(&w);
    assert_int_equal(served(&w), N_TWINS);
    stop(&w);
}

/* Of neither is a file ever closed or moved there. */
static void links_are_seen_when_they_are_made(void **state)
{
    struct watched w;
    char path[3 * SCRATCH_PATH_BYTES];
    (void)state;
    start(&w, 1);
    snprintf(path, sizeof path, "%s/m.collide", w.folder);
    assert_int_equal(symlink(w.fixture.twins[0], path), 0);
    settle(&w);
    assert_int_equal(served(&w), 0);
    place(&w, "m.collide", -1);
    settle(&w);
    assert_int_equal(served(&w), N_TWINS);
    assert_int_equal(link(w.fixture.twins[1], path), 0);
    settle(&w);
    assert_int_equal(served(&w), 1);
    place(&w, "n/1/other.safetensors", 0);
    settle(&w);
    snprintf(path, sizeof path, "%s/n/1/model.safetensors", w.folder);
    place(&w, "n/1/other.safetensors", -1);
    settle(&w);
    assert_int_equal(symlink(w.fixture.twins[1], path), 0);
    settle(&w);
    unsigned twin;
    assert_int_equal(swap_fixture_ask(&w.fixture, 0, "n", "1", &twin), COLLIDE_OK);
    assert_int_equal(twin, 1);
    stop(&w);
}

static void a_file_that_is_still_written_is_no_news(void **state)
{
    struct watched w;
    char path[3 * SCRATCH_PATH_BYTES];
    (void)state;
    start(&w, 1);
    snprintf(path, sizeof path, "%s/m.collide", w.folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    watch_take_news(w.watch);
    assert_int_equal(watch_due_ms(w.watch), -1);
    assert_int_equal(fclose(file), 0);
    watch_take_news(w.watch);
    assert_int_not_equal(watch_due_ms(w.watch), -1);
    stop(&w);
}

static void folders_hold_versions_and_the_highest_is_served(void **state)
{
    struct watched w;
    unsigned twin;
    (void)state;
    start(&w, 2);
    place(&w, "m/3/model.safetensors", 0);
    settle(&w);
    assert_int_equal(served(&w), 0);
    place(&w, "m/20/model.safetensors", 1);
    settle(&w);
    assert_int_equal(served(&w), 1);
    assert_int_equal(swap_fixture_ask(&w.fixture, 0, "m", "3", &twin), COLLIDE_OK);
    place(&w, "m/1/model.safetensors", 0); /* too old to be of interest */
    settle(&w);
    place(&w, "m/3/model.safetensors", -1);
    settle(&w);
    assert_int_equal(served(&w), 1);
    assert_int_equal(swap_fixture_report(&w.fixture).n_versions, 1);
    place(&w, "m/20/model.safetensors", -1); /* then it is */
    settle(&w);
    assert_int_equal(served(&w), 0);
    assert_int_equal(swap_fixture_report(&w.fixture).version, 1);
    stop(&w);
}

static void a_higher_version_that_is_broken_leaves_the_lower_one(void **state)
{
    struct watched w;
    char path[3 * SCRATCH_PATH_BYTES];
    (void)state;
    start(&w, 1);
    place(&w, "m/1/model.safetensors", 0);
    settle(&w);
    snprintf(path, sizeof path, "%s/m/2", w.folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/m/2/model.safetensors", w.folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("no model", file);
    assert_int_equal(fclose(file), 0);
    settle(&w);
    struct swap_report report = swap_fixture_report(&w.fixture);
    assert_int_equal(report.version, 1);
    assert_int_equal(report.n_failures, 1);
    assert_int_equal(served(&w), 0);
    watch_apply(w.watch); /* it is not tried again and again */
    assert_int_equal(swap_fixture_report(&w.fixture).n_failures, 1);
    place(&w, "m/2/model.safetensors", 1);
    settle(&w);
    assert_int_equal(swap_fixture_report(&w.fixture).version, 2);
    assert_int_equal(served(&w), 1);
    stop(&w);
}

static void what_found_no_room_is_tried_again(void **state)
{
    struct watched w;
    (void)state;
    start(&w, 1);
    place(&w, "m.collide", 0);
    settle(&w);
    uint64_t one = swap_fixture_report(&w.fixture).resident_bytes;
    stop(&w);
    start_with(&w, &(struct service_options){.keep_versions = 1, .max_memory_bytes = one});
    place(&w, "a.collide", 1);
    place(&w, "m.collide", 0);
    settle(&w);
    assert_int_equal(swap_fixture_report(&w.fixture).n_failures, 1);
    assert_int_equal(watch_due_ms(w.watch), -1); /* but not before there is news */
    watch_apply(w.watch);
    assert_int_equal(swap_fixture_report(&w.fixture).n_failures, 2);
    assert_int_equal(served(&w), N_TWINS);
    place(&w, "a.collide", -1);
    settle(&w); /* unloads what is gone, after the rest was tried */
    settle(&w);
    assert_int_equal(served(&w), 0);
    assert_int_equal(watch_due_ms(w.watch), -1);
    stop(&w);
}

static void a_folder_that_is_not_there_cannot_be_watched(void **state)
{
    struct watch *watch;
    struct collide_error err = {0};
    (void)state;
    assert_int_equal(watch_create("/nowhere/at/all", NULL, &watch, &err), COLLIDE_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_loaded_replaced_and_unloaded),
        cmocka_unit_test(links_are_seen_when_they_are_made),
        cmocka_unit_test(a_file_that_is_still_written_is_no_news),
        cmocka_unit_test(folders_hold_versions_and_the_highest_is_served),
        cmocka_unit_test(a_higher_version_that_is_broken_leaves_the_lower_one),
        cmocka_unit_test(what_found_no_room_is_tried_again),
        cmocka_unit_test(a_folder_that_is_not_there_cannot_be_watched),
    };
    return test_service_has_device() ? cmocka_run_group_tests(tests, NULL, NULL) : TEST_SKIPPED;
}
