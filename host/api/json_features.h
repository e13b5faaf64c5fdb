/* A request's features: {"country": ["DE"], "device": [7, 8]}. */
#ifndef API_JSON_FEATURES_H
#define API_JSON_FEATURES_H

#include "api/json_fields.h"
#include "collide/scorer.h"

/* Zeroed at first. */
struct feature_list {
    struct collide_feature *features; /* (n) in the reader's arena; names borrow as json_text does */
    size_t n;
    size_t n_ids;          /* of all of them */
    struct json_text name; /* of the one in reading */
    struct id_list ids;
};

/* What has come of them so far, behind those that the list has. Each feature's list is of at most field.max
 * ids. Whether the model has such features is for later. */
enum collide_status json_read_features(struct json_reader *r, struct json_field field,
                                       struct feature_list *list, struct collide_error *err);

#endif
