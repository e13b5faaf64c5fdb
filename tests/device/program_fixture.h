/* A device, a folder of the test's own, and programs whose kernel writes the VALUE they were built with. */
#ifndef TESTS_PROGRAM_FIXTURE_H
#define TESTS_PROGRAM_FIXTURE_H

#include "support/devices.h"
#include "support/scratch.h"

#include "device/program.h"

struct program_fixture {
    struct device *device;
    struct scratch folder;
};

/* cmocka's setup and teardown, on this machine's first device; the state is the fixture. */
int program_set_up(void **state);
int program_tear_down(void **state);

/* For programs with these options, which set VALUE. */
struct program_source program_value_source(const char *options);

/* Fails the test when it does not build. */
struct program *program_build_value(struct program_fixture *f, const char *options, const char *cache_dir);

/* What the program's kernel writes. */
int program_run(struct program_fixture *f, const struct program *p);

/* The program's bytes as a file has them, owned by the caller. */
uint8_t *read_whole_file(const char *path, size_t *n_bytes);
void write_whole_file(const char *path, const void *bytes, size_t n_bytes);

#endif
