/* The bytes of binary tensors behind the JSON, as they come. */
#ifndef API_OIP_BINARY_H
#define API_OIP_BINARY_H

#include "api/oip_tensor.h"
#include "base/cursor.h"

/* A tensor that has come in part. Zeroed at first. */
struct oip_binary {
    size_t n_taken; /* bytes */
    bool is_whole;
    struct oip_values values;
};

/* Takes what has come of a tensor's bytes, and no other's. Where they stay they are used where they lie, else
 * copied to the arena. */
enum collide_status oip_take_binary(struct oip_binary *b, struct oip_tensor *t, struct cursor *bytes,
                                    bool stays, struct arena *arena, struct collide_error *err);

#endif
