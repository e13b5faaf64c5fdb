#include "learn/store/convert.h"

#include "base/buffer.h"
#include "base/error.h"
#include "learn/store/dequantize.h"
#include "learn/store/embedding_errors.h"
#include "learn/store/merge.h"
#include "model/cost.h"
#include "model/mapping.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SPACES = SPACE_FEATURES + MODEL_MAX_FEATURES };

static const char NOTE_NAME[] = "converted";

struct converted {
    const struct model *source;
    struct model model;
    struct merge merge; /* without pairs: lookups are not merged */
    struct stored_rows rows;
    uint32_t *remaps[MAX_SPACES];
    struct feature features[MODEL_MAX_FEATURES];
    struct provenance_entry *provenance;
    struct buffer note; /* a text */
    struct conversion report;
};

static struct space *space_of(struct converted *c, size_t s)
{
    return s == SPACE_ITEM   ? &c->model.item
           : s == SPACE_USER ? &c->model.user
                             : &c->features[s - SPACE_FEATURES].space;
}

static struct model_cost cost_of(const struct model *m)
{
    const struct lookup_cost rows = cost_of_rows(m);
    const double n_lookups = rows.bytes / (double)row_bytes(&m->rows); /* of an id, on average */
    return (struct model_cost){.n_lookups = m->mapping.n_lookups,
                               .lookup_lines = (rows.lines + cost_of_scales(m).lines) / n_lookups,
                               .id_lines = cost_of_embedding(m).lines,
                               .n_rows = m->rows.n,
                               .row_bytes = bytes_of_rows(m),
                               .mapping_bytes = bytes_of_mapping(m)};
}

/* ---- Rows. */

static void read_source_row(const void *context, uint32_t r, float *out)
{
    const struct model *source = context;
    dequantize_row(&source->rows, r, 0, out);
}

/* Of concatenated line rows each part may have scales of its own, and a row does not say whose it is. */
static enum collide_status check_common_scales(const struct model *m, struct collide_error *err)
{
    const uint32_t width = m->rows.width;
    const float *scales = m->rows.scales;
    for (uint32_t part = 1; m->rows.scaling == SCALING_DIM && part < m->dim / width; part++)
        if (memcmp(scales, scales + part * width, width * sizeof *scales) != 0)
            return error_set(err, COLLIDE_UNSUPPORTED,
                             "parts 0 and %" PRIu32 " of the model scale rows differently, so rows cannot "
                             "be stored in another form one by one",
                             part);
    return COLLIDE_OK;
}

static enum collide_status convert_rows(struct converted *c, const struct convert_options *options,
                                        struct collide_error *err)
{
    const struct model *source = c->source;
    const bool is_merged = c->merge.pairs != NULL;
    enum row_form form = options->form == ROWS_UNCHANGED ? row_form_of(&source->rows) : options->form;
    struct row_source rows = {source->rows.n, source->rows.width, read_source_row, source};
    enum collide_status status = COLLIDE_OK;
    if (is_merged)
        rows = (struct row_source){c->merge.n_rows, c->merge.width, merge_read_row, &c->merge};
    c->model.rows = (struct row_table){.n = rows.n,
                                       .width = rows.width,
                                       .precision = row_form_precision(form),
                                       .scaling = row_form_scaling(form)};
    if (is_merged && bytes_of_rows(&c->model) > options->max_merged_bytes)
        return error_set(err, COLLIDE_INVALID,
                         "merged, the model has %" PRIu32 " rows of %" PRIu64
                         " bytes with their scales, more "
                         "than the %" PRIu64 " allowed; allow more, or choose a smaller precision",
                         rows.n, bytes_of_rows(&c->model), options->max_merged_bytes);
    if (!is_merged)
        status = check_common_scales(source, err);
    if (status == COLLIDE_OK)
        status = quantize_rows(&rows, source->dim, form, &c->rows, err);
    if (status == COLLIDE_OK)
        c->model.rows = c->rows.table;
    return status;
}

static bool rows_change(const struct converted *c, const struct convert_options *options)
{
    const struct row_table *rows = &c->source->rows;
    return c->merge.pairs ||
           (options->form != ROWS_UNCHANGED && (row_form_precision(options->form) != rows->precision ||
                                                row_form_scaling(options->form) != rows->scaling));
}

/* ---- The mapping. */

