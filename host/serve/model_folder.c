#include "serve/model_folder.h"

#include "base/error.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void folder_list_free(struct folder_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->files[i].path);
    free(list->files);
    *list = (struct folder_list){0};
}

const struct folder_file *folder_list_find(const struct folder_list *list, const char *path)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->files[i].path, path) == 0)
            return &list->files[i];
    return NULL;
}

/* Takes the path. */
static enum collide_status append(struct folder_list *list, const struct folder_file *file,
                                  struct collide_error *err)
{
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct folder_file *grown = realloc(list->files, capacity * sizeof *grown);
        if (!grown) {
            free(file->path);
            return error_no_memory(err, "a list of models");
        }
        list->files = grown;
        list->capacity = capacity;
    }
    list->files[list->n++] = *file;
    return COLLIDE_OK;
}

/* What is looked for in a folder's entries, and where. */
struct level {
    enum collide_status (*take)(const struct level *level, const char *entry, char *path,
                                struct collide_error *err);
    const char *name;
    uint64_t version;
    struct folder_list *list;
};

/* Calls take, which owns the path, for each entry that is not hidden. */
static enum collide_status walk(const char *folder, const struct level *level, struct collide_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return error_set_errno(err, errno == ENOENT ? COLLIDE_NOT_FOUND : COLLIDE_IO, errno,
                               "cannot read the folder %s", folder);
    enum collide_status status = COLLIDE_OK;
    for (struct dirent *e; status == COLLIDE_OK && (e = readdir(dir));) {
        char *path;
        if (e->d_name[0] == '.')
            continue;
        status = asprintf(&path, "%s/%s", folder, e->d_name) < 0 ? error_no_memory(err, "a path")
                                                                 : level->take(level, e->d_name, path, err);
    }
    closedir(dir);
    return status;
}

/* A folder that has gone meanwhile, or that is closed to us, has nothing. */
static enum collide_status descend(char *path, const struct level *level, struct collide_error *err)
{
    enum collide_status status = walk(path, level, err);
    free(path);
    return status == COLLIDE_NO_MEMORY ? status : COLLIDE_OK;
}

/* FILE of a level that knows the version, or NAME.ENDING of one that does not. */
static enum collide_status take_file(const struct level *level, const char *entry, char *path,
                                     struct collide_error *err)
{
    struct stat st;
    size_t n_stem = model_path_stem_bytes(entry);
    struct folder_file file = {.version = level->version, .path = path};
    if (level->name)
        snprintf(file.name, sizeof file.name, "%s", level->name);
    else
        snprintf(file.name, sizeof file.name, "%.*s", (int)n_stem, entry);
    if (entry[n_stem] && stat(path, &st) == 0 && S_ISREG(st.st_mode) && model_name_is_valid(file.name)) {
        file.stamp = file_stamp_of(&st);
        return append(level->list, &file, err);
    }
    free(path);
    return COLLIDE_OK;
}

static enum collide_status take_version(const struct level *level, const char *entry, char *path,
                                        struct collide_error *err)
{
    const struct level files = {
        .take = take_file, .name = level->name, .version = model_path_number(entry), .list = level->list};
    if (files.version > 0)
        return descend(path, &files, err);
    if (entry[model_path_stem_bytes(entry)])
        log_warning("%s is passed over: a name's files are in folders called 1, 2, ..., its versions", path);
    free(path);
    return COLLIDE_OK;
}

static enum collide_status take_name(const struct level *level, const char *entry, char *path,
                                     struct collide_error *err)
{
    struct stat st;
    const struct level versions = {.take = take_version, .name = entry, .list = level->list};
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return descend(path, &versions, err);
    return take_file(level, entry, path, err);
}

static int compare(const void *a, const void *b)
{
    const struct folder_file *x = a, *y = b;
    int by_name = strcmp(x->name, y->name);
    if (by_name != 0 || x->version != y->version)
        return by_name != 0 ? by_name : x->version < y->version ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* Of sorted files; of several of one version the first. */
static void cut(struct folder_list *list, size_t keep)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        size_t n_after = 0;
        for (size_t k = i + 1; k < list->n && strcmp(list->files[k].name, list->files[i].name) == 0; k++)
            n_after += list->files[k].version != list->files[k - 1].version;
        bool is_twice = n > 0 && strcmp(list->files[n - 1].name, list->files[i].name) == 0 &&
                        list->files[n - 1].version == list->files[i].version;
        if (n_after < keep && !is_twice)
            list->files[n++] = list->files[i];
        else
            free(list->files[i].path);
    }
    list->n = n;
}

enum collide_status model_folder_scan(const char *folder, size_t keep, struct folder_list *out,
                                      struct collide_error *err)
{
    struct folder_list list = {0};
    const struct level names = {.take = take_name, .list = &list};
    enum collide_status status = walk(folder, &names, err);
    if (status != COLLIDE_OK) {
        folder_list_free(&list);
        return status;
    }
    if (list.n > 0)
        qsort(list.files, list.n, sizeof list.files[0], compare);
    cut(&list, keep);
    *out = list;
    return COLLIDE_OK;
}
