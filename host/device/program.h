/* A built program: from a device binary that the user gives, from the cache of device binaries where it holds
 * one, else from source. */
#ifndef DEVICE_PROGRAM_H
#define DEVICE_PROGRAM_H

#include "device/device.h"

enum program_means { PROGRAM_MAY_COMPILE, PROGRAM_MUST_BE_BUILT };

/* What to build. Borrowed during program_build. */
struct program_source {
    const char *text;
    size_t n_bytes;
    const char *options; /* the specialisation, e.g. "-DDIM=64" */
    enum program_means means;
};

enum program_origin { PROGRAM_FROM_FILE, PROGRAM_FROM_CACHE, PROGRAM_FROM_SOURCE };

struct program;

/* COLLIDE_UNSUPPORTED: source would have to be compiled, but there is no compiler, or it must be built.
 * cache_dir: NULL for $XDG_CACHE_HOME/collide or ~/.cache/collide, "" for no cache. The key of an entry holds
 * device, driver, source and options; an entry that does not load is built anew, and is in the cache once
 * program_keep was called. A program that lives on the device already, built for the same, is shared. Returns
 * owned. A failed build's log is in err and, whole, in the error log. */
enum collide_status program_build(struct device *device, const struct program_source *source,
                                  const char *cache_dir, struct program **out, struct collide_error *err);

/* Puts a program that was built from source into the cache of its program_build, the first time it is called.
 * Launch each kernel once before, as for program_save: whoever finds the entry then need not compile at all.
 * Where it cannot be written, that costs time later, and is logged. Any thread. */
void program_keep(struct program *p);

/* A device binary, as program_save or a cache entry has it: what it was built for stands in it as text, and
 * is compared with the device, the source's version and the options at hand. COLLIDE_INVALID says what
 * differs (another device or driver, an older collide, another specialisation) and how to build it anew;
 * COLLIDE_CORRUPT: it is no such file, or damaged; COLLIDE_DEVICE: the driver refuses it. Never compiles
 * source. Shares what lives already, as program_build does. The format is in program_file.h. */
enum collide_status program_load(struct device *device, const struct program_source *source, const char *path,
                                 struct program **out, struct collide_error *err);

/* Writes the program as a device binary, atomically. Launch each kernel once before: drivers such as PoCL
 * compile the rest then, and the file should hold it. */
enum collide_status program_save(const struct program *p, const char *path, struct collide_error *err);

/* Gives up one's share. NULL is fine. */
void program_destroy(struct program *p);

/* What a device binary says of itself. */
struct program_manifest {
    char device[128];
    char platform[128];
    char driver[128];
    char options[1024];
    char source[33]; /* XXH3-128 of the kernels' text, hexadecimal */
    uint64_t binary_bytes;
};

enum collide_status program_manifest_read(const char *path, struct program_manifest *out,
                                          struct collide_error *err);

cl_program program_handle(const struct program *p);
enum program_origin program_origin(const struct program *p);
const char *program_origin_name(enum program_origin origin);

#endif
