/* Reading the fields of a JSON object into a request's arena. */
#ifndef API_JSON_FIELDS_H
#define API_JSON_FIELDS_H

#include "api/request.h"

#include <cjson/cJSON.h>

bool json_has_field(const cJSON *object, const char *name);

struct id_list {
    struct collide_id *ids; /* NULL: the field is absent */
    size_t n;
};

/* COLLIDE_INVALID if the object has a field that is not among names (NULL-terminated), or one of them twice.
 */
enum collide_status json_check_fields(const cJSON *object, const char *const *names,
                                      struct collide_error *err);

enum collide_status json_read_id(const cJSON *value, const char *name, struct collide_id *out,
                                 struct collide_error *err);

/* A list of ids under a name; absent leaves *out empty. */
enum collide_status json_read_ids(const cJSON *object, const char *name, size_t max, struct arena *arena,
                                  struct id_list *out, struct collide_error *err);

/* As many finite numbers as n; absent leaves *out NULL. */
enum collide_status json_read_weights(const cJSON *object, size_t n, struct arena *arena, float **out,
                                      struct collide_error *err);

/* An integer from 1 to max; absent leaves *out as it is. */
enum collide_status json_read_count(const cJSON *object, const char *name, size_t max, size_t *out,
                                    struct collide_error *err);

/* Absent is false. */
enum collide_status json_read_bool(const cJSON *object, const char *name, bool *out,
                                   struct collide_error *err);

#endif
