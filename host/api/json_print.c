#include "api/json_v1.h"

#include "base/number.h"

#include <string.h>

/* How many bytes the character at text[0] has in UTF-8; 0: it is not UTF-8. */
static size_t utf8_length(const unsigned char *text, size_t n_bytes)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char c = text[0];
    if (c < 0x80)
        return 1;
    size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    uint32_t code = c & (0x7fu >> n);
    if (c < 0xc0 || c > 0xf4 || n > n_bytes)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    return code >= least[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? n : 0;
}

static void print_escaped(struct buffer *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    if (c == '"' || c == '\\')
        buffer_append(out, (char[]){'\\', (char)c}, 2);
    else if (c < 0x20)
        buffer_append(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
    else
        buffer_append_text(out, "\xef\xbf\xbd");
}

void json_print_string(struct buffer *out, const char *text, size_t n_bytes)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t begin = 0, at = 0;
    buffer_append(out, "\"", 1);
    while (at < n_bytes) {
        unsigned char c = bytes[at];
        size_t n = c < 0x20 || c == '"' || c == '\\' ? 0 : utf8_length(bytes + at, n_bytes - at);
        if (n > 0) {
            at += n;
            continue;
        }
        buffer_append(out, text + begin, at - begin);
        print_escaped(out, c);
        begin = ++at;
    }
    buffer_append(out, text + begin, n_bytes - begin);
    buffer_append(out, "\"", 1);
}

/* Straight into the buffer's memory: this is where a response's time goes. */
void json_print_floats(struct buffer *out, const float *values, size_t n)
{
    char *begin = buffer_reserve(out, n * (NUMBER_MAX_CHARS + 1) + 2);
    if (!begin)
        return;
    begin[0] = '[';
    size_t n_chars = 1 + number_print_f32s(begin + 1, values, n);
    begin[n_chars] = ']';
    out->n_bytes += n_chars + 1;
}

static void print_id(struct buffer *out, const struct collide_id *id)
{
    char digits[NUMBER_MAX_CHARS];
    if (id->text)
        json_print_string(out, id->text, id->n_bytes);
    else if (id->number < (uint64_t)1 << 53)
        buffer_append(out, digits, number_print_u64(digits, id->number));
    else /* as requests must spell it, too */
        json_print_string(out, digits, number_print_u64(digits, id->number));
}

static void print_hits(struct buffer *out, const struct collide_hit *hits, size_t n)
{
    char digits[NUMBER_MAX_CHARS];
    buffer_append_text(out, "\"items\":[");
    for (size_t i = 0; i < n; i++) {
        if (i)
            buffer_append(out, ",", 1);
        print_id(out, &hits[i].item);
    }
    buffer_append_text(out, "],\"scores\":[");
    for (size_t i = 0; i < n; i++) {
        if (i)
            buffer_append(out, ",", 1);
        buffer_append(out, digits, number_print_f32(digits, hits[i].score));
    }
    buffer_append(out, "]", 1);
}

const char *json_v1_code(enum collide_status status)
{
    switch (status) {
    case COLLIDE_INVALID:
        return "bad_request";
    case COLLIDE_NOT_FOUND:
        return "not_found";
    case COLLIDE_BUSY:
        return "unavailable";
    default:
        return "internal";
    }
}

static void print_error_object(const char *code, const char *message, struct buffer *out)
{
    buffer_append_text(out, "\"error\":{\"code\":");
    json_print_string(out, code, strlen(code));
    buffer_append_text(out, ",\"message\":");
    json_print_string(out, message, strlen(message));
    buffer_append_text(out, "}");
}

void json_v1_print_error(const char *code, const char *message, struct buffer *out)
{
    buffer_append(out, "{", 1);
    print_error_object(code, message, out);
    buffer_append(out, "}\n", 2);
}

void json_v1_print(const struct request *request, const struct response *response, struct buffer *out)
{
    buffer_append_text(out, request->is_batch ? "{\"responses\":[" : "{");
    for (size_t i = 0; i < request->n_parts; i++) {
        const struct request_part *part = &request->parts[i];
        if (request->is_batch)
            buffer_append_text(out, i ? ",{" : "{");
        if (part->error.status != COLLIDE_OK) {
            print_error_object(json_v1_code(part->error.status), part->error.text, out);
        } else if (request->kind == REQUEST_TOPK) {
            print_hits(out, response->hits + part->first_result, response->n_hits[part->first_query]);
        } else {
            buffer_append_text(out, "\"scores\":");
            json_print_floats(out, response->scores + part->first_result,
                              request_part_n_scores(request, part));
        }
        if (request->is_batch)
            buffer_append(out, "}", 1);
    }
    char digits[NUMBER_MAX_CHARS];
    buffer_append_text(out, request->is_batch ? "],\"unknown\":" : ",\"unknown\":");
    buffer_append(out, digits, number_print_u64(digits, response->counts.n_unknown));
    buffer_append(out, "}\n", 2);
}