/* Space s's entries, one a word; NULL when memory is out. */
static uint32_t *list_entries(const struct converted *c, size_t s)
{
    const struct space *space = model_space(c->source, s);
    const uint32_t n_lookups = space_n_lookups(&c->model, model_space(&c->model, s));
    uint32_t *entries = malloc((space->n_ids + 1ull) * n_lookups * sizeof *entries);
    for (uint64_t id = 0; entries && id <= space->n_ids; id++)
        for (uint32_t l = 0; l < n_lookups; l++)
            entries[id * n_lookups + l] = c->merge.pairs ? merge_row_of(&c->merge, space, (uint32_t)id, l)
                                                         : model_row_of(c->source, space, (uint32_t)id, l);
    return entries;
}

static uint32_t *pack(uint32_t *entries, uint64_t n_entries, uint32_t bits)
{
    uint32_t *words = malloc(mapping_n_words(n_entries, bits) * sizeof *words);
    if (words)
        mapping_pack(entries, n_entries, bits, words);
    free(entries);
    return words;
}

/* c's mapping says what is wanted. */
static enum collide_status convert_mapping(struct converted *c, struct collide_error *err)
{
    const struct row_mapping *mapping = &c->model.mapping;
    for (size_t s = 0; s < model_n_spaces(c->source); s++) {
        if (!model_space_is_embedded(c->source, s))
            continue;
        struct space *space = space_of(c, s);
        if (c->merge.pairs)
            space->n_lookups = (space->n_lookups + 1) / 2;
        uint64_t n_entries = (space->n_ids + 1ull) * space_n_lookups(&c->model, space);
        c->remaps[s] = list_entries(c, s);
        if (c->remaps[s] && mapping->kind == MAPPING_PACKED)
            c->remaps[s] = pack(c->remaps[s], n_entries, mapping->bits);
        if (!c->remaps[s])
            return error_no_memory(err, "the mapping");
        space->remap = c->remaps[s];
        space->own_rows = (struct own_rows){.n = 0}; /* entries count from row 0 */
    }
    return COLLIDE_OK;
}

/* Packed entries that count from their codebooks, and may go on doing so. */
static bool keeps_codebooks(const struct converted *c, enum mapping_kind kind)
{
    const struct model *m = c->source;
    bool has_own_rows = false;
    for (size_t s = 0; s < model_n_spaces(m); s++)
        has_own_rows |= model_space(m, s)->own_rows.n > 0;
    return has_own_rows && !c->merge.pairs && kind == MAPPING_PACKED && m->mapping.kind == MAPPING_PACKED;
}

static struct row_mapping choose_mapping(const struct converted *c, enum mapping_choice choice)
{
    struct row_mapping mapping = c->merge.pairs ? merge_mapping(&c->merge) : c->source->mapping;
    if (choice == MAPPING_TO_STORED)
        mapping.kind = MAPPING_STORED;
    if (choice == MAPPING_TO_PACKED)
        mapping.kind = MAPPING_PACKED;
    if (mapping.n_lookups == 1) {
        mapping.combine = COMBINE_SUM;
        mapping.n_parts = 0;
    }
    if (!keeps_codebooks(c, mapping.kind))
        mapping.bits = mapping.kind == MAPPING_PACKED ? mapping_bits(c->model.rows.n) : 0;
    if (!mapping_is_computed(mapping.kind)) {
        mapping.seed = 0;
        mapping.divisor = 0;
    }
    return mapping;
}

static bool mapping_changes(const struct converted *c)
{
    const struct row_mapping *from = &c->source->mapping, *to = &c->model.mapping;
    return c->merge.pairs || from->kind != to->kind || from->bits != to->bits;
}

/* ---- What is said of it. */

static void print_change(struct buffer *out, const char *format, const char *from, const char *to)
{
    if (strcmp(from, to) != 0)
        buffer_printf(out, format, from, to);
}

static void describe(struct converted *c)
{
    const struct model *from = c->source, *to = &c->model;
    struct buffer changes = {0};
    print_change(&changes, ", rows from %s to %s", row_form_name(row_form_of(&from->rows)),
                 row_form_name(row_form_of(&to->rows)));
    print_change(&changes, ", mapping from %s to %s", mapping_kind_name(from->mapping.kind),
                 mapping_kind_name(to->mapping.kind));
    if (c->merge.pairs)
        buffer_printf(&changes, ", lookups from %" PRIu32 " to %" PRIu32, from->mapping.n_lookups,
                      to->mapping.n_lookups);
    if (changes.n_bytes)
        buffer_append(&c->note, changes.bytes + 2, changes.n_bytes - 2);
    c->note.failed |= changes.failed;
    buffer_free(&changes);
}

