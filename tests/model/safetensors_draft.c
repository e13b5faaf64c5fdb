#include "safetensors_draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t element_bytes(const char *dtype)
{
    static const struct {
        const char *name;
        size_t bytes;
    } types[] = {{"U8", 1}, {"I8", 1}, {"F16", 2}, {"U32", 4}, {"F32", 4}, {"U64", 8}, {"F64", 8}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].name, dtype) == 0)
            return types[i].bytes;
    fail_msg("no dtype %s", dtype);
    return 0;
}

static size_t number_in(const cJSON *array, int i)
{
    const cJSON *number = cJSON_GetArrayItem(array, i);
    assert_true(cJSON_IsNumber(number) && number->valuedouble >= 0);
    return (size_t)number->valuedouble;
}

static void read_tensor(const cJSON *entry, const unsigned char *data, size_t n_data, struct draft_tensor *t)
{
    const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(entry, "dtype");
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(entry, "shape");
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
    assert_true(cJSON_IsString(dtype) && cJSON_IsArray(shape) && cJSON_IsArray(offsets));
    assert_int_equal(cJSON_GetArraySize(offsets), 2);
    snprintf(t->name, sizeof t->name, "%s", entry->string);
    snprintf(t->dtype, sizeof t->dtype, "%s", dtype->valuestring);
    t->n_dims = (unsigned)cJSON_GetArraySize(shape);
    assert_in_range(t->n_dims, 1, DRAFT_MAX_DIMS);
    t->position = number_in(offsets, 0);
    t->n_bytes = number_in(offsets, 1) - t->position;
    size_t n = element_bytes(t->dtype);
    for (unsigned i = 0; i < t->n_dims; i++)
        n *= t->shape[i] = number_in(shape, (int)i);
    assert_int_equal(n, t->n_bytes);
    assert_true(t->position <= n_data && t->n_bytes <= n_data - t->position);
    t->bytes = malloc(n + 1);
    assert_non_null(t->bytes);
    memcpy(t->bytes, data + t->position, n);
}

static int by_position(const void *a, const void *b)
{
    const struct draft_tensor *x = a, *y = b;
    return x->position < y->position ? -1 : x->position > y->position;
}

static void require_gapless(struct draft *d, size_t n_data)
{
    qsort(d->tensors, d->n, sizeof d->tensors[0], by_position);
    size_t at = 0;
    for (unsigned i = 0; i < d->n; i++) {
        assert_int_equal(d->tensors[i].position, at);
        at += d->tensors[i].n_bytes;
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(d->tensors[i].name, d->tensors[j].name);
    }
    assert_int_equal(at, n_data);
}

void draft_read(const unsigned char *bytes, size_t n_bytes, struct draft *d)
{
    *d = (struct draft){.n = 0};
    assert_true(n_bytes >= 8);
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | bytes[i];
    assert_true(length <= n_bytes - 8);
    char *text = strndup((const char *)bytes + 8, length);
    assert_non_null(text);
    assert_int_equal(text[0], '{');
    const char *end;
    cJSON *header = cJSON_ParseWithOpts(text, &end, false);
    assert_true(cJSON_IsObject(header));
    assert_int_equal(strspn(end, " "), length - (size_t)(end - text));
    free(text);

    const unsigned char *data = bytes + 8 + length;
    size_t n_data = n_bytes - 8 - length;
    const cJSON *entry;
    cJSON_ArrayForEach (entry, header) {
        if (strcmp(entry->string, "__metadata__") == 0)
            continue;
        assert_in_range(d->n, 0, DRAFT_MAX_TENSORS - 1);
        read_tensor(entry, data, n_data, &d->tensors[d->n++]);
    }
    require_gapless(d, n_data);
    for (unsigned i = 0; i < d->n; i++)
        d->tensors[i].position += 8 + length;
    d->metadata = cJSON_DetachItemFromObjectCaseSensitive(header, "__metadata__");
    cJSON_ArrayForEach (entry, d->metadata)
        assert_true(cJSON_IsString(entry));
    cJSON_Delete(header);
}

static int wider_first(const void *a, const void *b)
{
    size_t x = element_bytes(((const struct draft_tensor *)a)->dtype);
    size_t y = element_bytes(((const struct draft_tensor *)b)->dtype);
    return x > y ? -1 : x < y;
}

void draft_arrange(struct draft *d)
{
    for (unsigned i = 0; i < d->n;)
        if (strncmp(d->tensors[i].name, "__pad", 5) == 0)
            draft_remove(d, d->tensors[i].name);
        else
            i++;
    qsort(d->tensors, d->n, sizeof d->tensors[0], wider_first);
}

void draft_free(struct draft *d)
{
    for (unsigned i = 0; i < d->n; i++)
        free(d->tensors[i].bytes);
    cJSON_Delete(d->metadata);
    *d = (struct draft){.n = 0};
}

