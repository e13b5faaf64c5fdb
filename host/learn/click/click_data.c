#include "learn/click/click_data.h"

#include "base/buffer.h"
#include "base/error.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_EXAMPLES = 10 };

/* What has been read: provisional ids, until all are known. */
struct gathering {
    struct click_data *data;
    struct buffer ids;    /* of uint32_t: (n, n_spaces) */
    struct buffer labels; /* of uint8_t: (n) */
};

static enum collide_status add_example(void *context, bool is_click, const struct click_text *ids,
                                       struct collide_error *err)
{
    struct gathering *g = context;
    uint32_t row[CLICK_MAX_IDS];
    if (g->labels.n_bytes == UINT32_MAX)
        return error_set(err, COLLIDE_INVALID, "more than 2^32 - 1 examples; learn from a sample of them");
    for (size_t s = 0; s < g->data->n_spaces; s++) {
        enum collide_status status =
            id_builder_add(g->data->spaces[s].builder, ids[s].text, ids[s].n_bytes, &row[s], err);
        if (status != COLLIDE_OK)
            return status;
    }
    uint8_t label = is_click;
    buffer_append(&g->ids, row, g->data->n_spaces * sizeof *row);
    buffer_append(&g->labels, &label, sizeof label);
    return g->ids.failed || g->labels.failed ? error_no_memory(err, "the click log") : COLLIDE_OK;
}

static enum collide_status gather(struct gathering *g, const char *path, const char *val_path,
                                  const struct click_columns *columns, struct collide_error *err)
{
    const struct click_visitor visitor = {add_example, g};
    struct click_data *d = g->data;
    enum collide_status status = COLLIDE_OK;
    for (size_t s = 0; s < d->n_spaces && status == COLLIDE_OK; s++)
        status = id_builder_create(&d->spaces[s].builder, err);
    if (status == COLLIDE_OK)
        status = click_log_scan(path, columns, &visitor, err);
    size_t n_log = g->labels.n_bytes;
    if (status == COLLIDE_OK && n_log < MIN_EXAMPLES)
        status =
            error_set(err, COLLIDE_INVALID, "%s: %zu examples are too few to learn from; give %d at least",
                      path, n_log, MIN_EXAMPLES);
    if (status == COLLIDE_OK && val_path)
        status = click_log_scan(val_path, columns, &visitor, err);
    if (status == COLLIDE_OK && val_path && g->labels.n_bytes == n_log)
        status = error_set(err, COLLIDE_INVALID, "%s holds no examples", val_path);
    d->train.n = val_path ? n_log : n_log - n_log / 10;
    d->val.n = g->labels.n_bytes - d->train.n;
    return status;
}

/* Takes what was gathered. */
static void place_examples(struct gathering *g)
{
    struct click_data *d = g->data;
    d->entries = (uint32_t *)(void *)g->ids.bytes;
    d->is_click = (uint8_t *)g->labels.bytes;
    g->ids = g->labels = (struct buffer){0};
    d->train.entries = d->entries;
    d->train.is_click = d->is_click;
    d->val.entries = d->entries + d->train.n * d->n_spaces;
    d->val.is_click = d->is_click + d->train.n;
}

/* From provisional ids to dense ones, and counts[dense id] of those in training. */
static enum collide_status count_space(struct click_data *d, size_t s, uint32_t **counts,
                                       struct collide_error *err)
{
    const uint32_t *renumber;
    enum collide_status status = id_builder_finish(d->spaces[s].builder, &d->spaces[s].index, &renumber, err);
    if (status != COLLIDE_OK)
        return status;
    *counts = calloc(d->spaces[s].index.n_ids + 1ull, sizeof **counts);
    if (!*counts)
        return error_no_memory(err, "the counts of ids");
    for (size_t i = 0; i < d->train.n + d->val.n; i++) {
        uint32_t *id = &d->entries[i * d->n_spaces + s];
        *id = renumber[*id];
        (*counts)[*id] += i < d->train.n;
    }
    return COLLIDE_OK;
}

