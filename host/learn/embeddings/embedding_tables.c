#include "learn/embeddings/embedding_tables.h"

#include "base/error.h"
#include "learn/embeddings/numbers.h"
#include "model/model.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* Products of two values, MODEL_MAX_DIM of them summed, are still far from the largest float. */
static const double LARGEST_VALUE = 1e16;

static enum collide_status read_values(const struct numbers *n, uint64_t n_columns, float *out,
                                       struct collide_error *err)
{
    for (uint64_t i = 0; i < n->n; i++) {
        const double value = numbers_at(n, i);
        if (!(fabs(value) <= LARGEST_VALUE))
            return error_set(err, COLLIDE_INVALID,
                             "%s: row %" PRIu64 ", column %" PRIu64 " is %g; values must be finite, of %g at "
                             "the most",
                             n->name, i / n_columns, i % n_columns, value, LARGEST_VALUE);
        out[i] = (float)value;
    }
    return COLLIDE_OK;
}

static enum collide_status check_table(const struct numbers *n, struct collide_error *err)
{
    if (n->n == 0)
        return error_set(err, COLLIDE_INVALID,
                         "%s has %" PRIu64 " rows of %" PRIu64 " values: nothing to "
                         "learn from",
                         n->name, n->shape[0], n->shape[1]);
    if (n->shape[1] > MODEL_MAX_DIM)
        return error_set(err, COLLIDE_UNSUPPORTED,
                         "%s has embeddings of %" PRIu64 " values; models have %d at the most", n->name,
                         n->shape[1], MODEL_MAX_DIM);
    if (n->shape[0] >= UINT32_MAX / 2)
        return error_set(err, COLLIDE_UNSUPPORTED,
                         "%s has %" PRIu64 " embeddings; models have fewer than 2^31", n->name, n->shape[0]);
    return COLLIDE_OK;
}

/* dim: what it must be; 0: anything, and then it is what the table has. */
static enum collide_status read_table(const char *file, float **out, uint32_t *n_ids, uint32_t *dim,
                                      struct collide_error *err)
{
    struct numbers n;
    enum collide_status status = numbers_open(file, 2, NUMBERS_FLOATS, &n, err);
    if (status != COLLIDE_OK)
        return status;
    status = check_table(&n, err);
    if (status == COLLIDE_OK && *dim && n.shape[1] != *dim)
        status = error_set(err, COLLIDE_INVALID,
                           "%s has embeddings of %" PRIu64 " values, the items of %" PRIu32
                           ": give tables of one width",
                           file, n.shape[1], *dim);
    float *values = status == COLLIDE_OK ? malloc(n.n * sizeof *values) : NULL;
    if (status == COLLIDE_OK)
        status = values ? read_values(&n, n.shape[1], values, err) : error_no_memory(err, "the embeddings");
    if (status == COLLIDE_OK) {
        *out = values;
        *n_ids = (uint32_t)n.shape[0];
        *dim = (uint32_t)n.shape[1];
    } else {
        free(values);
    }
    numbers_close(&n);
    return status;
}

static enum collide_status open_list(const char *file, enum numbers_kind kind, uint32_t n_items,
                                     struct numbers *out, struct collide_error *err)
{
    enum collide_status status = numbers_open(file, 1, kind, out, err);
    if (status != COLLIDE_OK || out->n == n_items)
        return status;
    status = error_set(err, COLLIDE_INVALID, "%s has %" PRIu64 " values for %" PRIu32 " items: give one each",
                       file, out->n, n_items);
    numbers_close(out);
    return status;
}

static enum collide_status read_bias(const char *file, uint32_t n_items, float *out,
                                     struct collide_error *err)
{
    struct numbers n;
    enum collide_status status = open_list(file, NUMBERS_FLOATS, n_items, &n, err);
    if (status != COLLIDE_OK)
        return status;
    status = read_values(&n, 1, out, err);
    numbers_close(&n);
    return status;
}

/* *scale_from: the largest number, where they are to be scaled; 0: they are counts. */
static enum collide_status check_frequencies(const struct numbers *n, double *scale_from,
                                             struct collide_error *err)
{
    double largest = 0.0;
    bool are_whole = true;
    for (uint64_t i = 0; i < n->n; i++) {
        const double value = numbers_at(n, i);
        if (!(value >= 0.0 && value < (double)INFINITY))
            return error_set(err, COLLIDE_INVALID,
                             "%s: the frequency of item %" PRIu64 " is %g; give 0 or above", n->name, i,
                             value);
        largest = fmax(largest, value);
        are_whole = are_whole && floor(value) == value;
    }
    *scale_from = are_whole && largest <= UINT32_MAX ? 0.0 : largest;
    return COLLIDE_OK;
}

static enum collide_status read_counts(const char *file, uint32_t n_items, uint32_t *out,
                                       struct collide_error *err)
{
    struct numbers n;
    double scale_from = 0.0;
    enum collide_status status = open_list(file, NUMBERS_ANY, n_items, &n, err);
    if (status != COLLIDE_OK)
        return status;
    status = check_frequencies(&n, &scale_from, err);
    for (uint32_t i = 0; status == COLLIDE_OK && i < n_items; i++) {
        const double value = numbers_at(&n, i);
        out[i] = (uint32_t)(scale_from > 0.0 ? rint(value / scale_from * 0x1p24) : value);
    }
    numbers_close(&n);
    return status;
}

static enum collide_status read_lists(const struct embedding_files *files, struct embedding_tables *t,
                                      struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    t->counts = malloc(t->n_items * sizeof *t->counts);
    t->bias = files->bias ? malloc(t->n_items * sizeof *t->bias) : NULL;
    if (!t->counts || (files->bias && !t->bias))
        return error_no_memory(err, "the items");
    for (uint32_t i = 0; i < t->n_items; i++)
        t->counts[i] = 1;
    if (files->frequencies)
        status = read_counts(files->frequencies, t->n_items, t->counts, err);
    if (status == COLLIDE_OK && files->bias)
        status = read_bias(files->bias, t->n_items, t->bias, err);
    return status;
}

enum collide_status embedding_tables_read(const struct embedding_files *files, struct embedding_tables *out,
                                          struct collide_error *err)
{
    struct embedding_tables t = {0};
    enum collide_status status = read_table(files->items, &t.items, &t.n_items, &t.dim, err);
    if (status == COLLIDE_OK && files->users)
        status = read_table(files->users, &t.users, &t.n_users, &t.dim, err);
    if (status == COLLIDE_OK)
        status = read_lists(files, &t, err);
    if (status == COLLIDE_OK)
        *out = t;
    else
        embedding_tables_free(&t);
    return status;
}

void embedding_tables_free(struct embedding_tables *t)
{
    free(t->items);
    free(t->users);
    free(t->bias);
    free(t->counts);
    *t = (struct embedding_tables){0};
}
