#include "learn/mapping_state.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names of a space's arrays. */
struct names {
    char shape[CHECKPOINT_NAME_BYTES], rows_of[CHECKPOINT_NAME_BYTES], weights[CHECKPOINT_NAME_BYTES];
};

static struct names names_of(const char *space)
{
    struct names n;
    snprintf(n.shape, sizeof n.shape, "%.8s-map.shape", space);
    snprintf(n.rows_of, sizeof n.rows_of, "%.8s-map.rows_of", space);
    snprintf(n.weights, sizeof n.weights, "%.8s-map.weights", space);
    return n;
}

void mapping_keep(struct checkpoint *c, const char *space, const struct id_mapping *m)
{
    const struct names names = names_of(space);
    const size_t n_entries = (size_t)m->n_ids * m->n_lookups;
    checkpoint_keep(c, names.shape, m, sizeof *m);
    checkpoint_keep(c, names.rows_of, m->rows_of, n_entries * sizeof *m->rows_of);
    if (m->lookup_weights)
        checkpoint_keep(c, names.weights, m->lookup_weights, n_entries * sizeof *m->lookup_weights);
}

static void *copy(const void *from, size_t n_bytes)
{
    void *to = from ? malloc(n_bytes) : NULL;
    return to ? memcpy(to, from, n_bytes) : NULL;
}

enum collide_status mapping_recall(const struct checkpoint *c, const char *space, struct id_mapping *out,
                                   bool *found, struct collide_error *err)
{
    const struct names names = names_of(space);
    struct id_mapping m;
    *found = checkpoint_recall(c, names.shape, &m, sizeof m);
    if (!*found)
        return COLLIDE_OK;
    /* Its pointers are those of the process that wrote it. */
    const bool has_weights = m.lookup_weights != NULL, has_rows = m.rows != NULL;
    const size_t n_entries = (size_t)m.n_ids * m.n_lookups;
    m.rows = has_rows ? calloc((size_t)m.n_rows * m.width, sizeof *m.rows) : NULL;
    m.rows_of =
        copy(checkpoint_find(c, names.rows_of, n_entries * sizeof *m.rows_of), n_entries * sizeof *m.rows_of);
    m.lookup_weights = copy(checkpoint_find(c, names.weights, n_entries * sizeof *m.lookup_weights),
                            n_entries * sizeof *m.lookup_weights);
    if (!m.rows_of || (has_rows && !m.rows) || (has_weights && !m.lookup_weights)) {
        id_mapping_free(&m);
        return error_no_memory(err, "the mapping of a checkpoint");
    }
    *out = m;
    return COLLIDE_OK;
}
