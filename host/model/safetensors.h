/* The safetensors container: 8-byte little-endian header length, JSON header, raw tensors.
 *
 * Reading trusts nothing: lengths, offsets, shapes and names are all checked, so every tensor handed out lies
 * inside the mapping, has n_bytes = product(shape) * element size, and is aligned to its element size. */
#ifndef MODEL_SAFETENSORS_H
#define MODEL_SAFETENSORS_H

#include "collide/status.h"

#include <stddef.h>
#include <stdint.h>

/* The first are those that models have. */
enum dtype {
    DTYPE_F32,
    DTYPE_F16,
    DTYPE_I8,
    DTYPE_U8,
    DTYPE_U32,
    DTYPE_U64,
    DTYPE_F64,
    DTYPE_BF16,
    DTYPE_I16,
    DTYPE_U16,
    DTYPE_I32,
    DTYPE_I64,
    DTYPE_BOOL,
    N_DTYPES
};

enum { TENSOR_MAX_DIMS = 8 };

/* Of the JSON text; bounds what a hostile header can cost in time and memory. */
enum { SAFETENSORS_MAX_HEADER_BYTES = 1 << 20 };

struct tensor {
    const char *name;
    enum dtype dtype;
    unsigned n_dims;
    uint64_t shape[TENSOR_MAX_DIMS];
    const void *data;
    uint64_t n_bytes;
};

struct metadata_entry {
    const char *name;
    const char *value;
};

size_t dtype_bytes(enum dtype d);
const char *dtype_name(enum dtype d);

struct safetensors;

/* Maps the file. Everything obtained from the result is valid until safetensors_close. */
enum collide_status safetensors_open(const char *path, struct safetensors **out, struct collide_error *err);
void safetensors_close(struct safetensors *s);

/* NULL when absent. */
const struct tensor *safetensors_find(const struct safetensors *s, const char *name);
const char *safetensors_metadata(const struct safetensors *s, const char *name);

size_t safetensors_n_tensors(const struct safetensors *s);
const struct tensor *safetensors_tensor(const struct safetensors *s, size_t i); /* in the file's order */
size_t safetensors_n_metadata(const struct safetensors *s);
struct metadata_entry safetensors_metadata_entry(const struct safetensors *s, size_t i);
uint64_t safetensors_file_bytes(const struct safetensors *s);

/* XXH3-64 of a tensor's bytes. */
uint64_t tensor_checksum(const struct tensor *t);

/* Writes tensors and metadata in the order given, atomically; names are unique, texts UTF-8. Tensors start at
 * multiples of 128 bytes, the first at a multiple of 4096; "__pad" tensors fill the gaps, since the format
 * allows no holes. Adds "xxh3.<name>" for every tensor. */
enum collide_status safetensors_write(const char *path, const struct tensor *tensors, size_t n_tensors,
                                      const struct metadata_entry *metadata, size_t n_metadata,
                                      struct collide_error *err);

#endif
