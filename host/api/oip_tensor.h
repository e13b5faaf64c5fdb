/* An input tensor of the Open Inference Protocol, its values from JSON or from the bytes behind it. */
#ifndef API_OIP_TENSOR_H
#define API_OIP_TENSOR_H

#include "api/json_reader.h"
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
    size_t n;       /* values in all */
    bool is_binary; /* its values are behind the JSON */
    size_t n_binary_bytes;
    /* One of the three, by datatype; (n) each. */
    const void *numbers; /* integers, none negative: little-endian, at a multiple of 4 */
    const struct collide_id *texts;
    const float *floats;
    unsigned number_bytes; /* 4 or 8 */
};

/* Values that have come so far. */
struct oip_values {
    union {
        void *any;
        uint8_t *bytes;
        uint64_t *numbers;
        struct collide_id *texts;
        float *floats;
    };
    size_t n, capacity;
};

/* Room for n_more of item_bytes each, at most n_in_all together; false: out of memory. */
bool oip_values_reserve(struct oip_values *v, size_t n_more, size_t n_in_all, size_t item_bytes,
                        struct arena *arena);

/* What is asked when an input's name, shape and datatype are known, before its values are read. */
struct oip_head_check {
    enum collide_status (*check)(void *context, const struct oip_tensor *head, struct collide_error *err);
    void *context;
};

/* An input of the JSON that has come in part. Zeroed at first. */
struct oip_draft {
    struct oip_tensor tensor;
    unsigned given, field; /* of its fields */
    bool data_is_held, is_nested;
    size_t n_rows; /* of nested data */
    struct oip_values values;
};

/* Reads on in the input at level, of which draft has what came before. Values borrow from the body's last
 * text and from the reader's arena; those of a binary tensor are still to come. COLLIDE_OK with the reader
 * starved: it has not come whole. */
enum collide_status oip_read_tensor(struct json_reader *r, unsigned level, struct oip_draft *draft,
                                    const struct oip_head_check *check, struct collide_error *err);

/* Bytes of a value; 0: they differ. */
unsigned oip_value_bytes(enum oip_datatype datatype);

/* n values of a binary tensor, the first of which is its value number `first`. */
enum collide_status oip_check_values(const struct oip_tensor *t, const void *values, size_t first, size_t n,
                                     struct collide_error *err);

/* All values are there, numbers in number_bytes each. */
void oip_tensor_keep(struct oip_tensor *t, const void *values, unsigned number_bytes);

enum collide_status oip_wrong_count(const struct oip_tensor *t, struct collide_error *err);

/* The values of integers or texts as ids, (n) in the arena; NULL: out of memory. */
const struct collide_id *oip_tensor_ids(const struct oip_tensor *t, struct arena *arena);

/* Turns integers into ones of 8 bytes each. */
enum collide_status oip_tensor_widen(struct oip_tensor *t, struct arena *arena, struct collide_error *err);

/* Integer i. */
uint64_t oip_tensor_number(const struct oip_tensor *t, size_t i);

#endif
