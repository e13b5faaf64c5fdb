#include "data/byte_stream.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum codec { CODEC_PLAIN, CODEC_GZIP, CODEC_ZSTD };

enum {
    INPUT_BYTES = 1 << 17,
    MAGIC_BYTES = 4,       /* enough to tell the codec */
    MAX_CHUNK = 1 << 30,   /* what zlib's 32-bit counts hold */
    GZIP_WITH_HEADER = 16, /* added to the window bits of inflateInit2 */
};

struct byte_stream {
    const char *name;
    char *name_copy; /* owned, or NULL */
    int fd;          /* -1: memory */
    bool owns_fd;
    bool is_at_end;   /* of the input: nothing beyond `input` */
    bool is_in_frame; /* the compressed data want more input */
    enum codec codec;
    const uint8_t *input; /* what was read and not decoded yet */
    size_t n_input;
    uint8_t *window; /* (INPUT_BYTES) that input points into, owned; NULL: memory */
    z_stream gzip;
    ZSTD_DStream *zstd;
};

void byte_stream_close(struct byte_stream *s)
{
    if (!s)
        return;
    if (s->codec == CODEC_GZIP)
        inflateEnd(&s->gzip);
    ZSTD_freeDStream(s->zstd);
    if (s->owns_fd)
        close(s->fd);
    free(s->window);
    free(s->name_copy);
    free(s);
}

const char *byte_stream_name(const struct byte_stream *s)
{
    return s->name;
}

static enum collide_status read_fd(struct byte_stream *s, void *bytes, size_t capacity, size_t *n_read,
                                   struct collide_error *err)
{
    ssize_t n;
    do
        n = read(s->fd, bytes, capacity);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot read %s", s->name);
    s->is_at_end = n == 0;
    *n_read = (size_t)n;
    return COLLIDE_OK;
}

/* More input behind what is left, which is moved to the front. */
static enum collide_status input_extend(struct byte_stream *s, struct collide_error *err)
{
    if (s->n_input)
        memmove(s->window, s->input, s->n_input);
    s->input = s->window;
    size_t n_more = 0;
    enum collide_status status = read_fd(s, s->window + s->n_input, INPUT_BYTES - s->n_input, &n_more, err);
    s->n_input += n_more;
    return status;
}

static enum codec codec_of(const uint8_t *bytes, size_t n_bytes)
{
    static const uint8_t gzip_magic[] = {0x1f, 0x8b};
    static const uint8_t zstd_magic[] = {0x28, 0xb5, 0x2f, 0xfd};
    static const uint8_t zstd_skippable[] = {0x2a, 0x4d, 0x18}; /* after a byte 0x50 to 0x5f */
    if (n_bytes >= 2 && !memcmp(bytes, gzip_magic, 2))
        return CODEC_GZIP;
    if (n_bytes >= 4 && !memcmp(bytes, zstd_magic, 4))
        return CODEC_ZSTD;
    if (n_bytes >= 4 && bytes[0] >> 4 == 5 && !memcmp(bytes + 1, zstd_skippable, 3))
        return CODEC_ZSTD;
    return CODEC_PLAIN;
}

static enum collide_status codec_start(struct byte_stream *s, struct collide_error *err)
{
    enum codec codec = codec_of(s->input, s->n_input);
    if (codec == CODEC_GZIP && inflateInit2(&s->gzip, MAX_WBITS + GZIP_WITH_HEADER) != Z_OK)
        return error_no_memory(err, "gzip decompression");
    if (codec == CODEC_ZSTD && !(s->zstd = ZSTD_createDStream()))
        return error_no_memory(err, "zstd decompression");
    s->codec = codec;
    return COLLIDE_OK;
}

static enum collide_status open_input(struct byte_stream *s, const char *path, struct collide_error *err)
{
    if (!strcmp(path, "-")) {
        s->fd = STDIN_FILENO;
        s->name = "stdin";
    } else {
        s->name = s->name_copy = strdup(path);
        if (!s->name)
            return error_no_memory(err, "a file name");
        s->fd = open(path, O_RDONLY | O_CLOEXEC);
        if (s->fd < 0)
            return error_set_errno(err, errno == ENOENT ? COLLIDE_NOT_FOUND : COLLIDE_IO, errno,
                                   "cannot open %s", path);
        s->owns_fd = true;
    }
    s->window = malloc(INPUT_BYTES);
    if (!s->window)
        return error_no_memory(err, "a read buffer");
    enum collide_status status = COLLIDE_OK;
    while (status == COLLIDE_OK && s->n_input < MAGIC_BYTES && !s->is_at_end)
        status = input_extend(s, err);
    return status;
}

