/* A folder of models, as it is at some time:
 *
 *     FOLDER/NAME/VERSION/FILE    FILE ends in .safetensors or .collide; VERSION is a number above 0
 *     FOLDER/FILE                 the model NAME, where FILE is NAME.safetensors or NAME.collide */
#ifndef SERVE_MODEL_FOLDER_H
#define SERVE_MODEL_FOLDER_H

#include "collide/status.h"
#include "serve/file_stamp.h"
#include "serve/model_path.h"

struct folder_file {
    char name[MODEL_NAME_CHARS];
    uint64_t version; /* 0: its path does not say */
    char *path;       /* owned */
    struct file_stamp stamp;
};

struct folder_list {
    struct folder_file *files; /* (n), by name, then by version */
    size_t n, capacity;
};

/* Of each name at most `keep` files, those of the highest versions. What cannot be read is passed over; only
 * a folder that cannot is an error. */
enum collide_status model_folder_scan(const char *folder, size_t keep, struct folder_list *out,
                                      struct collide_error *err);
void folder_list_free(struct folder_list *list);

/* The file of this path; NULL: there is none. */
const struct folder_file *folder_list_find(const struct folder_list *list, const char *path);

#endif
