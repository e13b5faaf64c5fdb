#include "learn_fixture.h"

#include "base/buffer.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void fixture_log(const char *text, struct interactions *out)
{
    char path[] = "/tmp/collide-learn-XXXXXX";
    struct collide_error err = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    enum collide_status status = interactions_read(path, LOG_LAYOUT_PAIRS, NULL, out, &err);
    unlink(path);
    if (status != COLLIDE_OK)
        fail_msg("%s", err.text);
}

static enum collide_status append(void *context, const char *text, size_t n, struct collide_error *err)
{
    (void)err;
    buffer_append(context, text, n);
    return COLLIDE_OK;
}

/* Moves every eighth line of the log to the other one; both end with a terminator. */
static void split_lines(const struct buffer *log, struct buffer *train, struct buffer *held_out)
{
    const char *at = log->bytes, *end = log->bytes + log->n_bytes;
    for (unsigned line = 0; at < end; line++) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        next = next ? next + 1 : end;
        buffer_append(line % 8 == 7 ? held_out : train, at, (size_t)(next - at));
        at = next;
    }
    buffer_append(train, "", 1);
    buffer_append(held_out, "", 1);
    assert_false(train->failed || held_out->failed);
}

/* The pairs by dense ids, unknown ones left out, users in any order. */
static void read_pairs(const char *text, const struct interactions *train, struct csr *out)
{
    size_t n_lines = 0;
    for (const char *c = text; *c; c++)
        n_lines += *c == '\n';
    uint32_t n_users = train->users.n_ids, (*pairs)[2] = malloc((n_lines + 1) * sizeof *pairs);
    assert_non_null(pairs);
    assert_int_equal(csr_allocate(n_users, n_lines, NULL, "held-out items", out, NULL), COLLIDE_OK);
    size_t n = 0;
    for (const char *at = text; *at; at = strchr(at, '\n') + 1) {
        uint64_t user, item;
        assert_int_equal(sscanf(at, "%" SCNu64 "%*1[ \t]%" SCNu64, &user, &item), 2);
        pairs[n][0] = id_index_find(&train->users, collide_id_number(user));
        pairs[n][1] = id_index_find(&train->items, collide_id_number(item));
        n += pairs[n][0] < n_users && pairs[n][1] < train->items.n_ids;
    }
    for (size_t k = 0; k < n; k++)
        out->offsets[pairs[k][0] + 1]++;
    for (uint32_t u = 0; u < n_users; u++)
        out->offsets[u + 1] += out->offsets[u];
    for (size_t k = n; k-- > 0;)
        out->values[--out->offsets[pairs[k][0] + 1]] = pairs[k][1];
    /* Filling from the ends has moved each list's end to its beginning: move the offsets back by one. */
    for (uint32_t u = 0; u < n_users; u++)
        out->offsets[u] = out->offsets[u + 1];
    out->offsets[n_users] = n;
    free(pairs);
}

void fixture_synth(const struct synth_options *options, struct interactions *train, struct csr *held_out)
{
    struct buffer log = {0}, train_text = {0}, held_out_text = {0};
    struct collide_error err = {0};
    if (synth_write(options, append, &log, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    split_lines(&log, &train_text, &held_out_text);
    fixture_log(train_text.bytes, train);
    read_pairs(held_out_text.bytes, train, held_out);
    buffer_free(&log);
    buffer_free(&train_text);
    buffer_free(&held_out_text);
}

void fixture_corpus(const int *lists, struct corpus *out)
{
    struct buffer text = {0};
    for (int user = 0; *lists != -2; lists++) {
        if (*lists == -1)
            user++;
        else
            buffer_printf(&text, "%d %d\n", user, *lists);
    }
    buffer_append(&text, "", 1);
    assert_false(text.failed);
    struct interactions log;
    fixture_log(text.bytes, &log);
    assert_int_equal(corpus_create(&log, 2, out, NULL), COLLIDE_OK);
    if (!out->owns_histories) { /* it outlives the log */
        out->owns_histories = true;
        log.histories = (struct csr){0};
    }
    interactions_free(&log);
    buffer_free(&text);
}

struct parallel *fixture_team(unsigned n_threads)
{
    struct parallel *team = NULL;
    assert_int_equal(parallel_create(n_threads, &team, NULL), COLLIDE_OK);
    return team;
}

struct learned *fixture_learn(const struct interactions *log, const struct learn_options *options)
{
    struct learned *l = NULL;
    struct collide_error err = {0};
    if (learn_model(log, options, &l, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return l;
}
