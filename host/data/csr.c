#include "data/csr.h"

#include "base/error.h"
#include "data/pair_sort.h"

#include <stdlib.h>

enum { FIRST_N_PAIRS = 1 << 10 };

enum collide_status csr_allocate(uint32_t n_rows, uint64_t n_values, const char *spill, const char *what,
                                 struct csr *out, struct collide_error *err)
{
    struct csr c = {.n_rows = n_rows, .store.spill = spill};
    c.offsets = calloc((size_t)n_rows + 1, sizeof *c.offsets);
    if (!c.offsets)
        return error_no_memory(err, what);
    enum collide_status status =
        large_array_resize(&c.store, (n_values + !n_values) * sizeof *c.values, what, err);
    if (status != COLLIDE_OK) {
        csr_free(&c);
        return status;
    }
    c.values = c.store.bytes;
    *out = c;
    return COLLIDE_OK;
}

enum collide_status csr_trim(struct csr *c, struct collide_error *err)
{
    const uint64_t n = c->offsets[c->n_rows];
    enum collide_status status =
        large_array_resize(&c->store, (n + !n) * sizeof *c->values, "interactions", err);
    c->values = c->store.bytes;
    return status;
}

void csr_free(struct csr *c)
{
    free(c->offsets);
    large_array_free(&c->store);
    *c = (struct csr){0};
}

bool csr_holds(const struct csr *c, uint32_t row, uint32_t value)
{
    uint64_t low = c->offsets[row], high = c->offsets[row + 1];
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (c->values[middle] == value)
            return true;
        if (c->values[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* Half as much again each time: files grow as they are needed. */
enum collide_status csr_pairs_add(struct csr_pairs *pairs, struct csr_pair pair, struct collide_error *err)
{
    const uint64_t capacity = pairs->array.n_bytes / sizeof pair;
    if (pairs->n == capacity) {
        const uint64_t wanted = capacity ? capacity + capacity / 2 : FIRST_N_PAIRS;
        enum collide_status status =
            large_array_resize(&pairs->array, wanted * sizeof pair, "the interactions", err);
        if (status != COLLIDE_OK)
            return status;
    }
    csr_pairs_all(pairs)[pairs->n++] = pair;
    return COLLIDE_OK;
}

void csr_pairs_free(struct csr_pairs *pairs)
{
    large_array_free(&pairs->array);
    pairs->n = 0;
}

/* Of sorted pairs. Values take less room than the pairs did, so that each is written over pairs that have
 * been read. */
static void values_in_place(struct csr_pair *pairs, uint64_t n_pairs, struct csr *c)
{
    struct csr_pair last = {0};
    uint64_t n_kept = 0;
    for (uint64_t i = 0; i < n_pairs; i++) {
        const struct csr_pair pair = pairs[i];
        if (i > 0 && pair.row == last.row && pair.value == last.value)
            continue;
        last = pair;
        c->values[n_kept++] = pair.value;
        c->offsets[pair.row + 1ull]++;
    }
    for (uint64_t r = 0; r < c->n_rows; r++)
        c->offsets[r + 1] += c->offsets[r];
}

enum collide_status csr_from_pairs(struct csr_pairs *pairs, struct csr_shape shape, struct csr *out,
                                   struct collide_error *err)
{
    struct csr c = {.n_rows = shape.n_rows,
                    .offsets = calloc((size_t)shape.n_rows + 1, sizeof *c.offsets),
                    .values = pairs->array.bytes,
                    .store = pairs->array};
    struct csr_pair *all = csr_pairs_all(pairs);
    const uint64_t n_pairs = pairs->n;
    *pairs = (struct csr_pairs){.array.spill = c.store.spill};
    enum collide_status status = COLLIDE_OK;
    if (c.offsets) {
        pair_sort(all, n_pairs, shape);
        values_in_place(all, n_pairs, &c);
        status = csr_trim(&c, err);
    } else {
        status = error_no_memory(err, "the interactions, sorted by user");
    }
    if (status == COLLIDE_OK)
        *out = c;
    else
        csr_free(&c);
    return status;
}

enum collide_status csr_transpose(const struct csr *c, uint32_t n_values, struct csr *out,
                                  struct collide_error *err)
{
    const uint64_t n = c->offsets[c->n_rows];
    struct csr_pairs pairs = {.array.spill = c->store.spill};
    enum collide_status status =
        large_array_resize(&pairs.array, n * sizeof(struct csr_pair), "the interactions, by item", err);
    if (status != COLLIDE_OK)
        return status;
    for (uint32_t r = 0; r < c->n_rows; r++)
        for (uint64_t i = c->offsets[r]; i < c->offsets[r + 1]; i++)
            csr_pairs_all(&pairs)[pairs.n++] = (struct csr_pair){c->values[i], r};
    return csr_from_pairs(&pairs, (struct csr_shape){n_values, c->n_rows}, out, err);
}
