#include "data/npy.h"

#include "base/cursor.h"
#include "base/error.h"

#include <inttypes.h>
#include <string.h>

static const char MAGIC[] = "\x93NUMPY";
enum { N_MAGIC = sizeof MAGIC - 1 };

/* The header's text, which is read from the left; what does not fit sets `failed`. */
struct header {
    const char *at, *end;
    bool failed;
    bool has_descr, has_order, has_shape; /* the dictionary's entries */
    char descr[16];
    bool is_fortran;
};

static void skip_blanks(struct header *h)
{
    while (h->at < h->end && strchr(" \t\r\n", *h->at) && *h->at)
        h->at++;
}

/* Takes the character if it comes next. */
static bool take(struct header *h, char wanted)
{
    skip_blanks(h);
    if (h->failed || h->at == h->end || *h->at != wanted)
        return false;
    h->at++;
    return true;
}

static void need(struct header *h, char wanted)
{
    h->failed |= !take(h, wanted);
}

/* A text in quotes of either kind, without any in it. */
static void read_text(struct header *h, char *out, size_t n_out)
{
    const char quote = take(h, '"') ? '"' : '\'';
    size_t n = 0;
    if (quote == '\'')
        need(h, quote);
    while (!h->failed && h->at < h->end && *h->at != quote) {
        h->failed = n + 1 >= n_out || *h->at == '\0' || *h->at == '\\';
        if (!h->failed)
            out[n++] = *h->at++;
    }
    out[n] = '\0';
    need(h, quote);
}

static bool take_word(struct header *h, const char *word)
{
    const size_t n = strlen(word);
    skip_blanks(h);
    if (h->failed || (size_t)(h->end - h->at) < n || memcmp(h->at, word, n) != 0)
        return false;
    h->at += n;
    return true;
}

static void read_order(struct header *h)
{
    h->is_fortran = take_word(h, "True");
    h->failed |= !h->is_fortran && !take_word(h, "False");
}

static uint64_t read_size(struct header *h)
{
    uint64_t value = 0;
    skip_blanks(h);
    h->failed |= h->at == h->end || *h->at < '0' || *h->at > '9';
    while (!h->failed && h->at < h->end && *h->at >= '0' && *h->at <= '9')
        h->failed |= __builtin_mul_overflow(value, UINT64_C(10), &value) ||
                     __builtin_add_overflow(value, (uint64_t)(*h->at++ - '0'), &value);
    return value;
}

/* A tuple: (), (5,), (5, 3) or (5, 3,). */
static void read_shape(struct header *h, struct npy *out)
{
    bool has_comma = true;
    need(h, '(');
    while (!h->failed && !take(h, ')')) {
        h->failed |= !has_comma || out->n_dims == NPY_MAX_DIMS;
        if (h->failed)
            return;
        out->shape[out->n_dims++] = read_size(h);
        has_comma = take(h, ',');
    }
    h->failed |= out->n_dims == 1 && !has_comma; /* (5) is a number */
}

/* An entry that is there twice is wrong. */
static bool is_first(struct header *h, bool *has_entry)
{
    h->failed |= *has_entry;
    *has_entry = true;
    return !h->failed;
}

static void read_entry(struct header *h, struct npy *out)
{
    char key[16];
    read_text(h, key, sizeof key);
    need(h, ':');
    if (strcmp(key, "descr") == 0 && is_first(h, &h->has_descr))
        read_text(h, h->descr, sizeof h->descr);
    else if (strcmp(key, "fortran_order") == 0 && is_first(h, &h->has_order))
        read_order(h);
    else if (strcmp(key, "shape") == 0 && is_first(h, &h->has_shape))
        read_shape(h, out);
    else
        h->failed = true;
}

static void read_dictionary(struct header *h, struct npy *out)
{
    bool has_comma = true;
    need(h, '{');
    while (!h->failed && !take(h, '}')) {
        h->failed |= !has_comma;
        read_entry(h, out);
        has_comma = take(h, ',');
    }
    skip_blanks(h);
    h->failed |= h->at != h->end || !h->has_descr || !h->has_order || !h->has_shape;
}

