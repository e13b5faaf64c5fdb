/* OpenCL's error codes as text. */
#ifndef DEVICE_CL_ERROR_H
#define DEVICE_CL_ERROR_H

#include "collide/status.h"

#include <CL/cl.h>

/* Fills err with "<what>: <name of code> (<code>)" and gives COLLIDE_NO_MEMORY or COLLIDE_DEVICE. */
enum collide_status cl_error_set(struct collide_error *err, cl_int code, const char *what);

#endif
