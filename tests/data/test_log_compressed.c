#include "base/buffer.h"
#include "base/rng.h"
#include "data/byte_stream.h"
#include "log_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#define AUTO LOG_LAYOUT_AUTO

static void append_gzip(struct buffer *to, const void *bytes, size_t n_bytes)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t bound = deflateBound(&z, n_bytes);
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)n_bytes;
    z.next_out = (Bytef *)buffer_reserve(to, bound);
    z.avail_out = (uInt)bound;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    to->n_bytes += z.total_out;
    deflateEnd(&z);
}

static void append_zstd(struct buffer *to, const void *bytes, size_t n_bytes)
{
    size_t bound = ZSTD_compressBound(n_bytes);
    size_t n = ZSTD_compress(buffer_reserve(to, bound), bound, bytes, n_bytes, 3);
    assert_false(ZSTD_isError(n));
    to->n_bytes += n;
}

typedef void (*appender)(struct buffer *to, const void *bytes, size_t n_bytes);
static const appender appenders[] = {append_gzip, append_zstd};

static void compressed_logs_read_like_plain_ones(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct buffer b = {0};
        appenders[i](&b, "1 2\n3 4\n", 8);
        assert_string_equal(scan_bytes(b.bytes, b.n_bytes, AUTO).text, "1|2;3|4;");
        buffer_free(&b);
    }
}

/* As `cat a.gz b.gz` makes them; a line may begin in one part and end in the next, and a part may be empty.
 */
static void compressed_parts_one_after_another_are_one_log(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct buffer b = {0};
        appenders[i](&b, "1 2\n3", 5);
        appenders[i](&b, "", 0);
        appenders[i](&b, "3 4\n", 4);
        assert_string_equal(scan_bytes(b.bytes, b.n_bytes, AUTO).text, "1|2;33|4;");
        buffer_free(&b);
    }
}

static void an_empty_compressed_log_is_empty(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct buffer b = {0};
        appenders[i](&b, "", 0);
        assert_int_equal(scan_bytes(b.bytes, b.n_bytes, AUTO).status, COLLIDE_OK);
        buffer_free(&b);
    }
}

static void a_skippable_first_frame_is_still_zstd(void **state)
{
    (void)state;
    struct buffer b = {0};
    buffer_append(&b, "\x5a\x2a\x4d\x18\x03\0\0\0xyz", 11);
    append_zstd(&b, "1 2\n", 4);
    assert_string_equal(scan_bytes(b.bytes, b.n_bytes, AUTO).text, "1|2;");
    buffer_free(&b);
}

/* Cut anywhere behind the magic bytes, and with the message naming the log. */
static void a_cut_off_log_is_corrupt(void **state)
{
    (void)state;
    static const char *const names[] = {"gzip", "zstd"};
    static const size_t n_magic[] = {2, 4};
    for (int i = 0; i < 2; i++) {
        struct buffer b = {0};
        char expected[128];
        snprintf(expected, sizeof expected,
                 "corrupt: log: its %s data end too early; the file is cut off, copy or make it anew",
                 names[i]);
        appenders[i](&b, "1 2\n3 4\n", 8);
        for (size_t n = n_magic[i]; n < b.n_bytes; n++)
            assert_string_equal(scan_bytes(b.bytes, n, AUTO).text, expected);
        buffer_free(&b);
    }
}

static void damaged_data_are_corrupt(void **state)
{
    (void)state;
    struct buffer b = {0};
    append_gzip(&b, "1 2\n3 4\n", 8);
    b.bytes[b.n_bytes - 8] ^= 1; /* the CRC */
    assert_string_equal(
        scan_bytes(b.bytes, b.n_bytes, AUTO).text,
        "corrupt: log: its gzip data are damaged (incorrect data check); copy or make the file anew");
    b.bytes[b.n_bytes - 8] ^= 1;
    buffer_append_text(&b, "5 6\n");
    assert_int_equal(scan_bytes(b.bytes, b.n_bytes, AUTO).status, COLLIDE_CORRUPT);
    buffer_free(&b);
    append_zstd(&b, "1 2\n3 4\n", 8);
    buffer_append_text(&b, "5 6\n");
    assert_int_equal(scan_bytes(b.bytes, b.n_bytes, AUTO).status, COLLIDE_CORRUPT);
    buffer_free(&b);
}

