#include "learn/map/row_fit.h"

#include "base/error.h"
#include "learn/train/vector.h"

#include <stdlib.h>
#include <string.h>

enum { N_TURNS = 12 };

struct row_fit {
    const struct id_mapping *mapping;
    const float *weights;
    float *rows;
    float *residuals; /* (n_ids, dim): what the rows leave of the vectors */
    size_t *firsts;   /* (n_rows + 1): row r is that of entries[firsts[r]] and on, up to the next row's */
    size_t *entries;  /* (n_ids * n_lookups), increasing within a row: id * n_lookups + lookup */
};

static void list_entries(struct row_fit *f)
{
    const struct id_mapping *m = f->mapping;
    const size_t n_entries = (size_t)m->n_ids * m->n_lookups;
    for (size_t e = 0; e < n_entries; e++)
        f->firsts[m->rows_of[e] + 1ull]++;
    for (size_t r = 0; r < m->n_rows; r++)
        f->firsts[r + 1] += f->firsts[r];
    for (size_t e = n_entries; e-- > 0;) /* moves each row's end to its beginning */
        f->entries[--f->firsts[m->rows_of[e] + 1ull]] = e;
    memmove(f->firsts, f->firsts + 1, m->n_rows * sizeof *f->firsts);
    f->firsts[m->n_rows] = n_entries;
}

/* Which part of which id the entry is in, all numbered through. */
static size_t part_of(const struct id_mapping *m, size_t entry)
{
    return entry / (m->n_lookups / m->n_parts);
}

/* How many entries from the k-th on, up to end, add the row to the same part. */
static size_t n_alike(const struct row_fit *f, size_t k, size_t end)
{
    size_t n = 1;
    while (k + n < end && part_of(f->mapping, f->entries[k + n]) == part_of(f->mapping, f->entries[k]))
        n++;
    return n;
}

static void fit_row(const struct row_fit *f, uint32_t r)
{
    const struct id_mapping *m = f->mapping;
    const size_t width = m->width, begin = f->firsts[r], end = f->firsts[r + 1ull];
    float step[MODEL_MAX_DIM] = {0}, total = 0.0f;
    if (begin == end)
        return;
    for (size_t k = begin, n; k < end; k += n) {
        n = n_alike(f, k, end);
        const float weight = (float)n * f->weights[f->entries[k] / m->n_lookups];
        vector_add_scaled(weight, f->residuals + part_of(m, f->entries[k]) * width, step, width);
        total += (float)n * weight;
    }
    vector_scale(1.0f / total, step, width);
    vector_add_scaled(1.0f, step, f->rows + r * width, width);
    for (size_t k = begin; k < end; k++)
        vector_add_scaled(-1.0f, step, f->residuals + part_of(m, f->entries[k]) * width, width);
}

enum collide_status fit_rows(const struct id_mapping *m, const float *vectors, const float *weights,
                             float *rows, struct collide_error *err)
{
    const size_t n_values = (size_t)m->n_ids * m->n_parts * m->width;
    const uint32_t n_turns = m->n_lookups == m->n_parts ? 1 : N_TURNS;
    struct row_fit f = {.mapping = m, .weights = weights, .rows = rows};
    enum collide_status status = COLLIDE_OK;
    f.residuals = malloc(n_values * sizeof *f.residuals);
    f.firsts = calloc(m->n_rows + 1ull, sizeof *f.firsts);
    f.entries = malloc((size_t)m->n_ids * m->n_lookups * sizeof *f.entries);
    if (!f.residuals || !f.firsts || !f.entries) {
        status = error_no_memory(err, "what rows are fitted to");
        goto out;
    }
    memcpy(f.residuals, vectors, n_values * sizeof *f.residuals);
    memset(rows, 0, (size_t)m->n_rows * m->width * sizeof *rows);
    list_entries(&f);
    for (uint32_t turn = 0; turn < n_turns; turn++)
        for (uint32_t r = 0; r < m->n_rows; r++)
            fit_row(&f, r);
out:
    free(f.residuals);
    free(f.firsts);
    free(f.entries);
    return status;
}
