#include "data/csr.h"

#include "base/error.h"

#include <stdlib.h>

void csr_free(struct csr *c)
{
    free(c->offsets);
    free(c->values);
    *c = (struct csr){0};
}

/* counts[k] becomes where list k ends. Filled from there downwards, it comes to be where the list begins. */
static void ends_from_counts(uint64_t *counts, uint32_t n_lists)
{
    uint64_t end = 0;
    for (uint32_t k = 0; k < n_lists; k++) {
        end += counts[k];
        counts[k] = end;
    }
    counts[n_lists] = end;
}

/* rows: (n_pairs), list v of them, starts[v] .. starts[v + 1], are the rows that hold value v. */
static void rows_by_value(const struct csr_pair *pairs, uint64_t n_pairs, uint32_t n_values, uint64_t *starts,
                          uint32_t *rows)
{
    for (uint64_t i = 0; i < n_pairs; i++)
        starts[pairs[i].value]++;
    ends_from_counts(starts, n_values);
    for (uint64_t i = 0; i < n_pairs; i++)
        rows[--starts[pairs[i].value]] = pairs[i].row;
}

/* Rows filled downwards by falling values come out rising, whatever the order of the pairs was. */
static void values_by_row(const uint32_t *rows, const uint64_t *starts, uint32_t n_values, struct csr *c)
{
    for (uint64_t i = 0; i < starts[n_values]; i++)
        c->offsets[rows[i]]++;
    ends_from_counts(c->offsets, c->n_rows);
    for (uint32_t v = n_values; v-- > 0;)
        for (uint64_t i = starts[v]; i < starts[v + 1]; i++)
            c->values[--c->offsets[rows[i]]] = v;
}

static void remove_duplicates(struct csr *c)
{
    uint64_t n_kept = 0;
    uint64_t begin = 0;
    for (uint32_t r = 0; r < c->n_rows; r++) {
        uint64_t end = c->offsets[r + 1];
        for (uint64_t i = begin; i < end; i++)
            if (i == begin || c->values[i] != c->values[i - 1])
                c->values[n_kept++] = c->values[i];
        c->offsets[r + 1] = n_kept;
        begin = end;
    }
}

enum collide_status csr_from_pairs(struct csr_pair *pairs, uint64_t n_pairs, struct csr_shape shape,
                                   struct csr *out, struct collide_error *err)
{
    struct csr c = {.n_rows = shape.n_rows};
    enum collide_status status = COLLIDE_NO_MEMORY;
    uint64_t *starts = calloc((size_t)shape.n_values + 1, sizeof *starts);
    uint32_t *rows = malloc((n_pairs + !n_pairs) * sizeof *rows);
    if (!starts || !rows)
        goto out;
    rows_by_value(pairs, n_pairs, shape.n_values, starts, rows);
    free(pairs);
    pairs = NULL;
    c.offsets = calloc((size_t)shape.n_rows + 1, sizeof *c.offsets);
    c.values = malloc((n_pairs + !n_pairs) * sizeof *c.values);
    if (!c.offsets || !c.values)
        goto out;
    values_by_row(rows, starts, shape.n_values, &c);
    remove_duplicates(&c);
    *out = c;
    c = (struct csr){0};
    status = COLLIDE_OK;
out:
    csr_free(&c);
    free(rows);
    free(starts);
    free(pairs);
    return status == COLLIDE_OK ? status : error_no_memory(err, "the interactions, sorted by user");
}

enum collide_status csr_transpose(const struct csr *c, uint32_t n_values, struct csr *out,
                                  struct collide_error *err)
{
    const uint64_t n = c->offsets[c->n_rows];
    struct csr t = {.n_rows = n_values};
    t.offsets = calloc((size_t)n_values + 1, sizeof *t.offsets);
    t.values = malloc((n + !n) * sizeof *t.values);
    if (!t.offsets || !t.values) {
        csr_free(&t);
        return error_no_memory(err, "the interactions, sorted by item");
    }
    for (uint64_t i = 0; i < n; i++)
        t.offsets[c->values[i]]++;
    ends_from_counts(t.offsets, n_values);
    for (uint32_t r = c->n_rows; r-- > 0;)
        for (uint64_t i = c->offsets[r]; i < c->offsets[r + 1]; i++)
            t.values[--t.offsets[c->values[i]]] = r;
    *out = t;
    return COLLIDE_OK;
}