/* From dense ids to entries; counts become those entries. */
static enum collide_status number_space(struct click_data *d, size_t s, uint32_t *counts,
                                        struct collide_error *err)
{
    struct click_space *space = &d->spaces[s];
    space->first_entry = d->n_entries;
    for (uint32_t id = 0; id < space->index.n_ids; id++)
        space->n_seen += counts[id] > 0;
    if (space->n_seen > UINT32_MAX - 2 - d->n_entries)
        return error_set(err, COLLIDE_UNSUPPORTED, "more than 2^32 ids in all columns");
    space->dense_ids = malloc(space->n_seen * sizeof *space->dense_ids);
    uint32_t *all = realloc(d->counts, ((size_t)d->n_entries + space->n_seen) * sizeof *all);
    d->counts = all ? all : d->counts;
    if (!space->dense_ids || !all)
        return error_no_memory(err, "the ids seen");
    uint32_t n = 0;
    for (uint32_t id = 0; id < space->index.n_ids; id++) {
        if (counts[id] == 0) {
            counts[id] = CLICK_UNKNOWN;
            continue;
        }
        space->dense_ids[n++] = id;
        d->counts[d->n_entries] = counts[id];
        counts[id] = d->n_entries++;
    }
    for (size_t i = 0; i < d->train.n + d->val.n; i++) {
        uint32_t *id = &d->entries[i * d->n_spaces + s];
        *id = counts[*id];
    }
    return COLLIDE_OK;
}

static enum collide_status number_ids(struct click_data *d, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    for (size_t s = 0; s < d->n_spaces && status == COLLIDE_OK; s++) {
        uint32_t *counts = NULL;
        status = count_space(d, s, &counts, err);
        if (status == COLLIDE_OK)
            status = number_space(d, s, counts, err);
        free(counts);
    }
    return status;
}

static enum collide_status check_held_out_labels(const struct click_data *d, const char *path,
                                                 const char *val_path, struct collide_error *err)
{
    size_t n_clicks = 0;
    for (size_t i = 0; i < d->val.n; i++)
        n_clicks += d->val.is_click[i];
    if (n_clicks > 0 && n_clicks < d->val.n)
        return COLLIDE_OK;
    return error_set(err, COLLIDE_INVALID,
                     "%s: %s of the %zu held-out examples%s is a click, so they choose nothing; %s",
                     val_path ? val_path : path, n_clicks ? "every one" : "none", d->val.n,
                     val_path ? "" : ", the last tenth,",
                     val_path ? "give others" : "shuffle the log, or give some with --val");
}

static enum collide_status check_labels(struct click_data *d, const char *path, const char *val_path,
                                        struct collide_error *err)
{
    size_t n_clicks = 0;
    for (size_t i = 0; i < d->train.n; i++)
        n_clicks += d->train.is_click[i];
    d->base_rate = (double)n_clicks / (double)d->train.n;
    if (n_clicks > 0 && n_clicks < d->train.n)
        return check_held_out_labels(d, path, val_path, err);
    return error_set(err, COLLIDE_INVALID,
                     "%s: %s of the %zu examples to learn from is a click; both kinds are needed", path,
                     n_clicks ? "every one" : "none", d->train.n);
}

enum collide_status click_data_read(const char *path, const char *val_path,
                                    const struct click_columns *columns, struct click_data *out,
                                    struct collide_error *err)
{
    struct click_data d = {.n_spaces = 1 + columns->n_features};
    struct gathering g = {.data = &d};
    enum collide_status status = gather(&g, path, val_path, columns, err);
    if (status == COLLIDE_OK) {
        place_examples(&g);
        status = check_labels(&d, path, val_path, err);
    }
    if (status == COLLIDE_OK)
        status = number_ids(&d, err);
    buffer_free(&g.ids);
    buffer_free(&g.labels);
    if (status == COLLIDE_OK)
        *out = d;
    else
        click_data_free(&d);
    return status;
}

void click_data_free(struct click_data *d)
{
    for (size_t s = 0; s < d->n_spaces; s++) {
        id_builder_destroy(d->spaces[s].builder);
        free(d->spaces[s].dense_ids);
    }
    free(d->counts);
    free(d->entries);
    free(d->is_click);
    *d = (struct click_data){0};
}
