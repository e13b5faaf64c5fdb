/* A line a request, whole, whichever thread it comes from. */
#include "observe/access_log.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_THREADS = 4, N_RECORDS = 5000 };

struct fixture {
    char folder[32], path[64], moved[64];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    strcpy(f->folder, "/tmp/access-log-XXXXXX");
    *state = f;
    if (!mkdtemp(f->folder))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/log", f->folder);
    snprintf(f->moved, sizeof f->moved, "%s/log.1", f->folder);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    unlink(f->path);
    unlink(f->moved);
    rmdir(f->folder);
    free(f);
    return 0;
}

static struct request_record record(const char *id)
{
    struct request_record r = {.total_ns = 31250,
                               .n_bytes_in = 33,
                               .n_bytes_out = 50,
                               .stage_ns = {[STAGE_PARSE] = 1500, [STAGE_KERNEL] = 9999},
                               .status = 200,
                               .remote.v4 = {.sin_family = AF_INET, .sin_port = htons(4711)}};
    inet_pton(AF_INET, "192.0.2.7", &r.remote.v4.sin_addr);
    request_record_set_text(r.client, sizeof r.client, "reader");
    request_record_set_text(r.method, sizeof r.method, "POST");
    request_record_set_path(&r, "/v1/score?token=secret");
    request_record_set_text(r.model, sizeof r.model, "clicks");
    request_record_set_text(r.id, sizeof r.id, id);
    return r;
}

/* Lines of the file, which is closed, each parsed; calls see for each. Returns how many. */
static size_t read_stream(FILE *file, void (*see)(const cJSON *line, void *context), void *context)
{
    char line[1024];
    size_t n = 0;
    assert_non_null(file);
    for (; fgets(line, sizeof line, file); n++) {
        const char *end = NULL;
        cJSON *json = cJSON_ParseWithOpts(line, &end, 0);
        assert_non_null(json);
        assert_string_equal(end, "\n");
        see(json, context);
        cJSON_Delete(json);
    }
    fclose(file);
    return n;
}

static size_t read_lines(const char *path, void (*see)(const cJSON *line, void *context), void *context)
{
    return read_stream(fopen(path, "r"), see, context);
}

static const char *text(const cJSON *line, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(line, name));
}

static double number(const cJSON *line, const char *name)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItem(line, name));
}

static void see_fields(const cJSON *line, void *context)
{
    (void)context;
    assert_string_equal(text(line, "remote"), "192.0.2.7:4711");
    assert_string_equal(text(line, "client"), "reader");
    assert_string_equal(text(line, "method"), "POST");
    assert_string_equal(text(line, "path"), "/v1/score");
    assert_string_equal(text(line, "model"), "clicks");
    assert_string_equal(text(line, "id"), "\"\n\xef\xbf\xbd");
    assert_int_equal(strlen(text(line, "time")), strlen("2026-01-02T03:04:05.678901Z"));
    assert_true(number(line, "status") == 200);
    assert_true(number(line, "bytes_in") == 33);
    assert_true(number(line, "bytes_out") == 50);
    assert_true(number(line, "total_us") == 31.2);
    assert_true(number(line, "parse_us") == 1.5);
    assert_true(number(line, "kernel_us") == 9.9);
    assert_true(number(line, "read_us") == 0);
}

static void a_line_has_what_was_asked_and_no_query(void **state)
{
    const struct fixture *f = *state;
    struct access_log *log = NULL;
    const struct request_record r = record("\"\n\xff");
    assert_int_equal(access_log_create(f->path, 1, &log, NULL), COLLIDE_OK);
    access_log_put(log, 0, &r);
    access_log_destroy(log);
    assert_int_equal(read_lines(f->path, see_fields, NULL), 1);
}

struct putter {
    struct access_log *log;
    unsigned worker;
    pthread_t thread;
};

static void *put_records(void *context)
{
    struct putter *p = context;
    for (unsigned i = 0; i < N_RECORDS; i++) {
        char id[48];
        snprintf(id, sizeof id, "%u %u", p->worker, i);
        const struct request_record r = record(id);
        access_log_put(p->log, p->worker, &r);
    }
    return NULL;
}

/* Of each worker in its order. */
static void see_order(const cJSON *line, void *context)
{
    long *last = context;
    unsigned worker = 0, i = 0;
    assert_int_equal(sscanf(text(line, "id"), "%u %u", &worker, &i), 2);
    assert_true((long)i > last[worker]);
    last[worker] = (long)i;
}

static void lines_of_many_threads_stay_whole_and_none_is_lost_uncounted(void **state)
{
    const struct fixture *f = *state;
    struct putter putters[N_THREADS];
    struct access_log *log = NULL;
    assert_int_equal(access_log_create(f->path, N_THREADS, &log, NULL), COLLIDE_OK);
    for (unsigned i = 0; i < N_THREADS; i++) {
        putters[i] = (struct putter){.log = log, .worker = i};
        assert_int_equal(pthread_create(&putters[i].thread, NULL, put_records, &putters[i]), 0);
    }
    for (unsigned i = 0; i < N_THREADS; i++)
        pthread_join(putters[i].thread, NULL);
    uint64_t n_dropped = access_log_n_dropped(log);
    access_log_destroy(log);
    long last[N_THREADS] = {-1, -1, -1, -1};
    assert_int_equal(read_lines(f->path, see_order, last), N_THREADS * N_RECORDS - n_dropped);
}

