#include "cli/ask.h"

#include "api/json_reader.h"
#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The texts of a JSON list; numbers as they are spelled. */
struct text_list {
    struct json_text *items; /* (n) */
    size_t n;
};

static struct text_list read_list(struct json_reader *r)
{
    size_t n_max = (size_t)(r->end - r->at) / 2 + 1; /* an item and a comma have two bytes at least */
    struct text_list list = {.items = arena_alloc(r->arena, n_max, sizeof list.items[0])};
    unsigned level = r->depth;
    while (json_enter(r, '[', level) && list.items && json_next(r, level)) {
        struct json_text *text = &list.items[list.n++];
        if (json_peek(r) == '"') {
            json_string(r, text);
        } else {
            text->bytes = r->at;
            json_skip(r);
            text->n_bytes = (size_t)(r->at - text->bytes);
        }
    }
    return list;
}

/* A JSON object's list of this name, in the arena; without items if there is none. */
static struct text_list find_list(const struct buffer *object, const char *name, struct arena *arena)
{
    struct collide_error err;
    struct json_text key;
    struct text_list found = {.items = NULL};
    struct json_reader r = json_reader_over(object->bytes, object->n_bytes, arena, &err);
    while (json_enter(&r, '{', 0) && json_next(&r, 0) && json_key(&r, &key)) {
        if (json_text_is(&key, name))
            found = read_list(&r);
        else
            json_skip(&r);
    }
    return r.failed ? (struct text_list){.items = NULL} : found;
}

/* An answer's scores, beside the items that it names or else those asked for. */
static enum collide_status print_as_text(const struct buffer *request, const struct buffer *reply,
                                         struct collide_error *err)
{
    struct arena arena = {0};
    struct text_list items = find_list(reply, "items", &arena), scores = find_list(reply, "scores", &arena);
    enum collide_status status = COLLIDE_OK;
    if (!items.items)
        items = find_list(request, "items", &arena);
    if (!scores.items || scores.n != items.n)
        status = error_set(err, COLLIDE_CORRUPT, "the answer has no score an item; --json shows it");
    for (size_t i = 0; i < items.n && status == COLLIDE_OK; i++)
        printf("%.*s\t%.*s\n", (int)items.items[i].n_bytes, items.items[i].bytes,
               (int)scores.items[i].n_bytes, scores.items[i].bytes);
    arena_free(&arena);
    return status == COLLIDE_OK ? file_flush(stdout, "standard output", err) : status;
}

static enum collide_status ask(const struct asker *asker, enum request_kind kind,
                               const struct buffer *request, struct buffer *reply, struct collide_error *err)
{
    reply->n_bytes = 0;
    enum collide_status status = asker->ask(asker->self, kind, request->bytes, request->n_bytes, reply, err);
    return reply->failed ? error_no_memory(err, "an answer") : status;
}

static enum collide_status write_reply(const struct buffer *reply, struct collide_error *err)
{
    return file_write_all(STDOUT_FILENO, reply->bytes, reply->n_bytes, "standard output", err);
}

static enum collide_status ask_once(const struct asker *asker, enum request_kind kind,
                                    const struct request_flags *flags, enum ask_output output,
                                    struct collide_error *err)
{
    struct buffer request = {0}, reply = {0};
    request_flags_print(flags, &request);
    enum collide_status status =
        request.failed ? error_no_memory(err, "a request") : ask(asker, kind, &request, &reply, err);
    if (status == COLLIDE_OK && output == ASK_TEXT)
        status = print_as_text(&request, &reply, err);
    else if (output == ASK_JSON && reply.n_bytes && write_reply(&reply, err) != COLLIDE_OK)
        status = err->status;
    buffer_free(&request);
    buffer_free(&reply);
    return status;
}

static enum collide_status ask_lines(const struct asker *asker, enum request_kind kind,
                                     struct collide_error *err)
{
    struct buffer line = {0}, reply = {0};
    enum collide_status status = COLLIDE_OK;
    bool goes_on = true;
    for (ssize_t n; goes_on && (n = getline(&line.bytes, &line.capacity, stdin)) >= 0;) {
        struct collide_error why;
        if (strspn(line.bytes, " \t\r\n") == (size_t)n)
            continue;
        line.n_bytes = (size_t)n;
        enum collide_status one = ask(asker, kind, &line, &reply, &why);
        goes_on = one == COLLIDE_OK || reply.n_bytes > 0;
        if (reply.n_bytes > 0 && write_reply(&reply, &why) != COLLIDE_OK) {
            one = why.status;
            goes_on = false;
        }
        if (one != COLLIDE_OK) {
            status = one;
            *err = why;
        }
    }
    if (goes_on && !feof(stdin))
        status = error_set_errno(err, COLLIDE_IO, errno, "cannot read standard input");
    buffer_free(&line);
    buffer_free(&reply);
    return status;
}

enum collide_status ask_requests(const struct asker *asker, enum request_kind kind,
                                 const struct request_flags *flags, enum ask_output output,
                                 struct collide_error *err)
{
    return request_flags_are_given(flags) ? ask_once(asker, kind, flags, output, err)
                                          : ask_lines(asker, kind, err);
}
