#include "api/json_fields.h"

#include "base/error.h"
#include "base/spelling.h"

#include <math.h>
#include <string.h>

bool json_has_field(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name) != NULL;
}

static bool is_known(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static const char *closest(const char *name, const char *const *names)
{
    const char *best = NULL;
    size_t best_distance = spelling_slack(name) + 1;
    for (; *names; names++) {
        size_t distance = spelling_distance(name, *names);
        if (distance < best_distance) {
            best = *names;
            best_distance = distance;
        }
    }
    return best;
}

enum collide_status json_check_fields(const cJSON *object, const char *const *names,
                                      struct collide_error *err)
{
    const cJSON *field;
    cJSON_ArrayForEach (field, object) {
        if (!is_known(field->string, names)) {
            const char *guess = closest(field->string, names);
            return guess ? error_set(err, COLLIDE_INVALID, "unknown field \"%.32s\"; did you mean \"%s\"?",
                                     field->string, guess)
                         : error_set(err, COLLIDE_INVALID, "unknown field \"%.32s\"", field->string);
        }
        if (cJSON_GetObjectItemCaseSensitive(object, field->string) != field)
            return error_set(err, COLLIDE_INVALID, "field \"%.32s\" is given twice", field->string);
    }
    return COLLIDE_OK;
}

enum collide_status json_read_id(const cJSON *value, const char *name, struct collide_id *out,
                                 struct collide_error *err)
{
    if (cJSON_IsString(value)) {
        *out = collide_id_text(value->valuestring, strlen(value->valuestring));
        return COLLIDE_OK;
    }
    if (!cJSON_IsNumber(value))
        return error_set(err, COLLIDE_INVALID, "\"%s\": an id is an integer or a string", name);
    double number = value->valuedouble;
    if (!(number >= 0) || floor(number) != number)
        return error_set(err, COLLIDE_INVALID,
                         "\"%s\": %.17g is no id; numeric ids are integers from 0 on, others are strings",
                         name, number);
    if (number >= 0x1p53)
        return error_set(err, COLLIDE_INVALID,
                         "\"%s\": integers from 2^53 on lose digits in JSON; send the id as a string", name);
    *out = collide_id_number((uint64_t)number);
    return COLLIDE_OK;
}

/* The array under a name, or NULL where there is none. */
static enum collide_status find_array(const cJSON *object, const char *name, const cJSON **out,
                                      struct collide_error *err)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, name);
    if (array && !cJSON_IsArray(array))
        return error_set(err, COLLIDE_INVALID, "\"%s\" must be a list", name);
    *out = array;
    return COLLIDE_OK;
}

enum collide_status json_read_ids(const cJSON *object, const char *name, size_t max, struct arena *arena,
                                  struct id_list *out, struct collide_error *err)
{
    const cJSON *array = NULL;
    enum collide_status status = find_array(object, name, &array, err);
    if (status != COLLIDE_OK || !array)
        return status;
    size_t n = (size_t)cJSON_GetArraySize(array);
    if (n > max)
        return error_set(err, COLLIDE_INVALID, "\"%s\" has %zu entries, more than the limit of %zu", name, n,
                         max);
    struct id_list list = {.ids = arena_alloc(arena, n, sizeof *list.ids), .n = 0};
    if (!list.ids)
        return error_no_memory(err, name);
    const cJSON *value;
    cJSON_ArrayForEach (value, array) {
        status = json_read_id(value, name, &list.ids[list.n++], err);
        if (status != COLLIDE_OK)
            return status;
    }
    *out = list;
    return COLLIDE_OK;
}

enum collide_status json_read_weights(const cJSON *object, size_t n, struct arena *arena, float **out,
                                      struct collide_error *err)
{
    const cJSON *array = NULL;
    enum collide_status status = find_array(object, "weights", &array, err);
    if (status != COLLIDE_OK || !array)
        return status;
    if ((size_t)cJSON_GetArraySize(array) != n)
        return error_set(err, COLLIDE_INVALID, "\"weights\" has %d entries where \"history\" has %zu",
                         cJSON_GetArraySize(array), n);
    float *weights = arena_alloc(arena, n, sizeof *weights);
    if (!weights)
        return error_no_memory(err, "the weights");
    size_t i = 0;
    const cJSON *value;
    cJSON_ArrayForEach (value, array) {
        if (!cJSON_IsNumber(value) || !(fabs(value->valuedouble) <= COLLIDE_MAX_WEIGHT))
            return error_set(err, COLLIDE_INVALID, "\"weights\": entry %zu is not a number from -1e6 to 1e6",
                             i);
        weights[i++] = (float)value->valuedouble;
    }
    *out = weights;
    return COLLIDE_OK;
}

enum collide_status json_read_count(const cJSON *object, const char *name, size_t max, size_t *out,
                                    struct collide_error *err)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!value)
        return COLLIDE_OK;
    double number = cJSON_IsNumber(value) ? value->valuedouble : NAN;
    if (!(number >= 1 && number <= (double)max) || floor(number) != number)
        return error_set(err, COLLIDE_INVALID, "\"%s\" must be an integer from 1 to %zu", name, max);
    *out = (size_t)number;
    return COLLIDE_OK;
}

enum collide_status json_read_bool(const cJSON *object, const char *name, bool *out,
                                   struct collide_error *err)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    if (value && !cJSON_IsBool(value))
        return error_set(err, COLLIDE_INVALID, "\"%s\" must be true or false", name);
    *out = value && cJSON_IsTrue(value);
    return COLLIDE_OK;
}
