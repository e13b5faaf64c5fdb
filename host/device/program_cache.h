/* Where built programs are kept. */
#ifndef DEVICE_PROGRAM_CACHE_H
#define DEVICE_PROGRAM_CACHE_H

#include "device/program_file.h"

#include <stdbool.h>

/* The folder of cached binaries, made if need be; false when there is none. cache_dir as in program_build. */
bool program_cache_folder(const char *cache_dir, char *out, size_t capacity);

/* The path of a program's entry, named by its manifest; false when there is no cache. */
bool program_cache_path(const char *cache_dir, struct text manifest, char *out, size_t capacity);

#endif
