/* Who may ask: keys of clients, from a file that only its owner and group may read. A line each:
 *
 *   NAME:KEY            NAME:sha256=HEX            either with :admin at the end
 *
 * NAME is what logs and limits call the client: at most 32 letters, digits and any of . _ -; a client may
 * have several lines, while its key is changed. KEY has 16 to 128 letters, digits and any of . _ ~ + / = -.
 * HEX is the key's SHA-256, so that the file does not tell the key. Empty lines and those that start with #
 * are skipped. */
#ifndef NET_API_KEYS_H
#define NET_API_KEYS_H

#include "collide/status.h"

enum { API_NAME_CHARS = 33 };

enum api_role { API_STRANGER, API_USER, API_ADMIN };

struct api_keys;

/* Returns owned. */
enum collide_status api_keys_create(const char *path, struct api_keys **out, struct collide_error *err);
void api_keys_destroy(struct api_keys *k);

/* Reads the file again, while others ask; when it cannot be used, the keys stay as they were. */
enum collide_status api_keys_reload(struct api_keys *k, struct collide_error *err);

/* Whose key a request's headers carry: `Authorization: Bearer KEY`, or else `X-API-Key: KEY`; NULL where
 * there is none. Takes the same time whichever key it is, or none of them. The name is "" for a stranger.
 * From any thread. */
enum api_role api_keys_find(struct api_keys *k, const char *authorization, const char *x_api_key,
                            char name[API_NAME_CHARS]);

#endif
