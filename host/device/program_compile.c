#include "device/program_compile.h"

#include "base/error.h"
#include "base/log.h"
#include "device/cl_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line each, since log lines have a largest length and build logs have none. */
static void log_lines(const char *text)
{
    for (size_t n; *text; text += n + (text[n] != '\0')) {
        n = strcspn(text, "\n");
        if (n > 0)
            log_error("%.*s", (int)n, text);
    }
}

/* The line of a build log that says most: the first with an error in it, else the first. */
static const char *telling_line(const char *text, size_t *n_bytes)
{
    const char *line = strstr(text, "error:");
    if (!line)
        line = text + strspn(text, "\n");
    while (line > text && line[-1] != '\n')
        line--;
    *n_bytes = strcspn(line, "\n");
    return line;
}

static enum collide_status report_build(const struct device *device, cl_program handle, cl_int code,
                                        struct collide_error *err)
{
    size_t n = 0;
    cl_device_id id = device_info(device)->id;
    clGetProgramBuildInfo(handle, id, CL_PROGRAM_BUILD_LOG, 0, NULL, &n);
    char *text = calloc(1, n + 1);
    if (!text)
        return error_no_memory(err, "a build log");
    clGetProgramBuildInfo(handle, id, CL_PROGRAM_BUILD_LOG, n, text, NULL);
    log_error("the kernels do not build for %s:", device_info(device)->name);
    log_lines(text);
    char what[320];
    size_t n_line;
    const char *line = telling_line(text, &n_line);
    snprintf(what, sizeof what, "the kernels do not build for %.64s: %.*s", device_info(device)->name,
             n_line < 200 ? (int)n_line : 200, line);
    free(text);
    return cl_error_set(err, code, what);
}

enum collide_status program_compile(const struct device *device, const struct program_source *source,
                                    cl_program *out, struct collide_error *err)
{
    const struct device_info *info = device_info(device);
    if (!info->has_compiler)
        return error_set(
            err, COLLIDE_UNSUPPORTED,
            "%.64s has no compiler; give it a device binary, which `collide kernels build` makes where "
            "there is one",
            info->name);
    if (source->means == PROGRAM_MUST_BE_BUILT)
        return error_set(
            err, COLLIDE_UNSUPPORTED,
            "the kernels for such a model are not in the cache, and this process compiles no more; "
            "`collide kernels build` with its options fills the cache");
    cl_int code;
    cl_program handle = clCreateProgramWithSource(device_context(device), 1, (const char *[]){source->text},
                                                  &source->n_bytes, &code);
    if (code != CL_SUCCESS)
        return cl_error_set(err, code, "cannot create the program");
    code = clBuildProgram(handle, 1, &info->id, source->options, NULL, NULL);
    if (code != CL_SUCCESS) {
        enum collide_status status = report_build(device, handle, code, err);
        clReleaseProgram(handle);
        return status;
    }
    *out = handle;
    return COLLIDE_OK;
}