static enum collide_status note_provenance(struct converted *c, struct collide_error *err)
{
    const struct model *source = c->source;
    size_t at = 0;
    while (at < source->n_provenance && strcmp(source->provenance[at].name, NOTE_NAME) != 0)
        at++;
    if (at < source->n_provenance)
        buffer_printf(&c->note, "%s; ", source->provenance[at].value);
    size_t n_before = c->note.n_bytes;
    describe(c);
    if (c->note.n_bytes == n_before && !c->note.failed)
        return COLLIDE_OK;
    buffer_append(&c->note, "", 1);
    c->provenance = malloc((source->n_provenance + 1) * sizeof *c->provenance);
    if (c->note.failed || !c->provenance)
        return error_no_memory(err, "the model's provenance");
    for (size_t i = 0; i < source->n_provenance; i++)
        c->provenance[i] = source->provenance[i];
    c->provenance[at] = (struct provenance_entry){NOTE_NAME, c->note.bytes};
    c->model.provenance = c->provenance;
    c->model.n_provenance = at < source->n_provenance ? source->n_provenance : source->n_provenance + 1;
    return COLLIDE_OK;
}

static void add_errors(const struct converted *c, size_t s, struct embedding_errors *errors)
{
    const struct space *before = model_space(c->source, s), *after = model_space(&c->model, s);
    for (uint64_t id = 0; id <= before->n_ids; id++) {
        float x[MODEL_MAX_DIM], y[MODEL_MAX_DIM];
        dequantize_embedding(c->source, before, (uint32_t)id, x);
        dequantize_embedding(&c->model, after, (uint32_t)id, y);
        embedding_errors_add(errors, x, y, c->model.dim);
    }
}

static void measure(struct converted *c)
{
    struct embedding_errors errors = {0};
    for (size_t s = 0; s < model_n_spaces(c->source); s++)
        if (model_space_is_embedded(c->source, s))
            add_errors(c, s, &errors);
    c->report = (struct conversion){.before = cost_of(c->source),
                                    .after = cost_of(&c->model),
                                    .largest_error = embedding_errors_largest(&errors),
                                    .rms_error = embedding_errors_rms(&errors),
                                    .rms_length = embedding_errors_rms_length(&errors)};
}

/* ---- */

static enum collide_status convert(struct converted *c, const struct convert_options *options,
                                   struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    if (options->max_merged_bytes)
        status = merge_create(c->source, &c->merge, err);
    if (status == COLLIDE_OK && rows_change(c, options))
        status = convert_rows(c, options, err);
    if (status != COLLIDE_OK)
        return status;
    c->model.mapping = choose_mapping(c, options->mapping);
    if (mapping_changes(c))
        status = convert_mapping(c, err);
    if (status == COLLIDE_OK)
        status = note_provenance(c, err);
    if (status == COLLIDE_OK)
        measure(c);
    return status;
}

enum collide_status convert_model(const struct model *model, const struct convert_options *options,
                                  struct converted **out, struct collide_error *err)
{
    struct converted *c = calloc(1, sizeof *c);
    if (!c)
        return error_no_memory(err, "a model");
    c->source = model;
    c->model = *model;
    if (model->n_features)
        memcpy(c->features, model->features, model->n_features * sizeof *c->features);
    c->model.features = c->features;
    enum collide_status status = convert(c, options, err);
    if (status == COLLIDE_OK)
        *out = c;
    else
        converted_destroy(c);
    return status;
}

void converted_destroy(struct converted *c)
{
    if (!c)
        return;
    merge_free(&c->merge);
    stored_rows_free(&c->rows);
    for (size_t s = 0; s < MAX_SPACES; s++)
        free(c->remaps[s]);
    free(c->provenance);
    buffer_free(&c->note);
    free(c);
}

const struct model *converted_model(const struct converted *c)
{
    return &c->model;
}

const struct conversion *converted_report(const struct converted *c)
{
    return &c->report;
}
