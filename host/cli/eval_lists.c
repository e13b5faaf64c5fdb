#include "cli/eval_lists.h"

#include "base/error.h"
#include "data/interactions.h"

#include <stdlib.h>

/* Pairs of one kind, gathered file by file. */
struct gathering {
    struct id_builder *users;
    struct id_builder *strangers; /* items that the model does not know, numbered behind those it does */
    const struct id_index *items;
    struct csr_pair *pairs;
    uint64_t n;
    uint64_t capacity;
};

static enum collide_status grow(struct gathering *g, struct collide_error *err)
{
    uint64_t capacity = g->capacity ? 2 * g->capacity : 4096;
    struct csr_pair *pairs = realloc(g->pairs, capacity * sizeof *pairs);
    if (!pairs)
        return error_no_memory(err, "the interactions to evaluate on");
    g->pairs = pairs;
    g->capacity = capacity;
    return COLLIDE_OK;
}

static enum collide_status add_pair(void *context, const char *user, size_t n_user, const char *item,
                                    size_t n_item, struct collide_error *err)
{
    struct gathering *g = context;
    struct csr_pair pair = {.value = id_index_find(g->items, collide_id_text(item, n_item))};
    enum collide_status status = g->n == g->capacity ? grow(g, err) : COLLIDE_OK;
    if (status == COLLIDE_OK)
        status = id_builder_add(g->users, user, n_user, &pair.row, err);
    if (status == COLLIDE_OK && pair.value == g->items->n_ids) {
        uint32_t stranger = 0;
        status = id_builder_add(g->strangers, item, n_item, &stranger, err);
        if (stranger > UINT32_MAX - 2 - g->items->n_ids)
            return error_set(err, COLLIDE_INVALID, "too many items");
        pair.value += stranger;
    }
    if (status == COLLIDE_OK)
        g->pairs[g->n++] = pair;
    return status;
}

static enum collide_status gather(const char *const *paths, size_t n_paths, struct gathering *g,
                                  struct collide_error *err)
{
    const struct log_visitor visitor = {.visit = add_pair, .context = g};
    g->pairs = NULL;
    g->n = g->capacity = 0;
    enum collide_status status = grow(g, err);
    for (size_t i = 0; i < n_paths && status == COLLIDE_OK; i++)
        status = log_scan(paths[i], LOG_LAYOUT_AUTO, &visitor, NULL, err);
    return status;
}

/* Takes the gathered pairs. */
static enum collide_status make_lists(struct gathering *g, const uint32_t *renumber, uint32_t n_users,
                                      struct csr *out, struct collide_error *err)
{
    struct csr_shape shape = {.n_rows = n_users, .n_values = g->items->n_ids};
    for (uint64_t i = 0; i < g->n; i++) {
        g->pairs[i].row = renumber[g->pairs[i].row];
        if (g->pairs[i].value >= shape.n_values)
            shape.n_values = g->pairs[i].value + 1;
    }
    struct csr_pair *pairs = g->pairs;
    g->pairs = NULL;
    return csr_from_pairs(pairs, g->n, shape, out, err);
}

enum collide_status eval_lists_read(const struct eval_files *files, const struct collide_model *model,
                                    struct eval_lists *out, struct collide_error *err)
{
    const struct {
        const char *const *paths;
        size_t n;
        struct csr *to;
    } kinds[] = {{&files->test, 1, &out->relevant},
                 {files->masks, files->n_masks, &out->masked},
                 {&files->history, files->history != NULL, &out->histories}};
    enum { N_KINDS = sizeof kinds / sizeof kinds[0] };
    struct gathering gathered[N_KINDS] = {0};
    const uint32_t *renumber = NULL;
    struct id_builder *strangers = NULL;
    *out = (struct eval_lists){0};
    enum collide_status status = id_builder_create(&out->builder, err);
    if (status == COLLIDE_OK)
        status = id_builder_create(&strangers, err);
    for (size_t i = 0; i < N_KINDS && status == COLLIDE_OK; i++) {
        gathered[i] =
            (struct gathering){.users = out->builder, .strangers = strangers, .items = &model->items};
        status = gather(kinds[i].paths, kinds[i].n, &gathered[i], err);
    }
    if (status == COLLIDE_OK && gathered[0].n == 0)
        status = error_set(err, COLLIDE_INVALID, "%s holds no interactions", files->test);
    if (status == COLLIDE_OK)
        status = id_builder_finish(out->builder, &out->users, &renumber, err);
    for (size_t i = 0; i < N_KINDS && status == COLLIDE_OK; i++) {
        status = make_lists(&gathered[i], renumber, out->users.n_ids, kinds[i].to, err);
    }
    for (size_t i = 0; i < N_KINDS; i++)
        free(gathered[i].pairs);
    id_builder_destroy(strangers);
    if (status != COLLIDE_OK)
        eval_lists_free(out);
    return status;
}

void eval_lists_free(struct eval_lists *l)
{
    id_builder_destroy(l->builder);
    csr_free(&l->relevant);
    csr_free(&l->masked);
    csr_free(&l->histories);
    *l = (struct eval_lists){0};
}