struct draft_tensor *draft_tensor(struct draft *d, const char *name)
{
    for (unsigned i = 0; i < d->n; i++)
        if (strcmp(d->tensors[i].name, name) == 0)
            return &d->tensors[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

void draft_resize(struct draft_tensor *t, uint64_t n)
{
    size_t n_bytes = t->shape[0] ? t->n_bytes / t->shape[0] * n : element_bytes(t->dtype) * n;
    unsigned char *bytes = realloc(t->bytes, n_bytes + 1);
    assert_non_null(bytes);
    if (n_bytes > t->n_bytes)
        memset(bytes + t->n_bytes, 0, n_bytes - t->n_bytes);
    t->bytes = bytes;
    t->n_bytes = n_bytes;
    t->shape[0] = n;
}

void draft_add(struct draft *d, const char *name, const char *dtype, unsigned n_dims, const uint64_t *shape,
               const void *bytes)
{
    assert_in_range(d->n, 0, DRAFT_MAX_TENSORS - 1);
    struct draft_tensor *t = &d->tensors[d->n++];
    *t = (struct draft_tensor){.n_dims = n_dims, .n_bytes = element_bytes(dtype)};
    snprintf(t->name, sizeof t->name, "%s", name);
    snprintf(t->dtype, sizeof t->dtype, "%s", dtype);
    for (unsigned i = 0; i < n_dims; i++)
        t->n_bytes *= t->shape[i] = shape[i];
    t->bytes = malloc(t->n_bytes + 1);
    assert_non_null(t->bytes);
    memcpy(t->bytes, bytes, t->n_bytes);
    draft_arrange(d);
}

void draft_remove(struct draft *d, const char *name)
{
    struct draft_tensor *t = draft_tensor(d, name);
    free(t->bytes);
    d->n--;
    memmove(t, t + 1, (size_t)(d->tensors + d->n - t) * sizeof *t);
}

void draft_set_metadata(struct draft *d, const char *name, const char *value)
{
    if (!d->metadata)
        d->metadata = cJSON_CreateObject();
    cJSON_DeleteItemFromObjectCaseSensitive(d->metadata, name);
    if (value)
        assert_non_null(cJSON_AddStringToObject(d->metadata, name, value));
}

void draft_drop_checksums(struct draft *d)
{
    for (unsigned i = 0; i < d->n; i++) {
        char name[64];
        snprintf(name, sizeof name, "xxh3.%s", d->tensors[i].name);
        draft_set_metadata(d, name, NULL);
    }
}

cJSON *draft_header(const struct draft *d)
{
    cJSON *header = cJSON_CreateObject();
    if (d->metadata)
        cJSON_AddItemToObject(header, "__metadata__", cJSON_Duplicate(d->metadata, true));
    size_t at = 0;
    for (unsigned i = 0; i < d->n; i++) {
        const struct draft_tensor *t = &d->tensors[i];
        cJSON *entry = cJSON_AddObjectToObject(header, t->name);
        cJSON_AddStringToObject(entry, "dtype", t->dtype);
        cJSON *shape = cJSON_AddArrayToObject(entry, "shape");
        for (unsigned k = 0; k < t->n_dims; k++)
            cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)t->shape[k]));
        cJSON *offsets = cJSON_AddArrayToObject(entry, "data_offsets");
        cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)at));
        at += t->n_bytes;
        cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)at));
    }
    return header;
}

unsigned char *draft_data(const struct draft *d, size_t *n_bytes)
{
    *n_bytes = 0;
    for (unsigned i = 0; i < d->n; i++)
        *n_bytes += d->tensors[i].n_bytes;
    unsigned char *data = malloc(*n_bytes + 1), *to = data;
    assert_non_null(data);
    for (unsigned i = 0; i < d->n; i++) {
        memcpy(to, d->tensors[i].bytes, d->tensors[i].n_bytes);
        to += d->tensors[i].n_bytes;
    }
    return data;
}

void image_save(const char *path, const char *header, const void *data, size_t n_bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    size_t n_text = strlen(header), length = (n_text + 7) / 8 * 8;
    for (int i = 0; i < 8; i++)
        fputc((int)(length >> (8 * i) & 255), file);
    fprintf(file, "%-*s", (int)length, header);
    assert_int_equal(fwrite(data, 1, n_bytes, file), n_bytes);
    assert_int_equal(fclose(file), 0);
}

void draft_save(const struct draft *d, const char *path)
{
    size_t n_bytes;
    unsigned char *data = draft_data(d, &n_bytes);
    cJSON *header = draft_header(d);
    char *text = cJSON_PrintUnformatted(header);
    assert_non_null(text);
    image_save(path, text, data, n_bytes);
    cJSON_free(text);
    cJSON_Delete(header);
    free(data);
}
