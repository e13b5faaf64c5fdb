/* A built program: from the cache of device binaries where it holds one, else from source. */
#ifndef DEVICE_PROGRAM_H
#define DEVICE_PROGRAM_H

#include "device/device.h"

/* What to build. Borrowed during program_build. */
struct program_source {
    const char *text;
    size_t n_bytes;
    const char *options; /* the specialisation, e.g. "-DDIM=64" */
};

enum program_origin { PROGRAM_FROM_CACHE, PROGRAM_FROM_SOURCE };

struct program;

/* cache_dir: NULL for $XDG_CACHE_HOME/collide or ~/.cache/collide, "" for no cache. The key of an entry holds
 * device, driver, source and options; an entry that does not load is built anew. Returns owned. A failed
 * build's log is in err and, whole, in the error log. */
enum collide_status program_build(struct device *device, const struct program_source *source,
                                  const char *cache_dir, struct program **out, struct collide_error *err);
void program_destroy(struct program *p);

cl_program program_handle(const struct program *p);
enum program_origin program_origin(const struct program *p);

#endif
