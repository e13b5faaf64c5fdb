#include "score/tables.h"

#include "base/error.h"
#include "model/id_values.h"
#include "model/mapping.h"
#include "score/model_handle.h"

#include <math.h>
#include <stdlib.h>

const char *scoring_table_name(enum scoring_table table)
{
    static const char *const names[N_SCORING_TABLES] = {[TABLE_REMAP] = "REMAP",
                                                        [TABLE_ROWS] = "ROWS",
                                                        [TABLE_SCALES] = "SCALES",
                                                        [TABLE_WEIGHTS] = "WEIGHTS",
                                                        [TABLE_LOOKUP_WEIGHTS] = "LOOKUP_WEIGHTS",
                                                        [TABLE_BIAS] = "BIAS",
                                                        [TABLE_CLASSES] = "CLASSES",
                                                        [TABLE_CLASS_WEIGHTS] = "CLASS_WEIGHTS",
                                                        [TABLE_CLASS_BIAS] = "CLASS_BIAS",
                                                        [TABLE_USER_OFFSETS] = "USER_OFFSETS",
                                                        [TABLE_USER_HISTORY] = "USER_HISTORY",
                                                        [TABLE_KEYS] = "KEYS",
                                                        [TABLE_KEY_SLOTS] = "KEY_SLOTS",
                                                        [TABLE_ROW_OFFSETS] = "ROW_OFFSETS",
                                                        [TABLE_ROW_ITEMS] = "ROW_ITEMS",
                                                        [TABLE_ROW_BEST] = "ROW_BEST"};
    return names[table];
}

/* ---- Several spaces as one. */

static bool has_one_space(const struct model *m)
{
    return model_entry_base(m, model_n_spaces(m)) == (uint64_t)m->item.n_ids + 1;
}

static void join_space(const struct model *m, size_t s, struct tables *t)
{
    const struct space *space = model_space(m, s);
    uint64_t base = model_entry_base(m, s);
    uint32_t n_lookups = m->mapping.n_lookups;
    for (uint64_t id = 0; id <= space->n_ids; id++) {
        for (uint32_t l = 0; l < n_lookups; l++)
            t->remap[(base + id) * n_lookups + l] = model_row_of(m, space, (uint32_t)id, l);
        for (uint32_t l = 0; l < n_lookups && t->lookup_weights; l++)
            t->lookup_weights[(base + id) * n_lookups + l] = model_lookup_weight(m, space, (uint32_t)id, l);
        t->weights[base + id] = model_weight_of(space, (uint32_t)id);
    }
}

static enum collide_status spell_out_biases(const struct model *m, struct tables *t,
                                            struct collide_error *err)
{
    t->bias = malloc((m->item.n_ids + 1ull) * sizeof *t->bias);
    if (!t->bias)
        return error_no_memory(err, "the items' biases");
    for (uint64_t id = 0; id <= m->item.n_ids; id++)
        t->bias[id] = model_bias_of(m, (uint32_t)id);
    return COLLIDE_OK;
}

static enum collide_status join_spaces(const struct model *m, struct tables *t, struct collide_error *err)
{
    size_t n = model_entry_base(m, model_n_spaces(m));
    const bool has_lookup_weights = model_has_lookup_weights(m);
    t->remap = malloc(n * m->mapping.n_lookups * sizeof *t->remap);
    t->weights = malloc(n * sizeof *t->weights);
    if (has_lookup_weights)
        t->lookup_weights = malloc(n * m->mapping.n_lookups * sizeof *t->lookup_weights);
    if (!t->remap || !t->weights || (has_lookup_weights && !t->lookup_weights))
        return error_no_memory(err, "the spaces' mapping");
    for (size_t s = 0; s < model_n_spaces(m); s++)
        if (model_space_is_embedded(m, s))
            join_space(m, s, t);
    t->mapping = MAPPING_STORED;
    t->weighted = true;
    t->lookup_weighted = has_lookup_weights;
    t->class_bits = 0;
    return m->item.classes.words ? spell_out_biases(m, t, err) : COLLIDE_OK;
}

/* ---- The items of each row. */

/* Fewer ids a row are looked at as fast one by one. */
enum { MIN_IDS_PER_ROW = 4 };

static bool lists_rows(const struct model *m)
{
    return m->mapping.kind == MAPPING_STORED && m->mapping.n_lookups == 1 && has_one_space(m) &&
           !m->item.lookup_weights && m->item.n_ids / MIN_IDS_PER_ROW >= m->rows.n;
}

struct biased_id {
    float bias;
    uint32_t id;
};

