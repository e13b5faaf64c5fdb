/* Arrays as NumPy saves them, in .npy files of format 1, 2 or 3: a header, the text of a Python dictionary,
 * and the values behind it. */
#ifndef DATA_NPY_H
#define DATA_NPY_H

#include "collide/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NPY_MAX_DIMS = 8 };

enum npy_kind { NPY_FLOAT, NPY_SIGNED, NPY_UNSIGNED };

struct npy {
    enum npy_kind kind;
    unsigned value_bytes; /* floats 2, 4 or 8; integers also 1 */
    unsigned n_dims;      /* 0: a single value */
    uint64_t shape[NPY_MAX_DIMS];
    const uint8_t *values; /* product(shape) of them, little-endian, in C order, aligned to nothing; borrowed
                              from the bytes given */
};

/* Whether the file begins as such files do. */
bool npy_is(const void *bytes, size_t n_bytes);

/* Trusts nothing; name is only for messages. COLLIDE_CORRUPT: no such file, or one that breaks off, or goes
 * on after the values. COLLIDE_UNSUPPORTED: Fortran order, big-endian values, types other than the above. */
enum collide_status npy_parse(const void *bytes, size_t n_bytes, const char *name, struct npy *out,
                              struct collide_error *err);

#endif
