#include "model/fields.h"

#include "base/error.h"
#include "model/layout.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum collide_status field_tensor(const struct safetensors *s, const char *name, enum dtype dtype,
                                 unsigned n_dims, const struct tensor **out, struct collide_error *err)
{
    const struct tensor *t = safetensors_find(s, name);
    if (t && (t->dtype != dtype || t->n_dims != n_dims))
        return error_set(err, COLLIDE_CORRUPT, "tensor %s must be %s of %u dimensions", name,
                         dtype_name(dtype), n_dims);
    *out = t;
    return COLLIDE_OK;
}

enum collide_status field_tensor_of(const struct safetensors *s, const char *name_format, const char *space,
                                    enum dtype dtype, unsigned n_dims, const struct tensor **out,
                                    struct collide_error *err)
{
    char name[TENSOR_NAME_BYTES];
    snprintf(name, sizeof name, name_format, space);
    return field_tensor(s, name, dtype, n_dims, out, err);
}

enum collide_status field_length(const struct tensor *t, uint64_t n, struct collide_error *err)
{
    if (t->shape[0] != n)
        return error_set(err, COLLIDE_CORRUPT,
                         "tensor %s has %" PRIu64 " entries where %" PRIu64 " are needed", t->name,
                         t->shape[0], n);
    return COLLIDE_OK;
}

enum collide_status field_missing(const char *name, struct collide_error *err)
{
    return error_set(err, COLLIDE_CORRUPT, "%s is missing", name);
}

enum collide_status field_refuse(const struct safetensors *s, const char *name, const char *why,
                                 struct collide_error *err)
{
    if (safetensors_find(s, name) || safetensors_metadata(s, name))
        return error_set(err, COLLIDE_CORRUPT, "%s is there, but %s", name, why);
    return COLLIDE_OK;
}

/* strtof would also take "nan", and read by the process's locale. */
enum collide_status field_number(const struct safetensors *s, const char *name, float *value,
                                 struct collide_error *err)
{
    const char *text = safetensors_metadata(s, name);
    if (!text)
        return COLLIDE_OK;
    cJSON *number = cJSON_ParseWithOpts(text, NULL, true);
    bool ok = cJSON_IsNumber(number) && isfinite((float)number->valuedouble);
    if (ok)
        *value = (float)number->valuedouble;
    cJSON_Delete(number);
    return ok ? COLLIDE_OK
              : error_set(err, COLLIDE_CORRUPT, "%s is \"%.16s\", which is not a finite number", name, text);
}

/* The decimal integer that a text begins with; gives where it ends, NULL where there is none below 2^64. */
static const char *read_digits(const char *text, uint64_t *out)
{
    uint64_t n = 0;
    const char *c = text;
    bool overflow = false;
    for (; *c >= '0' && *c <= '9'; c++)
        overflow |= __builtin_mul_overflow(n, 10u, &n) || __builtin_add_overflow(n, (uint64_t)(*c - '0'), &n);
    *out = n;
    return c == text || overflow ? NULL : c;
}

enum collide_status field_integer(const struct safetensors *s, const char *name, uint64_t least,
                                  uint64_t most, uint64_t *value, struct collide_error *err)
{
    const char *text = safetensors_metadata(s, name);
    if (!text)
        return COLLIDE_OK;
    uint64_t n;
    const char *end = read_digits(text, &n);
    if (!end || *end || n < least || n > most)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s is \"%.24s\"; it must be a whole number from %" PRIu64 " to %" PRIu64, name,
                         text, least, most);
    *value = n;
    return COLLIDE_OK;
}

enum collide_status field_pair(const struct safetensors *s, const char *name, uint32_t *first,
                               uint32_t *second, struct collide_error *err)
{
    const char *text = safetensors_metadata(s, name);
    if (!text)
        return COLLIDE_OK;
    uint64_t x, y = 0;
    const char *end = read_digits(text, &x);
    end = end && *end == ',' ? read_digits(end + 1, &y) : NULL;
    if (!end || *end || x > UINT32_MAX || y > UINT32_MAX)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s is \"%.24s\"; it must be two whole numbers below 2^32 with a comma between them",
                         name, text);
    *first = (uint32_t)x;
    *second = (uint32_t)y;
    return COLLIDE_OK;
}

enum collide_status field_choice(const struct safetensors *s, const char *name, const char *const *texts,
                                 unsigned n_texts, unsigned *value, struct collide_error *err)
{
    const char *text = safetensors_metadata(s, name);
    if (!text)
        return COLLIDE_OK;
    char choices[96] = "";
    for (unsigned i = 0; i < n_texts; i++) {
        if (strcmp(text, texts[i]) == 0) {
            *value = i;
            return COLLIDE_OK;
        }
        size_t used = strlen(choices);
        snprintf(choices + used, sizeof choices - used, "%s%s",
                 i == 0            ? ""
                 : i + 1 < n_texts ? ", "
                                   : " or ",
                 texts[i]);
    }
    return error_set(err, COLLIDE_CORRUPT, "%s is \"%.16s\"; it must be %s", name, text, choices);
}