static int best_first(const void *a, const void *b)
{
    const struct biased_id *x = a, *y = b;
    if (x->bias != y->bias)
        return x->bias > y->bias ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static bool is_listed(const struct model *m, struct row_range rows, uint32_t id)
{
    uint32_t row = m->item.remap[id];
    return row >= rows.begin && row < rows.end && !model_item_is_blank(m, id);
}

/* A counting sort by row, then each row's items by falling bias. */
static enum collide_status list_rows(const struct model *m, struct row_range rows, struct tables *t,
                                     struct collide_error *err)
{
    uint32_t n_rows = rows.end - rows.begin;
    t->row_offsets = calloc(n_rows + 2ull, sizeof *t->row_offsets);
    t->row_best = malloc((n_rows + 1ull) * sizeof *t->row_best);
    t->row_items = malloc((m->item.n_ids + 1ull) * sizeof *t->row_items);
    struct biased_id *sorted = malloc((m->item.n_ids + 1ull) * sizeof *sorted);
    if (!t->row_offsets || !t->row_best || !t->row_items || !sorted) {
        free(sorted);
        return error_no_memory(err, "the items of each row");
    }
    uint32_t *end = t->row_offsets + 1; /* of each row: first where it begins, then where it ends */
    for (uint32_t id = 0; id < m->item.n_ids; id++)
        if (is_listed(m, rows, id))
            t->row_offsets[m->item.remap[id] - rows.begin + 2]++;
    for (uint32_t r = 0; r < n_rows; r++)
        t->row_offsets[r + 1] += t->row_offsets[r];
    for (uint32_t id = 0; id < m->item.n_ids; id++)
        if (is_listed(m, rows, id))
            sorted[end[m->item.remap[id] - rows.begin]++] =
                (struct biased_id){.bias = model_bias_of(m, id), .id = id};
    for (uint32_t r = 0; r < n_rows; r++) {
        uint32_t begin = t->row_offsets[r], n = t->row_offsets[r + 1] - begin;
        if (model_is_biased(m))
            qsort(sorted + begin, n, sizeof *sorted, best_first);
        t->row_best[r] = n ? sorted[begin].bias : -INFINITY;
        for (uint32_t i = begin; i < begin + n; i++)
            t->row_items[i] = sorted[i].id;
    }
    free(sorted);
    t->selects_by_rows = true;
    return COLLIDE_OK;
}

/* ---- The sources. */

/* The rows that kernels map to. */
static struct own_rows mapped_rows(const struct model *m, const struct tables *t)
{
    bool takes_all = mapping_is_computed(t->mapping) && m->item.own_rows.n == 0;
    return takes_all ? (struct own_rows){0, m->rows.n - 1} : m->item.own_rows;
}

static void set_params(const struct model *m, struct row_range rows, struct tables *t)
{
    const uint32_t *offsets = m->histories.offsets;
    const struct own_rows own = mapped_rows(m, t);
    t->params = (device_params){
        .n_items = m->item.n_ids,
        .n_entries = (uint32_t)model_entry_base(m, model_n_spaces(m)),
        .n_users = offsets ? m->user.n_ids : 0,
        .n_stored = offsets ? offsets[m->user.n_ids + 1] : 0,
        .n_rows = m->rows.n,
        .seed_low = (uint32_t)m->mapping.seed,
        .seed_high = (uint32_t)(m->mapping.seed >> 32),
        .divisor = m->mapping.divisor,
        .own_first = own.first,
        .n_own = own.n,
        .row_begin = rows.begin,
        .row_end = rows.end,
        .logit_scale = m->logit_scale,
    };
}

static void set_source(struct tables *t, enum scoring_table table, const char *name, const void *bytes,
                       size_t entry_bytes, uint64_t n_entries)
{
    t->sources[table] = (struct table_source){.name = name,
                                              .bytes = bytes,
                                              .n_bytes = bytes ? n_entries * entry_bytes : 0,
                                              .entry_bytes = entry_bytes};
}

static uint64_t n_remap_words(const struct model *m, const struct tables *t)
{
    uint64_t n = (uint64_t)t->params.n_entries * m->mapping.n_lookups;
    return t->mapping == MAPPING_PACKED ? mapping_n_words(n, m->mapping.bits) : n;
}

/* Codes of the classes, and what these stand for. */
static void set_class_sources(const struct model *m, struct tables *t)
{
    const struct id_classes *classes = &m->item.classes;
    if (!t->class_bits)
        return;
    const uint64_t n_classes = model_n_classes(classes->bits);
    set_source(t, TABLE_CLASSES, "the classes", classes->words, sizeof *classes->words,
               model_n_class_words(&m->item));
    set_source(t, TABLE_CLASS_WEIGHTS, "the classes' weights", classes->weights, sizeof(float), n_classes);
    set_source(t, TABLE_CLASS_BIAS, "the classes' biases", classes->bias, sizeof(float), n_classes);
}

/* Scales of rows go where their rows go; those of dimensions everywhere. */
static void set_row_sources(const struct model *m, struct row_range rows, struct tables *t)
{
    uint64_t n_rows = rows.end - rows.begin;
    size_t one_row = row_bytes(&m->rows);
    set_source(t, TABLE_ROWS, "the row table", (const char *)m->rows.values + rows.begin * one_row, one_row,
               n_rows);
    if (m->rows.scaling == SCALING_DIM)
        set_source(t, TABLE_SCALES, "the scales of dimensions", m->rows.scales, row_scale_bytes(m), 1);
    else if (m->rows.scaling != SCALING_NONE)
        set_source(t, TABLE_SCALES, "the row scales",
                   (const char *)m->rows.scales + rows.begin * (size_t)SCALE_BYTES, SCALE_BYTES, n_rows);
}

static void set_sources(const struct model *m, struct row_range rows, unsigned flags, struct tables *t)
{
    uint64_t n_rows = rows.end - rows.begin;
    const uint32_t *remap = t->remap ? t->remap : m->item.remap;
    set_source(t, TABLE_PARAMS, "the sizes", &t->params, sizeof t->params, 1);
    t->sources[TABLE_PARAMS].stays_global = true;
    set_source(t, TABLE_REMAP, "the mapping", remap, sizeof *remap, n_remap_words(m, t));
    set_row_sources(m, rows, t);
    set_source(t, TABLE_WEIGHTS, "the weights", t->weights ? t->weights : m->item.weights, sizeof(float),
               t->params.n_entries);
    set_source(t, TABLE_LOOKUP_WEIGHTS, "the lookup weights",
               t->lookup_weights ? t->lookup_weights : m->item.lookup_weights, sizeof(float),
               (uint64_t)t->params.n_entries * m->mapping.n_lookups);
    set_source(t, TABLE_BIAS, "the biases", t->bias ? t->bias : m->bias, sizeof(float), m->item.n_ids + 1ull);
    set_class_sources(m, t);
    set_source(t, TABLE_USER_OFFSETS, "the history offsets", m->histories.offsets, sizeof(uint32_t),
               m->user.n_ids + 2ull);
    set_source(t, TABLE_USER_HISTORY, "the histories", m->histories.items, sizeof(uint32_t),
               t->params.n_stored);
    if ((flags & TABLES_WITH_KEYS) && m->item.keys.kind == KEYS_U64) {
        t->params.n_key_slots = m->item.keys.n_slots;
        set_source(t, TABLE_KEYS, "the keys", m->item.keys.u64, sizeof(uint64_t), m->item.n_ids);
        set_source(t, TABLE_KEY_SLOTS, "the key slots", m->item.keys.slots, sizeof(uint32_t),
                   m->item.keys.n_slots);
    }
    set_source(t, TABLE_ROW_OFFSETS, "the rows' item lists", t->row_offsets, sizeof(uint32_t), n_rows + 1);
    set_source(t, TABLE_ROW_ITEMS, "the items by row", t->row_items, sizeof(uint32_t),
               t->row_offsets ? t->row_offsets[n_rows] : 0);
    set_source(t, TABLE_ROW_BEST, "the rows' best biases", t->row_best, sizeof(float), n_rows);
}

enum collide_status tables_create(const struct model *m, struct row_range rows, unsigned flags,
                                  struct tables *t, struct collide_error *err)
{
    *t = (struct tables){.mapping = m->mapping.kind,
                         .weighted = space_is_weighted(&m->item),
                         .lookup_weighted = m->item.lookup_weights != NULL,
                         .biased = model_is_biased(m),
                         .class_bits = m->item.classes.words ? m->item.classes.bits : 0};
    if (model_entry_base(m, model_n_spaces(m)) > UINT32_MAX - 1)
        return error_set(err, COLLIDE_UNSUPPORTED, "the model's spaces have more than 2^32 - 2 ids together");
    enum collide_status status = has_one_space(m) ? COLLIDE_OK : join_spaces(m, t, err);
    t->has_codebooks = t->mapping == MAPPING_PACKED && m->item.own_rows.n > 0;
    if (status == COLLIDE_OK && lists_rows(m))
        status = list_rows(m, rows, t, err);
    if (status != COLLIDE_OK) {
        tables_free(t);
        return status;
    }
    set_params(m, rows, t);
    set_sources(m, rows, flags, t);
    return COLLIDE_OK;
}

void tables_free(struct tables *t)
{
    free(t->remap);
    free(t->weights);
    free(t->lookup_weights);
    free(t->bias);
    free(t->row_offsets);
    free(t->row_items);
    free(t->row_best);
    *t = (struct tables){0};
}
