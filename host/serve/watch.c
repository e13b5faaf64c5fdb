#include "serve/watch.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "serve/changes.h"
#include "serve/model_folder.h"
#include "serve/worker.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Files are looked at when they are whole: closed by their writer, or moved here. */
enum {
    EVENTS = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR,
    QUIET_MS = 100,
    LONGEST_MS = 2000,
};

struct watch {
    struct service *service;
    char *folder;
    int fd;
    uint64_t first_news_ns, last_news_ns; /* 0: none */
    struct folder_list known;             /* what was there when watch_apply last looked */
};

/* Of a folder and those in it, two levels deep. Watching again what is watched changes nothing. */
static void watch_folders(const struct watch *w, const char *folder, unsigned depth)
{
    DIR *dir = inotify_add_watch(w->fd, folder, EVENTS) >= 0 && depth > 0 ? opendir(folder) : NULL;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char *path;
        if (e->d_name[0] == '.' || asprintf(&path, "%s/%s", folder, e->d_name) < 0)
            continue;
        watch_folders(w, path, depth - 1); /* of a file, IN_ONLYDIR makes nothing */
        free(path);
    }
    if (dir)
        closedir(dir);
}

enum collide_status watch_create(const char *folder, struct service *service, struct watch **out,
                                 struct collide_error *err)
{
    struct watch *w = calloc(1, sizeof *w);
    if (!w)
        return error_no_memory(err, "a watched folder");
    w->service = service;
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    w->folder = strdup(folder);
    enum collide_status status = COLLIDE_OK;
    if (w->fd < 0 || !w->folder)
        status = error_set_errno(err, COLLIDE_IO, errno, "cannot watch %s", folder);
    else if (inotify_add_watch(w->fd, folder, EVENTS) < 0)
        status = error_set_errno(err, errno == ENOENT ? COLLIDE_NOT_FOUND : COLLIDE_IO, errno,
                                 "cannot watch the folder %s", folder);
    if (status != COLLIDE_OK) {
        watch_destroy(w);
        return status;
    }
    w->first_news_ns = w->last_news_ns = clock_now_ns();
    *out = w;
    return COLLIDE_OK;
}

void watch_destroy(struct watch *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        close(w->fd);
    folder_list_free(&w->known);
    free(w->folder);
    free(w);
}

int watch_fd(const struct watch *w)
{
    return w->fd;
}

/* A file that is created is news when it is whole. */
static bool is_news(const struct inotify_event *e)
{
    return !(e->mask & IN_IGNORED) && (!(e->mask & IN_CREATE) || e->mask & IN_ISDIR);
}

void watch_take_news(struct watch *w)
{
    _Alignas(struct inotify_event) char bytes[4096];
    uint64_t now_ns = clock_now_ns();
    for (ssize_t n; (n = read(w->fd, bytes, sizeof bytes)) > 0;)
        for (char *at = bytes; at < bytes + n;) {
            const struct inotify_event *e = (const struct inotify_event *)(void *)at;
            at += sizeof *e + e->len;
            if (!is_news(e))
                continue;
            w->first_news_ns = w->first_news_ns ? w->first_news_ns : now_ns;
            w->last_news_ns = now_ns;
        }
}

int watch_due_ms(const struct watch *w)
{
    if (!w->first_news_ns)
        return -1;
    uint64_t quiet_ns = w->last_news_ns + QUIET_MS * UINT64_C(1000000);
    uint64_t longest_ns = w->first_news_ns + LONGEST_MS * UINT64_C(1000000);
    uint64_t due_ns = quiet_ns < longest_ns ? quiet_ns : longest_ns, now_ns = clock_now_ns();
    return due_ns <= now_ns ? 0 : (int)((due_ns - now_ns) / 1000000 + 1);
}

/* Whether a higher version than that of now->files[at], known before, is still there. */
static bool is_below_known(const struct watch *w, const struct folder_list *now, size_t at)
{
    const struct folder_file *file = &now->files[at];
    for (size_t i = at + 1; i < now->n && strcmp(now->files[i].name, file->name) == 0; i++)
        if (folder_list_find(&w->known, now->files[i].path))
            return true;
    return false;
}

/* Whether to load the same file again would come to the same. */
static bool is_final(enum collide_status status)
{
    return status == COLLIDE_OK || status == COLLIDE_CORRUPT || status == COLLIDE_INVALID;
}

/* Loads what is new or has changed. Versions that are passed over leave the list: another time they may do.
 * What failed for a passing reason, such as a lack of memory, stays as a file that has changed: true, there
 * is such. */
static bool load_news(struct watch *w, struct folder_list *now)
{
    size_t n = 0;
    bool has_passing = false;
    for (size_t i = 0; i < now->n; i++) {
        const struct folder_file file = now->files[i], *known = folder_list_find(&w->known, file.path);
        if (!known && is_below_known(w, now, i)) {
            free(file.path);
            continue;
        }
        now->files[n] = file;
        if (!known || !file_stamp_equals(&known->stamp, &file.stamp))
            if (!is_final(change_load(w->service, file.name, file.path, NULL))) {
                now->files[n].stamp = (struct file_stamp){0};
                has_passing = true;
            }
        n++;
    }
    now->n = n;
    return has_passing;
}

static bool has_name(const struct folder_list *list, const char *name)
{
    size_t i = 0;
    while (i < list->n && strcmp(list->files[i].name, name) != 0)
        i++;
    return i < list->n;
}

/* A file that is still there was only pushed aside by higher versions. Without a version of its own it stands
 * for all of its name. True: a version is gone. */
static bool unload_gone(struct watch *w, const struct folder_list *now)
{
    struct stat st;
    bool has_unloaded = false;
    for (size_t i = 0; i < w->known.n; i++) {
        const struct folder_file *file = &w->known.files[i];
        if (folder_list_find(now, file->path) || stat(file->path, &st) == 0)
            continue;
        if (file->version > 0 || !has_name(now, file->name))
            has_unloaded |= change_unload(w->service, file->name, file->version, NULL) == COLLIDE_OK;
    }
    return has_unloaded;
}

void watch_apply(struct watch *w)
{
    struct collide_error err = {0};
    struct folder_list now = {0};
    w->first_news_ns = w->last_news_ns = 0;
    watch_folders(w, w->folder, 2);
    if (model_folder_scan(w->folder, w->service->options.keep_versions, &now, &err) != COLLIDE_OK) {
        log_error("%s; what is loaded from there stays", err.text);
        return;
    }
    bool has_passing = load_news(w, &now);
    if (unload_gone(w, &now) && has_passing) /* perhaps there is room now */
        w->first_news_ns = w->last_news_ns = clock_now_ns();
    folder_list_free(&w->known);
    w->known = now;
}
