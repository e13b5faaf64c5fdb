/* Asking servers: over HTTP with the JSON of /v1, or by datagrams, which say less but cost less. */
#ifndef CLI_ASK_SERVER_H
#define CLI_ASK_SERVER_H

#include "cli/ask.h"

struct server_options {
    const char *address; /* http[s]://HOST:PORT, unix:PATH; udp:HOST:PORT, shm:NAME */
    const char *key;     /* a file, or NULL. HTTP: its first line is the API key; else as --key of serve */
    const char *model;   /* its name, over datagrams its number; or NULL: the server's first */
    const char *version; /* of that model, not over datagrams; or NULL: the one that is served */
    const char *ca;      /* a file of certificates to trust in place of the system's, or NULL */
    uint64_t timeout_ms; /* of a request */
};

/* Borrows the options. COLLIDE_NOT_FOUND: there is no such server, where that can be known. The close of an
 * asker of the same kind gives everything back. */
enum collide_status ask_http_open(const struct server_options *options, struct asker *out,
                                  struct collide_error *err);
void ask_http_close(struct asker *asker);

enum collide_status ask_datagrams_open(const struct server_options *options, struct asker *out,
                                       struct collide_error *err);
void ask_datagrams_close(struct asker *asker);

#endif
