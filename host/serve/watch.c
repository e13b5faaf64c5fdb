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

/* Files are looked at when they are whole: closed by their writer, moved or linked here. */
enum {
    EVENTS = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF |
             IN_MOVE_SELF | IN_ONLYDIR,
    QUIET_MS = 100,
    LONGEST_MS = 2000,
    RETRY_MS = 1000, /* of a folder that is not there */
};

/* A folder that is watched, by inotify's number. */
struct watched_folder {
    int number;
    char *path;
};

struct watch {
    struct service *service;
    char *folder;
    int fd;
    struct watched_folder *folders; /* (n_folders), it and those in it */
    size_t n_folders;
    uint64_t first_news_ns, last_news_ns; /* 0: none */
    struct folder_list known;             /* what was there when watch_apply last looked */
    bool is_lost;                         /* the folder could not be read then */
};

static struct watched_folder *find_folder(const struct watch *w, int number)
{
    for (size_t i = 0; i < w->n_folders; i++)
        if (w->folders[i].number == number)
            return &w->folders[i];
    return NULL;
}

/* Without memory, links that come there are seen with the next other news. */
static void know_folder(struct watch *w, int number, const char *path)
{
    struct watched_folder *known = find_folder(w, number), *grown;
    char *copy = strdup(path);
    if (known && copy) { /* perhaps by another path than it had */
        free(known->path);
        known->path = copy;
    } else if (copy && (grown = realloc(w->folders, (w->n_folders + 1) * sizeof *grown))) {
        w->folders = grown;
        w->folders[w->n_folders++] = (struct watched_folder){number, copy};
    } else {
        free(copy);
    }
}

static void forget_folder(struct watch *w, int number)
{
    struct watched_folder *known = find_folder(w, number);
    if (!known)
        return;
    free(known->path);
    *known = w->folders[--w->n_folders];
}

/* Of a folder and those in it, two levels deep. Watching again what is watched changes nothing. False: it
 * cannot be watched, as what is no folder; errno says why. */
static bool watch_folders(struct watch *w, const char *folder, unsigned depth)
{
    int number = inotify_add_watch(w->fd, folder, EVENTS);
    if (number < 0)
        return false;
    know_folder(w, number, folder);
    DIR *dir = depth > 0 ? opendir(folder) : NULL;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char *path;
        if (e->d_name[0] == '.' || asprintf(&path, "%s/%s", folder, e->d_name) < 0)
            continue;
        watch_folders(w, path, depth - 1);
        free(path);
    }
    if (dir)
        closedir(dir);
    return true;
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
    else if (!watch_folders(w, folder, 0))
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
    for (size_t i = 0; i < w->n_folders; i++)
        free(w->folders[i].path);
    free(w->folders);
    folder_list_free(&w->known);
    free(w->folder);
    free(w);
}

int watch_fd(const struct watch *w)
{
    return w->fd;
}

/* Whether what was created is another name of what is there already: no one will close it. */
static bool is_link(const struct watch *w, const struct inotify_event *e)
{
    const struct watched_folder *folder = find_folder(w, e->wd);
    char *path;
    struct stat st;
    if (!folder || asprintf(&path, "%s/%s", folder->path, e->name) < 0)
        return false;
    bool is = lstat(path, &st) == 0 && (S_ISLNK(st.st_mode) || st.st_nlink > 1);
    free(path);
    return is;
}

/* A file that is created is news when it is whole. */
static bool is_news(const struct watch *w, const struct inotify_event *e)
{
    return !(e->mask & IN_IGNORED) && (!(e->mask & IN_CREATE) || e->mask & IN_ISDIR || is_link(w, e));
}

void watch_take_news(struct watch *w)
{
    _Alignas(struct inotify_event) char bytes[4096];
    uint64_t now_ns = clock_now_ns();
    for (ssize_t n; (n = read(w->fd, bytes, sizeof bytes)) > 0;)
        for (char *at = bytes; at < bytes + n;) {
            const struct inotify_event *e = (const struct inotify_event *)(void *)at;
            at += sizeof *e + e->len;
            if (e->mask & IN_IGNORED)
                forget_folder(w, e->wd);
            if (!is_news(w, e))
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

static bool is_last_of_name(const struct folder_list *list, size_t at)
{
    return at + 1 == list->n || strcmp(list->files[at + 1].name, list->files[at].name) != 0;
}

/* A file that is still there was only pushed aside by higher versions. With the last file of a name goes all
 * that is loaded under it: also of files without a version of their own, which went before. True: a version
 * is gone. */
static bool unload_gone(struct watch *w, const struct folder_list *now)
{
    struct stat st;
    bool has_unloaded = false;
    for (size_t i = 0; i < w->known.n; i++) {
        const struct folder_file *file = &w->known.files[i];
        if (folder_list_find(now, file->path) || stat(file->path, &st) == 0)
            continue;
        const bool has_others = has_name(now, file->name);
        if (has_others ? file->version > 0 : is_last_of_name(&w->known, i))
            has_unloaded |=
                change_unload(w->service, file->name, has_others ? file->version : 0, NULL) == COLLIDE_OK;
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
        if (!w->is_lost)
            log_error("%s; what is loaded from there stays, and it is looked for every second", err.text);
        w->is_lost = true;
        w->first_news_ns = w->last_news_ns = clock_now_ns() + (RETRY_MS - QUIET_MS) * UINT64_C(1000000);
        return;
    }
    w->is_lost = false;
    bool has_passing = load_news(w, &now);
    if (unload_gone(w, &now) && has_passing) /* perhaps there is room now */
        w->first_news_ns = w->last_news_ns = clock_now_ns();
    folder_list_free(&w->known);
    w->known = now;
}
