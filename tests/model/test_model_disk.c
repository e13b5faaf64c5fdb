/* Writing that fails or is cut off: the old file stays as it was, or the new one is there whole. */
#include "model_fixture.h"

#include "base/rng.h"
#include "model/write.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_write_fails(const struct model *m, const char *path, const char *text)
{
    struct collide_error err = {0};
    assert_int_equal(model_write(m, path, &err), COLLIDE_IO);
    if (!strstr(err.text, path) || !strstr(err.text, text))
        fail_msg("expected \"%s\" and the path, got: %s", text, err.text);
}

static void small_model(struct fixture *f, float logit_scale)
{
    fixture_model((struct fixture_kind){.precision = PRECISION_F32, .keys = KEYS_U64, .parts = FIXTURE_ALL},
                  f);
    f->model.logit_scale = logit_scale;
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    const struct folder *folder = *state;
    char path[128];
    struct fixture f;
    small_model(&f, 1.0f);
    snprintf(path, sizeof path, "%s/missing/model", folder->path);
    assert_write_fails(&f.model, path, "its folder must be there and writable");
    assert_int_equal(folder_n_files(folder), 0);
}

static void a_folder_cannot_be_written_over(void **state)
{
    const struct folder *folder = *state;
    struct fixture f;
    small_model(&f, 1.0f);
    assert_int_equal(mkdir(folder->file, 0700), 0);
    struct collide_error err = {0};
    assert_int_equal(model_write(&f.model, folder->file, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "not a regular file"));
    assert_int_equal(folder_n_files(folder), 1);
}

static void a_read_only_folder_keeps_its_file(void **state)
{
    const struct folder *folder = *state;
    struct fixture f;
    uid_t user = geteuid();
    small_model(&f, 2.0f);
    write_model(&f.model, folder->file);
    assert_int_equal(chmod(folder->path, 0555), 0);
    if (user == 0 && seteuid(65534) != 0)
        skip();
    small_model(&f, 3.0f);
    assert_write_fails(&f.model, folder->file, "ermission denied");
    if (user == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(folder->path, 0700), 0);
    struct model_file *file = open_model(folder->file);
    assert_true(model_file_model(file)->logit_scale == 2.0f);
    model_file_close(file);
    assert_int_equal(folder_n_files(folder), 1);
}

/* A disk that is full after n bytes, for as long as the limit stands. */
static void limit_file_bytes(rlim_t n)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = n;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void wherever_the_disk_is_full_the_old_file_stays(void **state)
{
    const struct folder *folder = *state;
    struct fixture f;
    small_model(&f, 2.0f);
    write_model(&f.model, folder->file);
    size_t n_old, n_now;
    unsigned char *old = read_bytes(folder->file, &n_old);
    signal(SIGXFSZ, SIG_IGN);
    small_model(&f, 3.0f);
    for (size_t limit = 0; limit < n_old; limit += limit < 4000 ? 211 : 61) {
        limit_file_bytes(limit);
        assert_write_fails(&f.model, folder->file, "cannot write");
        limit_file_bytes(RLIM_INFINITY);
        unsigned char *now = read_bytes(folder->file, &n_now);
        assert_int_equal(n_now, n_old);
        assert_memory_equal(now, old, n_old);
        free(now);
        assert_int_equal(folder_n_files(folder), 1);
    }
    write_model(&f.model, folder->file);
    free(old);
}

/* Two models of a few megabytes whose every row tells them apart. */
enum { BIG_ROWS = 20000, BIG_DIM = 64 };

static void big_model(uint32_t which, uint32_t n_rows, struct model *m)
{
    float *rows = malloc((size_t)n_rows * BIG_DIM * sizeof *rows);
    uint32_t *remap = malloc(n_rows * sizeof *remap);
    assert_true(rows && remap);
    for (size_t i = 0; i < (size_t)n_rows * BIG_DIM; i++)
        rows[i] = (float)which;
    for (uint32_t i = 0; i < n_rows; i++)
        remap[i] = i;
    *m = (struct model){
        .dim = BIG_DIM,
        .logit_scale = (float)which,
        .rows = {.n = n_rows, .width = BIG_DIM, .values = rows},
        .mapping = {.n_lookups = 1},
        .item = {.n_ids = n_rows - 1, .remap = remap},
    };
}

static void big_model_free(struct model *m)
{
    free((void *)(uintptr_t)m->rows.values);
    free((void *)(uintptr_t)m->item.remap);
}

static void sleep_us(uint64_t us)
{
    struct timespec t = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000 * 1000)};
    nanosleep(&t, NULL);
}

/* Writes one model after the other until it is killed after this time. Returns how it ended. */
static int write_until_killed(const struct model models[2], const char *path, uint64_t us)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        for (unsigned i = 0;; i++)
            if (model_write(&models[i % 2], path, NULL) != COLLIDE_OK)
                _exit(1);
    sleep_us(us);
    kill(child, SIGKILL);
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    return how;
}

static void assert_one_of(const struct model models[2], const char *path)
{
    struct model_file *file = open_model(path);
    const struct model *m = model_file_model(file);
    assert_true(m->logit_scale == 1.0f || m->logit_scale == 2.0f);
    const struct model *expected = &models[m->logit_scale == 2.0f];
    assert_int_equal(m->rows.n, expected->rows.n);
    assert_memory_equal(m->rows.values, expected->rows.values, m->rows.n * row_bytes(&m->rows));
    model_file_close(file);
}

static void a_killed_writer_leaves_the_old_model_or_the_new_one(void **state)
{
    const struct folder *folder = *state;
    struct rng rng = rng_seeded(1, 0);
    struct model models[2];
    big_model(1, BIG_ROWS, &models[0]);
    big_model(2, BIG_ROWS * 3 / 4, &models[1]);
    write_model(&models[0], folder->file);
    for (int i = 0; i < 60; i++) {
        int how = write_until_killed(models, folder->file, rng_below(&rng, 30000));
        assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
        assert_one_of(models, folder->file);
    }
    /* What the killed ones left behind is in nobody's way. */
    write_model(&models[1], folder->file);
    assert_one_of(models, folder->file);
    big_model_free(&models[0]);
    big_model_free(&models[1]);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_folder_that_is_not_there_is_named),
        IN_FOLDER(a_folder_cannot_be_written_over),
        IN_FOLDER(a_read_only_folder_keeps_its_file),
        IN_FOLDER(wherever_the_disk_is_full_the_old_file_stays),
        IN_FOLDER(a_killed_writer_leaves_the_old_model_or_the_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
