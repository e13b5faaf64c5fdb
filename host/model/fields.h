/* The tensors and metadata of a model file by name, as the type that they must have. Every failure is
 * COLLIDE_CORRUPT and names the field. */
#ifndef MODEL_FIELDS_H
#define MODEL_FIELDS_H

#include "model/safetensors.h"

#include <stdbool.h>

/* A tensor that must have this type and number of dimensions. Absent: *out is NULL, which is for the caller
 * to judge. */
enum collide_status field_tensor(const struct safetensors *s, const char *name, enum dtype dtype,
                                 unsigned n_dims, const struct tensor **out, struct collide_error *err);

/* As field_tensor, of a name such as "%s.remap" and a space's name. */
enum collide_status field_tensor_of(const struct safetensors *s, const char *name_format, const char *space,
                                    enum dtype dtype, unsigned n_dims, const struct tensor **out,
                                    struct collide_error *err);

enum collide_status field_length(const struct tensor *t, uint64_t n, struct collide_error *err);
enum collide_status field_missing(const char *name, struct collide_error *err);

/* Refuses a tensor or a piece of metadata of this name, which `why` forbids: who wrote it meant something. */
enum collide_status field_refuse(const struct safetensors *s, const char *name, const char *why,
                                 struct collide_error *err);

/* Metadata; absent ones leave *value as it is. */

/* A JSON number within a float's range. */
enum collide_status field_number(const struct safetensors *s, const char *name, float *value,
                                 struct collide_error *err);

/* A decimal integer from least to most. */
enum collide_status field_integer(const struct safetensors *s, const char *name, uint64_t least,
                                  uint64_t most, uint64_t *value, struct collide_error *err);

/* Two decimal integers below 2^32 with a comma between them, such as "128,64". */
enum collide_status field_pair(const struct safetensors *s, const char *name, uint32_t *first,
                               uint32_t *second, struct collide_error *err);

/* One of these texts; *value is its place among them. */
enum collide_status field_choice(const struct safetensors *s, const char *name, const char *const *texts,
                                 unsigned n_texts, unsigned *value, struct collide_error *err);

#endif
