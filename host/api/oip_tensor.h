/* An input tensor of the Open Inference Protocol, its values from JSON or from the bytes behind it. */
#ifndef API_OIP_TENSOR_H
#define API_OIP_TENSOR_H

#include "api/json_reader.h"
#include "base/cursor.h"
#include "collide/id.h"

enum oip_datatype {
    OIP_INT32,
    OIP_INT64,
    OIP_UINT32,
    OIP_UINT64,
    OIP_FP32,
    OIP_BYTES,
    OIP_N_DATATYPES, /* none */
};

const char *oip_datatype_name(enum oip_datatype datatype);

enum { OIP_MAX_RANK = 2, OIP_LABEL_CHARS = 40 };

struct oip_tensor {
    struct json_text name;
    char label[OIP_LABEL_CHARS]; /* the name, for messages */
    enum oip_datatype datatype;
    unsigned rank; /* 1 .. OIP_MAX_RANK; 0: no tensor */
    size_t shape[OIP_MAX_RANK];
    size_t n; /* values in all */
    /* One of the three, by datatype; (n) each. */
    const void *numbers; /* integers, none negative: little-endian, at a multiple of 4 */
    const struct collide_id *texts;
    const float *floats;
    unsigned number_bytes; /* 4 or 8 */
};

/* A request's body. */
struct oip_source {
    struct json_reader json;
    struct cursor binary; /* what is left of the bytes behind the JSON */
};

/* Reads the input that is next in the JSON, and takes its bytes if it has some. Values borrow from the body
 * and from the reader's arena. */
enum collide_status oip_read_tensor(struct oip_source *s, struct oip_tensor *out, struct collide_error *err);

/* The values of integers or texts as ids, (n) in the arena; NULL: out of memory. */
const struct collide_id *oip_tensor_ids(const struct oip_tensor *t, struct arena *arena);

/* Turns integers into ones of 8 bytes each. */
enum collide_status oip_tensor_widen(struct oip_tensor *t, struct arena *arena, struct collide_error *err);

/* Integer i. */
uint64_t oip_tensor_number(const struct oip_tensor *t, size_t i);

#endif