/* Such as "<f4": byte order, kind, bytes of a value. */
static enum collide_status read_type(const char *descr, const char *name, struct npy *out,
                                     struct collide_error *err)
{
    static const char kinds[] = {[NPY_FLOAT] = 'f', [NPY_SIGNED] = 'i', [NPY_UNSIGNED] = 'u'};
    const bool has_order = strlen(descr) == 3;
    const char *kind = has_order ? memchr(kinds, descr[1], sizeof kinds) : NULL;
    const char size = has_order ? descr[2] : '0';
    const bool is_sized = size == '2' || size == '4' || size == '8' || (size == '1' && kind && *kind != 'f');
    if (!kind || !is_sized)
        return error_set(err, COLLIDE_UNSUPPORTED,
                         "%s holds values of type '%s'; convert them to float32 (or float16, float64, "
                         "integers)",
                         name, descr);
    if (descr[0] == '>')
        return error_set(err, COLLIDE_UNSUPPORTED, "%s holds big-endian values ('%s'); convert them to '<%s'",
                         name, descr, descr + 1);
    if (descr[0] != '<' && !(size == '1' && descr[0] == '|'))
        return error_set(err, COLLIDE_CORRUPT, "%s: '%s' is no type of values", name, descr);
    out->kind = (enum npy_kind)(kind - kinds);
    out->value_bytes = (unsigned)(size - '0');
    return COLLIDE_OK;
}

static enum collide_status take_values(struct cursor *c, const char *name, struct npy *out,
                                       struct collide_error *err)
{
    uint64_t n_bytes = out->value_bytes;
    for (unsigned d = 0; d < out->n_dims; d++)
        if (__builtin_mul_overflow(n_bytes, out->shape[d], &n_bytes))
            return error_set(err, COLLIDE_CORRUPT, "%s: an array of that shape cannot be", name);
    const size_t n_there = cursor_left(c);
    if (n_there < n_bytes)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s is truncated: its values take %" PRIu64 " bytes, and %zu are there", name,
                         n_bytes, n_there);
    if (n_there > n_bytes)
        return error_set(err, COLLIDE_CORRUPT, "%s: %" PRIu64 " bytes follow the array's last value", name,
                         n_there - n_bytes);
    out->values = cursor_take(c, n_bytes);
    return COLLIDE_OK;
}

bool npy_is(const void *bytes, size_t n_bytes)
{
    return n_bytes >= N_MAGIC && memcmp(bytes, MAGIC, N_MAGIC) == 0;
}

enum collide_status npy_parse(const void *bytes, size_t n_bytes, const char *name, struct npy *out,
                              struct collide_error *err)
{
    struct cursor c = cursor_over(bytes, n_bytes);
    struct npy array = {0};
    if (!npy_is(bytes, n_bytes))
        return error_set(err, COLLIDE_CORRUPT, "%s is no .npy file", name);
    cursor_take(&c, N_MAGIC);
    const unsigned version = (unsigned)cursor_le(&c, 1);
    cursor_le(&c, 1);
    if (!c.failed && (version < 1 || version > 3))
        return error_set(err, COLLIDE_UNSUPPORTED, "%s has version %u of the .npy format; 1 to 3 are known",
                         name, version);
    const uint64_t n_header = cursor_le(&c, version == 1 ? 2 : 4);
    const char *text = (const char *)cursor_take(&c, n_header);
    if (!text)
        return error_set(err, COLLIDE_CORRUPT, "%s is truncated: its header breaks off", name);
    struct header h = {.at = text, .end = text + n_header};
    read_dictionary(&h, &array);
    if (h.failed)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s: its header is not that of a plain array of numbers (at byte %zu of it)", name,
                         (size_t)(h.at - text));
    enum collide_status status = read_type(h.descr, name, &array, err);
    if (status == COLLIDE_OK && h.is_fortran && array.n_dims > 1)
        status = error_set(err, COLLIDE_UNSUPPORTED,
                           "%s is in Fortran order; save numpy.ascontiguousarray of it", name);
    if (status == COLLIDE_OK)
        status = take_values(&c, name, &array, err);
    if (status == COLLIDE_OK)
        *out = array;
    return status;
}
