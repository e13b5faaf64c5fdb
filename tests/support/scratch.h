/* A folder of a test's own under $TMPDIR. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

enum { SCRATCH_PATH_BYTES = 256 };

struct scratch {
    char folder[SCRATCH_PATH_BYTES];
};

/* Fails the test when there can be none. */
void scratch_create(struct scratch *s);

/* Removes the folder and all that is in it. */
void scratch_destroy(const struct scratch *s);

/* out: (2 * SCRATCH_PATH_BYTES), the path of a file in the folder. */
void scratch_path(const struct scratch *s, const char *name, char *out);

#endif
