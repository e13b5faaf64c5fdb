/* What json_reader.c, lists and objects, and what is in them, json_scalars.c and json_integers.c, share. */
#ifndef API_JSON_SCAN_H
#define API_JSON_SCAN_H

#include "api/json_reader.h"

/* The text that has come ends in what is being read: back to where all of that is read once more has come, of
 * a member its key. Gives false, as the next. */
static inline bool json_starve(struct json_reader *r)
{
    r->is_starved = true;
    r->at = r->token;
    if (r->is_in_object)
        r->place = JSON_AT_KEY;
    return false;
}

/* Something else than what is expected is next; where the text that has come ends, it may follow. */
void json_stop(struct json_reader *r, const char *expected);

static inline bool json_fail(struct json_reader *r, const char *expected)
{
    json_stop(r, expected);
    return false;
}

static inline bool json_take(struct json_reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* Before a scalar: gives its first character. */
static inline char json_begin_scalar(struct json_reader *r)
{
    char first = json_peek(r);
    if (!r->is_in_object) /* there it is the key's place */
        r->token = r->at;
    return first;
}

static inline bool json_end_value(struct json_reader *r)
{
    r->place = JSON_BEHIND_VALUE;
    return true;
}

bool json_word(struct json_reader *r, const char *word);

/* As json_string and json_key, but for what they read. */
bool json_pass_string(struct json_reader *r);
bool json_pass_key(struct json_reader *r);

#endif
