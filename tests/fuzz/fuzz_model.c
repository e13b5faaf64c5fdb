/* Any bytes as a model file. What opens must hold all that serving relies on; lookups must end and stay in
 * range, and when contents were checked every key must lead to its id. */
#include "fuzz_target.h"
#include "model/mapping.h"
#include "model/model_walk.h"
#include "score/model_handle.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void require_lookups(const struct id_index *index, enum model_check check)
{
    for (uint32_t d = 0; d < index->n_ids && d < 1000; d++) {
        uint32_t found = id_index_find(index, id_index_key(index, d));
        FUZZ_REQUIRE(check == MODEL_CHECK_CONTENTS ? found == d : found <= index->n_ids);
    }
    FUZZ_REQUIRE(id_index_find(index, collide_id_number(UINT64_MAX)) <= index->n_ids);
    FUZZ_REQUIRE(id_index_find(index, collide_id_text("", 0)) <= index->n_ids);
    FUZZ_REQUIRE(id_index_find(index, collide_id_text("no such key", 11)) <= index->n_ids);
}

/* The first ids and the last of each space lead to rows, and the unknown one to its own. */
static void require_rows(const struct model *m)
{
    for (size_t s = 0; s < model_n_spaces(m); s++) {
        const struct space *space = model_space(m, s);
        for (uint64_t i = 0; model_space_is_embedded(m, s) && i <= space->n_ids && i < 100; i++)
            for (unsigned l = 0; l < m->mapping.n_lookups; l++) {
                FUZZ_REQUIRE(model_row_of(m, space, (uint32_t)i, l) < m->rows.n);
                FUZZ_REQUIRE(model_row_of(m, space, space->n_ids - (uint32_t)i, l) < m->rows.n);
            }
    }
}

static void open_and_use(const char *path, enum model_check check)
{
    struct collide_model *h = NULL;
    struct collide_error err = {0};
    enum collide_status status = model_handle_open(path, check, &h, &err);
    if (status != COLLIDE_OK) {
        FUZZ_REQUIRE(!h && err.status == status && strstr(err.text, path));
        FUZZ_REQUIRE(status == COLLIDE_CORRUPT || status == COLLIDE_UNSUPPORTED);
        return;
    }
    FUZZ_REQUIRE(!model_walk(h->file));
    require_lookups(&h->items, check);
    require_lookups(&h->users, check);
    for (size_t i = 0; i < h->model->n_features; i++)
        require_lookups(&h->features[i], check);
    require_rows(h->model);
    collide_model_close(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    int fd = memfd_create("model", MFD_CLOEXEC);
    FUZZ_REQUIRE(fd >= 0);
    FUZZ_REQUIRE(write(fd, data, n) == (ssize_t)n);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    open_and_use(path, MODEL_CHECK_BOUNDS);
    open_and_use(path, MODEL_CHECK_CONTENTS);
    close(fd);
    return 0;
}
