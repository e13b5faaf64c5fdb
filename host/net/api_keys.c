#include "net/api_keys.h"

#include "net/api_keys_parse.h"

#include "base/error.h"
#include "base/secret_file.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct api_keys {
    char *path;
    pthread_rwlock_t lock; /* of the list */
    struct api_key_list list;
};

static enum collide_status read_list(const char *path, struct api_key_list *out, struct collide_error *err)
{
    struct secret secret;
    enum collide_status status = secret_file_read(path, &secret, err);
    if (status != COLLIDE_OK)
        return status;
    status = api_keys_parse(secret.bytes, secret.n_bytes, path, out, err);
    secret_free(&secret);
    return status;
}

enum collide_status api_keys_create(const char *path, struct api_keys **out, struct collide_error *err)
{
    struct api_keys *k = calloc(1, sizeof *k);
    if (!k)
        return error_no_memory(err, "API keys");
    pthread_rwlockattr_t attributes; /* a reload does not wait for ever behind requests */
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&k->lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    k->path = strdup(path);
    enum collide_status status = k->path ? read_list(path, &k->list, err) : error_no_memory(err, "API keys");
    if (status == COLLIDE_OK)
        *out = k;
    else
        api_keys_destroy(k);
    return status;
}

void api_keys_destroy(struct api_keys *k)
{
    if (!k)
        return;
    pthread_rwlock_destroy(&k->lock);
    free(k->list.keys);
    free(k->path);
    free(k);
}

enum collide_status api_keys_reload(struct api_keys *k, struct collide_error *err)
{
    struct api_key_list list, old;
    enum collide_status status = read_list(k->path, &list, err);
    if (status != COLLIDE_OK)
        return status;
    pthread_rwlock_wrlock(&k->lock);
    old = k->list;
    k->list = list;
    pthread_rwlock_unlock(&k->lock);
    free(old.keys);
    return COLLIDE_OK;
}

/* NULL: neither header has one. */
static const char *key_of(const char *authorization, const char *x_api_key)
{
    static const char scheme[] = "Bearer ";
    if (authorization && strncasecmp(authorization, scheme, sizeof scheme - 1) == 0)
        return authorization + sizeof scheme - 1 + strspn(authorization + sizeof scheme - 1, " ");
    return x_api_key;
}

/* The last of equal ones, or n; without a branch that would tell which, or how near it was. */
static size_t find_digest(const struct api_key_list *list, const uint8_t digest[API_DIGEST_BYTES])
{
    size_t found = list->n;
    for (size_t i = 0; i < list->n; i++) {
        size_t is_equal = gnutls_memcmp(list->keys[i].digest, digest, API_DIGEST_BYTES) == 0;
        found ^= (found ^ i) & (0 - is_equal);
    }
    return found;
}

enum api_role api_keys_find(struct api_keys *k, const char *authorization, const char *x_api_key,
                            char name[API_NAME_CHARS])
{
    const char *key = key_of(authorization, x_api_key);
    uint8_t digest[API_DIGEST_BYTES];
    enum api_role role = API_STRANGER;
    name[0] = '\0';
    if (!key || gnutls_hash_fast(GNUTLS_DIG_SHA256, key, strlen(key), digest) != 0)
        return API_STRANGER;
    pthread_rwlock_rdlock(&k->lock);
    size_t found = find_digest(&k->list, digest);
    if (found < k->list.n) {
        memcpy(name, k->list.keys[found].name, API_NAME_CHARS);
        role = k->list.keys[found].role;
    }
    pthread_rwlock_unlock(&k->lock);
    return role;
}
