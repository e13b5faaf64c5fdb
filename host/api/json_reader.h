/* Reads JSON (RFC 8259, strictly) value by value as its text comes, allocating only for strings.
 *
 *     if (json_enter(r, '[', level))
 *         while (json_next(r, level) && json_number(r, &values[n]))
 *             n++;
 *
 * The text may be all there is, or end anywhere for now. Then what has not come whole is not read:
 * `is_starved` is set, loops end and reads give false. Fed with what was unread and more, the reader goes on
 * if the same functions are called again in the same way: lists and objects that were entered or read stay
 * so, and what was next is next. Callers keep what they have read, and, of a member that is a list or an
 * object, its key.
 *
 * The first byte that is not JSON stops the reader for good: `failed` is set, err says where, loops end and
 * reads give false. A value of another kind than asked for fails likewise: json_peek tells the kind before.
 */
#ifndef API_JSON_READER_H
#define API_JSON_READER_H

#include "base/arena.h"
#include "collide/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { JSON_MAX_DEPTH = 64, JSON_MAX_NUMBER_CHARS = 63, JSON_MAX_STRING_BYTES = 64 << 10 };

/* What is next. */
enum json_place { JSON_AT_VALUE, JSON_AT_KEY, JSON_BEHIND_OPENING, JSON_BEHIND_VALUE };

struct json_reader {
    const char *text; /* the window: [text, end) */
    const char *at;
    const char *end;
    const char *token; /* where to go on if the text ends in what is being read */
    const char *held;  /* text from here on is wanted again; NULL: none */
    size_t n_before;   /* bytes before the window */
    struct arena *arena;
    struct collide_error *err;
    bool is_last; /* no more text follows */
    bool stays;   /* the text does: strings need not be copied */
    bool failed, is_starved;
    bool is_passing; /* over what is left of a value in the list or object at passing_level */
    unsigned passing_level;
    enum json_place place;
    unsigned depth;    /* lists and objects around what is next */
    uint64_t objects;  /* bit d: the one at depth d + 1 is an object */
    bool is_in_object; /* the innermost is one */
};

/* Over the whole text. Borrows it, the arena and err. */
struct json_reader json_reader_over(const char *text, size_t n_bytes, struct arena *arena,
                                    struct collide_error *err);

/* The text for a reader that is zeroed at first, but for its arena and err: what was unread of the text
 * before and what follows. Borrows it until it is fed again; where it stays, for as long as what is read is
 * used. */
enum json_text_flag { JSON_IS_LAST = 1, JSON_STAYS = 2 };
void json_feed(struct json_reader *r, const char *text, size_t n_bytes, unsigned flags);

/* Bytes at the text's end that are to be fed again. */
size_t json_n_unread(const struct json_reader *r);

/* The first character of what is next, '\0' at the end. Behind json_next and json_key it is always there. */
static inline char json_peek(struct json_reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
    if (r->at < r->end)
        return *r->at;
    r->is_starved = !r->is_last;
    return '\0';
}

/* Enters the list or the object that is next at depth level, unless that was done before. False: something
 * else is next. */
bool json_enter(struct json_reader *r, char bracket, unsigned level);

/* Whether what json_enter of the same level enters has been entered, and not yet been left. */
static inline bool json_is_inside(const struct json_reader *r, unsigned level)
{
    return r->depth > level;
}

/* Goes to the next value, or key, of the list or object that was entered at level; false: there is none left.
 * Where that is in reading already, it stays there. */
bool json_next(struct json_reader *r, unsigned level);

/* Behind json_next: whether a key is to be read; else the value of the one before is gone on with. */
static inline bool json_is_at_key(const struct json_reader *r, unsigned level)
{
    return r->depth == level + 1 && r->place == JSON_AT_KEY;
}

/* A string without its quotes and escapes: in the text where that stays and it has no escapes, else in the
 * arena. Not terminated; may hold '\0'. Its bytes need not be UTF-8. */
struct json_text {
    const char *bytes;
    size_t n_bytes;
};

static inline bool json_text_is(const struct json_text *text, const char *other)
{
    return text->n_bytes == strlen(other) && memcmp(text->bytes, other, text->n_bytes) == 0;
}

bool json_string(struct json_reader *r, struct json_text *out);
bool json_number(struct json_reader *r, double *out); /* infinite where a double ends */

/* A key and its colon. It is valid until the reader is fed. A member that is no list and no object is read
 * together with its key: where it has not come whole, the key is next again. */
bool json_key(struct json_reader *r, struct json_text *out);

/* The same text, valid as long as a string's; bytes NULL: out of memory. */
struct json_text json_keep(const struct json_reader *r, struct json_text text);

/* Numbers of up to 15 digits and nothing else, as most ids are, with nothing between them but commas, which
 * a space may follow: up to max. Gives how many were read; the value behind them, of whatever kind, is for
 * the other functions. */
size_t json_small_integers(struct json_reader *r, uint64_t *out, size_t max);

bool json_bool(struct json_reader *r, bool *out);

/* An integer below 2^64 in digits alone, exactly. False where another value is next; that is no failure, and
 * the reader is still before it. */
bool json_u64(struct json_reader *r, uint64_t *out);

/* The value in the list or object at level that is next, or what is left of it, is passed over by the next
 * json_next of that level, whatever it is. */
static inline void json_pass(struct json_reader *r, unsigned level)
{
    r->is_passing = true;
    r->passing_level = level;
}

/* The same at once, in a text that is all there. */
void json_skip(struct json_reader *r);

/* Nothing but blanks may follow. */
bool json_finish(struct json_reader *r);

/* Of what reads values by these functions and was told to stop. */
static inline enum collide_status json_status(const struct json_reader *r)
{
    return r->failed ? COLLIDE_INVALID : COLLIDE_OK;
}

#endif