static void ignore(const cJSON *line, void *context)
{
    (void)line;
    (void)context;
}

static void a_moved_file_is_followed_by_a_new_one(void **state)
{
    const struct fixture *f = *state;
    struct access_log *log = NULL;
    const struct request_record r = record("1");
    assert_int_equal(access_log_create(f->path, 1, &log, NULL), COLLIDE_OK);
    assert_int_equal(rename(f->path, f->moved), 0);
    access_log_reopen(log);
    access_log_put(log, 0, &r);
    access_log_destroy(log);
    assert_int_equal(read_lines(f->path, ignore, NULL), 1);
    assert_int_equal(read_lines(f->moved, ignore, NULL), 0);
}

/* Of a full disk: the file may grow by half a line. */
static void a_line_that_is_cut_off_spoils_no_other(void **state)
{
    const struct fixture *f = *state;
    struct access_log *log = NULL;
    struct rlimit whole, little;
    const struct request_record r = record("1");
    char line[1024];
    size_t n_whole = 0;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &whole), 0);
    little = (struct rlimit){100, whole.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(access_log_create(f->path, 1, &log, NULL), COLLIDE_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    access_log_put(log, 0, &r);
    while (access_log_n_dropped(log) == 0)
        usleep(1000);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &whole), 0);
    access_log_put(log, 0, &r);
    access_log_destroy(log);
    FILE *file = fopen(f->path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    assert_int_equal(strlen(line), 101);
    for (; fgets(line, sizeof line, file); n_whole++) {
        cJSON *json = cJSON_Parse(line);
        assert_non_null(json);
        cJSON_Delete(json);
    }
    assert_int_equal(n_whole, 1);
    fclose(file);
}

/* More than a pipe holds, less than a ring. */
enum { N_STUCK = 2000 };

static void put_stuck(struct access_log *log)
{
    for (unsigned i = 0; i < N_STUCK; i++) {
        char id[48];
        snprintf(id, sizeof id, "0 %u", i);
        const struct request_record r = record(id);
        access_log_put(log, 0, &r);
    }
}

/* A pipe at the fixture's path, with a reader that does not read. */
static struct access_log *create_stuck(const struct fixture *f, int *reader)
{
    struct access_log *log = NULL;
    assert_int_equal(mkfifo(f->path, 0600), 0);
    *reader = open(f->path, O_RDONLY | O_NONBLOCK);
    assert_true(*reader >= 0);
    assert_int_equal(access_log_create(f->path, 1, &log, NULL), COLLIDE_OK);
    put_stuck(log);
    return log;
}

static void a_pipe_needs_a_reader(void **state)
{
    const struct fixture *f = *state;
    struct access_log *log = NULL;
    struct collide_error err = {0};
    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_int_equal(access_log_create(f->path, 1, &log, &err), COLLIDE_IO);
    assert_non_null(strstr(err.text, "a pipe that nobody reads"));
}

static void a_stuck_reader_does_not_hold_up_the_end(void **state)
{
    const struct fixture *f = *state;
    int reader;
    long last = -1;
    access_log_destroy(create_stuck(f, &reader));
    size_t n = read_stream(fdopen(reader, "r"), see_order, &last);
    assert_in_range(n, 1, N_STUCK - 1);
    assert_int_equal(last, n - 1); /* nothing is amiss but what came after */
}

static void a_stuck_reader_loses_counted_lines_and_can_be_left_for_a_file(void **state)
{
    const struct fixture *f = *state;
    const struct request_record r = record("0 9999");
    int reader;
    long last = -1;
    struct access_log *log = create_stuck(f, &reader);
    while (access_log_n_dropped(log) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(rename(f->path, f->moved), 0);
    access_log_reopen(log);
    access_log_put(log, 0, &r);
    uint64_t n_dropped = access_log_n_dropped(log);
    access_log_destroy(log);
    assert_true(read_stream(fdopen(reader, "r"), see_order, &last) + n_dropped <= N_STUCK);
    assert_true(read_lines(f->path, see_order, &last) >= 1);
    assert_int_equal(last, 9999);
}

static void a_reader_that_goes_away_is_no_end(void **state)
{
    const struct fixture *f = *state;
    int reader;
    struct access_log *log = create_stuck(f, &reader);
    close(reader);
    while (access_log_n_dropped(log) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    access_log_reopen(log); /* cannot be */
    access_log_destroy(log);
}

static void a_path_that_cannot_be_written_is_said(void **state)
{
    (void)state;
    struct access_log *log = NULL;
    struct collide_error err = {0};
    assert_int_equal(access_log_create("/nowhere/log", 1, &log, &err), COLLIDE_IO);
    assert_string_equal(err.text, "cannot append to the access log /nowhere/log: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_what_was_asked_and_no_query, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_of_many_threads_stay_whole_and_none_is_lost_uncounted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_moved_file_is_followed_by_a_new_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_that_is_cut_off_spoils_no_other, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pipe_needs_a_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stuck_reader_does_not_hold_up_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stuck_reader_loses_counted_lines_and_can_be_left_for_a_file, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_reader_that_goes_away_is_no_end, setup, teardown),
        cmocka_unit_test(a_path_that_cannot_be_written_is_said),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
