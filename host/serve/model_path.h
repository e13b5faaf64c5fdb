/* What the path of a model's file says of it. */
#ifndef SERVE_MODEL_PATH_H
#define SERVE_MODEL_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_NAME_CHARS = 128 };

/* 1 to 127 characters, none of them a control character, `/`, `"` or `\`. */
bool model_name_is_valid(const char *name);

/* How much of a file's name is left without .safetensors or .collide; all of it where it ends otherwise. */
size_t model_path_stem_bytes(const char *file_name);

/* The number that all of a text is, above 0 and without leading zeros; 0: it is none. */
uint64_t model_path_number(const char *text);

/* Of .../NAME/VERSION/FILE, where the version is a number; 0: it is no such path. */
uint64_t model_path_version(const char *path);

/* NAME of such a path, else the file's stem, cut off at MODEL_NAME_CHARS - 1. */
void model_path_name(const char *path, char out[MODEL_NAME_CHARS]);

#endif
