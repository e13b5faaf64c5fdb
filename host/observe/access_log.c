#include "observe/access_log.h"

#include "base/clock.h"
#include "base/counter.h"
#include "base/error.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RING_RECORDS = 4096, WAIT_NS = 20000000, WRITE_BYTES = 64 * 1024, PATIENCE_MS = 1000 };

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
    pthread_t thread;           /* that uses what follows, all by itself but for atomics */
    atomic_bool is_to_reopen;
    atomic_uint_least64_t end_ns; /* when the last line is to be written or dropped; 0: no end is in sight */
    int fd;
    size_t n_piece_bytes; /* for one write; of a pipe, what it takes whole or not at all */
    bool is_failing;      /* the last write did, which is said once */
    bool has_open_line;   /* what has been written ends within a line */
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

static const char *name_of(const struct access_log *log)
{
    return log->path ? log->path : "on standard error";
}

/* Not to wait for the reader of a pipe. Standard error is shared with others, who may rely on its waiting. */
static enum collide_status open_file(struct access_log *log, struct collide_error *err)
{
    struct stat st;
    int fd = log->path ? open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0640)
                       : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot append to the access log %s%s", name_of(log),
                               errno == ENXIO ? ", a pipe that nobody reads" : "");
    bool is_regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    log->n_piece_bytes = is_regular ? WRITE_BYTES : PIPE_BUF;
    log->fd = fd;
    return COLLIDE_OK;
}

/* If told to. */
static void reopen(struct access_log *log)
{
    struct collide_error err = {0};
    if (!atomic_exchange(&log->is_to_reopen, false))
        return;
    int old = log->fd;
    if (open_file(log, &err) != COLLIDE_OK) {
        log_warning("%s; lines go where they went before", err.text);
        return;
    }
    close(old);
    log->is_failing = log->has_open_line = false;
}

/* Who is found stuck is waited for no more until there is room again. */
static int patience_ms(const struct access_log *log)
{
    uint64_t end_ns = atomic_load(&log->end_ns), now_ns = clock_now_ns();
    if (log->is_failing || (end_ns && end_ns <= now_ns))
        return 0;
    return end_ns ? (int)((end_ns - now_ns) / 1000000 + 1) : PATIENCE_MS;
}

/* As many whole lines as one write may have. */
static size_t piece_bytes(const struct access_log *log, const char *text, size_t n_bytes)
{
    if (n_bytes <= log->n_piece_bytes)
        return n_bytes;
    const char *end = memrchr(text, '\n', log->n_piece_bytes);
    return end ? (size_t)(end - text) + 1 : log->n_piece_bytes;
}

static enum collide_status write_pieces(struct access_log *log, const char *bytes, size_t n_bytes,
                                        size_t *n_written, struct collide_error *err)
{
    struct pollfd writable = {.fd = log->fd, .events = POLLOUT};
    while (*n_written < n_bytes) {
        const char *at = bytes + *n_written;
        if (poll(&writable, 1, patience_ms(log)) == 0)
            return error_set(err, COLLIDE_IO, "nobody reads what is written %s", name_of(log));
        ssize_t n = write(log->fd, at, piece_bytes(log, at, n_bytes - *n_written));
        if (n < 0 && errno != EINTR)
            return error_set_errno(err, COLLIDE_IO, errno, "cannot write %s", name_of(log));
        *n_written += n < 0 ? 0 : (size_t)n;
    }
    return COLLIDE_OK;
}

/* Half a line may have gone before the disk was full: what comes next begins a new one. */
static enum collide_status end_open_line(struct access_log *log, struct collide_error *err)
{
    size_t n_written = 0;
    enum collide_status status =
        log->has_open_line ? write_pieces(log, "\n", 1, &n_written, err) : COLLIDE_OK;
    log->has_open_line &= n_written == 0;
    return status;
}

static uint64_t count_lines(const char *text, size_t n_bytes)
{
    uint64_t n = 0;
    for (size_t i = 0; i < n_bytes; i++)
        n += text[i] == '\n';
    return n;
}

/* What cannot be written is dropped. n_lines are in the making. */
static void write_text(struct access_log *log, uint64_t n_lines)
{
    struct collide_error err = {0};
    struct buffer *text = &log->text;
    size_t n_written = 0;
    reopen(log); /* told before a record was put, it is done before its line is written */
    enum collide_status status =
        text->failed ? error_no_memory(&err, "lines of the access log") : end_open_line(log, &err);
    if (status == COLLIDE_OK)
        status = write_pieces(log, text->bytes, text->n_bytes, &n_written, &err);
    if (n_written > 0)
        log->has_open_line = text->bytes[n_written - 1] != '\n';
    bool is_news = status != COLLIDE_OK && !log->is_failing;
    log->is_failing = status != COLLIDE_OK;
    if (log->is_failing)
        counter_add(&log->n_unwritten,
                    text->failed ? n_lines : count_lines(text->bytes + n_written, text->n_bytes - n_written));
    if (is_news)
        log_warning("the access log loses lines: %s", err.text);
    if (text->failed)
        buffer_free(text);
    text->n_bytes = 0;
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
    reopen(log); /* whether or not there are lines */
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
    while (!atomic_load(&log->end_ns)) {
        nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
        take_all(log);
    }
    take_all(log);
    return NULL;
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
    enum collide_status status = allocate(log, path, err);
    if (status == COLLIDE_OK)
        status = open_file(log, err);
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
    atomic_store(&log->end_ns, clock_now_ns() + PATIENCE_MS * UINT64_C(1000000));
    pthread_join(log->thread, NULL);
    release(log);
}

void access_log_reopen(struct access_log *log)
{
    atomic_store(&log->is_to_reopen, true);
}

uint64_t access_log_n_dropped(const struct access_log *log)
{
    uint64_t n = counter_read(&log->n_unwritten);
    for (unsigned i = 0; i < log->n_workers; i++)
        n += counter_read(&log->rings[i]->n_dropped);
    return n;
}
