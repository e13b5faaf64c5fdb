#include "net/tls.h"

#include "net/certificate.h"
#include "support/scratch.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct scratch folder;
    char certificate[2 * SCRATCH_PATH_BYTES], key[2 * SCRATCH_PATH_BYTES], other_key[2 * SCRATCH_PATH_BYTES];
};

static int set_up(void **state)
{
    static struct fixture f;
    scratch_create(&f.folder);
    scratch_path(&f.folder, "cert.pem", f.certificate);
    scratch_path(&f.folder, "key.pem", f.key);
    scratch_path(&f.folder, "other.pem", f.other_key);
    certificate_write(f.certificate, f.other_key, 1);
    certificate_write(f.certificate, f.key, 2);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    scratch_destroy(&((struct fixture *)*state)->folder);
    return 0;
}

static struct tls *create(const struct fixture *f)
{
    struct tls *t = NULL;
    struct collide_error err;
    if (tls_create(f->certificate, f->key, &t, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return t;
}

struct server {
    struct tls *tls;
    struct tls_identity *identity;
    gnutls_session_t session;
    int fd, result;
};

static void *shake_hands(void *context)
{
    struct server *s = context;
    do {
        s->result = gnutls_handshake(s->session);
    } while (s->result < 0 && !gnutls_error_is_fatal(s->result));
    if (s->result < 0)
        shutdown(s->fd, SHUT_WR); /* the client waits for an answer */
    return NULL;
}

static void server_begin(struct server *s, struct tls *tls, int fd)
{
    *s = (struct server){.tls = tls, .fd = fd};
    gnutls_init(&s->session, GNUTLS_SERVER);
    gnutls_priority_set_direct(s->session, TLS_PRIORITIES, NULL);
    gnutls_transport_set_int(s->session, fd);
    s->identity = tls_begin(tls, s->session);
}

static void server_end(struct server *s)
{
    tls_end(s->identity);
    gnutls_deinit(s->session);
    close(s->fd);
}

static int serial_of_peer(gnutls_session_t session)
{
    unsigned n = 0;
    unsigned char serial[20];
    size_t n_serial = sizeof serial;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
    gnutls_x509_crt_t certificate;
    assert_non_null(chain);
    gnutls_x509_crt_init(&certificate);
    gnutls_x509_crt_import(certificate, chain, GNUTLS_X509_FMT_DER);
    gnutls_x509_crt_get_serial(certificate, serial, &n_serial);
    gnutls_x509_crt_deinit(certificate);
    return serial[0];
}

/* A client's hand for a server that has begun. The serial number of the certificate that it saw; -1: there
 * was no agreement. */
static int meet(struct server *s, int fd, const char *priorities)
{
    gnutls_session_t session;
    gnutls_certificate_credentials_t nothing;
    pthread_t thread;
    int result;
    gnutls_certificate_allocate_credentials(&nothing);
    gnutls_init(&session, GNUTLS_CLIENT);
    gnutls_priority_set_direct(session, priorities, NULL);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, nothing);
    gnutls_transport_set_int(session, fd);
    assert_int_equal(pthread_create(&thread, NULL, shake_hands, s), 0);
    do {
        result = gnutls_handshake(session);
    } while (result < 0 && !gnutls_error_is_fatal(result));
    shutdown(fd, SHUT_WR);
    pthread_join(thread, NULL);
    int serial = result == 0 && s->result == 0 ? serial_of_peer(session) : -1;
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(nothing);
    close(fd);
    return serial;
}

static int meet_once(struct tls *t, const char *priorities)
{
    struct server s;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    server_begin(&s, t, fds[0]);
    int serial = meet(&s, fds[1], priorities);
    server_end(&s);
    return serial;
}

static void versions_before_1_2_are_refused(void **state)
{
    struct tls *t = create(*state);
    assert_int_equal(meet_once(t, "NORMAL:-VERS-ALL:+VERS-TLS1.3"), 2);
    assert_int_equal(meet_once(t, "NORMAL:-VERS-ALL:+VERS-TLS1.2"), 2);
    assert_int_equal(meet_once(t, "NORMAL:-VERS-ALL:+VERS-TLS1.1:+SHA1:%VERIFY_ALLOW_SIGN_WITH_SHA1"), -1);
    tls_destroy(t);
}

static void a_reload_is_for_connections_to_come(void **state)
{
    const struct fixture *f = *state;
    struct tls *t = create(f);
    struct server early;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    server_begin(&early, t, fds[0]);
    certificate_write(f->certificate, f->key, 3);
    assert_int_equal(tls_reload(t, NULL), COLLIDE_OK);
    assert_int_equal(meet_once(t, "NORMAL"), 3);
    assert_int_equal(meet(&early, fds[1], "NORMAL"), 2);
    server_end(&early);
    tls_destroy(t);
}

static void a_reload_that_fails_changes_nothing(void **state)
{
    const struct fixture *f = *state;
    struct tls *t = create(f);
    struct collide_error err;
    assert_int_equal(truncate(f->key, 0), 0);
    assert_int_equal(tls_reload(t, &err), COLLIDE_INVALID);
    assert_int_equal(meet_once(t, "NORMAL"), 2);
    tls_destroy(t);
}

static void assert_refused(const char *certificate, const char *key, enum collide_status status,
                           const char *wanted, const char *wanted_path)
{
    struct tls *t = NULL;
    struct collide_error err;
    assert_int_equal(tls_create(certificate, key, &t, &err), status);
    if (!strstr(err.text, wanted) || !strstr(err.text, wanted_path))
        fail_msg("expected \"%s\" in \"%s\"", wanted, err.text);
}

static void what_is_wrong_with_a_file_is_said(void **state)
{
    const struct fixture *f = *state;
    const char *cert = f->certificate, *key = f->key;
    assert_refused("/nowhere", key, COLLIDE_NOT_FOUND, "cannot open", "/nowhere");
    assert_refused(cert, "/nowhere", COLLIDE_NOT_FOUND, "cannot open", "/nowhere");
    assert_refused(key, key, COLLIDE_INVALID, "holds no certificate that can be read, as PEM", key);
    assert_refused(cert, cert, COLLIDE_INVALID, "holds no private key that can be read, as PEM", cert);
    assert_refused(cert, f->other_key, COLLIDE_INVALID, "is not that of the first certificate", f->other_key);
    chmod(key, 0644);
    assert_refused(cert, key, COLLIDE_INVALID, "run chmod 640", key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(versions_before_1_2_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_is_for_connections_to_come, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_that_fails_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_wrong_with_a_file_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
