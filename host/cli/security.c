#include "cli/security.h"

#include "base/log.h"
#include "serve/models.h"

static enum collide_status open_listeners(struct security *s, const char *listen, struct collide_error *err)
{
    enum collide_status status = listener_open(listen, &s->listener, err);
    if (status == COLLIDE_OK && s->flags->admin_listen)
        status = listener_open(s->flags->admin_listen, &s->admin, err);
    return status;
}

static enum collide_status read_secrets(struct security *s, struct collide_error *err)
{
    const struct security_flags *f = s->flags;
    enum collide_status status = COLLIDE_OK;
    if (f->api_keys)
        status = api_keys_create(f->api_keys, &s->gate.keys, err);
    if (status == COLLIDE_OK && f->tls_cert)
        status = tls_create(f->tls_cert, f->tls_key, &s->tls, err);
    if (status == COLLIDE_OK && f->limit.per_second > 0)
        status = rate_limit_create(&f->limit, &s->gate.rate, err);
    return status;
}

static void warn_of(const struct security *s, const struct listener *l)
{
    if (l->reach != LISTENER_NETWORK)
        return;
    if (!s->gate.keys)
        log_warning(
            "whoever reaches %s may ask: --api-keys asks for keys, 127.0.0.1 is for this machine alone",
            l->address);
    else if (!s->tls)
        log_warning("keys go to %s as clear text, unless something before it speaks TLS: see --tls-cert",
                    l->address);
}

enum collide_status security_open(const struct security_flags *flags, const char *listen,
                                  struct security *out, struct collide_error *err)
{
    struct security s = {.flags = flags, .listener.fd = -1, .admin.fd = -1, .notify.fd = -1};
    enum collide_status status = notify_open(&s.notify, err);
    if (status == COLLIDE_OK && flags->user)
        status = user_find(flags->user, &s.user, err);
    if (status == COLLIDE_OK)
        status = read_secrets(&s, err);
    if (status == COLLIDE_OK)
        status = open_listeners(&s, listen, err);
    if (status == COLLIDE_OK)
        status = privileges_confine(err); /* while there is one thread */
    if (status != COLLIDE_OK) {
        security_close(&s);
        return status;
    }
    warn_of(&s, &s.listener);
    warn_of(&s, &s.admin);
    *out = s;
    return COLLIDE_OK;
}

void security_close(struct security *s)
{
    listener_close(&s->listener);
    listener_close(&s->admin);
    api_keys_destroy(s->gate.keys);
    rate_limit_destroy(s->gate.rate);
    tls_destroy(s->tls);
    notify_close(&s->notify);
    *s = (struct security){.listener.fd = -1, .admin.fd = -1, .notify.fd = -1};
}

void security_lend(struct security *s, struct http_options *http)
{
    http->listener = &s->listener;
    http->admin = s->flags->admin_listen ? &s->admin : NULL;
    http->gate = s->gate;
    http->tls = s->tls;
}

enum collide_status security_drop(const struct security *s, struct collide_error *err)
{
    if (!s->flags->user)
        return COLLIDE_OK;
    enum collide_status status = listener_give(&s->listener, s->user.id, s->user.group, err);
    if (status == COLLIDE_OK)
        status = listener_give(&s->admin, s->user.id, s->user.group, err);
    return status == COLLIDE_OK ? privileges_drop(&s->user, err) : status;
}

/* A driver that compiles starts a linker; PoCL, where it may not, aborts the process. */
enum collide_status security_filter(const struct security *s, struct service *service,
                                    struct collide_error *err)
{
    if (!s->flags->seccomp)
        return COLLIDE_OK;
    service_models_stop_compiling(service);
    return syscall_filter_install(s->needs, err);
}

void security_reload(struct security *s)
{
    struct collide_error err;
    if (s->gate.keys && api_keys_reload(s->gate.keys, &err) != COLLIDE_OK)
        log_warning("keys stay as they were: %s", err.text);
    if (s->tls && tls_reload(s->tls, &err) != COLLIDE_OK)
        log_warning("the certificate stays as it was: %s", err.text);
}
