/* The lines of a file of API keys; see api_keys.h. */
#ifndef NET_API_KEYS_PARSE_H
#define NET_API_KEYS_PARSE_H

#include "net/api_keys.h"

#include <stddef.h>
#include <stdint.h>

enum { API_DIGEST_BYTES = 32 }; /* SHA-256 */

struct api_key {
    uint8_t digest[API_DIGEST_BYTES];
    char name[API_NAME_CHARS];
    enum api_role role;
};

struct api_key_list {
    struct api_key *keys; /* (n), owned */
    size_t n;
};

/* text is followed by a zero. Errors name path and the line, never what stands there. */
enum collide_status api_keys_parse(const char *text, size_t n_bytes, const char *path,
                                   struct api_key_list *out, struct collide_error *err);

#endif
