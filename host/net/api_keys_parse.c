#include "net/api_keys_parse.h"

#include "base/error.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_KEY_CHARS = 16, MAX_KEY_CHARS = 128, MAX_KEYS = 1024 };

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
static const char NAME_CHARS[] = ALPHANUMERIC "._-", KEY_CHARS[] = ALPHANUMERIC "._~+/=-";
static const char DIGEST_PREFIX[] = "sha256=", ADMIN_SUFFIX[] = "admin";
enum { DIGEST_PREFIX_CHARS = sizeof DIGEST_PREFIX - 1, ADMIN_SUFFIX_CHARS = sizeof ADMIN_SUFFIX - 1 };

static bool has_prefix(const char *text, size_t n)
{
    return n >= DIGEST_PREFIX_CHARS && memcmp(text, DIGEST_PREFIX, DIGEST_PREFIX_CHARS) == 0;
}

static const char *parse_key(const char *text, size_t n, struct api_key *out)
{
    if (has_prefix(text, n)) {
        const gnutls_datum_t hex = {(unsigned char *)(uintptr_t)text + DIGEST_PREFIX_CHARS,
                                    (unsigned)(n - DIGEST_PREFIX_CHARS)};
        size_t n_digest = API_DIGEST_BYTES;
        bool is_digest =
            hex.size == 2 * API_DIGEST_BYTES && gnutls_hex_decode(&hex, out->digest, &n_digest) == 0;
        return is_digest ? NULL : "sha256= is followed by 64 hexadecimal digits";
    }
    if (n < MIN_KEY_CHARS || n > MAX_KEY_CHARS || strspn(text, KEY_CHARS) < n)
        return "a key has 16 to 128 letters, digits and any of . _ ~ + / = -, such as `openssl rand -hex 24` "
               "prints";
    return gnutls_hash_fast(GNUTLS_DIG_SHA256, text, n, out->digest) == 0 ? NULL : "it cannot be hashed";
}

/* One line without its end. NULL, or what is wrong with it. */
static const char *parse_line(const char *line, size_t n, struct api_key *out)
{
    size_t n_name = strspn(line, NAME_CHARS);
    if (n_name == 0 || n_name >= API_NAME_CHARS || n_name >= n || line[n_name] != ':')
        return "write NAME:KEY, with a name of at most 32 letters, digits and any of . _ -";
    const char *key = line + n_name + 1;
    size_t n_rest = n - n_name - 1;
    const char *colon = memchr(key, ':', n_rest);
    size_t n_key = colon ? (size_t)(colon - key) : n_rest;
    *out = (struct api_key){.role = colon ? API_ADMIN : API_USER};
    if (colon && (n_rest - n_key - 1 != ADMIN_SUFFIX_CHARS ||
                  memcmp(colon + 1, ADMIN_SUFFIX, ADMIN_SUFFIX_CHARS) != 0))
        return "after a second colon only \"admin\" may stand";
    memcpy(out->name, line, n_name);
    return parse_key(key, n_key, out);
}

static bool has_digest(const struct api_key_list *list, const struct api_key *key)
{
    for (size_t i = 0; i < list->n; i++)
        if (memcmp(list->keys[i].digest, key->digest, API_DIGEST_BYTES) == 0)
            return true;
    return false;
}

static const char *add_line(struct api_key_list *list, const char *line, size_t n)
{
    while (n > 0 && strchr(" \t\r", line[n - 1]))
        n--;
    if (n == 0 || line[0] == '#')
        return NULL;
    if (list->n == MAX_KEYS)
        return "there are more than 1024 keys";
    const char *problem = parse_line(line, n, &list->keys[list->n]);
    if (problem)
        return problem;
    if (has_digest(list, &list->keys[list->n]))
        return "this key stands in a line before, too";
    list->n++;
    return NULL;
}

enum collide_status api_keys_parse(const char *text, size_t n_bytes, const char *path,
                                   struct api_key_list *out, struct collide_error *err)
{
    struct api_key_list list = {.keys = calloc(MAX_KEYS, sizeof *list.keys)};
    const char *problem = NULL;
    unsigned n_lines = 0;
    if (!list.keys)
        return error_no_memory(err, "API keys");
    for (size_t at = 0; at < n_bytes && !problem; n_lines++) {
        const char *end = memchr(text + at, '\n', n_bytes - at);
        size_t n = end ? (size_t)(end - text) - at : n_bytes - at;
        problem = add_line(&list, text + at, n);
        at += n + 1;
    }
    if (!problem && list.n > 0) {
        *out = list;
        return COLLIDE_OK;
    }
    free(list.keys);
    return problem ? error_set(err, COLLIDE_INVALID, "%s, line %u: %s", path, n_lines, problem)
                   : error_set(err, COLLIDE_INVALID, "%s has no keys; write a line NAME:KEY for each", path);
}
