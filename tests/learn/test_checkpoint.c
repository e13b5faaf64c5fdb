#include "base/log.h"
#include "learn/checkpoint.h"
#include "support/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char run[] = "seed 1\nrows 40\n";

struct scene {
    struct scratch scratch;
    char folder[2 * SCRATCH_PATH_BYTES], file[2 * SCRATCH_PATH_BYTES];
};

static void scene_create(struct scene *s)
{
    scratch_create(&s->scratch);
    scratch_path(&s->scratch, "kept", s->folder);
    scratch_path(&s->scratch, "kept/checkpoint", s->file);
}

static struct checkpoint *open_checkpoint(const struct scene *s)
{
    struct checkpoint *c = NULL;
    struct collide_error err = {0};
    if (checkpoint_open(s->folder, run, &c, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return c;
}

static void expect_refused(const struct scene *s, const char *other_run, enum collide_status expected,
                           const char *text)
{
    struct checkpoint *c = NULL;
    struct collide_error err = {0};
    assert_int_equal(checkpoint_open(s->folder, other_run, &c, &err), expected);
    if (!strstr(err.text, text))
        fail_msg("expected \"%s\" in \"%s\"", text, err.text);
    assert_null(c);
}

static size_t read_file(const struct scene *s, uint8_t *out, size_t capacity)
{
    FILE *f = fopen(s->file, "rb");
    assert_non_null(f);
    size_t n = fread(out, 1, capacity, f);
    assert_true(n < capacity);
    fclose(f);
    return n;
}

static void write_file(const struct scene *s, const uint8_t *bytes, size_t n)
{
    FILE *f = fopen(s->file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Of any size. */
static void arrays_come_back_as_they_were(void **state)
{
    (void)state;
    struct scene s;
    uint8_t bytes[40], back[40];
    char name[8];
    scene_create(&s);
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(17 * i + 3);
    struct checkpoint *c = open_checkpoint(&s);
    for (unsigned n = 0; n <= sizeof bytes; n++) {
        snprintf(name, sizeof name, "a%u", n);
        checkpoint_keep(c, name, bytes + sizeof bytes - n, n);
        assert_null(checkpoint_find(c, name, n)); /* it was not there at the start */
    }
    checkpoint_write(c);
    checkpoint_close(c);
    c = open_checkpoint(&s);
    for (unsigned n = 0; n <= sizeof bytes; n++) {
        snprintf(name, sizeof name, "a%u", n);
        memset(back, 0xee, sizeof back);
        assert_false(checkpoint_recall(c, name, back, n + 1));
        assert_int_equal(back[0], 0xee);
        assert_true(checkpoint_recall(c, name, back, n));
        assert_memory_equal(back, bytes + sizeof bytes - n, n);
        assert_int_equal((uintptr_t)checkpoint_find(c, name, n) % 8, 0);
    }
    assert_null(checkpoint_find(c, "b", 1));
    checkpoint_close(c);
    scratch_destroy(&s.scratch);
}

static void what_was_dropped_or_replaced_is_not_written(void **state)
{
    (void)state;
    struct scene s;
    int old = 1, new = 2, found;
    scene_create(&s);
    struct checkpoint *c = open_checkpoint(&s);
    checkpoint_keep(c, "rows.x", &old, sizeof old);
    checkpoint_keep(c, "rows.m", &old, sizeof old);
    checkpoint_keep(c, "users.x", &old, sizeof old);
    checkpoint_keep(c, "users.x", &new, sizeof new);
    checkpoint_drop(c, "rows.");
    checkpoint_write(c);
    checkpoint_close(c);
    c = open_checkpoint(&s);
    assert_null(checkpoint_find(c, "rows.x", sizeof old));
    assert_null(checkpoint_find(c, "rows.m", sizeof old));
    assert_true(checkpoint_recall(c, "users.x", &found, sizeof found) && found == new);
    checkpoint_close(c);
    scratch_destroy(&s.scratch);
}

/* Opening alone loses nothing of it either. */
static void it_stays_until_it_is_removed(void **state)
{
    (void)state;
    struct scene s;
    int kept = 5, found;
    scene_create(&s);
    struct checkpoint *c = open_checkpoint(&s);
    checkpoint_keep(c, "kept", &kept, sizeof kept);
    checkpoint_write(c);
    checkpoint_close(c);
    for (int i = 0; i < 3; i++) {
        c = open_checkpoint(&s);
        assert_true(checkpoint_recall(c, "kept", &found, sizeof found) && found == kept);
        checkpoint_close(c);
    }
    assert_int_equal(checkpoint_remove(s.folder, NULL), COLLIDE_OK);
    assert_int_equal(access(s.file, F_OK), -1);
    assert_int_equal(checkpoint_remove(s.folder, NULL), COLLIDE_OK);
    c = open_checkpoint(&s);
    assert_null(checkpoint_find(c, "kept", sizeof kept));
    checkpoint_close(c);
    scratch_destroy(&s.scratch);
}

static void another_runs_is_refused_by_what_differs(void **state)
{
    (void)state;
    static const struct {
        const char *run, *text;
    } cases[] = {
        {"seed 1\nrows 41\n", "\"rows 40\", not \"rows 41\" as now"},
        {"seed 12\nrows 40\n", "\"seed 1\", not \"seed 12\""},
        {"seed 1\n", "\"rows 40\", not \"\""},
        {"seed 1\nrows 40\ndim 8\n", "\"\", not \"dim 8\""},
        {"", "\"seed 1\", not \"\""},
    };
    struct scene s;
    uint8_t before[4096], after[4096];
    scene_create(&s);
    checkpoint_close(open_checkpoint(&s));
    size_t n = read_file(&s, before, sizeof before);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refused(&s, cases[i].run, COLLIDE_INVALID, cases[i].text);
    assert_int_equal(read_file(&s, after, sizeof after), n);
    assert_memory_equal(before, after, n);
    checkpoint_close(open_checkpoint(&s));
    scratch_destroy(&s.scratch);
}

static void every_damaged_byte_and_every_cut_is_noticed(void **state)
{
    (void)state;
    struct scene s;
    uint8_t whole[4096], damaged[4096];
    int kept = 5;
    scene_create(&s);
    struct checkpoint *c = open_checkpoint(&s);
    checkpoint_keep(c, "kept", &kept, sizeof kept);
    checkpoint_write(c);
    checkpoint_close(c);
    const size_t n = read_file(&s, whole, sizeof whole);
    for (size_t i = 0; i < n; i++) {
        memcpy(damaged, whole, n);
        damaged[i] ^= 0x10;
        write_file(&s, damaged, n);
        struct collide_error err = {0};
        enum collide_status status = checkpoint_open(s.folder, run, &c, &err);
        assert_true(status == COLLIDE_CORRUPT || (status == COLLIDE_INVALID && strstr(err.text, "version")));
        assert_true(strstr(err.text, "remove it to start over") || strstr(err.text, "another --checkpoint"));
    }
    for (size_t cut = 1; cut < n; cut++) {
        write_file(&s, whole, cut);
        expect_refused(&s, run, COLLIDE_CORRUPT, s.file);
    }
    write_file(&s, whole, n);
    checkpoint_close(open_checkpoint(&s));
    scratch_destroy(&s.scratch);
}

static void a_folder_is_for_one_run_at_a_time(void **state)
{
    (void)state;
    struct scene s;
    scene_create(&s);
    struct checkpoint *c = open_checkpoint(&s);
    expect_refused(&s, run, COLLIDE_INVALID, "another process keeps its checkpoint in");
    checkpoint_close(c);
    checkpoint_close(open_checkpoint(&s));
    scratch_destroy(&s.scratch);
}

static void what_killed_writers_leave_is_removed(void **state)
{
    (void)state;
    struct scene s;
    char left[2 * SCRATCH_PATH_BYTES], other[2 * SCRATCH_PATH_BYTES];
    scene_create(&s);
    checkpoint_close(open_checkpoint(&s));
    scratch_path(&s.scratch, "kept/checkpoint.tmp.0123456789abcdef", left);
    scratch_path(&s.scratch, "kept/notes", other);
    assert_int_equal(close(creat(left, 0666)), 0);
    assert_int_equal(close(creat(other, 0666)), 0);
    checkpoint_close(open_checkpoint(&s));
    assert_int_equal(access(left, F_OK), -1);
    assert_int_equal(access(other, F_OK), 0);
    scratch_destroy(&s.scratch);
}

static void what_cannot_be_written_is_told_at_once(void **state)
{
    (void)state;
    struct scene s;
    scene_create(&s);
    int fd = creat(s.folder, 0666); /* a file where the folder should be */
    assert_true(fd >= 0);
    close(fd);
    expect_refused(&s, run, COLLIDE_IO, "cannot open the folder");
    unlink(s.folder);
    scratch_path(&s.scratch, "nowhere/kept", s.folder);
    expect_refused(&s, run, COLLIDE_IO, "cannot make the folder");
    scratch_destroy(&s.scratch);
}

/* And what comes back to be writable is written. */
static void a_folder_that_vanishes_later_ends_nothing(void **state)
{
    (void)state;
    struct scene s;
    scene_create(&s);
    struct checkpoint *c = open_checkpoint(&s);
    unlink(s.file);
    rmdir(s.folder);
    log_set_level(LOG_NONE);
    checkpoint_write(c);
    checkpoint_write(c);
    log_set_level(LOG_WARNING);
    assert_int_equal(access(s.file, F_OK), -1);
    assert_int_equal(mkdir(s.folder, 0777), 0);
    checkpoint_write(c);
    assert_int_equal(access(s.file, F_OK), 0);
    checkpoint_close(c);
    scratch_destroy(&s.scratch);
}

static void none_keeps_nothing(void **state)
{
    (void)state;
    int value = 7;
    checkpoint_keep(NULL, "a", &value, sizeof value);
    checkpoint_write(NULL);
    assert_null(checkpoint_find(NULL, "a", sizeof value));
    assert_false(checkpoint_recall(NULL, "a", &value, sizeof value));
    checkpoint_drop(NULL, "a");
    checkpoint_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_come_back_as_they_were),
        cmocka_unit_test(what_was_dropped_or_replaced_is_not_written),
        cmocka_unit_test(it_stays_until_it_is_removed),
        cmocka_unit_test(another_runs_is_refused_by_what_differs),
        cmocka_unit_test(every_damaged_byte_and_every_cut_is_noticed),
        cmocka_unit_test(a_folder_is_for_one_run_at_a_time),
        cmocka_unit_test(what_killed_writers_leave_is_removed),
        cmocka_unit_test(what_cannot_be_written_is_told_at_once),
        cmocka_unit_test(a_folder_that_vanishes_later_ends_nothing),
        cmocka_unit_test(none_keeps_nothing),
    };
    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
