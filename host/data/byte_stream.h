/* The bytes of a file, stdin or memory, decompressed on the way: gzip (RFC 1952, any number of members) and
 * zstd (RFC 8878, any number of frames) are told from plain bytes by how they begin. */
#ifndef DATA_BYTE_STREAM_H
#define DATA_BYTE_STREAM_H

#include "collide/status.h"

#include <stddef.h>

struct byte_stream;

/* "-" is stdin. Returns owned. */
enum collide_status byte_stream_open(const char *path, struct byte_stream **out, struct collide_error *err);

/* Borrows name and bytes until closed. Returns owned. */
enum collide_status byte_stream_open_memory(const char *name, const void *bytes, size_t n_bytes,
                                            struct byte_stream **out, struct collide_error *err);
void byte_stream_close(struct byte_stream *s);

/* What messages call it; borrows. */
const char *byte_stream_name(const struct byte_stream *s);

/* Up to capacity > 0 decoded bytes, at least one but at the end: n_read is 0 there. Compressed data that are
 * damaged or end too early are COLLIDE_CORRUPT. */
enum collide_status byte_stream_read(struct byte_stream *s, void *bytes, size_t capacity, size_t *n_read,
                                     struct collide_error *err);

#endif
