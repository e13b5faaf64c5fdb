#include "api/json_reader.h"

#include "api/json_scan.h"
#include "base/error.h"

struct json_reader json_reader_over(const char *text, size_t n_bytes, struct arena *arena,
                                    struct collide_error *err)
{
    struct json_reader r = {.arena = arena, .err = err};
    json_feed(&r, text, n_bytes, JSON_IS_LAST | JSON_STAYS);
    return r;
}

/* What is before it is not wanted any more. */
static const char *unread(const struct json_reader *r)
{
    return r->held && r->held < r->at ? r->held : r->at;
}

size_t json_n_unread(const struct json_reader *r)
{
    return (size_t)(r->end - unread(r));
}

void json_feed(struct json_reader *r, const char *text, size_t n_bytes, unsigned flags)
{
    size_t n_held = (size_t)(r->at - unread(r));
    r->n_before += (size_t)(r->at - r->text) - n_held;
    r->text = text;
    r->at = text + n_held;
    r->end = text + n_bytes;
    r->held = n_held ? text : NULL;
    r->is_last = flags & JSON_IS_LAST;
    r->stays = flags & JSON_STAYS;
    r->is_starved = false;
}

void json_stop(struct json_reader *r, const char *expected)
{
    if (r->failed)
        return;
    if (r->at == r->end && !r->is_last) {
        json_starve(r);
        return;
    }
    error_set(r->err, COLLIDE_INVALID, "this is not JSON: expected %s at byte %zu%s", expected,
              r->n_before + (size_t)(r->at - r->text), r->at == r->end ? ", where it ends" : "");
    r->failed = r->is_last = true;
    r->at = r->end;
}

bool json_enter(struct json_reader *r, char bracket, unsigned level)
{
    if (r->depth > level || r->place == JSON_BEHIND_VALUE)
        return true;
    if (json_peek(r) != bracket)
        return false;
    if (r->depth == JSON_MAX_DEPTH) {
        json_fail(r, "less nesting");
        return true;
    }
    r->at++;
    uint64_t bit = (uint64_t)1 << r->depth++;
    r->is_in_object = bracket == '{';
    r->objects = r->is_in_object ? r->objects | bit : r->objects & ~bit;
    r->place = JSON_BEHIND_OPENING;
    return true;
}

/* Behind a value or an opening bracket: takes the comma, or leaves the list or object at its end. */
static bool advance(struct json_reader *r)
{
    bool is_object = r->is_in_object;
    char next = json_peek(r);
    if (r->is_starved)
        return false;
    if (next == (is_object ? '}' : ']')) {
        r->at++;
        r->depth--;
        r->is_in_object = r->depth > 0 && r->objects >> (r->depth - 1) & 1;
        return json_end_value(r);
    }
    if (r->place == JSON_BEHIND_VALUE && !json_take(r, ','))
        return json_fail(r, is_object ? "',' or '}'" : "',' or ']'");
    r->place = is_object ? JSON_AT_KEY : JSON_AT_VALUE;
    return true;
}

static bool pass(struct json_reader *r);

/* A comma with nothing but the next value or key behind it: most often it is. */
static bool take_plain_comma(struct json_reader *r, unsigned level)
{
    if (r->place != JSON_BEHIND_VALUE || r->depth != level + 1 || r->is_passing || r->end - r->at < 2 ||
        r->at[0] != ',' || r->at[1] <= ' ')
        return false;
    r->at++;
    r->place = r->is_in_object ? JSON_AT_KEY : JSON_AT_VALUE;
    return true;
}

bool json_next(struct json_reader *r, unsigned level)
{
    if (take_plain_comma(r, level))
        return true;
    bool passes = r->is_passing && r->passing_level == level;
    if (r->failed || r->is_starved || (passes && !pass(r)))
        return false;
    if (r->depth == level + 1 && r->place >= JSON_BEHIND_OPENING && !advance(r))
        return false;
    if (r->depth <= level)
        return false;
    json_peek(r);
    return !r->is_starved;
}

static bool pass_value(struct json_reader *r)
{
    double number;
    char first = json_begin_scalar(r);
    switch (first) {
    case '{':
    case '[':
        return json_enter(r, first, r->depth) && !r->failed;
    case '"':
        return json_pass_string(r);
    case 't':
        return json_word(r, "true");
    case 'f':
        return json_word(r, "false");
    case 'n':
        return json_word(r, "null");
    default:
        if (first == '-' || (first >= '0' && first <= '9'))
            return json_number(r, &number);
        return json_fail(r, "a value");
    }
}

static bool pass(struct json_reader *r)
{
    bool goes_on = true;
    while (goes_on && (r->depth > r->passing_level + 1 || r->place == JSON_AT_VALUE))
        goes_on = r->place == JSON_AT_VALUE ? pass_value(r)
                  : r->place == JSON_AT_KEY ? json_pass_key(r)
                                            : advance(r);
    r->is_passing = !goes_on;
    return goes_on;
}

void json_skip(struct json_reader *r)
{
    json_pass(r, r->depth - 1);
    pass(r);
}

bool json_finish(struct json_reader *r)
{
    json_peek(r);
    return !r->is_starved && (r->at == r->end || json_fail(r, "nothing more"));
}