enum collide_status byte_stream_open(const char *path, struct byte_stream **out, struct collide_error *err)
{
    struct byte_stream *s = calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "a file's reader");
    enum collide_status status = open_input(s, path, err);
    if (status == COLLIDE_OK)
        status = codec_start(s, err);
    if (status == COLLIDE_OK)
        *out = s;
    else
        byte_stream_close(s);
    return status;
}

enum collide_status byte_stream_open_memory(const char *name, const void *bytes, size_t n_bytes,
                                            struct byte_stream **out, struct collide_error *err)
{
    struct byte_stream *s = calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "a reader");
    s->name = name;
    s->fd = -1;
    s->is_at_end = true;
    s->input = bytes;
    s->n_input = n_bytes;
    enum collide_status status = codec_start(s, err);
    if (status == COLLIDE_OK)
        *out = s;
    else
        byte_stream_close(s);
    return status;
}

static enum collide_status inflate_some(struct byte_stream *s, void *bytes, size_t capacity, size_t *n_out,
                                        struct collide_error *err)
{
    z_stream *z = &s->gzip;
    uInt room = capacity < MAX_CHUNK ? (uInt)capacity : MAX_CHUNK;
    uInt n_offered = s->n_input < MAX_CHUNK ? (uInt)s->n_input : MAX_CHUNK;
    z->next_in = (Bytef *)(uintptr_t)s->input;
    z->avail_in = n_offered;
    z->next_out = bytes;
    z->avail_out = room;
    int result = inflate(z, Z_NO_FLUSH);
    s->input += n_offered - z->avail_in;
    s->n_input -= n_offered - z->avail_in;
    *n_out = room - z->avail_out;
    s->is_in_frame = result != Z_STREAM_END;
    if (result == Z_STREAM_END)
        inflateReset(z);
    else if (result == Z_MEM_ERROR)
        return error_no_memory(err, "gzip decompression");
    else if (result != Z_OK && result != Z_BUF_ERROR)
        return error_set(err, COLLIDE_CORRUPT,
                         "%s: its gzip data are damaged (%s); copy or make the file anew", s->name,
                         z->msg ? z->msg : "a wrong stream");
    return COLLIDE_OK;
}

static enum collide_status unzstd_some(struct byte_stream *s, void *bytes, size_t capacity, size_t *n_out,
                                       struct collide_error *err)
{
    ZSTD_inBuffer in = {.src = s->input, .size = s->n_input};
    ZSTD_outBuffer to = {.dst = bytes, .size = capacity};
    size_t result = ZSTD_decompressStream(s->zstd, &to, &in);
    if (ZSTD_isError(result))
        return error_set(err, COLLIDE_CORRUPT,
                         "%s: its zstd data are damaged (%s); copy or make the file anew", s->name,
                         ZSTD_getErrorName(result));
    s->input += in.pos;
    s->n_input -= in.pos;
    *n_out = to.pos;
    s->is_in_frame = result != 0;
    return COLLIDE_OK;
}

static enum collide_status decode(struct byte_stream *s, void *bytes, size_t capacity, size_t *n_read,
                                  struct collide_error *err)
{
    for (;;) {
        enum collide_status status = COLLIDE_OK;
        if (!s->n_input && !s->is_at_end)
            status = input_extend(s, err);
        if (status != COLLIDE_OK)
            return status;
        *n_read = 0;
        if (!s->n_input && !s->is_in_frame)
            return COLLIDE_OK;
        size_t n_before = s->n_input;
        status = s->codec == CODEC_GZIP ? inflate_some(s, bytes, capacity, n_read, err)
                                        : unzstd_some(s, bytes, capacity, n_read, err);
        if (status != COLLIDE_OK || *n_read)
            return status;
        if (s->n_input == n_before)
            return error_set(err, COLLIDE_CORRUPT,
                             "%s: its %s data end too early; the file is cut off, copy or make it anew",
                             s->name, s->codec == CODEC_GZIP ? "gzip" : "zstd");
    }
}

enum collide_status byte_stream_read(struct byte_stream *s, void *bytes, size_t capacity, size_t *n_read,
                                     struct collide_error *err)
{
    if (s->codec != CODEC_PLAIN)
        return decode(s, bytes, capacity, n_read, err);
    if (s->n_input) {
        size_t n = s->n_input < capacity ? s->n_input : capacity;
        memcpy(bytes, s->input, n);
        s->input += n;
        s->n_input -= n;
        *n_read = n;
        return COLLIDE_OK;
    }
    if (!s->is_at_end)
        return read_fd(s, bytes, capacity, n_read, err);
    *n_read = 0;
    return COLLIDE_OK;
}
