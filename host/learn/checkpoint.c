#include "learn/checkpoint.h"

#include "base/cursor.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { VERSION = 2, MAGIC_BYTES = 8, HEADER_BYTES = 24, MAX_ARRAYS = 96 };

static const char MAGIC[MAGIC_BYTES] = "collidec";
static const char FILE_NAME[] = "checkpoint";

struct array {
    char name[CHECKPOINT_NAME_BYTES];
    const void *bytes;
    size_t n_bytes;
};

struct arrays {
    struct array of[MAX_ARRAYS];
    size_t n;
};

struct checkpoint {
    char *path; /* of the file; owned */
    int folder; /* open and locked */
    char *run;  /* owned */
    struct file_map map;
    struct arrays found; /* in the map */
    struct arrays kept;
    bool is_failing;
};

static struct array *find(const struct arrays *arrays, const char *name)
{
    for (size_t i = 0; i < arrays->n; i++)
        if (strncmp(arrays->of[i].name, name, CHECKPOINT_NAME_BYTES) == 0)
            return (struct array *)&arrays->of[i];
    return NULL;
}

static size_t padding_of(size_t n_bytes)
{
    return (8 - n_bytes % 8) % 8;
}

/* ---- Reading. */

static bool read_arrays(struct cursor *c, uint32_t n, struct arrays *out)
{
    for (uint32_t i = 0; i < n && n <= MAX_ARRAYS; i++) {
        struct array *a = &out->of[i];
        const uint8_t *name = cursor_take(c, CHECKPOINT_NAME_BYTES);
        const uint64_t n_bytes = cursor_u64(c);
        a->bytes = cursor_take(c, n_bytes);
        cursor_take(c, padding_of(n_bytes));
        if (c->failed || name[CHECKPOINT_NAME_BYTES - 1])
            return false;
        memcpy(a->name, name, CHECKPOINT_NAME_BYTES);
        a->n_bytes = n_bytes;
    }
    out->n = n;
    return n <= MAX_ARRAYS && cursor_left(c) == 0;
}

static enum collide_status parse(struct checkpoint *k, struct collide_error *err)
{
    struct cursor c = cursor_over(k->map.bytes, k->map.n_bytes);
    const uint8_t *magic = cursor_take(&c, MAGIC_BYTES);
    const uint32_t version = cursor_u32(&c), n = cursor_u32(&c);
    const uint64_t sum = cursor_u64(&c);
    if (c.failed || memcmp(magic, MAGIC, MAGIC_BYTES) != 0)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s is no checkpoint of collide; give another --checkpoint folder", k->path);
    if (version != VERSION)
        return error_set(err, COLLIDE_INVALID,
                         "%s has version %" PRIu32
                         " of the checkpoint format, this collide goes on from %d; remove it to start over",
                         k->path, version, VERSION);
    if (sum != XXH3_64bits(c.at, cursor_left(&c)) || !read_arrays(&c, n, &k->found))
        return error_set(err, COLLIDE_CORRUPT, "%s is damaged; remove it to start over", k->path);
    return COLLIDE_OK;
}

static size_t line_length(const char *line)
{
    return strcspn(line, "\n");
}

/* The first line that is not the same in both names what differs. */
static enum collide_status check_run(const struct checkpoint *k, struct collide_error *err)
{
    const struct array *run = find(&k->found, "run");
    const char *theirs = run ? run->bytes : "", *ours = k->run;
    if (run && (run->n_bytes == 0 || theirs[run->n_bytes - 1]))
        return error_set(err, COLLIDE_CORRUPT, "%s is damaged; remove it to start over", k->path);
    while (*ours && *theirs && line_length(ours) == line_length(theirs) &&
           strncmp(ours, theirs, line_length(ours)) == 0) {
        ours += line_length(ours) + (ours[line_length(ours)] == '\n');
        theirs += line_length(theirs) + (theirs[line_length(theirs)] == '\n');
    }
    if (!*ours && !*theirs)
        return COLLIDE_OK;
    return error_set(
        err, COLLIDE_INVALID,
        "%s is of another run: \"%.*s\", not \"%.*s\" as now. Go on with the command that it was "
        "made by, or give another --checkpoint folder, or remove it to start over",
        k->path, (int)line_length(theirs), theirs, (int)line_length(ours), ours);
}

