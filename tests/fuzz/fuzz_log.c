/* Any bytes as a log, in every layout. What is seen must be fit for ids, and the index built of it must find
 * it. */
#include "data/log_scan.h"
#include "fuzz_target.h"

#include <string.h>

static enum collide_status take(void *context, const char *user, size_t n_user, const char *item,
                                size_t n_item, struct collide_error *err)
{
    uint32_t id;
    FUZZ_REQUIRE(n_user > 0 && n_item > 0);
    FUZZ_REQUIRE(!memchr(user, '\n', n_user) && !memchr(item, '\n', n_item));
    FUZZ_REQUIRE(!memchr(user, '\0', n_user) && !memchr(item, '\0', n_item));
    enum collide_status status = id_builder_add(context, user, n_user, &id, err);
    return status == COLLIDE_OK ? id_builder_add(context, item, n_item, &id, err) : status;
}

static void require_consistent(struct id_builder *builder)
{
    struct id_index index;
    const uint32_t *renumber;
    FUZZ_REQUIRE(id_builder_finish(builder, &index, &renumber, NULL) == COLLIDE_OK);
    for (uint32_t d = 0; d < index.n_ids; d++)
        FUZZ_REQUIRE(id_index_find(&index, id_index_key(&index, d)) == d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const enum log_layout layouts[] = {LOG_LAYOUT_AUTO, LOG_LAYOUT_PAIRS, LOG_LAYOUT_ADJACENCY};
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        struct byte_stream *stream;
        struct id_builder *builder;
        struct collide_error err = {0};
        FUZZ_REQUIRE(byte_stream_open_memory("log", data, n, &stream, &err) == COLLIDE_OK);
        FUZZ_REQUIRE(id_builder_create(&builder, &err) == COLLIDE_OK);
        struct log_visitor visitor = {.visit = take, .context = builder};
        if (log_scan_stream(stream, layouts[i], &visitor, NULL, &err) == COLLIDE_OK)
            require_consistent(builder);
        else
            FUZZ_REQUIRE(err.text[0] != '\0');
        id_builder_destroy(builder);
        byte_stream_close(stream);
    }
    return 0;
}
