#include "net/tls.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret_file.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct tls_identity {
    gnutls_certificate_credentials_t credentials;
    atomic_uint n_owners;
};

struct tls {
    char *certificate_path, *key_path;
    pthread_mutex_t lock; /* from reading `current` until it is owned */
    struct tls_identity *current;
};

static enum collide_status refuse(const char *path, const char *what, int code, struct collide_error *err)
{
    return error_set(err, COLLIDE_INVALID, "%s %s: %s", path, what, gnutls_strerror(code));
}

/* Whether the file is one of certificates, as PEM; the first is the server's own. */
static enum collide_status check_certificate(const char *path, const gnutls_datum_t *pem,
                                             struct collide_error *err)
{
    gnutls_x509_crt_t *chain = NULL;
    unsigned n = 0;
    int code = gnutls_x509_crt_list_import2(&chain, &n, pem, GNUTLS_X509_FMT_PEM, 0);
    if (code < 0)
        return refuse(path, "holds no certificate that can be read, as PEM", code, err);
    time_t now = time(NULL);
    if (gnutls_x509_crt_get_expiration_time(chain[0]) < now)
        log_warning("the certificate in %s has expired; clients will refuse it", path);
    else if (gnutls_x509_crt_get_activation_time(chain[0]) > now)
        log_warning("the certificate in %s is not valid yet; clients will refuse it", path);
    for (unsigned i = 0; i < n; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    return COLLIDE_OK;
}

static enum collide_status check_key(const char *path, const gnutls_datum_t *pem, struct collide_error *err)
{
    gnutls_x509_privkey_t key;
    int code = gnutls_x509_privkey_init(&key);
    if (code < 0)
        return error_no_memory(err, "a private key");
    code = gnutls_x509_privkey_import2(key, pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_x509_privkey_deinit(key);
    if (code == GNUTLS_E_DECRYPTION_FAILED)
        return error_set(err, COLLIDE_INVALID, "the private key in %s has a password; store it without one",
                         path);
    return code < 0 ? refuse(path, "holds no private key that can be read, as PEM", code, err) : COLLIDE_OK;
}

static enum collide_status join(const struct tls *t, const gnutls_datum_t *certificate,
                                const gnutls_datum_t *key, struct tls_identity **out,
                                struct collide_error *err)
{
    struct tls_identity *i = calloc(1, sizeof *i);
    if (!i || gnutls_certificate_allocate_credentials(&i->credentials) < 0) {
        free(i);
        return error_no_memory(err, "a certificate");
    }
    i->n_owners = 1;
    int code = gnutls_certificate_set_x509_key_mem(i->credentials, certificate, key, GNUTLS_X509_FMT_PEM);
    if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) {
        tls_end(i);
        return error_set(err, COLLIDE_INVALID, "the key in %s is not that of the first certificate in %s",
                         t->key_path, t->certificate_path);
    }
    if (code < 0) {
        tls_end(i);
        return refuse(t->certificate_path, "cannot be used with its key", code, err);
    }
    *out = i;
    return COLLIDE_OK;
}

static enum collide_status read_identity(const struct tls *t, struct tls_identity **out,
                                         struct collide_error *err)
{
    struct file_map map;
    struct secret secret = {0};
    enum collide_status status = file_map(t->certificate_path, &map, err);
    if (status != COLLIDE_OK)
        return status;
    const gnutls_datum_t certificate = {(unsigned char *)(uintptr_t)map.bytes, (unsigned)map.n_bytes};
    status = check_certificate(t->certificate_path, &certificate, err);
    if (status == COLLIDE_OK)
        status = secret_file_read(t->key_path, &secret, err);
    const gnutls_datum_t key = {(unsigned char *)secret.bytes, (unsigned)secret.n_bytes};
    if (status == COLLIDE_OK)
        status = check_key(t->key_path, &key, err);
    if (status == COLLIDE_OK)
        status = join(t, &certificate, &key, out, err);
    secret_free(&secret);
    file_unmap(&map);
    return status;
}

enum collide_status tls_create(const char *certificate_path, const char *key_path, struct tls **out,
                               struct collide_error *err)
{
    struct tls *t = calloc(1, sizeof *t);
    if (!t)
        return error_no_memory(err, "TLS");
    pthread_mutex_init(&t->lock, NULL);
    t->certificate_path = strdup(certificate_path);
    t->key_path = strdup(key_path);
    enum collide_status status =
        t->certificate_path && t->key_path ? read_identity(t, &t->current, err) : error_no_memory(err, "TLS");
    if (status == COLLIDE_OK)
        *out = t;
    else
        tls_destroy(t);
    return status;
}

void tls_destroy(struct tls *t)
{
    if (!t)
        return;
    tls_end(t->current);
    pthread_mutex_destroy(&t->lock);
    free(t->certificate_path);
    free(t->key_path);
    free(t);
}

enum collide_status tls_reload(struct tls *t, struct collide_error *err)
{
    struct tls_identity *fresh = NULL;
    enum collide_status status = read_identity(t, &fresh, err);
    if (status != COLLIDE_OK)
        return status;
    pthread_mutex_lock(&t->lock);
    struct tls_identity *old = t->current;
    t->current = fresh;
    pthread_mutex_unlock(&t->lock);
    tls_end(old);
    return COLLIDE_OK;
}

struct tls_identity *tls_begin(struct tls *t, gnutls_session_t session)
{
    pthread_mutex_lock(&t->lock);
    struct tls_identity *i = t->current;
    atomic_fetch_add(&i->n_owners, 1);
    pthread_mutex_unlock(&t->lock);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, i->credentials);
    return i;
}

void tls_end(struct tls_identity *i)
{
    if (!i || atomic_fetch_sub(&i->n_owners, 1) != 1)
        return;
    gnutls_certificate_free_credentials(i->credentials);
    free(i);
}
