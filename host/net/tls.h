/* The certificate that HTTPS is served with, and its key. Connections keep the one that they began with; a
 * reload is for those that come. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "collide/status.h"

#include <gnutls/gnutls.h>

/* GnuTLS's own choice of ciphers, and no version before 1.2. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct tls;

/* PEM files: the certificate with its chain after it, the key closed to others. Returns owned. */
enum collide_status tls_create(const char *certificate_path, const char *key_path, struct tls **out,
                               struct collide_error *err);
void tls_destroy(struct tls *t); /* once all connections have ended */

/* Reads the files again, while connections come; when they cannot be used, the pair stays as it was. */
enum collide_status tls_reload(struct tls *t, struct collide_error *err);

/* A pair of files as it was read once. */
struct tls_identity;

/* Gives a session that is about to shake hands the current one, which is to be released after it. */
struct tls_identity *tls_begin(struct tls *t, gnutls_session_t session);
void tls_end(struct tls_identity *identity);

#endif