static enum collide_status read_file(struct checkpoint *k, struct collide_error *err)
{
    enum collide_status status = file_map(k->path, &k->map, err);
    if (status == COLLIDE_NOT_FOUND)
        return COLLIDE_OK;
    if (status == COLLIDE_OK)
        status = parse(k, err);
    return status == COLLIDE_OK ? check_run(k, err) : status;
}

/* ---- Writing. */

struct writer {
    int fd;
    const char *path;
    XXH3_state_t *sum;
    enum collide_status status;
    struct collide_error *err;
};

static void put(struct writer *w, const void *bytes, size_t n_bytes)
{
    if (w->status == COLLIDE_OK)
        w->status = file_write_all(w->fd, bytes, n_bytes, w->path, w->err);
    XXH3_64bits_update(w->sum, bytes, n_bytes);
}

static void put_array(struct writer *w, const struct array *a)
{
    static const char zeros[8];
    const uint64_t n_bytes = a->n_bytes;
    put(w, a->name, sizeof a->name);
    put(w, &n_bytes, sizeof n_bytes);
    put(w, a->bytes, a->n_bytes);
    put(w, zeros, padding_of(a->n_bytes));
}

static void put_header(struct writer *w, size_t n)
{
    const uint32_t numbers[] = {VERSION, (uint32_t)n};
    const uint64_t sum = XXH3_64bits_digest(w->sum);
    char header[HEADER_BYTES];
    memcpy(header, MAGIC, MAGIC_BYTES);
    memcpy(header + 8, numbers, sizeof numbers);
    memcpy(header + 16, &sum, sizeof sum);
    if (w->status == COLLIDE_OK && lseek(w->fd, 0, SEEK_SET) != 0)
        w->status = error_set_errno(w->err, COLLIDE_IO, errno, "cannot write %s", w->path);
    if (w->status == COLLIDE_OK)
        w->status = file_write_all(w->fd, header, sizeof header, w->path, w->err);
}

static enum collide_status write_file(const struct checkpoint *k, struct collide_error *err)
{
    static const char room[HEADER_BYTES];
    struct file_replace file;
    struct writer w = {.path = k->path, .sum = XXH3_createState(), .err = err};
    if (!w.sum)
        return error_no_memory(err, "a checkpoint");
    w.status = file_replace_begin(k->path, &file, err);
    if (w.status != COLLIDE_OK)
        goto out;
    w.fd = file.fd;
    w.status = file_write_all(w.fd, room, sizeof room, w.path, err);
    XXH3_64bits_reset(w.sum);
    for (size_t i = 0; i < k->kept.n; i++)
        put_array(&w, &k->kept.of[i]);
    put_header(&w, k->kept.n);
    if (w.status == COLLIDE_OK)
        w.status = file_replace_commit(&file, err);
    else
        file_replace_abandon(&file);
out:
    XXH3_freeState(w.sum);
    return w.status;
}

void checkpoint_write(struct checkpoint *c)
{
    struct collide_error err = {0};
    if (!c)
        return;
    const bool is_written = write_file(c, &err) == COLLIDE_OK;
    if (!is_written && !c->is_failing)
        log_warning("no checkpoint: %s; learning goes on without", err.text);
    c->is_failing = !is_written;
}

/* ---- Opening. */

/* What processes that were killed while they wrote have left. */
static void remove_temporaries(int folder)
{
    const size_t n_name = sizeof FILE_NAME - 1;
    int listed = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = listed < 0 ? NULL : fdopendir(listed);
    if (!entries) {
        if (listed >= 0)
            close(listed);
        return;
    }
    for (const struct dirent *e; (e = readdir(entries));)
        if (strncmp(e->d_name, FILE_NAME, n_name) == 0 && strncmp(e->d_name + n_name, ".tmp.", 5) == 0)
            unlinkat(folder, e->d_name, 0);
    closedir(entries);
}

