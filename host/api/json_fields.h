/* Reading the values of a request's fields into its arena.
 *
 * A value that is JSON but not what the field takes is COLLIDE_INVALID, with the sentence in err; so is what
 * is no JSON at all, with the reader failed and the sentence in its own err. COLLIDE_OK with the reader
 * starved: the value has not come whole, and the call is to be made again when the reader has been fed. */
#ifndef API_JSON_FIELDS_H
#define API_JSON_FIELDS_H

#include "api/json_reader.h"
#include "collide/id.h"

/* What a field is called in messages, how long its list or how large its number may be, and how deep it is.
 */
struct json_field {
    const char *name;
    size_t max;
    unsigned level;     /* of a list: lists and objects around it */
    bool takes_numbers; /* a list of ids that are all integers is left as numbers */
};

/* Zeroed at first. */
struct id_list {
    uint64_t *numbers;      /* (n); NULL: ids has them */
    struct collide_id *ids; /* (n); NULL: numbers has them, or there are none */
    size_t n, capacity;
};

struct weight_list {
    float *weights;
    size_t n, capacity;
};

enum collide_status json_read_id(struct json_reader *r, const char *name, struct collide_id *out,
                                 struct collide_error *err);

/* The values of a list that has come so far, behind those that the list has. */
enum collide_status json_read_ids(struct json_reader *r, struct json_field field, struct id_list *list,
                                  struct collide_error *err);
enum collide_status json_read_weights(struct json_reader *r, struct json_field field,
                                      struct weight_list *list, struct collide_error *err);

/* An integer from 1 to the field's max. */
enum collide_status json_read_count(struct json_reader *r, struct json_field field, size_t *out,
                                    struct collide_error *err);
enum collide_status json_read_bool(struct json_reader *r, const char *name, bool *out,
                                   struct collide_error *err);

#endif