/* Text that does not compress well, so that input and output run out at unrelated places; the oracle is the
 * text. */
static void append_random_text(struct buffer *b, size_t n_bytes, struct rng *rng)
{
    for (size_t i = 0; i < n_bytes; i++)
        buffer_append(b, &"0123456789abcdef \n"[rng_below(rng, 18)], 1);
}

static void assert_file_reads_as(const char *path, const struct buffer *text, struct rng *rng)
{
    struct byte_stream *s;
    static char piece[300000];
    assert_int_equal(byte_stream_open(path, &s, NULL), COLLIDE_OK);
    assert_string_equal(byte_stream_name(s), path);
    size_t at = 0;
    for (;;) {
        size_t n_read;
        size_t capacity = 1 + rng_below(rng, sizeof piece);
        assert_int_equal(byte_stream_read(s, piece, capacity, &n_read, NULL), COLLIDE_OK);
        if (n_read == 0)
            break;
        assert_true(n_read <= capacity && at + n_read <= text->n_bytes);
        assert_memory_equal(piece, text->bytes + at, n_read);
        at += n_read;
    }
    assert_int_equal(at, text->n_bytes);
    byte_stream_close(s);
}

static void files_of_any_size_give_their_bytes_back(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(5, 0);
    static const size_t sizes[] = {0, 1, 3, 4, 131071, 131072, 131073, 1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct buffer text = {0};
        append_random_text(&text, sizes[i], &rng);
        for (int codec = -1; codec < 2; codec++) {
            struct buffer file = {0};
            char path[64];
            if (codec < 0)
                buffer_append(&file, text.bytes, text.n_bytes);
            else
                appenders[codec](&file, text.bytes, text.n_bytes);
            write_temporary(path, "", file.bytes, file.n_bytes);
            assert_file_reads_as(path, &text, &rng);
            remove(path);
            buffer_free(&file);
        }
        buffer_free(&text);
    }
}

static enum collide_status count_only(void *context, const char *user, size_t n_user, const char *item,
                                      size_t n_item, struct collide_error *err)
{
    (void)user, (void)n_user, (void)item, (void)n_item, (void)err;
    ++*(int *)context;
    return COLLIDE_OK;
}

/* Through a pipe, which gives its bytes in pieces as small as they were written. */
static void stdin_is_read_and_named(void **state)
{
    (void)state;
    struct buffer b = {0};
    append_zstd(&b, "1 2\n3\n", 6);
    int ends[2];
    int saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        for (size_t i = 0; i < b.n_bytes; i++)
            if (write(ends[1], b.bytes + i, 1) != 1)
                _exit(1);
        _exit(0);
    }
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    int n_visits = 0;
    struct collide_error err;
    struct log_visitor visitor = {.visit = count_only, .context = &n_visits};
    assert_int_equal(log_scan("-", LOG_LAYOUT_PAIRS, &visitor, NULL, &err), COLLIDE_INVALID);
    assert_memory_equal(err.text, "stdin:2: ", 9);
    assert_int_equal(n_visits, 1);
    assert_true(dup2(saved, STDIN_FILENO) == STDIN_FILENO); /* it is still open */
    close(saved);
    buffer_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressed_logs_read_like_plain_ones),
        cmocka_unit_test(compressed_parts_one_after_another_are_one_log),
        cmocka_unit_test(an_empty_compressed_log_is_empty),
        cmocka_unit_test(a_skippable_first_frame_is_still_zstd),
        cmocka_unit_test(a_cut_off_log_is_corrupt),
        cmocka_unit_test(damaged_data_are_corrupt),
        cmocka_unit_test(files_of_any_size_give_their_bytes_back),
        cmocka_unit_test(stdin_is_read_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
