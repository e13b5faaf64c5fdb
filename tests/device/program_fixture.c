#include "device/program_fixture.h"

#include "base/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char SOURCE[] =
    "__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void write_value(__global int *out)\n"
    "{\n"
    "    out[0] = VALUE;\n"
    "}\n";

int program_set_up(void **state)
{
    static struct program_fixture f;
    devices_list();
    f.device = devices_open(&(struct device_setup){.device = 0});
    scratch_create(&f.folder);
    *state = &f;
    return 0;
}

int program_tear_down(void **state)
{
    struct program_fixture *f = *state;
    devices_close(f->device);
    scratch_destroy(&f->folder);
    return 0;
}

struct program_source program_value_source(const char *options)
{
    return (struct program_source){.text = SOURCE, .n_bytes = sizeof SOURCE - 1, .options = options};
}

struct program *program_build_value(struct program_fixture *f, const char *options, const char *cache_dir)
{
    const struct program_source source = program_value_source(options);
    struct collide_error err = {0};
    struct program *p;
    if (program_build(f->device, &source, cache_dir, &p, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return p;
}

int program_run(struct program_fixture *f, const struct program *p)
{
    cl_context context = device_context(f->device);
    cl_device_id id = device_info(f->device)->id;
    const size_t one = 1;
    cl_int codes[3], out = 0;
    cl_command_queue queue = clCreateCommandQueueWithProperties(context, id, NULL, &codes[0]);
    cl_mem buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, sizeof out, NULL, &codes[1]);
    cl_kernel kernel = clCreateKernel(program_handle(p), "write_value", &codes[2]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(codes[i], CL_SUCCESS);
    assert_int_equal(clSetKernelArg(kernel, 0, sizeof buffer, &buffer), CL_SUCCESS);
    assert_int_equal(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &one, &one, 0, NULL, NULL), CL_SUCCESS);
    assert_int_equal(clEnqueueReadBuffer(queue, buffer, CL_TRUE, 0, sizeof out, &out, 0, NULL, NULL),
                     CL_SUCCESS);
    clReleaseKernel(kernel);
    clReleaseMemObject(buffer);
    clReleaseCommandQueue(queue);
    return out;
}

uint8_t *read_whole_file(const char *path, size_t *n_bytes)
{
    struct file_map map;
    struct collide_error err = {0};
    if (file_map(path, &map, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    uint8_t *bytes = malloc(map.n_bytes);
    assert_non_null(bytes);
    memcpy(bytes, map.bytes, map.n_bytes);
    *n_bytes = map.n_bytes;
    file_unmap(&map);
    return bytes;
}

void write_whole_file(const char *path, const void *bytes, size_t n_bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n_bytes), n_bytes);
    close(fd);
}
