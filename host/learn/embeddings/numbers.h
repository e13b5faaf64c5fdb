/* Numbers that others computed: an array of a .npy file, or a tensor of a .safetensors file. */
#ifndef LEARN_NUMBERS_H
#define LEARN_NUMBERS_H

#include "base/file.h"
#include "model/safetensors.h"

enum { NUMBERS_MAX_DIMS = 2 };

struct numbers {
    const char *name; /* as it was given, for messages; borrowed */
    enum dtype dtype; /* not DTYPE_BOOL */
    uint64_t shape[NUMBERS_MAX_DIMS];
    uint64_t n;            /* product(shape) */
    const uint8_t *values; /* (n) little-endian, aligned to nothing */
    /* What the values are in; owned. */
    struct file_map map;
    struct safetensors *tensors;
};

enum numbers_kind { NUMBERS_FLOATS, NUMBERS_ANY };

/* Opens FILE, or FILE:TENSOR of a .safetensors file: without TENSOR its only tensor of that many dimensions
 * (1 or 2) and that kind. A file is what its first bytes say. COLLIDE_INVALID: other dimensions, another
 * kind, no such tensor or several. Otherwise as npy_parse and safetensors_open. Returns owned, borrows name.
 */
enum collide_status numbers_open(const char *name, unsigned n_dims, enum numbers_kind kind,
                                 struct numbers *out, struct collide_error *err);
void numbers_close(struct numbers *n);

/* As file_check_apart, of the file that a name is of; name NULL: nothing is read. */
enum collide_status numbers_check_apart(const char *output, const char *name, struct collide_error *err);

/* The i-th, i < n; of 64-bit integers the nearest double. */
double numbers_at(const struct numbers *n, uint64_t i);

#endif
