/* A safetensors file taken apart and put together again, by code that shares nothing with host/model: its
 * rules are checked here from the format's own description, and files can be made wrong in one place at a
 * time. */
#ifndef TESTS_SAFETENSORS_DRAFT_H
#define TESTS_SAFETENSORS_DRAFT_H

#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

enum { DRAFT_MAX_TENSORS = 64, DRAFT_MAX_DIMS = 4 };

struct draft_tensor {
    char name[40];
    char dtype[8];
    uint64_t shape[DRAFT_MAX_DIMS];
    unsigned n_dims;
    unsigned char *bytes; /* owned */
    size_t n_bytes;
    size_t position; /* in the file that was read */
};

struct draft {
    struct draft_tensor tensors[DRAFT_MAX_TENSORS];
    unsigned n;
    cJSON *metadata; /* owned */
};

/* Fails the test unless the bytes are a safetensors file by the format's rules: one JSON object, padded with
 * spaces; unique names; sizes that agree; no hole, overlap or rest. */
void draft_read(const unsigned char *bytes, size_t n_bytes, struct draft *out);
void draft_free(struct draft *d);

/* Leaves out the padding and orders tensors by element size, largest first, so that all are aligned however
 * long each is. Needed before saving; draft_add does it, too. */
void draft_arrange(struct draft *d);

/* Fails the test if there is no such tensor. */
struct draft_tensor *draft_tensor(struct draft *d, const char *name);

/* Its first dimension becomes n; new entries are zero. */
void draft_resize(struct draft_tensor *t, uint64_t n);

void draft_add(struct draft *d, const char *name, const char *dtype, unsigned n_dims, const uint64_t *shape,
               const void *bytes);
void draft_remove(struct draft *d, const char *name);
void draft_set_metadata(struct draft *d, const char *name, const char *value); /* NULL: remove it */
void draft_drop_checksums(struct draft *d);

/* The tensors one after the other in order, and the header that says so; both to be freed by the caller. */
cJSON *draft_header(const struct draft *d);
unsigned char *draft_data(const struct draft *d, size_t *n_bytes);

/* A file of header, padded with spaces to a multiple of 8, and data. */
void image_save(const char *path, const char *header, const void *data, size_t n_bytes);
void draft_save(const struct draft *d, const char *path);

#endif
