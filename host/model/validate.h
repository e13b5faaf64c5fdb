/* The checks that stand between a model file and the kernels, which check nothing themselves. */
#ifndef MODEL_VALIDATE_H
#define MODEL_VALIDATE_H

#include "model/model.h"
#include "model/safetensors.h"

/* Features have names, each of its own, that fit TENSOR_NAME_BYTES. */
enum collide_status validate_features(const struct model *m, struct collide_error *err);

/* Sizes and kinds go together: dim, rows, scales, lookups, bits, numbers of ids, spaces' own rows, classes.
 */
enum collide_status validate_sizes(const struct model *m, struct collide_error *err);

/* Every entry of a stored or packed mapping, of every embedded space, names a row, of its codebook where it
 * has one. */
enum collide_status validate_mapping(const struct model *m, struct collide_error *err);

/* Offsets start at 0, never fall, end at n_history, leave the unknown user's history empty; items are known.
 */
enum collide_status validate_histories(const struct model *m, uint64_t n_history, struct collide_error *err);

/* n_slots is a power of two with a free slot, slots name ids, key texts lie inside their n_key_bytes. Whether
 * a key's slot is where its hash says is for those who know the hash (score/model_handle.c). */
enum collide_status validate_keys(const struct keys *keys, uint32_t n_ids, uint64_t n_key_bytes,
                                  const char *space, struct collide_error *err);

/* Rows, scales, weights, lookup weights and biases hold no NaN or infinity. */
enum collide_status validate_finite(const struct model *m, struct collide_error *err);

/* Where a space has fewer lookups than the mapping, the last row, which the others lead to, is zeros. */
enum collide_status validate_missing_lookups(const struct model *m, struct collide_error *err);

/* Each "xxh3.<name>" of the metadata names a tensor, which has those bytes. */
enum collide_status validate_checksums(const struct safetensors *s, struct collide_error *err);

#endif
