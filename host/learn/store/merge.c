#include "learn/store/merge.h"

#include "base/error.h"
#include "learn/store/dequantize.h"
#include "model/mapping.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static uint64_t pair_of(const struct model *m, const struct space *space, uint32_t id, uint32_t lookup)
{
    return (uint64_t)model_row_of(m, space, id, 2 * lookup) << 32 |
           model_row_of(m, space, id, 2 * lookup + 1);
}

static int ascending(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The different pairs of a lookup, ascending; pairs: room for one an entry. */
static uint64_t list_pairs(const struct model *m, uint32_t lookup, uint64_t *pairs)
{
    uint64_t n = 0, n_different = 0;
    for (size_t s = 0; s < model_n_spaces(m); s++) {
        const struct space *space = model_space(m, s);
        for (uint64_t id = 0; model_space_is_embedded(m, s) && id <= space->n_ids; id++)
            pairs[n++] = pair_of(m, space, (uint32_t)id, lookup);
    }
    qsort(pairs, n, sizeof *pairs, ascending);
    for (uint64_t i = 0; i < n; i++)
        if (i == 0 || pairs[i] != pairs[i - 1])
            pairs[n_different++] = pairs[i];
    return n_different;
}

static enum collide_status append_lookup(struct merge *merge, uint32_t lookup, uint64_t *scratch,
                                         struct collide_error *err)
{
    uint64_t n = list_pairs(merge->model, lookup, scratch);
    if (n > UINT32_MAX - merge->n_rows)
        return error_set(err, COLLIDE_UNSUPPORTED, "merged, the model would have more than 2^32 - 1 rows");
    uint64_t *pairs = realloc(merge->pairs, (merge->n_rows + n) * sizeof *pairs);
    if (!pairs)
        return error_no_memory(err, "the merged rows");
    memcpy(pairs + merge->n_rows, scratch, n * sizeof *pairs);
    merge->pairs = pairs;
    merge->n_rows += (uint32_t)n;
    merge->first_rows[lookup + 1] = merge->n_rows;
    return COLLIDE_OK;
}

/* Whether two lookups that are merged stand side by side. */
static bool joins_parts(const struct model *m)
{
    return m->mapping.combine == COMBINE_CONCAT && mapping_part_lookups(&m->mapping) == 1;
}

enum collide_status merge_check(const struct model *m, struct collide_error *err)
{
    const uint32_t n_lookups = m->mapping.n_lookups, part_lookups = mapping_part_lookups(&m->mapping);
    if (n_lookups % 2 != 0)
        return error_set(err, COLLIDE_INVALID,
                         "lookups are merged by twos, and the model has %" PRIu32
                         " an id; convert without merging",
                         n_lookups);
    if (part_lookups % 2 != 0 && !joins_parts(m))
        return error_set(err, COLLIDE_UNSUPPORTED,
                         "lookups are merged by twos, and each part of an embedding is the sum of %" PRIu32
                         "; convert without merging",
                         part_lookups);
    if (model_has_lookup_weights(m))
        return error_set(
            err, COLLIDE_UNSUPPORTED,
            "the model's ids weigh their rows, so that pairs of rows have no sum in common; convert "
            "without merging");
    return COLLIDE_OK;
}

enum collide_status merge_create(const struct model *m, struct merge *out, struct collide_error *err)
{
    enum collide_status status = merge_check(m, err);
    if (status != COLLIDE_OK)
        return status;
    struct merge merge = {.model = m, .n_lookups = m->mapping.n_lookups / 2};
    merge.width = joins_parts(m) ? 2 * m->rows.width : m->rows.width;
    uint64_t n_entries = model_entry_base(m, model_n_spaces(m));
    uint64_t *scratch = malloc(n_entries * sizeof *scratch);
    if (!scratch)
        status = error_no_memory(err, "the merged lookups");
    for (uint32_t p = 0; status == COLLIDE_OK && p < merge.n_lookups; p++)
        status = append_lookup(&merge, p, scratch, err);
    free(scratch);
    if (status == COLLIDE_OK)
        *out = merge;
    else
        merge_free(&merge);
    return status;
}

void merge_free(struct merge *merge)
{
    free(merge->pairs);
    *merge = (struct merge){0};
}

struct row_mapping merge_mapping(const struct merge *merge)
{
    struct row_mapping mapping = merge->model->mapping;
    mapping.n_lookups = merge->n_lookups;
    if (joins_parts(merge->model))
        mapping.n_parts = 0;
    if (mapping_is_computed(mapping.kind))
        mapping.kind = MAPPING_STORED;
    return mapping;
}

uint32_t merge_row_of(const struct merge *merge, const struct space *space, uint32_t id, uint32_t lookup)
{
    const uint64_t pair = pair_of(merge->model, space, id, lookup);
    uint32_t low = merge->first_rows[lookup], high = merge->first_rows[lookup + 1];
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (merge->pairs[middle] <= pair)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void merge_read_row(const void *context, uint32_t r, float *out)
{
    const struct merge *merge = context;
    const struct model *m = merge->model;
    const uint32_t width = m->rows.width;
    uint32_t lookup = 0;
    while (merge->first_rows[lookup + 1] <= r)
        lookup++;
    uint32_t first = (uint32_t)(merge->pairs[r] >> 32), second = (uint32_t)merge->pairs[r];
    uint32_t first_dim = 2 * lookup / mapping_part_lookups(&m->mapping) * width;
    dequantize_row(&m->rows, first, first_dim, out);
    if (joins_parts(m)) {
        dequantize_row(&m->rows, second, first_dim + width, out + width);
        return;
    }
    float row[MODEL_MAX_DIM];
    dequantize_row(&m->rows, second, first_dim, row);
    combine_row(m->mapping.combine, row, width, out);
}
