/* Reads JSON (RFC 8259, strictly) value by value where it lies, allocating only for strings with escapes.
 *
 *     for (json_open(r, '['); json_next(r, ']');)
 *         json_number(r, &values[n++]);
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

struct json_reader {
    const char *text;
    const char *at;
    const char *end;
    struct arena *arena;
    struct collide_error *err;
    bool failed;
    bool is_first; /* behind an opening bracket: no comma is due */
};

/* Borrows the text, the arena and err. */
struct json_reader json_reader_over(const char *text, size_t n_bytes, struct arena *arena,
                                    struct collide_error *err);

/* The next value's first character, '\0' at the end. */
char json_peek(struct json_reader *r);

/* Enters a list or an object; then json_next says whether it goes on, and leaves it at its end. */
bool json_open(struct json_reader *r, char bracket);
bool json_next(struct json_reader *r, char closing_bracket);

/* A string without its quotes and escapes: in the text where it has no escapes, else in the arena. Not
 * terminated; may hold '\0'. Its bytes need not be UTF-8. */
struct json_text {
    const char *bytes;
    size_t n_bytes;
};

bool json_string(struct json_reader *r, struct json_text *out);
bool json_key(struct json_reader *r, struct json_text *out); /* and the colon */
bool json_number(struct json_reader *r, double *out);        /* infinite where a double ends */

/* Numbers of up to 15 digits and nothing else, as most ids are, with nothing but commas between them: up to
 * max. Gives how many were read; the value behind them, of whatever kind, is for the other functions. */
size_t json_small_integers(struct json_reader *r, uint64_t *out, size_t max);

bool json_bool(struct json_reader *r, bool *out);

/* An integer below 2^64 in digits alone, exactly. False where another value is next; that is no failure, and
 * the reader is still before it. */
bool json_u64(struct json_reader *r, uint64_t *out);

/* Passes over one value of any kind, of at most JSON_MAX_DEPTH levels. */
enum { JSON_MAX_DEPTH = 64 };
void json_skip(struct json_reader *r);

/* Nothing but blanks may follow. */
bool json_finish(struct json_reader *r);

#endif
