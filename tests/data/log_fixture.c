#include "log_fixture.h"

#include "data/log_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static enum collide_status note(void *context, const char *user, size_t n_user, const char *item,
                                size_t n_item, struct collide_error *err)
{
    (void)err;
    struct scan_result *r = context;
    size_t used = strlen(r->text);
    snprintf(r->text + used, sizeof r->text - used, "%.*s|%.*s;", (int)n_user, user, (int)n_item, item);
    return COLLIDE_OK;
}

struct scan_result scan_bytes(const void *bytes, size_t n_bytes, enum log_layout layout)
{
    struct scan_result result = {0};
    struct log_visitor visitor = {.visit = note, .context = &result};
    struct collide_error err = {0};
    struct byte_stream *stream;
    result.status = byte_stream_open_memory("log", bytes, n_bytes, &stream, &err);
    assert_int_equal(result.status, COLLIDE_OK);
    result.status = log_scan_stream(stream, layout, &visitor, &result.counts, &err);
    byte_stream_close(stream);
    if (result.status != COLLIDE_OK) {
        assert_int_equal(err.status, result.status);
        snprintf(result.text, sizeof result.text, "%s: %s", collide_status_name(result.status), err.text);
    }
    return result;
}

struct scan_result scan_text(const char *text, enum log_layout layout)
{
    return scan_bytes(text, strlen(text), layout);
}

void write_temporary(char path[64], const char *suffix, const void *bytes, size_t n_bytes)
{
    snprintf(path, 64, "/tmp/collide-test-XXXXXX%s", suffix);
    int fd = mkstemps(path, (int)strlen(suffix));
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n_bytes), n_bytes);
    close(fd);
}
