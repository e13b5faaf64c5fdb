#include "oip_parsed.h"

#include "parsed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of exactly its size, so that a sanitizer sees reads past the end. */
static char *body_of(struct oip_text text, struct oip_body *body)
{
    size_t n_json = strlen(text.json), n = n_json + text.n_binary;
    char *bytes = malloc(n + !n);
    assert_non_null(bytes);
    memcpy(bytes, text.json, n_json);
    if (text.n_binary)
        memcpy(bytes + n_json, text.binary, text.n_binary);
    *body = (struct oip_body){.bytes = bytes, .n_bytes = n, .n_json_bytes = n_json};
    return bytes;
}

char *oip_accepted(struct oip_text text, struct request *out, struct oip_form *form)
{
    struct oip_body body;
    struct collide_error err = {0};
    char *bytes = body_of(text, &body);
    if (oip_parse(&body, &parsed_limits, out, form, &err) != COLLIDE_OK)
        fail_msg("%s is refused: %s", text.json, err.text);
    return bytes;
}

void oip_refused(struct oip_text text, const char *message)
{
    struct oip_body body;
    struct collide_error err = {0};
    struct request request = {0};
    struct oip_form form;
    char *bytes = body_of(text, &body);
    if (oip_parse(&body, &parsed_limits, &request, &form, &err) == COLLIDE_OK)
        fail_msg("%s is accepted", text.json);
    assert_int_equal(err.status, COLLIDE_INVALID);
    assert_int_equal(request.n_parts, 0);
    if (!strstr(err.text, message))
        fail_msg("%s is refused with: %s", text.json, err.text);
    request_free(&request);
    free(bytes);
}
