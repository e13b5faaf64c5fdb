/* Reading the values of a request's fields into its arena.
 *
 * A value that is JSON but not what the field takes is COLLIDE_INVALID, with the sentence in err; so is what
 * is no JSON at all, with the reader failed and the sentence in its own err. */
#ifndef API_JSON_FIELDS_H
#define API_JSON_FIELDS_H

#include "api/json_reader.h"
#include "collide/id.h"

/* What a list is called in messages, and how long it may be. */
struct json_field {
    const char *name;
    size_t max;
};

struct id_list {
    struct collide_id *ids;
    size_t n;
};

struct weight_list {
    float *weights;
    size_t n;
};

enum collide_status json_read_id(struct json_reader *r, const char *name, struct collide_id *out,
                                 struct collide_error *err);
enum collide_status json_read_ids(struct json_reader *r, struct json_field field, struct id_list *out,
                                  struct collide_error *err);
enum collide_status json_read_weights(struct json_reader *r, struct json_field field, struct weight_list *out,
                                      struct collide_error *err);

/* An integer from 1 to the field's max. */
enum collide_status json_read_count(struct json_reader *r, struct json_field field, size_t *out,
                                    struct collide_error *err);
enum collide_status json_read_bool(struct json_reader *r, const char *name, bool *out,
                                   struct collide_error *err);

#endif
