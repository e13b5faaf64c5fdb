#include "observe/access_log.h"

#include "base/counter.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RING_RECORDS = 4096, WAIT_NS = 20000000, WRITE_BYTES = 64 * 1024 };

/* From one worker to the writing thread. */
struct record_ring {
    _Alignas(64) atomic_uint_least64_t n_put;
    uint64_t n_taken_seen; /* by the worker, so that it rarely looks */
    uint64_t n_dropped;
    _Alignas(64) atomic_uint_least64_t n_taken;
    struct request_record records[RING_RECORDS];
};

struct access_log {
    char *path; /* owned; NULL: standard error */
    unsigned n_workers;
    struct record_ring **rings; /* (n_workers), owned */
    pthread_t thread;
    pthread_mutex_t lock; /* of fd */
    int fd;
    atomic_bool stop;
    bool is_failing; /* the last write did, which is said once */
    uint64_t n_unwritten;
    struct buffer text; /* lines in the making */
};

void access_log_put(struct access_log *log, unsigned worker, const struct request_record *r)
{
    struct record_ring *ring = log->rings[worker];
    uint64_t n = atomic_load_explicit(&ring->n_put, memory_order_relaxed);
    if (n - ring->n_taken_seen == RING_RECORDS)
        ring->n_taken_seen = atomic_load_explicit(&ring->n_taken, memory_order_acquire);
    if (n - ring->n_taken_seen == RING_RECORDS) {
        counter_add(&ring->n_dropped, 1);
        return;
    }
    ring->records[n % RING_RECORDS] = *r;
    atomic_store_explicit(&ring->n_put, n + 1, memory_order_release);
}

static void write_text(struct access_log *log, uint64_t n_lines)
{
    struct collide_error err = {0};
    pthread_mutex_lock(&log->lock);
    enum collide_status status = log->text.failed
                                     ? error_no_memory(&err, "lines of the access log")
                                     : file_write_all(log->fd, log->text.bytes, log->text.n_bytes,
                                                      log->path ? log->path : "standard error", &err);
    pthread_mutex_unlock(&log->lock);
    if (status != COLLIDE_OK) {
        counter_add(&log->n_unwritten, n_lines);
        if (!log->is_failing)
            log_warning("the access log loses lines: %s", err.text);
    }
    log->is_failing = status != COLLIDE_OK;
    if (log->text.failed)
        buffer_free(&log->text);
    log->text.n_bytes = 0;
}

/* All that a worker has left. Returns how many lines it has begun and not written yet. */
static uint64_t take_ring(struct access_log *log, struct record_ring *ring, int64_t wall_offset_ns,
                          uint64_t n_lines)
{
    uint64_t n = atomic_load_explicit(&ring->n_taken, memory_order_relaxed);
    uint64_t end = atomic_load_explicit(&ring->n_put, memory_order_acquire);
    for (; n < end; n++) {
        request_record_print(&ring->records[n % RING_RECORDS], wall_offset_ns, &log->text);
        buffer_append(&log->text, "\n", 1);
        n_lines++;
        atomic_store_explicit(&ring->n_taken, n + 1, memory_order_release);
        if (log->text.n_bytes >= WRITE_BYTES || log->text.failed) {
            write_text(log, n_lines);
            n_lines = 0;
        }
    }
    return n_lines;
}

static void take_all(struct access_log *log)
{
    int64_t wall_offset_ns = request_record_wall_offset_ns();
    uint64_t n_lines = 0;
    for (unsigned i = 0; i < log->n_workers; i++)
        n_lines = take_ring(log, log->rings[i], wall_offset_ns, n_lines);
    if (n_lines > 0)
        write_text(log, n_lines);
}

static void *run(void *context)
{
    struct access_log *log = context;
    while (!atomic_load(&log->stop)) {
        nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
        take_all(log);
    }
    take_all(log);
    return NULL;
}

static int open_file(const char *path)
{
    return path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640)
                : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
}

static enum collide_status open_failed(const struct access_log *log, struct collide_error *err)
{
    return error_set_errno(err, COLLIDE_IO, errno, "cannot append to the access log %s",
                           log->path ? log->path : "on standard error");
}

static enum collide_status allocate(struct access_log *log, const char *path, struct collide_error *err)
{
    log->path = strcmp(path, "-") == 0 ? NULL : strdup(path);
    log->rings = calloc(log->n_workers, sizeof *log->rings);
    bool is_complete = log->rings && (log->path || strcmp(path, "-") == 0);
    for (unsigned i = 0; i < log->n_workers && is_complete; i++) {
        log->rings[i] = aligned_alloc(64, sizeof *log->rings[i]);
        is_complete = log->rings[i] != NULL;
        if (is_complete)
            memset(log->rings[i], 0, sizeof *log->rings[i]);
    }
    return is_complete ? COLLIDE_OK : error_no_memory(err, "the access log");
}

static void release(struct access_log *log)
{
    for (unsigned i = 0; i < log->n_workers && log->rings; i++)
        free(log->rings[i]);
    free(log->rings);
    if (log->fd >= 0)
        close(log->fd);
    buffer_free(&log->text);
    pthread_mutex_destroy(&log->lock);
    free(log->path);
    free(log);
}

enum collide_status access_log_create(const char *path, unsigned n_workers, struct access_log **out,
                                      struct collide_error *err)
{
    struct access_log *log = calloc(1, sizeof *log);
    if (!log)
        return error_no_memory(err, "the access log");
    log->n_workers = n_workers;
    log->fd = -1;
    pthread_mutex_init(&log->lock, NULL);
    enum collide_status status = allocate(log, path, err);
    if (status == COLLIDE_OK) {
        log->fd = open_file(log->path);
        if (log->fd < 0)
            status = open_failed(log, err);
    }
    if (status == COLLIDE_OK && pthread_create(&log->thread, NULL, run, log) != 0)
        status = error_no_memory(err, "the access log's thread");
    if (status != COLLIDE_OK) {
        release(log);
        return status;
    }
    *out = log;
    return COLLIDE_OK;
}

void access_log_destroy(struct access_log *log)
{
    if (!log)
        return;
    atomic_store(&log->stop, true);
    pthread_join(log->thread, NULL);
    release(log);
}

enum collide_status access_log_reopen(struct access_log *log, struct collide_error *err)
{
    int fd = open_file(log->path);
    if (fd < 0)
        return open_failed(log, err);
    pthread_mutex_lock(&log->lock);
    int old = log->fd;
    log->fd = fd;
    pthread_mutex_unlock(&log->lock);
    close(old);
    return COLLIDE_OK;
}

uint64_t access_log_n_dropped(const struct access_log *log)
{
    uint64_t n = counter_read(&log->n_unwritten);
    for (unsigned i = 0; i < log->n_workers; i++)
        n += counter_read(&log->rings[i]->n_dropped);
    return n;
}
