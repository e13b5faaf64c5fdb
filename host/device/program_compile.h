/* Building a program from source, with the compiler's log in full where it fails. */
#ifndef DEVICE_PROGRAM_COMPILE_H
#define DEVICE_PROGRAM_COMPILE_H

#include "device/program.h"

/* COLLIDE_UNSUPPORTED: the device has no compiler. Returns owned. */
enum collide_status program_compile(const struct device *device, const struct program_source *source,
                                    cl_program *out, struct collide_error *err);

#endif
