#include "cli/eval_lists.h"

#include "base/error.h"

struct arg test_arg(const char **path)
{
    return (struct arg){.name = "test",
                        .type = ARG_TEXT,
                        .target = path,
                        .value_name = "FILE",
                        .help = "held-out interactions to measure on, in any format that learn reads"};
}

struct arg mask_arg(struct arg_text_list *paths)
{
    return (struct arg){
        .name = "mask",
        .type = ARG_TEXT_LIST,
        .target = paths,
        .value_name = "FILE",
        .help = "interactions that are known and not to be recommended, besides the histories; may be "
                "repeated"};
}

/* Pairs of one kind, gathered file by file. */
struct gathering {
    struct id_builder *users;
    struct id_builder *strangers; /* items that the model does not know, numbered behind those it does */
    const struct id_index *items;
    struct csr_pairs pairs;
};

static enum collide_status add_pair(void *context, const char *user, size_t n_user, const char *item,
                                    size_t n_item, struct collide_error *err)
{
    struct gathering *g = context;
    struct csr_pair pair = {.value = id_index_find(g->items, collide_id_text(item, n_item))};
    enum collide_status status = id_builder_add(g->users, user, n_user, &pair.row, err);
    if (status == COLLIDE_OK && pair.value == g->items->n_ids) {
        uint32_t stranger = 0;
        status = id_builder_add(g->strangers, item, n_item, &stranger, err);
        if (stranger > UINT32_MAX - 2 - g->items->n_ids)
            return error_set(err, COLLIDE_INVALID, "too many items");
        pair.value += stranger;
    }
    if (status != COLLIDE_OK)
        return status;
    return csr_pairs_add(&g->pairs, pair, err);
}

static enum collide_status gather(const char *const *paths, size_t n_paths, enum log_layout layout,
                                  struct gathering *g, struct collide_error *err)
{
    const struct log_visitor visitor = {.visit = add_pair, .context = g};
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < n_paths && status == COLLIDE_OK; i++) {
        const uint64_t n_before = g->pairs.n;
        status = log_scan(paths[i], layout, &visitor, NULL, err);
        if (status == COLLIDE_OK && g->pairs.n == n_before)
            status = error_set(err, COLLIDE_INVALID,
                               "%s holds no interactions; leave it out, or give another", paths[i]);
    }
    return status;
}

/* Takes the gathered pairs. */
static enum collide_status make_lists(struct gathering *g, const uint32_t *renumber, uint32_t n_users,
                                      struct csr *out, struct collide_error *err)
{
    struct csr_shape shape = {.n_rows = n_users, .n_values = g->items->n_ids};
    struct csr_pair *pairs = csr_pairs_all(&g->pairs);
    for (uint64_t i = 0; i < g->pairs.n; i++) {
        pairs[i].row = renumber[pairs[i].row];
        if (pairs[i].value >= shape.n_values)
            shape.n_values = pairs[i].value + 1;
    }
    return csr_from_pairs(&g->pairs, shape, out, err);
}

enum collide_status eval_lists_read(const struct eval_files *files, const struct id_index *items,
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
    *out = (struct eval_lists){.has_histories = files->history != NULL};
    enum collide_status status = id_builder_create(&out->builder, err);
    if (status == COLLIDE_OK)
        status = id_builder_create(&strangers, err);
    for (size_t i = 0; i < N_KINDS && status == COLLIDE_OK; i++) {
        gathered[i] = (struct gathering){
            .users = out->builder, .strangers = strangers, .items = items, .pairs.array.spill = files->spill};
        status = gather(kinds[i].paths, kinds[i].n, files->layout, &gathered[i], err);
    }
    if (status == COLLIDE_OK)
        status = id_builder_finish(out->builder, &out->users, &renumber, err);
    for (size_t i = 0; i < N_KINDS && status == COLLIDE_OK; i++) {
        status = make_lists(&gathered[i], renumber, out->users.n_ids, kinds[i].to, err);
    }
    for (size_t i = 0; i < N_KINDS; i++)
        csr_pairs_free(&gathered[i].pairs);
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
