/* Any bytes as a click log: the first line says which columns are label, item and features, the rest is the
 * log. What is seen has as many ids as columns were chosen. */
#include "data/click_log.h"
#include "fuzz_target.h"

#include <string.h>

enum { CHOICE_CHARS = 256 };

static enum collide_status take(void *context, bool is_click, const struct click_text *ids,
                                struct collide_error *err)
{
    const struct click_columns *columns = context;
    (void)is_click;
    (void)err;
    for (size_t i = 0; i <= columns->n_features; i++)
        FUZZ_REQUIRE(ids[i].n_bytes == 0 || !memchr(ids[i].text, '\n', ids[i].n_bytes));
    return COLLIDE_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char texts[CHOICE_CHARS] = {0};
    const uint8_t *end = n ? memchr(data, '\n', n) : NULL;
    const size_t n_choice = end ? (size_t)(end - data) : n;
    if (n_choice >= sizeof texts)
        return 0;
    memcpy(texts, data, n_choice);
    char *rest = texts;
    const char *label = strsep(&rest, " "), *item = strsep(&rest, " ");
    const struct click_choices choices = {label, item ? item : "", rest ? rest : ""};
    struct click_columns columns;
    struct collide_error err = {0};
    if (click_columns_parse(&choices, &columns, &err) != COLLIDE_OK) {
        FUZZ_REQUIRE(err.text[0] != '\0');
        return 0;
    }
    struct byte_stream *stream;
    const size_t at = end ? n_choice + 1 : n;
    FUZZ_REQUIRE(byte_stream_open_memory("log", data + at, n - at, &stream, &err) == COLLIDE_OK);
    const struct click_visitor visitor = {take, &columns};
    if (click_log_scan_stream(stream, &columns, &visitor, &err) != COLLIDE_OK)
        FUZZ_REQUIRE(err.text[0] != '\0');
    byte_stream_close(stream);
    return 0;
}