static enum collide_status take_folder(const char *folder, struct checkpoint *k, struct collide_error *err)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot make the folder %s for checkpoints", folder);
    k->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (k->folder < 0)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot open the folder %s for checkpoints", folder);
    if (flock(k->folder, LOCK_EX | LOCK_NB) != 0)
        return error_set(err, COLLIDE_INVALID,
                         "another process keeps its checkpoint in %s; wait for it, or give another folder",
                         folder);
    remove_temporaries(k->folder);
    return COLLIDE_OK;
}

enum collide_status checkpoint_open(const char *folder, const char *run, struct checkpoint **out,
                                    struct collide_error *err)
{
    struct checkpoint *k = calloc(1, sizeof *k);
    if (!k)
        return error_no_memory(err, "a checkpoint");
    k->folder = -1;
    k->run = strdup(run);
    enum collide_status status = COLLIDE_OK;
    if (!k->run || asprintf(&k->path, "%s/%s", folder, FILE_NAME) < 0) {
        k->path = NULL;
        status = error_no_memory(err, "a checkpoint");
    }
    if (status == COLLIDE_OK)
        status = take_folder(folder, k, err);
    if (status == COLLIDE_OK)
        status = read_file(k, err);
    /* What is there is written again: better known now than after hours that it cannot be. */
    k->kept = k->found;
    if (status == COLLIDE_OK)
        checkpoint_keep(k, "run", k->run, strlen(k->run) + 1);
    if (status == COLLIDE_OK)
        status = write_file(k, err);
    k->kept.n = 0;
    if (status != COLLIDE_OK) {
        checkpoint_close(k);
        return status;
    }
    checkpoint_keep(k, "run", k->run, strlen(k->run) + 1);
    *out = k;
    return COLLIDE_OK;
}

void checkpoint_close(struct checkpoint *c)
{
    if (!c)
        return;
    file_unmap(&c->map);
    if (c->folder >= 0)
        close(c->folder);
    free(c->path);
    free(c->run);
    free(c);
}

enum collide_status checkpoint_remove(const char *folder, struct collide_error *err)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, FILE_NAME) < 0)
        return error_no_memory(err, "a file name");
    enum collide_status status = COLLIDE_OK;
    if (unlink(path) != 0 && errno != ENOENT)
        status = error_set_errno(err, COLLIDE_IO, errno, "cannot remove %s", path);
    free(path);
    return status;
}

/* ---- Arrays. */

const void *checkpoint_find(const struct checkpoint *c, const char *name, size_t n_bytes)
{
    const struct array *a = c ? find(&c->found, name) : NULL;
    return a && a->n_bytes == n_bytes ? a->bytes : NULL;
}

bool checkpoint_recall(const struct checkpoint *c, const char *name, void *to, size_t n_bytes)
{
    const void *bytes = checkpoint_find(c, name, n_bytes);
    if (bytes)
        memcpy(to, bytes, n_bytes);
    return bytes != NULL;
}

void checkpoint_keep(struct checkpoint *c, const char *name, const void *bytes, size_t n_bytes)
{
    if (!c)
        return;
    struct array *a = find(&c->kept, name);
    if (!a) {
        assert(c->kept.n < MAX_ARRAYS && strlen(name) < CHECKPOINT_NAME_BYTES);
        a = &c->kept.of[c->kept.n++];
        *a = (struct array){0};
        memcpy(a->name, name, strlen(name));
    }
    a->bytes = bytes;
    a->n_bytes = n_bytes;
}

void checkpoint_drop(struct checkpoint *c, const char *prefix)
{
    size_t n_left = 0;
    for (size_t i = 0; c && i < c->kept.n; i++)
        if (strncmp(c->kept.of[i].name, prefix, strlen(prefix)) != 0)
            c->kept.of[n_left++] = c->kept.of[i];
    if (c)
        c->kept.n = n_left;
}
