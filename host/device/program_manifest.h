/* What a device binary was built for, as text: one line "name: value" each of platform, device, version (of
 * the device's OpenCL), driver, source (XXH3-128 of the kernels' text) and options. Two programs with one
 * manifest are one. */
#ifndef DEVICE_PROGRAM_MANIFEST_H
#define DEVICE_PROGRAM_MANIFEST_H

#include "device/program.h"
#include "device/program_file.h"

/* Appends the manifest of a program for a device. */
void manifest_append(struct buffer *out, const struct device_info *d, const struct program_source *source);

/* The value of a line; no bytes where there is no such line. */
struct text manifest_value(struct text manifest, const char *name);

/* COLLIDE_INVALID says in what a file's manifest is not the wanted one. path is for the message. */
enum collide_status manifest_check(const char *path, struct text manifest, struct text wanted,
                                   struct collide_error *err);

#endif
